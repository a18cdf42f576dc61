"""Questions in several orders: an implementation that keeps a state may answer otherwise after other questions.

The rows of the table ask for one quantity on one problem after the other. Here every quantity is asked again after the
others, on a few small problems, in orders that a seed decides, and is compared roughly: a spoilt answer is far off.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from .adapters import Adapter
from .causes import Found, is_right, restart, verdict_on
from .problems import Problem
from .quantities import ROWS
from .questions import Question, chosen
from .verdicts import UNASKED, Status, Verdict, refused

ORDERS = 3
"""The seeded orders, after the one of the table."""

EXPLAINED = 5
"""The quantities of an adapter whose wrong answers are explained by replays."""


class Again(NamedTuple):
    """The number of questions that were asked in each order, and by quantity the verdict on the first wrong answer."""

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
    """Ask for the quantities in several orders.

    names: the quantities that are asked
    wrong: those of them that are wrong already; only one that is right first and wrong later tells something new
    short: whether one problem is enough, as it is where every new shape is compiled
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
    """The first wrong answer for each quantity. One that raised is not asked again, as it might hang each time.

    wrong: quantities of which an answer counts only where the same question was answered rightly before
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
