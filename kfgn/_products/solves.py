"""The damped Gauss-Newton equations, solved by conjugate gradients without a matrix."""

from array_api_compat import array_namespace

from .._algebra.conjugate_gradient import ITERATIONS, TOLERANCE, Solution, conjugate_gradient
from .._algebra.definiteness import no_inverse
from .._algebra.layerwise import plus
from .._linearisation.arguments import checked, checked_layers, checked_targets, gauss_newton_split
from .._linearisation.linearisation import linearised_for_gauss_newton
from .._network.network import Network
from .._types import Array, Arrays, Weights
from .._validation.arrays import violated
from .._validation.scalars import checked_count, checked_representable, checked_scalar
from ..backends import compiled, with_own_settings
from .diagonal_blocks import gauss_newton_block_operator
from .full_matrix import gauss_newton_operator


@with_own_settings
def solve_gauss_newton(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    b: Weights,
    *,
    damping: Array | float,
    iterations: int = ITERATIONS,
    tolerance: Array | float = TOLERANCE,
    check: bool = True,
) -> Solution:
    """(G + damping I) x = b with the whole Gauss-Newton matrix (13), mean over the N datapoints.

    b:          arrays of the shapes of the weights, such as the gradient
    damping:    a positive number, or a 0-d array in the dtype of X
    iterations: the number of products to compute, a positive integer; `Solution` has the number that was used
    tolerance:  the residual, relative to b, at which a solve has converged, a number from 0 or a 0-d array

    Without rounding it needs no more iterations than there are rows, and few if the damping is large. It raises nothing
    if it does not converge, which the residual shows. Raises `NotPositiveDefiniteError` with `check` if x is not finite
    because the damping is too small for the dtype. Other arguments and errors as in `preactivation_gauss_newton`.
    """
    return _solve(network, weights, X, Y, b, damping, iterations, tolerance, separate=False, check=check)


@with_own_settings
def solve_gauss_newton_blocks(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    b: Weights,
    *,
    damping: Array | float,
    iterations: int = ITERATIONS,
    tolerance: Array | float = TOLERANCE,
    check: bool = True,
) -> Solution:
    """(G_l + damping I) x_l = b_l for each layer, with the exact diagonal blocks of `gauss_newton_blocks`.

    Each layer has its own steps and its own end; a product serves them all. Arguments and errors as in
    `solve_gauss_newton`.
    """
    return _solve(network, weights, X, Y, b, damping, iterations, tolerance, separate=True, check=check)


def _solve(
    network: Network,
    weights: Weights,
    X: Array,
    Y: Array,
    b: Weights,
    damping: Array | float,
    iterations: int,
    tolerance: Array | float,
    *,
    separate: bool,
    check: bool,
) -> Solution:
    weights, X = checked(network, weights, X, check=check)
    Y = checked_targets(network, X, Y, check=check)
    b = checked_layers(network, X, "b", b, check=check)
    gauss_newton_split(network)
    k = checked_scalar("damping", damping, X, check=check, positive=True)
    k = checked_representable("damping", k, X, check=check, positive=True)
    iterations = checked_count("iterations", iterations)
    tolerance = checked_scalar("tolerance", tolerance, X, check=check)
    solution = compiled(_solution, network, iterations, separate, like=X)(weights, X, Y, b, k, tolerance)
    xp = array_namespace(X)
    if check and any(violated(xp.all(xp.isfinite(x))) for x in solution.x):
        raise no_inverse(xp, "the Gauss-Newton matrix", float(k), 1.0, X.dtype)
    return solution  # type: ignore[no-any-return]


def _solution(
    network: Network,
    iterations: int,
    separate: bool,
    weights: Arrays,
    X: Array,
    Y: Array,
    b: Arrays,
    k: Array | float,
    tolerance: Array | float,
) -> Solution:
    at = linearised_for_gauss_newton(network, weights, X, Y)
    G = gauss_newton_block_operator(at) if separate else gauss_newton_operator(at)
    return conjugate_gradient(
        lambda v: plus(G(v), v, k), b, iterations=iterations, tolerance=tolerance, separate=separate
    )
