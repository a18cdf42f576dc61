"""The reference in ball arithmetic: values with a certified error bound, and the error of the float64 reference.

A ball is a number with a bound of its error. The functions of the reference run unchanged on NumPy object arrays of
balls (`arb` of python-flint). In the context `balls_have_eigenvalues`, functions that need eigenvalues compute
certified eigenvalues.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from typing import Any
from unittest import mock

import flint
import kfgn_reference as ref
import numpy as np
from kfgn_reference import _spectral as spectral
from kfgn_reference.shared_weights import _ekfac
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .certified_products import nearest_products
from .oracle import Oracle
from .plain import counted
from .problems.problem import Array, Problem
from .problems.shared_weights.fixed import shared_problems
from .quantities import QUANTITIES, REFERENCE_ONLY, SHARED_WEIGHTS, Arrays, Quantity
from .quantities.solves import damping, for_each_block
from .tolerances import C

PRECISION = 256
"""The number of bits of the centre of a ball."""

to_ball = np.frompyfunc(flint.arb, 1, 1)
midpoint = np.frompyfunc(lambda ball: flint.arb(ball).mid(), 1, 1)
radius = np.frompyfunc(lambda ball: flint.arb(ball).rad(), 1, 1)


def in_balls(problem: Problem) -> Problem:
    """Convert every real number of the problem to a ball of radius 0."""
    return problem.map_reals(lambda x: np.asarray(to_ball(x), dtype=object))


def bounds(balls: Array) -> tuple[Array, Array]:
    """Return the lower and the upper end of every ball, as exact fractions."""

    def fraction(x: flint.arb) -> Fraction:
        mantissa, exponent = map(int, x.man_exp())
        return mantissa * Fraction(2) ** exponent

    centres, radii = (np.asarray(np.frompyfunc(fraction, 1, 1)(of(balls)), object) for of in (midpoint, radius))
    return centres - radii, centres + radii


def dense_solution(p: Problem) -> Arrays:
    """Solve the system with the matrix (35) and the right-hand side V by elimination, without eigenvalues.

    The oracle's function uses eigenvalues, and repeated eigenvalues cannot be certified.
    """
    return for_each_block(
        p, lambda Q, G, V: ref.unvec(ref.solve(ref.damped_block(Q, G, damping(p)), ref.vec(V)), len(G))
    )


def dense_log_determinant(p: Problem) -> Arrays:
    """Compute the log determinant of (35) by elimination, without eigenvalues."""
    return for_each_block(p, lambda Q, G, V: np.sum(np.log(ref.ldl(ref.damped_block(Q, G, damping(p)))[1])))


OTHER_ROUTES = {
    "solve_exact": dense_solution,
    "logdet_exact": dense_log_determinant,
    "kfoc_blocks": nearest_products,
}
"""Functions that replace the oracle's functions in ball arithmetic, by the name of the quantity.

