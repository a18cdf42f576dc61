"""Exact products of the diagonal blocks of the Gauss-Newton matrix and of the Hessian with a vector.

The blocks are never formed. In the product with the block of layer l, the direction is V_l for W_l and zero for all
other weights. The tangents, which are the derivatives along this direction, start at layer l with R{h_l} = V_l a_{l-1},
and are propagated forward to the outputs and back to layer l. The tangents of all layers with weights are propagated
together: at layer m, the leading axis has one tangent for each layer with weights among the layers 1, ..., m.
"""

from .._algebra.conjugate_gradient import Operator
from .._documentation import with_shared_text
from .._linearisation.arguments import checked_layers
from .._linearisation.linearisation import (
    GaussNewtonLinearisation,
    Linearisation,
    checked_batch,
    linearised,
    linearised_for_gauss_newton,
)
from .._network.network import Network
from .._network.output_hessian import OutputHessian
from .._types import Array, Arrays, Weights
from ..backends import with_own_settings


def _forward(at: Linearisation, V: Arrays) -> tuple[Array | None, ...]:
    """R_m (m, N, D_m) for m = 1, ..., L: the tangents at layer m that start at each layer l <= m with V_l a_{l-1}.

    Layers without weights start no tangents, and are not counted in the first axis. R_m is None if no layer l <= m has
    weights.
    """
    weights, directions = at.weights_by_layer, at.network.by_layer(V)
    R: list[Array | None] = []
    for m, layer in enumerate(at.maps):
        below = R[-1] if R else None
        started = []
        if below is not None:
            started.append(layer.preactivation_tangents(weights[m], at.forward.derivatives[m - 1] * below))
        if directions[m] is not None:
            started.append(layer.preactivations(directions[m], at.forward.inputs[m])[None, :, :])
        R.append(at.xp.concat(started, axis=0) if started else None)
    return tuple(R)


def _operator(at: Linearisation, outputs: OutputHessian, second_terms: Arrays | None = None) -> Operator:
    """The operator V_l -> 1/N sum_n (M_l R{h_l}) a_{l-1}^T, with the M_l of (8), or of (22) without `second_terms`."""
    network, derivatives, weights = at.network, at.forward.derivatives, at.weights_by_layer
    first = min(network.weighted)

    def product(V: Arrays) -> Arrays:
        R = _forward(at, V)
        products = outputs.product(R[-1])
        own = [products[-1, :, :]]
        for m in reversed(range(first, len(derivatives))):
            above = products[:-1, :, :] if m + 1 in network.weighted else products
            products = derivatives[m] * at.maps[m + 1].pulled_back(weights[m + 1], above)
            if second_terms is not None:
                products = products + second_terms[m] * R[m]
            own.append(products[-1, :, :])
        return at.mean_gradient((*[None] * first, *reversed(own)))

    return product


def gauss_newton_block_operator(at: GaussNewtonLinearisation) -> Operator:
    """The operator v -> B v, where B is the block-diagonal Gauss-Newton matrix. All products share one forward pass."""
    return _operator(at, at.output_curvature)


def hessian_block_operator(at: Linearisation) -> Operator:
    """The operator v -> B v, where B is the block-diagonal Hessian.

    All products share one forward and one backward pass.
    """
    return _operator(at, at.output_hessian(), at.second_derivative_terms(at.dE_dh()))


@with_own_settings
@with_shared_text
def gauss_newton_block_product(
    network: Network, weights: Weights, X: Array, Y: Array, V: Weights, *, check: bool = True
) -> Arrays:
    """The products of the diagonal blocks (16) of the Gauss-Newton matrix with the arrays V_l of a vector.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {V}
    {check}

    Returns
    -------
    tuple of L arrays
        For each layer, the matrix X_l with vec(X_l) = F_l vec(V_l), in the shape of W_l. F_l is the block of
        `gauss_newton_blocks`, which is E[(a_{l-1} a_{l-1}^T) kron G_l] in a network without positions. No block is
        formed. `network.psd` chooses the matrix that replaces an indefinite H_L.

    Raises
    ------
    {gauss_newton_errors}

    Notes
    -----
    Each V_l has its own tangents, the derivatives along V_l. The tangents of all layers are propagated together,
    forward and backward. At layer l there are l tangents, so the cost is about L/2 times the cost of
    `gauss_newton_product`.

    Examples
    --------
    {example}
    >>> print(kfgn.gauss_newton_block_product(network, weights, X, Y, V=weights)[0].round(3))
    [[ 0.008 -0.015  0.018]
     [-0.019 -0.013  0.009]
     [ 0.005 -0.013  0.014]]
    """
    _, X, _ = batch = checked_batch(network, weights, X, Y, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    return gauss_newton_block_operator(linearised_for_gauss_newton(network, *batch))(V)


@with_own_settings
@with_shared_text
def hessian_block_product(
    network: Network, weights: Weights, X: Array, Y: Array, V: Weights, *, check: bool = True
) -> Arrays:
    """The products of the diagonal blocks (7) of the Hessian of `loss` with the arrays V_l of a vector.

    Parameters
    ----------
    {network}
    {weights}
    {X}
    {Y}
    {V}
    {check}

    Returns
    -------
    tuple of L arrays
        For each layer, the matrix X_l with vec(X_l) = F_l vec(V_l), in the shape of W_l. F_l is the block of
        `hessian_blocks`, which is E[(a_{l-1} a_{l-1}^T) kron H_l] in a network without positions. No block is formed.

    Raises
    ------
    {errors}

    Notes
    -----
    Each V_l has its own tangents, the derivatives along V_l. The tangents of all layers are propagated together,
    forward and backward. At layer l there are l tangents, so the cost is about L/2 times the cost of `hessian_product`.
    At a kink of a transfer function the derivative is the left derivative.

    Examples
    --------
    {example}
    >>> print(kfgn.hessian_block_product(network, weights, X, Y, V=weights)[0].round(3))
    [[ 0.02   0.061  0.037]
     [ 0.003  0.005  0.02 ]
     [ 0.011  0.126 -0.043]]
    """
    _, X, _ = batch = checked_batch(network, weights, X, Y, check=check)
    V = checked_layers(network, X, "V", V, check=check)
    return hessian_block_operator(linearised(network, *batch))(V)
