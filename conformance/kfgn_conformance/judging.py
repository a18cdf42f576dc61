"""The comparison of one answer of one implementation with the oracle."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .adapters import Adapter, UnsupportedError
from .adapters.answers import NoAnswerError, as_arrays, error_message, max_bytes, one_line, raised_line
from .adapters.conventions import translated
from .changes import LARGE
from .forms import hint, well_formed
from .implementation import Implementation
from .inputs import changed, copy_for_adapters, of_changed, restore
from .oracle import Oracle
from .problems.masked import check_mask, is_masked
from .problems.problem import Problem
from .quantities import Arrays, Quantity, largest
from .tolerances import MAX_RELATIVE_TOLERANCE, quotient
from .verdicts import RIGHT, WRONG, Status, Verdict

NON_STRICT = 30
"""The largest ratio error / tolerance of an answer that is NON-STRICT and not FAIL.

The tests of LAPACK have the same limit.
"""


STORED = 2**20
"""The largest number of bytes of `Judged.given`, whose arrays are stored until their row of the table is complete."""


ONE_BLOCK = "with separate biases, this approximation is compared only on networks without biases"
"""The reason why an approximation of one block for the weights and the bias is not compared with two blocks."""


WITHOUT_MASKS = "the description does not declare masks=True, so no batch with a mask is run"
"""The reason why a problem with a mask is not run."""


class Rule(NamedTuple):
    """A rule by which answers are compared.

    name:       the name of the tolerance in messages
    tolerances: a function of an oracle and a dtype that returns the tolerance of each array
    relative:   a function of an oracle and a dtype that returns the largest relative tolerance over the arrays
    """

    name: str
    tolerances: Callable[[Oracle, str], Sequence[float]]
    relative: Callable[[Oracle, str], float]


STRICT = Rule("tolerance", Oracle.tolerances, Oracle.relative_tolerance)
"""The tolerance rule of the module `tolerances`."""


class Judged(NamedTuple):
    """The verdict on an answer.

    wrong: a copy of arrays that are wrong but have the right form, for the diagnosis; None for all other answers and
           for large problems
    given: a copy of the arrays before their translation, for the search for undeclared conventions; None if the
           status is SKIPPED, UNIMPLEMENTED or ERROR, and for an answer of more than `STORED` bytes

    `wrong` and `given` are None if a repeated question gets a status that differs from the first status.
    """

    verdict: Verdict
    wrong: Arrays | None = None
    given: Arrays | None = None


def judge(adapter: Adapter, problem: Problem, quantity: Quantity, *, twice: bool = False) -> Verdict:
    """Run an adapter on one quantity and one problem, and compare its answer with the reference.

    Parameters
    ----------
    adapter : Adapter
        The adapter of the implementation. Its answer is in the conventions that its description declares.
    problem : Problem
        The problem, of which the adapter gets a copy.
    quantity : Quantity
        A quantity that applies to the problem, one of `QUANTITIES` or `SHARED_WEIGHTS`.
    twice : bool
        True to run the quantity again after a right answer, since the second answer of an adapter with a state may be
        wrong.

    Returns
    -------
    Verdict
        The outcome. It is UNIMPLEMENTED if the adapter does not offer the quantity, if the problem has a mask and the
        description does not have `masks=True`, if the description declares separate biases with which the quantity
        cannot be compared, or if `compute` raises `UnsupportedError`. It is SKIPPED if the problem is not run in the
        dtype of the adapter. If `compute` raises any other exception except `KeyboardInterrupt`, returns no arrays that
        can be read, or changes an array of its problem, the outcome is ERROR.

    Raises
    ------
    TypeError
        If the mask of the problem is not an array of bool.
    ValueError
        If the quantity or its tolerance has no finite value on the problem, or if the mask has a wrong shape or does
        not fit the network.
    KeyboardInterrupt
        If `compute` raises this exception.

    Notes
    -----
    The cost is one evaluation of the quantity by the adapter, or two if `twice` is True and the first answer is
    right. If the oracle does not ship with the kit, the reference also evaluates the quantity, once in float64 and nine
    times in an arithmetic of 24 or 40 bits. These ten evaluations take some tenths of a second on a small problem. A
    problem of at least 10^5 weights needs only two evaluations in float64 and one in float32.

    Examples
    --------
    A gradient without the mean over the datapoints fails:

    >>> from kfgn_conformance import QUANTITIES, Description, judge
    >>> from kfgn_conformance.problems.cases import cases
    >>> class Mine:
    ...     def describe(self):
    ...         return Description("mine", "1.0", "float64", frozenset({"gradient"}))
    ...     def compute(self, problem, quantity):
    ...         right = QUANTITIES[quantity].value(problem)
    ...         return tuple(problem.N * array for array in right)
    >>> problem = cases()[0]
    >>> print(judge(Mine(), problem, QUANTITIES["gradient"]).status)
    FAIL
    >>> print(judge(Mine(), problem, QUANTITIES["kfra"]).status)
    UNIMPLEMENTED
    """
    check_mask(problem)
    implementation = Implementation("", adapter)
    oracle = Oracle(problem, implementation.compared(quantity))
    return (judged_twice if twice else judged)(implementation, oracle).verdict


def judged_twice(implementation: Implementation, oracle: Oracle) -> Judged:
    """Judge the answer as `judged` does, and run the same quantity again after a right answer.

    The second verdict is returned if its status differs from the status of the first verdict.
    """
    first = judged(implementation, oracle)
    if first.verdict.status in RIGHT:
        second = judged(implementation, oracle).verdict
        if second.status is Status.UNIMPLEMENTED:
            second = refused(second)
        if second.status is not first.verdict.status:
            return Judged(second._replace(detail=f"when the question was repeated: {second.detail}"))
    return first


def refused(verdict: Verdict) -> Verdict:
    """Return an ERROR for an adapter that has answered a question before, and does not support the question now."""
    return verdict._replace(
        status=Status.ERROR, ratio=np.inf, detail=f"no answer to a question that was answered before: {verdict.detail}"
    )


def judged(implementation: Implementation, oracle: Oracle, rule: Rule = STRICT) -> Judged:
    """Run an implementation on the oracle's question, and compare its answer with the oracle."""
    adapter, description = implementation.opened
    problem, quantity = oracle.problem, oracle.quantity
    if quantity.name not in description.quantities:
        detail = f"{description.name} does not offer {quantity.name}"
        return Judged(Verdict(Status.UNIMPLEMENTED, problem.id, detail=detail))
    if description.dtype not in problem.dtypes:
        return Judged(Verdict(Status.SKIPPED, problem.id, detail=dtypes_of(problem)))
    if quantity.with_bias and description.conventions.bias == "separate" and any(l.bias for l in problem.weighted):
        return Judged(Verdict(Status.UNIMPLEMENTED, problem.id, detail=ONE_BLOCK))
    if is_masked(problem) and not description.masks:
        return Judged(Verdict(Status.UNIMPLEMENTED, problem.id, detail=WITHOUT_MASKS))
    given, fault = copy_for_adapters(problem), None
    try:
        arrays = as_arrays(adapter.compute(given, quantity.name), max_bytes(problem, quantity))
        stored = _stored(arrays)
        answer, translations = translated(arrays, problem, quantity, description.conventions)
    except UnsupportedError as error:
        fault = Verdict(Status.UNIMPLEMENTED, problem.id, detail=error_message(error))
    except NoAnswerError as error:
        fault = Verdict(Status.ERROR, problem.id, np.inf, detail=one_line(error))
    except BaseException as error:  # an exception of an implementation becomes its verdict, and the run continues
        if type(error) is KeyboardInterrupt:  # most likely somebody pressed Ctrl+C
            raise
        fault = Verdict(Status.ERROR, problem.id, np.inf, detail=raised_line(error))
    if names := changed(problem, given):
        restore(problem, given)
        if fault is None or fault.status is Status.UNIMPLEMENTED:
            fault = Verdict(Status.ERROR, problem.id, np.inf, detail=of_changed(names))
    if fault:
        return Judged(fault)
    return compare(answer, oracle, description.dtype, translations, rule)._replace(given=stored)