The oracle's functions compute all eigenvalues, and repeated eigenvalues cannot be certified.
"""


def certified(problem: Problem, quantity: Quantity) -> Arrays:
    """Compute the quantity in ball arithmetic, as arrays of balls.

    Raises `ValueError` if balls cannot decide a comparison, or cannot exclude a repeated eigenvalue or a divisor of 0.
    """
    oracle = OTHER_ROUTES.get(quantity.name, quantity.oracle)
    with flint.ctx.workprec(PRECISION), balls_have_eigenvalues():
        arrays = oracle(in_balls(problem))
    balls = (ball for array in arrays if array.dtype == object for ball in array.flat)  # classes are integers
    if not all(flint.arb(ball).is_finite() for ball in balls):
        raise ValueError(f"{quantity.name} on {problem.id}: expected finite balls")
    return arrays


@dataclass
class Accuracy:
    """The accuracy of the float64 reference for one quantity, over some problems.

    ratio:     the largest error / tolerance, where the error is the distance from the reference's value to the farther
               end of the certified ball
    problem:   the id of the problem with this ratio
    width:     the largest radius / max|Q| of a ball, where max|Q| is the largest element of the array; the largest
               radius itself for an array of zeros
    asked:     the number of problems on which the quantity was compared
    undecided: the number of problems on which `certified` raises `ValueError`
    loose:     the number of problems on which the tolerance is too large to prove anything, or cannot be computed
    """

    quantity: Quantity
    ratio: float = 0.0
    problem: str = ""
    width: float = 0.0
    asked: int = 0
    undecided: int = 0
    loose: int = 0


def certify(problems: Iterable[Problem], progress: Callable[[str], None]) -> list[Accuracy]:
    """Compute the accuracy of the reference for every quantity except `optimiser_step`.

    problems: the problems for the quantities of the paper. The quantities with shared weights are certified on the
              fixed problems with shared weights
    progress: called with the name of each quantity
    """
    problems = list(problems)
    accuracies = []
    for quantity in (*QUANTITIES.values(), *REFERENCE_ONLY, *SHARED_WEIGHTS.values()):
        progress(quantity.name)
        of = filter(quantity.applies_to, shared_problems()) if quantity.of_shared_weights else problems
        accuracies.append(accuracy(quantity, of))
    return accuracies


def accuracy(quantity: Quantity, problems: Iterable[Problem]) -> Accuracy:
    """Compute the accuracy of the reference for one quantity."""
    result = Accuracy(quantity)
    for problem in problems:
        oracle = Oracle(problem, quantity)
        if not oracle.is_conclusive:
            result.loose += 1
            continue
        try:
            ratio, width = error_and_width(oracle)
        except ValueError:
            result.undecided += 1
            continue
        result.asked += 1
        result.width = max(result.width, width)
        if ratio > result.ratio:
            result.ratio, result.problem = ratio, problem.id
    return result


def error_and_width(oracle: Oracle) -> tuple[float, float]:
    """Compute the largest error / tolerance and the largest radius / max|Q| over the arrays of the oracle."""
    allowed, true_arrays = oracle.tolerances("float64"), certified(oracle.problem, oracle.quantity)
    ratios, widths = [], []
    with flint.ctx.workprec(PRECISION):
        for balls, value, tolerance, scale in zip(true_arrays, oracle.arrays, allowed, oracle.scales, strict=True):
            errors = [abs(flint.arb(e)) for e in np.ravel(to_ball(value) - balls)]
            ratios.append(max((float(e.abs_upper()) for e in errors), default=0.0) / tolerance)
            widths.append(max((float(r) for r in np.ravel(radius(balls))), default=0.0) / (scale or 1.0))
    return float(np.max(ratios)), float(np.max(widths))


def print_accuracies(accuracies: list[Accuracy], problems: int, console: Console) -> None:
    """Print the table of accuracies, and then notes on problems that were not compared.

    The last paragraph has the number of problems, the tolerance rule and the versions.
    """
    table = Table(title="float64 reference: error / tolerance", title_justify="left", box=None, padding=(0, 1, 0, 0))
    for head in ("quantity", "equation", "ratio", "worst on", "radius", "problems"):
        table.add_column(head, justify="right" if head in ("ratio", "radius", "problems") else "left", no_wrap=True)
    for a in accuracies:
        ratio = Text(f"{a.ratio:.3f}", "green" if a.ratio <= 1 and a.asked else "bold red")
        table.add_row(a.quantity.name, a.quantity.equation, ratio, a.problem, f"{a.width:.0e}", str(a.asked))
    console.print(table)
    for a in accuracies:
        if a.undecided or a.loose:
            reasons = {"without a certified value": a.undecided, "with too large a tolerance": a.loose}
            notes = (f"{counted(count, 'problem')} {reason}" for reason, count in reasons.items() if count)
            text = f"note: {a.quantity.name} is not compared on {', and on '.join(notes)}"
            console.print(text, style="dim", highlight=False)
    console.print(
        f"The reference was compared with balls of {PRECISION} bits on {counted(problems, 'random problem')}, and on "
        f"the fixed problems with shared weights. The tolerance is c (sqrt(n) u size + d) with c = {C}, where "
        f"docs/conformance.md defines the other terms. The column radius is the largest radius of a ball divided by "
        f"the largest element of its array. NumPy {version('numpy')}, python-flint {version('python-flint')}.",
        highlight=False,
    )


@contextlib.contextmanager
def balls_have_eigenvalues() -> Iterator[None]:
    """A context manager in which `eigh` and `spectral_norm` of this module replace those of the reference.

    The reference's `eigh` and spectral norm need floating-point numbers.
    """
    with (
        mock.patch.object(spectral, "eigh", eigh),
        mock.patch.object(_ekfac, "eigh", eigh),
        mock.patch.dict(ref.NORMS, spectral=spectral_norm),
    ):
        yield


def eigh(A: Array) -> tuple[Array, Array]:
    """Compute certified eigenvalues and eigenvectors of length 1.

    Raises `ValueError` if the balls of two eigenvalues overlap.
    """
    values, vectors = flint.acb_mat(len(A), len(A), list(np.ravel((A + A.T) / 2))).eig(right=True)
    columns = []
    for j in range(len(A)):
        v = [vectors[i, j] for i in range(len(A))]
        # an eigenvector for a simple eigenvalue of a real symmetric matrix is real up to a complex factor
        largest = max(v, key=lambda c: float(abs(c).mid()))
        real = np.array([(c / largest).real for c in v], dtype=object)
        columns.append(real / np.sqrt(np.sum(real * real)))
    return np.array([value.real for value in values], dtype=object), np.stack(columns, axis=1)


def spectral_norm(A: Array) -> Any:
    """Compute the largest eigenvalue of a positive semi-definite matrix A, even if this eigenvalue is repeated.

    C is the matrix of the centres of A, with D rows. For even m, the largest absolute eigenvalue of C lies between
    tr(C^m)^(1/m) / D^(1/m) and tr(C^m)^(1/m). The function uses m = 2^PRECISION. The power C^m is computed by repeated
    squaring of the centres alone, since the radii of A would grow without bound. The radii change the eigenvalue by at
    most the Frobenius norm of the radii (Weyl).
    """
    centre, spread = midpoint(A), np.sum(radius(A) ** 2).sqrt().abs_upper()
    if np.all(centre == 0):
        return flint.arb(0, spread)
    with flint.ctx.workprec(3 * PRECISION):
        power, logarithm = centre, flint.arb(0)  # C^m = e^logarithm power
        for _ in range(PRECISION):
            size = np.sum(abs(power))
            power = power / size
            power, logarithm = power @ power, 2 * (logarithm + size.log())
        upper = (logarithm + np.sum(np.diagonal(power)).log()) / 2**PRECISION
        lower = upper - flint.arb(len(A)).log() / 2**PRECISION
        norm = upper.union(lower).exp()
    return (norm - spread).union(norm + spread)
