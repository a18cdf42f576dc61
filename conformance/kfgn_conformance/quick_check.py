"""The shortest use of the kit: a function of one quantity, compared with the reference on small fixed problems."""

import io
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from .adapters import KIT, Conventions, Description
from .implementation import Implementation
from .oracle import Oracles
from .plain import counted
from .problems.cases import cases
from .problems.fixed import fixed
from .problems.further import ENOUGH, further
from .problems.masked import check_mask
from .problems.problem import DTYPES, Problem
from .problems.shared_weights.fixed import shared_problems
from .problems.shared_weights.masked_sequences import masked_problems
from .quantities import ROWS
from .results import Report
from .runner import run
from .suggestions import suggestion

Answer = Any
"""An array, or a tuple or list with one array for each layer.

An array may have any type that an adapter may return.
"""

WIDTH = 80
"""The number of characters in a line of a printed result."""


@dataclass(frozen=True)
class FunctionAdapter:
    """The adapter of a function of one quantity."""

    function: Callable[[Problem], Answer]
    description: Description

    def describe(self) -> Description:
        """Return the description of the function."""
        return self.description

    def compute(self, problem: Problem, _quantity: str) -> tuple[Any, ...]:
        """Call the function, and return its arrays as a tuple."""
        answer = self.function(problem)
        return tuple(answer) if isinstance(answer, (tuple, list)) else (answer,)


@dataclass(frozen=True, repr=False)
class CheckResult:
    """Result of `check`. A printed result is the table of `kfgn-check`, followed by the diagnosis of wrong answers.

    Parameters
    ----------
    report : Report
        The verdicts on all problems.
    added : int, default 0
        The number of problems that were added to the fixed problems, since the function supports few of them.

    Examples
    --------
    >>> from kfgn_conformance import QUANTITIES, check
    >>> result = check("q", QUANTITIES["q"].value)
    >>> result.passed, result.mistakes
    (True, ())
    >>> result.assert_passed()
    """

    report: Report
    added: int = 0

    @property
    def passed(self) -> bool:
        """True if the function supports at least one problem, and every answer passed."""
        return self.report.checked and self.report.passed

    @property
    def mistakes(self) -> tuple[str, ...]:
        """Names of the known mistakes that explain the wrong answers, or `undeclared-convention`; empty without one."""
        diagnoses = (cell.diagnosis for cell in self.report.cells)
        return tuple(mistake.name for diagnosis in diagnoses if diagnosis for mistake in diagnosis.mistakes)

    def assert_passed(self) -> None:
        """Raise `AssertionError` with the printed result, unless `passed` is True. A test runner shows the full result.

        Raises
        ------
        AssertionError
            If an answer did not pass, or the function supports no problem.
        """
        __tracebackhide__ = True  # pytest then shows the line of the test
        if not self.passed:
            raise AssertionError(f"check: expected that every answer passes, got\n{self}")

    def __str__(self) -> str:
        from .output import Output  # only the text needs rich
        from .reports import print_failures, print_remarks, print_table

        console = Output(file=io.StringIO(), width=WIDTH, color_system=None, force_jupyter=False)
        print_table(self.report, console)
        print_failures(self.report, console)
        if self.added:
            console.print(f"added: {counted(self.added, 'problem')} with supported transfer functions and objectives")
        print_remarks(self.report, console)
        supported, total = self.report.supported(0)
        if 0 < len(supported) < min(ENOUGH, total):
            console.print(f"note: this result rests on only {len(supported)} of {counted(total, 'problem')}")
        return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())  # type: ignore[attr-defined]

    __repr__ = __str__