def _stored(arrays: Arrays) -> Arrays | None:
    """A copy of small arrays, or None for large arrays. An adapter may write its next answer into the arrays."""
    return tuple(map(np.copy, arrays)) if sum(array.nbytes for array in arrays) <= STORED else None


def dtypes_of(problem: Problem) -> str:
    """Describe the dtypes in which the problem is run."""
    return f"{problem.id} is run only in {' and '.join(problem.dtypes)}"


def compare(
    answer: object, oracle: Oracle, dtype: str, translations: tuple[str, ...] = (), rule: Rule = STRICT
) -> Judged:
    """Compare an answer in a dtype with the oracle.

    translations: the translations that brought the answer into the kit's conventions
    """
    problem = oracle.problem
    arrays, fault = well_formed(answer, oracle, dtype)
    if fault:
        done = f", after translation of the answer: {', '.join(translations)}" if translations else ""
        detail = fault + done + hint(oracle, answer, translations)
        return Judged(Verdict(Status.FAIL, problem.id, np.inf, detail=detail, translations=translations))
    ratio, detail = worst_ratio(arrays, oracle, rule.tolerances(oracle, dtype), rule.name)
    relative = rule.relative(oracle, dtype)
    status = _status(ratio, relative, dtype)
    # the arrays are copied, since an adapter may write its next answer into them
    wrong = tuple(map(np.copy, arrays)) if status in WRONG and problem.parameters < LARGE else None
    return Judged(Verdict(status, problem.id, ratio, relative, detail, translations), wrong)


def worst_ratio(arrays: Arrays, oracle: Oracle, allowed: Sequence[float], rule: str) -> tuple[float, str]:
    """Return the largest ratio error / tolerance over the arrays, and a description of the array with this ratio."""
    errors = [largest(a.astype(np.float64) - q) for a, q in zip(arrays, oracle.arrays, strict=True)]
    ratios = [quotient(error, tolerance) for error, tolerance in zip(errors, allowed, strict=True)]
    worst = int(np.argmax(ratios))
    detail = (
        f"array {worst + 1} of {len(errors)}: error {errors[worst]:.3g}, {rule} {allowed[worst]:.3g}, "
        f"largest element {oracle.scales[worst]:.3g}"
    )
    return ratios[worst], detail


def _status(ratio: float, relative_tolerance: float, dtype: str) -> Status:
    """Return the status.

    If the tolerance is too large, an error above the tolerance proves a fault, but a smaller error proves nothing.
    """
    if ratio > 1:
        return Status.NON_STRICT if ratio <= NON_STRICT else Status.FAIL
    return Status.INCONCLUSIVE if relative_tolerance > MAX_RELATIVE_TOLERANCE[dtype] else Status.PASS
