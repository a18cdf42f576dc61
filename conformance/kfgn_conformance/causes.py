"""The cause of an answer that is right at first and wrong later: a question that makes it wrong, found by replays."""

from collections.abc import Sequence
from typing import NamedTuple

from .implementation import Implementation
from .judging import Judged, compare, judged
from .oracle import Oracle
from .rough import ROUGH
from .verdicts import RIGHT, Status, Verdict

REPLAYS = 60
"""The most questions that are tried as the cause of a wrong answer."""


class Found(NamedTuple):
    """A wrong answer.

    question: the question
    answer:   the answer, judged
    since:    the questions since the last right answer to the same question; all earlier questions without one
    before:   True if the question had a right answer before
    """

    question: Oracle
    answer: Judged
    since: tuple[Oracle, ...]
    before: bool


def is_right(question: Oracle, implementation: Implementation) -> bool:
    """Ask the question. True if there is an answer, and it is not proved wrong."""
    return judged(implementation, question, ROUGH).verdict.status in RIGHT


def verdict_on(found: Found, implementation: Implementation, *, explained: bool) -> Verdict:
    """Return the verdict with a detail that names the questions after which the answer was wrong.

    explained: True to repeat questions until the single question is found that makes the answer wrong
    """
    verdict = found.answer.verdict
    restarted = explained and implementation.restart()
    right = explained and is_right(found.question, implementation)
    if restarted and not right and not found.before:
        return verdict  # the answer is wrong on its own, and no order is the cause
    first = "right when asked alone, " if restarted and right else "right at first, " if found.before else ""
    if kept := kept_from(found, implementation):
        when = f"wrong after {kept}, whose answer it gives again"
    elif culprit := made_wrong_by(found, implementation) if right else None:
        when = "wrong when asked again" if culprit is found.question else f"wrong after {culprit}"
    else:
        when = f"wrong after {in_words(found.since)}"
    return verdict._replace(detail=f"{first}{when}: {verdict.detail}")


def in_words(questions: Sequence[Oracle]) -> str:
    """Describe the number of questions, and the last of them."""
    if not questions:
        return "the questions of the table"
    return str(questions[0]) if len(questions) == 1 else f"{len(questions)} questions, the last of them {questions[-1]}"


def kept_from(found: Found, implementation: Implementation) -> Oracle | None:
    """Find the earlier question whose right answer was also given, wrongly, to this one; None if there is none."""
    question, wrong = found.question, found.answer.wrong
    if wrong is None:
        return None
    _, description = implementation.opened
    for other in dict.fromkeys(found.since):
        elsewhere = other.quantity == question.quantity and other.problem is not question.problem
        if elsewhere and compare(wrong, other, description.dtype, rule=ROUGH).verdict.status is Status.PASS:
            return other
    return None


def made_wrong_by(found: Found, implementation: Implementation) -> Oracle | None:
    """Find the question after which the answer, which is right now, becomes wrong; None if there is none.

    The likely questions come first: the same question, the same quantity elsewhere, others on the same problem.
    """
    question = found.question
    for other in [question, *nearest(found)][:REPLAYS]:
        if other is not question:
            is_right(other, implementation)
        if not is_right(question, implementation):
            return other
    return None


def nearest(found: Found) -> list[Oracle]:
    """Sort the earlier questions, each once: first the same quantity, then the same problem, and then the latest."""

    def distance(other: Oracle) -> int:
        if other.quantity == found.question.quantity:
            return 0
        return 1 if other.problem is found.question.problem else 2

    others = dict.fromkeys(reversed(found.since))
    return sorted((other for other in others if other is not found.question), key=distance)