def check(
    quantity: str,
    function: Callable[[Problem], Answer],
    *,
    dtype: str = "float64",
    conventions: Conventions | None = None,
    masks: bool = False,
    problems: Iterable[Problem] | None = None,
) -> CheckResult:
    """Compare a function of one quantity with the reference on small fixed problems, and name known mistakes.

    Parameters
    ----------
    quantity : str
        Name of the quantity, one of `QUANTITIES`, or one of `SHARED_WEIGHTS` for networks with shared weights.
    function : callable
        Function of a `Problem` that returns one array per layer, in a tuple or a list, or a single array for a quantity
        of the full network, such as the loss. The arrays have the given dtype. The function raises `UnsupportedError`,
        with the reason, for a problem that it does not support.
    dtype : {"float32", "float64"}
        The dtype in which the function computes and answers. The real arrays of a problem are float64.
    conventions : Conventions, optional
        Conventions of the arrays that the function returns. The default is the kit's own conventions.
    masks : bool, default False
        True if the function takes batches with a mask, which are instances of `MaskedProblem`. With False, no problem
        with a mask is run. Only a quantity of `SHARED_WEIGHTS` can have True.
    problems : iterable of Problem, optional
        The problems. By default, these are small fixed problems, such as problems with each objective and each of
        six transfer functions, with saturated units, and with several sizes of batches and networks. If the function
        supports fewer than 20 of these problems, further problems are added, with the transfer functions and objectives
        that the function supports. For a quantity of `SHARED_WEIGHTS`, the problems are all fixed problems with shared
        weights, and with `masks` also the fixed problems with a mask.

    Returns
    -------
    CheckResult
        The outcome. `print` shows the table and the diagnosis, `passed` is True if every answer passed, and `mistakes`
        has the names of the known mistakes that explain the wrong answers. `assert_passed` raises `AssertionError` with
        the table and the diagnosis, for a test.

    Raises
    ------
    ValueError
        If the quantity or the dtype is unknown, the quantity applies to none of the problems, or the quantity or its
        tolerance has no finite value on a problem that the function supports. Also if `masks` is True for a quantity of
        networks without shared weights, or if a mask has a wrong shape or does not fit its network.
    TypeError
        If `function` is not callable, `problems` is not an iterable of problems, `conventions` has a wrong type, or a
        mask is not an array of bool.

    Notes
    -----
    The function runs in this process. Any exception of the function except `UnsupportedError` and `KeyboardInterrupt`
    is reported as ERROR. The kit takes about a second for the problems, in addition to the time of the function. The
    comparison of wrong answers with all known mistakes takes some tenths of a second more.

    `kfgn-check` also runs random problems and problems of real size, repeats the questions in other orders to find an
    implementation with a state, and has a time limit.

    Examples
    --------
    KFAC's second factor, divided by the number of sampled labels twice:

    >>> from kfgn_conformance import QUANTITIES, check
    >>> def mine(problem):
    ...     S = problem.labels.shape[1]
    ...     return [G / S for G in QUANTITIES["kfac"].value(problem)]
    >>> result = check("kfac", mine)
    >>> print(result)
    error / tolerance
                                       mine
    quantity equation problems          f64
    kfac     (59)           76         FAIL
                                on 75 of 76
                               max 1.63e+14
    FAIL: kfac by mine float64 on case-squared_error-softplus: array 2 of 3: error
    6.06, tolerance 3.72e-14, largest element 6.44
        samples-divided-twice: The mean over the S samples of a datapoint is divided
    by S again, so G is S times too small.
    >>> result.passed, result.mistakes
    (False, ('samples-divided-twice',))
    """
    _check_arguments(quantity, function, dtype)
    shared = ROWS[quantity].of_shared_weights
    if masks and not shared:
        raise ValueError(f"masks: expected a quantity of networks with shared weights, got {quantity}")
    asked = _fixed(shared, masks) if problems is None else _problems(problems)
    if not any(ROWS[quantity].applies_to(problem) for problem in asked):
        raise ValueError(f"problems: expected a problem to which {quantity} applies, got none among {len(asked)}")
    name = getattr(function, "__name__", type(function).__qualname__)
    version = f"Python {platform.python_version()}"
    declared = KIT if conventions is None else conventions
    description = Description(name, version, dtype, frozenset({quantity}), conventions=declared, masks=masks)
    implementation = Implementation("", FunctionAdapter(function, description))
    compared = partial(run, [implementation], quantities=[quantity], repeat=False, oracles=Oracles())
    report = compared(asked)
    added = further(report.supported(0)[0]) if problems is None and not shared else []
    return CheckResult(compared([*asked, *added]) if added else report, len(added))


def _check_arguments(quantity: object, function: object, dtype: object) -> None:
    if not isinstance(quantity, str) or quantity not in ROWS:
        raise ValueError(
            f"quantity: expected the name of a quantity, got {quantity!r}{suggestion([str(quantity)], ROWS)}; "
            f"the names are {', '.join(ROWS)}"
        )
    if not callable(function):
        raise TypeError(f"function: expected a function of a problem, got {type(function).__qualname__}")
    if dtype not in DTYPES:
        raise ValueError(f"dtype: expected {' or '.join(DTYPES)}, got {dtype!r}")


def _fixed(shared: bool, masks: bool) -> list[Problem]:
    """The fixed problems of networks of the paper, or of networks with shared weights.

    The problems with a mask are included if `shared` and `masks` are True.
    """
    if not shared:
        return [*cases(), *fixed()]
    return [*shared_problems(), *(masked_problems() if masks else ())]


def _problems(given: object) -> list[Problem]:
    """The problems of an iterable. Raises `TypeError` for anything else, and an error for a mask that does not fit."""
    if not isinstance(given, Iterable):
        raise TypeError(f"problems: expected an iterable of problems, got {type(given).__qualname__}")
    problems = list(given)
    for problem in problems:
        if not isinstance(problem, Problem):
            raise TypeError(f"problems: expected problems, got {type(problem).__qualname__}")
        check_mask(problem)
    return problems
