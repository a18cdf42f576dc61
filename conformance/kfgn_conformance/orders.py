"""Repetition of questions in several orders, since an implementation may keep a state that spoils later answers.

A question is one quantity on one problem. Each row of the table runs one quantity on all problems. After all rows, this
module repeats the questions on a few small problems, first one problem after the other and then in random orders. A
rough tolerance is enough, because the error is large if an earlier question makes an answer wrong.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from .causes import Found, verdict_on
from .implementation import Implementation
from .judging import judged, refused
from .oracle import Oracle
from .quantities import ROWS
from .questions import SmallProblem, chosen
from .results import ORDERS, Again
from .rough import ROUGH
from .verdicts import NOT_RUN, RIGHT, Status

EXPLAINED = 5
"""The maximum number of quantities of an implementation for which the kit seeks the cause of a wrong answer."""


def repeated_in_orders(
    implementation: Implementation, small: Sequence[SmallProblem], names: Iterable[str], wrong: Iterable[str] = ()
) -> Again:
    """Run the quantities of an implementation in several orders.

    small: the small problems, from which a few are chosen
    names: the names of the quantities
    wrong: the quantities that did not pass in the table; their answers may be wrong in every order, so that a wrong
           answer counts only after a right answer to the same question
    """
    implementation.restart()
    questions = chosen(implementation, small, [name for name in ROWS if name in set(names)])
    found = wrong_answers(implementation, in_every_order(questions), set(wrong))
    explained = list(found)[:EXPLAINED]
    verdicts = {name: verdict_on(one, implementation, explained=name in explained) for name, one in found.items()}
    return Again(len(questions), verdicts)


def in_every_order(questions: Sequence[Oracle]) -> Iterator[Oracle]:
    """Yield the questions in the given order, and then in `ORDERS` random orders with fixed seeds."""
    yield from questions
    for seed in range(ORDERS):
        for i in np.random.Generator(np.random.Philox(seed)).permutation(len(questions)):
            yield questions[i]


def wrong_answers(implementation: Implementation, questions: Iterable[Oracle], wrong: set[str]) -> dict[str, Found]:
    """Find the first wrong answer for each quantity.

    After an ERROR, a quantity is not run again, since the implementation may hang again.

    wrong: the quantities for which a wrong answer counts only after a right answer to the same question
    """
    found: dict[str, Found] = {}
    history: list[Oracle] = []
    right: dict[Oracle, int] = {}
    raised: set[str] = set()
    for question in questions:
        name = question.quantity.name
        if name in raised:
            continue
        answer = judged(implementation, question, ROUGH)
        if answer.verdict.status is Status.ERROR:
            raised.add(name)
        if answer.verdict.status in NOT_RUN:
            if question not in right:
                continue
            answer = answer._replace(verdict=refused(answer.verdict))
        if answer.verdict.status in RIGHT:
            right[question] = len(history)
        elif name not in found and (question in right or name not in wrong):
            since = tuple(history[right.get(question, -1) + 1 :])
            found[name] = Found(question, answer, since, question in right)
        history.append(question)
    return found
