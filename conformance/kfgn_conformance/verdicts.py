"""The verdict on one answer of one implementation."""

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """Outcome of a question, in order from the mildest to the worst.

    A question is one quantity on one problem.

    Attributes
    ----------
    SKIPPED
        The question was not run. The reason is that the implementation is not usable, that the problem is not run in
        the dtype of the implementation, or that only a thorough run contains the question.
    UNIMPLEMENTED
        The implementation does not offer the quantity, does not support the problem, or declares separate biases with
        which the quantity cannot be compared.
    PASS
        The error is within the tolerance.
    INCONCLUSIVE
        The error is within a tolerance that is too large, relative to the quantity, to prove anything.
    NON_STRICT
        The error is above the tolerance and at most 30 tolerances.
    FAIL
        The error is above 30 tolerances, or the answer does not have the right form.
    ERROR
        The implementation raised an exception, gave no answer that could be read, changed an array of the problem, or
        gave no answer to a question that it had answered before. A question that was not run because a process of the
        kit ended too early is also an ERROR.

    Examples
    --------
    >>> from kfgn_conformance import Status
    >>> [str(status) for status in Status]
    ['SKIPPED', 'UNIMPLEMENTED', 'PASS', 'INCONCLUSIVE', 'NON-STRICT', 'FAIL', 'ERROR']
    >>> Status("NON-STRICT") is Status.NON_STRICT
    True
    """

    SKIPPED = "SKIPPED"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    PASS = "PASS"
    INCONCLUSIVE = "INCONCLUSIVE"
    NON_STRICT = "NON-STRICT"
    FAIL = "FAIL"
    ERROR = "ERROR"


NOT_RUN = (Status.SKIPPED, Status.UNIMPLEMENTED)
"""The outcomes of a question to which the implementation need not give an answer."""

RIGHT = (Status.PASS, Status.INCONCLUSIVE)
"""The outcomes of an answer that is not proved wrong."""

WRONG = (Status.NON_STRICT, Status.FAIL)
"""The outcomes of an answer that is proved wrong."""

BAD = (Status.INCONCLUSIVE, *WRONG, Status.ERROR)
"""The outcomes that fail a run, since a necessary answer is missing or is not shown to be right."""


class Verdict(NamedTuple):
    """Outcome of one question to one implementation.

    Parameters
    ----------
    status : Status
        The outcome.
    problem : str
        The id of the problem.
    ratio : float
        The largest error / tolerance over the arrays; infinity for an ERROR and for arrays without the right form, and
        0 for a question that was not run.
    relative_tolerance : float
        The largest tolerance / max|Q| over the arrays, where max|Q| is the largest element of the oracle's array; 0 if
        no arrays were compared.
    detail : str
        An explanation of a verdict that is not PASS, or a description of the worst array for a PASS.
    translations : tuple of str
        The translations that brought the answer into the kit's conventions.

    Examples
    --------
    >>> from kfgn_conformance import Status, Verdict
    >>> verdict = Verdict(Status.FAIL, "case-bernoulli-tanh", ratio=3e5)
    >>> verdict.status is Status.FAIL
    True
    """

    status: Status
    problem: str
    ratio: float = 0.0
    relative_tolerance: float = 0.0
    detail: str = ""
    translations: tuple[str, ...] = ()


def severity(verdict: Verdict) -> tuple[int, float]:
    """Return a sorting key that is largest for the worst verdict: the status first, and then the ratio."""
    return list(Status).index(verdict.status), verdict.ratio
