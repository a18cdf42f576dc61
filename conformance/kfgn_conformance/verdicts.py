"""The verdict on one answer of one adapter."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from .adapters import Adapter, UnsupportedError
from .adapters.answers import NoAnswerError, as_arrays, error_line, error_message, max_bytes, one_line
from .adapters.conventions import compared, translated
from .changes import LARGE
from .inputs import changed, handed, of_changed, restore
from .problems.problem import Problem
from .quantities import Arrays, Quantity, largest
from .tolerances import LOOSE, Truth, looseness, quotient, tolerances, truth

NON_STRICT = 30
"""Up to this ratio an answer is wrong but near, as LAPACK's tests draw the line."""


class Status(StrEnum):
    """The outcome of a question, the worst last."""

    SKIPPED = "SKIPPED"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    PASS = "PASS"
    INCONCLUSIVE = "INCONCLUSIVE"
    NON_STRICT = "NON-STRICT"
    FAIL = "FAIL"
    ERROR = "ERROR"


UNASKED = (Status.SKIPPED, Status.UNIMPLEMENTED)
"""The outcomes of a question that needs no answer."""

WRONG = (Status.NON_STRICT, Status.FAIL)
"""The outcomes of an answer that differs from the oracle's."""

BAD = (Status.INCONCLUSIVE, *WRONG, Status.ERROR)
"""The outcomes that fail a run: there should be an answer, and it is not shown to be right."""


class Verdict(NamedTuple):
    """status: of this answer. ratio: error / tolerance. looseness: tolerance / max|Q|. Both over the arrays, the worst.

    detail: what to know of a verdict that is not PASS.
    answer: what was given, if it was wrong and yet well-formed, so that it can be diagnosed.
    translations: what was done to the answer to bring it into the kit's conventions.
    """

    status: Status
    problem: str
    ratio: float = 0.0
    looseness: float = 0.0
    detail: str = ""
    answer: Arrays | None = None
    translations: tuple[str, ...] = ()


Compare = Callable[[object, Problem, Quantity, str, tuple[str, ...]], Verdict]
"""An answer, the problem and the quantity, the dtype, and what was done to the answer."""


def severity(verdict: Verdict) -> tuple[int, float]:
    """The key that is largest for the worst of several verdicts: the status, and then the ratio."""
    return list(Status).index(verdict.status), verdict.ratio


def judge(
    adapter: Adapter, problem: Problem, quantity: Quantity, *, twice: bool = False, by: Compare | None = None
) -> Verdict:
    """Run the adapter on the quantity and the problem, and compare its answer with the oracle.

    twice: whether to repeat the question after a right answer, since an implementation with a state may then be wrong
    by:    the comparison, if it is not that of this module
    """
    verdict = _asked(adapter, problem, quantity, by or compare)
    if twice and verdict.status in (Status.PASS, Status.INCONCLUSIVE):
        again = _asked(adapter, problem, quantity, by or compare)
        if again.status is Status.UNIMPLEMENTED:
            again = refused(again)
        if again.status is not verdict.status:
            return again._replace(detail=f"the same question a second time: {again.detail}", answer=None)
    return verdict


def refused(verdict: Verdict) -> Verdict:
    """The error of an adapter that does not take a problem on which it has answered the same question before."""
    return verdict._replace(status=Status.ERROR, ratio=np.inf, detail=f"answered before, and now: {verdict.detail}")


def _asked(adapter: Adapter, problem: Problem, quantity: Quantity, by: Compare) -> Verdict:
    described = adapter.describe()
    if quantity.name not in described.quantities:
        return Verdict(Status.UNIMPLEMENTED, problem.id, detail=f"{described.name} does not offer {quantity.name}")
    if described.dtype not in problem.dtypes:
        return Verdict(Status.SKIPPED, problem.id, detail=asked_in(problem))
    given, verdict = handed(problem), None
    try:
        arrays = as_arrays(adapter.compute(given, quantity.name), max_bytes(problem, quantity))
        answer, translations = translated(arrays, problem, quantity, described.conventions)
    except UnsupportedError as error:
        verdict = Verdict(Status.UNIMPLEMENTED, problem.id, detail=error_message(error))
    except NoAnswerError as error:
        verdict = Verdict(Status.ERROR, problem.id, np.inf, detail=one_line(error))
    except BaseException as error:  # whatever an implementation raises is its verdict, and the run goes on
        if type(error) is KeyboardInterrupt:  # from the keyboard, in all likelihood
            raise
        verdict = Verdict(Status.ERROR, problem.id, np.inf, detail=error_line(error))
    if names := changed(problem, given):
        restore(problem, given)
        if verdict is None or verdict.status is Status.UNIMPLEMENTED:
            return Verdict(Status.ERROR, problem.id, np.inf, detail=of_changed(names))
    if verdict is not None:
        return verdict
    return by(answer, problem, compared(quantity, described.conventions), described.dtype, translations)


