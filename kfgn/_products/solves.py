"""Solutions of the damped Gauss-Newton equations by conjugate gradients, without forming a matrix."""

from array_api_compat import array_namespace

from .._algebra.conjugate_gradient import ITERATIONS, TOLERANCE, Solution, conjugate_gradient
from .._algebra.definiteness import no_inverse
from .._algebra.layerwise import plus
from .._documentation import with_shared_text
from .._linearisation.arguments import checked, checked_layers, checked_targets, gauss_newton_split
from .._linearisation.inputs import dtype_name
from .._linearisation.linearisation import linearised_for_gauss_newton
from .._network.network import Network
from .._types import Array, Arrays, Weights
from .._validation.arrays import violated
from .._validation.scalars import checked_count, checked_representable, checked_scalar
from ..backends import compiled, with_own_settings
from .diagonal_blocks import gauss_newton_block_operator
from .full_matrix import gauss_newton_operator


@with_own_settings
@with_shared_text
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
    """Solve (G + damping I) x = b with the full Gauss-Newton matrix G (13), by conjugate gradients.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    b : tuple or list of L arrays
        The right-hand side, such as the gradient, as arrays of the shapes and the dtype of the weights.
    damping : float or array, shape ()
        The damping, positive. A 0-d array must have the dtype of the weights.
    iterations : int, default 50
        The largest number of iterations, each of which computes one product with the matrix. `Solution.iterations` is
        the number of iterations that changed x.
    tolerance : float or array, shape (), default 1e-5
        The relative residual |b - (G + damping I) x| / |b| at which x has converged, at least 0. A 0-d array must have
        the dtype of the weights.
    {check}

    Returns
    -------
    Solution
        x in the shapes of b, with the residual and the number of iterations as 0-d arrays.

    Raises
    ------
    {gauss_newton_errors}
    NotPositiveDefiniteError
        With `check`, if x is not finite because the damping is too small or too large for the dtype.

    Notes
    -----
    If a solve does not converge and x is finite, no error is raised, and the residual is larger than the tolerance.
    In exact arithmetic, conjugate gradients converge after at most as many iterations as there are weights. If the
    damping is large, few iterations are enough. An iteration costs about as much as two gradients.

    Examples
    --------
    {example}
    >>> b = kfgn.gradient(network, weights, X, Y)
    >>> x, residual, iterations = kfgn.solve_gauss_newton(network, weights, X, Y, b, damping=0.1)
    >>> print(x[1].round(3), residual < 1e-5)
    [[-0.287 -0.146  0.14  -0.209]
     [ 0.287  0.146 -0.14   0.209]] True
    """
    return _solve(network, weights, X, Y, b, damping, iterations, tolerance, separate=False, check=check)


@with_own_settings
@with_shared_text
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
    """Solve (G_l + damping I) x_l = b_l for each layer, with the exact blocks G_l (16), by conjugate gradients.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    b : tuple or list of L arrays
        The right-hand side, such as the gradient, as arrays of the shapes and the dtype of the weights.
    damping : float or array, shape ()
        The damping, positive. A 0-d array must have the dtype of the weights.
    iterations : int, default 50
        The largest number of iterations, each of which computes one product with the block-diagonal matrix.
        `Solution.iterations` is the number of iterations that changed x.
    tolerance : float or array, shape (), default 1e-5
        The relative residual |b_l - (G_l + damping I) x_l| / |b_l| at which x_l has converged, at least 0. A 0-d array
        must have the dtype of the weights.
    {check}

    Returns
    -------
    Solution
        x in the shapes of b, with the residual and the number of iterations of each layer. The fields `residual` and
        `iterations` are tuples of L 0-d arrays.

    Raises
    ------
    {gauss_newton_errors}
    NotPositiveDefiniteError
        With `check`, if x is not finite because the damping is too small or too large for the dtype.

    Notes
    -----
    The blocks are those of `gauss_newton_blocks`. Each layer has its own step sizes and its own convergence. An
    iteration computes the products of all layers as one product with the block-diagonal matrix. If a layer does not
    converge and x is finite, no error is raised, and the residual of this layer is larger than the tolerance.

    Examples
    --------
    {example}
    >>> b = kfgn.gradient(network, weights, X, Y)
    >>> x, residuals, iterations = kfgn.solve_gauss_newton_blocks(network, weights, X, Y, b, damping=0.1)
    >>> print(x[1].round(3), max(residuals) < 1e-5)
    [[-0.711 -0.292  0.278 -0.835]
     [ 0.711  0.292 -0.278  0.835]] True
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
    W_1 = weights[0]
    Y = checked_targets(network, X, Y, check=check)
    b = checked_layers(network, X, "b", b, check=check)
    gauss_newton_split(network)
    k = checked_scalar("damping", damping, W_1, check=check, of=dtype_name(network), positive=True)
    k = checked_representable("damping", k, W_1, check=check, positive=True)
    iterations = checked_count("iterations", iterations)
    tolerance = checked_scalar("tolerance", tolerance, W_1, check=check, of=dtype_name(network))
    solution = compiled(_solution, network, iterations, separate, like=W_1)(weights, X, Y, b, k, tolerance)
    xp = array_namespace(W_1)
    if check and any(violated(xp.all(xp.isfinite(x))) for x in solution.x):
        raise no_inverse(xp, "the Gauss-Newton matrix", float(k), 1.0, W_1.dtype)
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
