"""Search for the question that makes a later answer of an implementation wrong.

A question is one quantity on one problem. The search asks the implementation earlier questions again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from .implementation import Implementation
from .judging import Judged, compare, judged
from .oracle import Oracle
from .rough import ROUGH
from .verdicts import RIGHT, Status, Verdict

REPLAYS = 60
"""The maximum number of questions that are tried as the cause of a wrong answer."""


class Found(NamedTuple):
    """A wrong answer, and the questions before this answer.

    question: the question that has the wrong answer
    answer:   the answer with its verdict
    since:    the questions since the last right answer to `question`; all earlier questions if `before` is False
    before:   True if `question` had a right answer before
    """

    question: Oracle
    answer: Judged
    since: tuple[Oracle, ...]
    before: bool


def is_right(question: Oracle, implementation: Implementation) -> bool:
    """Ask the question, and return True if the implementation gives an answer that is not proved wrong."""
    return judged(implementation, question, ROUGH).verdict.status in RIGHT


def verdict_on(found: Found, implementation: Implementation, *, explained: bool) -> Verdict:
    """Return the verdict on a wrong answer, with a detail that names the questions after which the answer was wrong.

    The verdict is returned unchanged if the question had no right answer before, and `explained` is True, and the
    answer is also wrong directly after a restart of the implementation.

    explained: True to restart the implementation, and to ask earlier questions again, in search of the single question
               that makes the answer wrong
    """
    verdict = found.answer.verdict
    restarted = explained and implementation.restart()
    right = explained and is_right(found.question, implementation)
    if restarted and not right and not found.before:
        return verdict  # the answer is wrong without earlier questions, so the order is not the cause
    first = "right when asked alone, " if restarted and right else "right at first, " if found.before else ""
    if kept := kept_from(found, implementation):
        when = f"wrong after {kept}, whose answer is given again"
    elif culprit := made_wrong_by(found, implementation) if right else None:
        when = "wrong when asked again" if culprit is found.question else f"wrong after {culprit}"
    elif found.before and not found.since:
        when = "wrong when asked again"
    else:
        when = f"wrong after {in_words(found.since)}"
    return verdict._replace(detail=f"{first}{when}: {verdict.detail}")


def in_words(questions: Sequence[Oracle]) -> str:
    """Describe the questions before a wrong answer by their number and by the last question.

    If there are no such questions, the description names the questions of the table instead.
    """
    if not questions:
        return "the questions of the table"
    return str(questions[0]) if len(questions) == 1 else f"{len(questions)} questions, the last of them {questions[-1]}"


def kept_from(found: Found, implementation: Implementation) -> Oracle | None:
    """Find the question to which the wrong answer is a right answer, or return None.

    Only the questions of `found.since` about the same quantity on a different problem are tried.
    """
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
    """Find the question after which the right answer to `found.question` becomes wrong, or return None.

    The likely questions come first: the same question, then the same quantity on different problems, then other
    quantities on the same problem, and then all others. At most `REPLAYS` questions are tried.
    """
    question = found.question
    for other in [question, *nearest(found)][:REPLAYS]:
        if other is not question:
            is_right(other, implementation)
        if not is_right(question, implementation):
            return other
    return None


def nearest(found: Found) -> list[Oracle]:
    """Sort the distinct questions of `found.since` into three groups, each with the latest question first.

    The first group has the questions about the quantity of `found.question` on different problems. The second group has
    the questions about other quantities on the same problem. The third group has all other questions. `found.question`
    is in no group.
    """

    def distance(other: Oracle) -> int:
        if other.quantity == found.question.quantity:
            return 0
        return 1 if other.problem is found.question.problem else 2

    others = dict.fromkeys(reversed(found.since))
    return sorted((other for other in others if other is not found.question), key=distance)
