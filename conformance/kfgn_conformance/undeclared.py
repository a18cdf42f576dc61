"""Undeclared conventions with which every answer of an implementation is right."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from itertools import product
from typing import Any

from .adapters import Conventions, Description
from .adapters.conventions import CHOICES, compared, translated
from .adapters.positions import DIVIDED, DIVISORS
from .diagnosis import Mistake
from .diagnosis.textbook import Textbook
from .judging import Judged, compare
from .oracle import Oracle
from .quantities import ROWS, Quantity
from .verdicts import WRONG, Status

NAME = "undeclared-convention"


def undeclared(answers: Sequence[tuple[Oracle, Judged]], description: Description) -> tuple[Mistake, ...]:
    """Find conventions with which every answer is right. Return a tuple with a mistake that names them, or ().

    Only the answers whose arrays were stored are compared. Among several such conventions, the mistake names those that
    differ in the fewest fields from the declared conventions. The declared ratios of losses are not changed.
    """
    stored = [(oracle, judged) for oracle, judged in answers if judged.given is not None]
    stored.sort(key=lambda each: (each[1].verdict.status not in WRONG, each[0].problem.parameters * each[0].problem.N))
    if not stored or stored[0][1].verdict.status not in WRONG:
        return ()
    least, found = len(CHOICES), list[Conventions]()
    for changes in sorted(_changes(description.conventions, stored[0][0]), key=len):
        if len(changes) > least:
            break
        conventions = replace(description.conventions, **changes)
        if all(_is_right(oracle, judged, conventions, description.dtype) for oracle, judged in stored):
            least = len(changes)
            found.append(conventions)
    return (undeclared_mistake(found, description.conventions, stored[0][0].quantity),) if found else ()


def undeclared_mistake(found: Sequence[Conventions], declared: Conventions, quantity: Quantity) -> Mistake:
    """Make the mistake that names conventions with which every answer is right."""
    written = " or with ".join(_written(each, declared) for each in found)
    text = f"Every answer is right with {written}, which the adapter does not declare."
    if quantity.array_kind == "inputs" and any(each.bias == "separate" for each in found):
        text += (
            " If the implementation does not store its biases separately, the row and the column of the appended 1 are "
            "missing."
        )
    return Mistake(NAME, "conventions", text, "", Textbook, tuple(found))


def _changes(declared: Conventions, oracle: Oracle) -> Iterator[dict[str, Any]]:
    """Yield each alternative to the declared conventions, as a mapping from the changed fields to their values.

    The order of a patch is changed only on a problem with shared weights. A divisor is changed only for a quantity of
    `DIVIDED`, and without any other change.
    """
    name = oracle.quantity.name
    for divisor in DIVISORS if name in DIVIDED else ():
        if divisor not in (DIVIDED[name], declared.divisors.get(name)):
            yield {"divisors": declared.divisors | {name: divisor}}
    choices = CHOICES if oracle.problem.is_shared else {key: CHOICES[key] for key in CHOICES if key != "patch"}
    for values in product(*choices.values()):
        each = zip(choices, values, strict=True)
        if changes := {name: value for name, value in each if getattr(declared, name) != value}:
            yield changes


def _is_right(oracle: Oracle, judged: Judged, conventions: Conventions, dtype: str) -> bool:
    """True if an answer is right with `conventions`.

    An answer that is INCONCLUSIVE with `conventions` counts as right, unless it is wrong with the declared conventions,
    for which `judged.verdict` is the verdict.
    """
    quantity = compared(ROWS[oracle.quantity.name], conventions)
    there = oracle if quantity is oracle.quantity else Oracle(oracle.problem, quantity)
    arrays, _ = translated(judged.given, oracle.problem, quantity, conventions)
    status = compare(arrays, there, dtype).verdict.status
    return status is Status.PASS or (status is Status.INCONCLUSIVE and judged.verdict.status not in WRONG)


def _written(conventions: Conventions, declared: Conventions) -> str:
    """The call of `Conventions` with the fields that differ from `declared`. Strings are in double quotes."""
    changes = {field.name: getattr(conventions, field.name) for field in fields(conventions)}
    changed = (f"{name}={json.dumps(value)}" for name, value in changes.items() if value != getattr(declared, name))
    return f"Conventions({', '.join(changed)})"
