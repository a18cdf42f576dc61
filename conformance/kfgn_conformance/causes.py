"""The cause of an answer that is right at first and wrong later: a question that makes it wrong, found by replays."""

from collections.abc import Sequence
from typing import NamedTuple

from .adapters import Adapter, Description
from .adapters.conventions import compared
from .questions import Question
from .rough import compare_roughly
from .verdicts import Status, Verdict

REPLAYS = 60
"""The most questions that are tried as the cause of a wrong answer."""


class Found(NamedTuple):
    """A wrong answer: its verdict, and the questions since the same one was last answered rightly.

    before: whether the question was answered rightly before
    """

    question: Question
    verdict: Verdict
    since: tuple[Question, ...]
    before: bool


def restart(adapter: Adapter) -> bool:
    """Close an adapter, so that the next question starts a new one without a state. False if it cannot be closed."""
    close = getattr(adapter, "close", None)
    if close is not None:
        close()
    return close is not None


def is_right(verdict: Verdict) -> bool:
    """True if there was an answer, and it is not proved wrong."""
    return verdict.status in (Status.PASS, Status.INCONCLUSIVE)


def verdict_on(found: Found, adapter: Adapter, *, explained: bool) -> Verdict:
    """The verdict with a detail that names the questions after which the answer was wrong.

    explained: whether questions are repeated to find the single one that makes the answer wrong
    """
    from_new = explained and restart(adapter)
    right = explained and is_right(found.question.judged(adapter))
    if from_new and not right and not found.before:
        return found.verdict._replace(answer=None)  # the answer is wrong by itself, and no order is the cause
    first = "right when asked alone, " if from_new and right else "right at first, " if found.before else ""
    if kept := kept_from(adapter.describe(), found):
        when = f"wrong after {kept}, whose answer it gives again"
    elif culprit := made_wrong_by(adapter, found) if right else None:
        when = "wrong when asked again" if culprit == found.question else f"wrong after {culprit}"
    else:
        when = f"wrong after {in_words(found.since)}"
    return found.verdict._replace(detail=f"{first}{when}: {found.verdict.detail}", answer=None)


def in_words(questions: Sequence[Question]) -> str:
    """The number of questions, and the last of them, in words."""
    if not questions:
        return "the questions of the table"
    return str(questions[0]) if len(questions) == 1 else f"{len(questions)} questions, the last of them {questions[-1]}"


def kept_from(described: Description, found: Found) -> Question | None:
    """The earlier question whose right answer was given again; None if there is none."""
    asked, answer = found.question, found.verdict.answer
    if answer is None:
        return None
    quantity = compared(asked.quantity, described.conventions)
    for other in dict.fromkeys(found.since):
        same = other.quantity == asked.quantity and other.problem is not asked.problem
        if same and compare_roughly(answer, other.problem, quantity, described.dtype).status is Status.PASS:
            return other
    return None


def made_wrong_by(adapter: Adapter, found: Found) -> Question | None:
    """The question after which the answer, which is right now, becomes wrong; None if there is none.

    The likely questions come first: the same question, the same quantity elsewhere, others on the same problem.
    """
    question = found.question
    for other in [question, *nearest(found)][:REPLAYS]:
        if other != question:
            other.judged(adapter)
        if not is_right(question.judged(adapter)):
            return other
    return None


def nearest(found: Found) -> list[Question]:
    """The earlier questions, each once: first the same quantity, then the same problem, and then the latest."""

    def distance(other: Question) -> int:
        if other.quantity == found.question.quantity:
            return 0
        return 1 if other.problem is found.question.problem else 2

    others = dict.fromkeys(reversed(found.since))
    return sorted((other for other in others if other != found.question), key=distance)