def asked_in(problem: Problem) -> str:
    """The dtypes in which the problem is run, in words."""
    return f"{problem.id} is asked in {' and '.join(problem.dtypes)} only"


def compare(
    answer: object, problem: Problem, quantity: Quantity, dtype: str, translations: tuple[str, ...] = ()
) -> Verdict:
    """The verdict on an answer in a dtype, after these translations, by the tolerances of `tolerances`."""
    oracle = truth(problem, quantity)
    arrays, fault = well_formed(answer, oracle, dtype)
    if fault:
        done = f", of the answer once translated: {', '.join(translations)}" if translations else ""
        return Verdict(Status.FAIL, problem.id, np.inf, detail=fault + done, translations=translations)
    allowed = tolerances(problem, quantity, dtype)
    ratio, detail = measured(arrays, oracle, allowed)
    loose = looseness(problem, quantity, dtype)
    status = _status(ratio, loose, dtype)
    # copied, since an adapter may write its next answer into the same arrays
    wrong = tuple(map(np.copy, arrays)) if status in WRONG and problem.parameters < LARGE else None
    return Verdict(status, problem.id, ratio, loose, detail, wrong, translations)


def measured(arrays: Arrays, oracle: Truth, allowed: Sequence[float], rule: str = "tolerance") -> tuple[float, str]:
    """The worst ratio of an error to what is allowed for its array, and a line on that array."""
    errors = [largest(a.astype(np.float64) - q) for a, q in zip(arrays, oracle.arrays, strict=True)]
    ratios = [quotient(error, tolerance) for error, tolerance in zip(errors, allowed, strict=True)]
    worst = int(np.argmax(ratios))
    detail = (
        f"array {worst + 1} of {len(errors)}: error {errors[worst]:.3g}, {rule} {allowed[worst]:.3g}, "
        f"largest element {oracle.scales[worst]:.3g}"
    )
    return ratios[worst], detail


def well_formed(answer: object, oracle: Truth, dtype: str) -> tuple[Arrays, str]:
    """The answer as arrays, and what is wrong with its form: empty if nothing is."""
    if not isinstance(answer, tuple) or not all(isinstance(a, (np.ndarray, np.generic)) for a in answer):
        return (), f"expected a tuple of NumPy arrays, got {type(answer).__qualname__}"
    arrays = tuple(np.asarray(a) for a in answer)
    if len(arrays) != len(oracle.arrays):
        return (), f"expected {len(oracle.arrays)} arrays, got {len(arrays)}"
    for i, (a, q) in enumerate(zip(arrays, oracle.arrays, strict=True), start=1):
        if a.shape != q.shape:
            return (), f"array {i}: expected shape {q.shape}, got {a.shape}"
        if oracle.integer and a.dtype.kind not in "iu":
            return (), f"array {i}: expected an integer dtype, got {a.dtype}"
        if not oracle.integer and a.dtype != dtype:
            return (), f"array {i}: expected dtype {dtype}, got {a.dtype}"
        if not np.all(np.isfinite(a)):
            return (), f"array {i}: expected finite values, got NaN or infinity"
    return arrays, ""


def _status(ratio: float, looseness: float, dtype: str) -> Status:
    """An error above even a loose tolerance is proved; a pass within one is not."""
    if ratio > 1:
        return Status.NON_STRICT if ratio <= NON_STRICT else Status.FAIL
    return Status.INCONCLUSIVE if looseness > LOOSE[dtype] else Status.PASS
