"""Questions in several orders, since an implementation with a state may answer otherwise after other questions.

The rows of the table run one quantity on one problem after the other. Here every quantity is run again after the
others, on a few small problems, in orders that a seed decides. The comparison is rough, since a spoilt answer has a
large error.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from .adapters import Adapter
from .causes import Found, is_right, restart, verdict_on
from .problems.problem import Problem
from .quantities import ROWS
from .questions import Question, chosen
from .verdicts import UNASKED, Status, Verdict, refused

ORDERS = 3
"""The seeded orders, after the one of the table."""

EXPLAINED = 5
"""The most quantities of an adapter for which replays find the cause of a wrong answer."""


class Again(NamedTuple):
    """The number of questions in each order, and for each quantity the verdict on its first wrong answer."""

    questions: int
    wrong: dict[str, Verdict]


def asked_in_orders(
    adapter: Adapter,
    problems: Sequence[Problem],
    names: Iterable[str],
    wrong: Iterable[str] = (),
    *,
    short: bool = False,
) -> Again:
    """Run the quantities in several orders.

    names: the quantities
    wrong: the quantities that are wrong already; they count only if they are right first and wrong later
    short: whether one problem is enough, as for a library that compiles every new shape
    """
    restart(adapter)
    questions = chosen(adapter, problems, [name for name in ROWS if name in set(names)], short=short)
    found = wrong_answers(adapter, in_every_order(questions), set(wrong))
    explained = list(found)[:EXPLAINED]
    verdicts = {name: verdict_on(one, adapter, explained=name in explained) for name, one in found.items()}
    return Again(len(questions), verdicts)


def in_every_order(questions: Sequence[Question]) -> Iterator[Question]:
    """The questions in the order of the table, and then in the seeded orders."""
    yield from questions
    for seed in range(ORDERS):
        for i in np.random.Generator(np.random.Philox(seed)).permutation(len(questions)):
            yield questions[i]


def wrong_answers(adapter: Adapter, questions: Iterable[Question], wrong: set[str]) -> dict[str, Found]:
    """The first wrong answer for each quantity. A quantity that raised is not run again, since it may hang each time.

    wrong: quantities whose answer counts only if the same question had a right answer before
    """
    found: dict[str, Found] = {}
    history: list[Question] = []
    right: dict[tuple[str, str], int] = {}
    silent: set[str] = set()
    for question in questions:
        name, key = question.quantity.name, (question.problem.id, question.quantity.name)
        if name in silent:
            continue
        verdict = question.judged(adapter)
        if verdict.status is Status.ERROR:
            silent.add(name)
        if verdict.status in UNASKED:
            if key not in right:
                continue
            verdict = refused(verdict)
        if is_right(verdict):
            right[key] = len(history)
        elif name not in found and (key in right or name not in wrong):
            found[name] = Found(question, verdict, tuple(history[right.get(key, -1) + 1 :]), key in right)
        history.append(question)
    return found
