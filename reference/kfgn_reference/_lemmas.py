"""Section 2.2.3 and Appendix F: piecewise linear networks have no smooth strict local maximum, equations (65)-(71).

Each step of the proofs is a function. The predicates `lemma_1` and `lemma_2` are true at every point off the kinks if
f'' = 0 and H_L is positive semi-definite. For other networks the predicates may be false. The predicates need exact
arithmetic, since a rounding error can make a zero pivot or a zero trace negative.

Misprints: Lemma 1 uses an f_L, which does not exist. The proof of Lemma 1 omits the factor dE/da in D, and writes a_l
for a_{l-1}. The proof of Lemma 2 assumes that all eigenvalues of the Hessian are negative at a strict maximum, but the
second derivative of -x^4 is 0 at the strict maximum x = 0. The conclusion of Lemma 2 holds nevertheless. By Lemma 1, E
is convex in W_l near every smooth point, with the other layers fixed. A convex function has no strict maximum in the
interior of its domain.

>>> from kfgn_reference import lemma_1, traces
>>> from kfgn_reference._example import X, Y, net
>>> lemma_1(net, X[1], Y[1]), tuple(map(float, traces(net, X[1], Y[1])))
(True, (124.0, 124.0))
"""

from typing import Any

import numpy as np

from ._hessian import derivative_matrix, sample_hessian_blocks, sample_preactivation_hessians
from ._linear_algebra import is_positive_semidefinite, trace
from ._network import Network, forward
from ._objectives import loss
from ._parameter_hessian import sample_hessian
from ._types import Array, PerLayer
from ._vectors import moved, scaled, vec, weights


def recursion_without_second_term(net: Network, x: Array, y: Any) -> PerLayer:
    """Equation (66), second line: (W_{l+1} B_l)^T script H_{l+1} (W_{l+1} B_l), l < L, which is (8) if f'' = 0."""
    _, h = forward(net, x)
    H = sample_preactivation_hessians(net, x, y)
    WB = {l: net.kernel(l + 1) @ derivative_matrix(net, h, l) for l in range(1, net.L)}
    return {l: WB[l].T @ H[l + 1] @ WB[l] for l in WB}


def carried_up(net: Network, x: Array, l: int, v: Array) -> Array:
    """Equation (67): W_{l+1} B_l v (D_{l+1},), the change of h_{l+1} to first order when h_l changes by v (D_l,)."""
    _, h = forward(net, x)
    return net.kernel(l + 1) @ derivative_matrix(net, h, l) @ v


def quadratic_forms(net: Network, x: Array, y: Any, l: int, v: Array) -> tuple[Any, Any]:
    """Equation (68): the quadratic forms of script H_l at v and script H_{l+1} at (67), which are equal if f'' = 0."""
    H = sample_preactivation_hessians(net, x, y)
    above = carried_up(net, x, l, v)
    return v @ H[l] @ v, above @ H[l + 1] @ above


def definiteness_is_inherited(net: Network, x: Array, y: Any) -> bool:
    """Equation (69): True if script H_l is positive semi-definite for every l < L for which script H_{l+1} is."""
    H = sample_preactivation_hessians(net, x, y)
    semidefinite = {l: is_positive_semidefinite(H[l]) for l in H}
    return all(semidefinite[l] or not semidefinite[l + 1] for l in range(1, net.L))


def quadratic_form_of_block(a: Array, H: Array, V: Array) -> tuple[Any, Any, Any, Any, Any]:
    """Equation (70): its five expressions for vec(V)^T [(a a^T) kron script H] vec(V), where a includes the unit.

    Misprint: the paper writes a_l for a_{l-1}.
    """
    Q = np.outer(a, a)
    return (
        vec(V) @ np.kron(Q, H) @ vec(V),
        vec(V) @ vec(H @ V @ Q),
        trace(V.T @ H @ V @ Q),
        trace(a[None, :] @ V.T @ H @ V @ a[:, None]),
        (V @ a) @ H @ (V @ a),
    )


def lemma_1(net: Network, x: Array, y: Any) -> bool:
    """Lemma 1 with (65): True if every diagonal block H_l of the Hessian of one datapoint is positive semi-definite."""
    return all(is_positive_semidefinite(H) for H in sample_hessian_blocks(net, x, y).values())


def traces(net: Network, x: Array, y: Any) -> tuple[Any, Any]:
    """Equation (71): trace(H) of the full Hessian (2), and the sum of the traces of its blocks."""
    return trace(sample_hessian(net, x, y)), sum(trace(H) for H in sample_hessian_blocks(net, x, y).values())


def lemma_2(net: Network, x: Array, y: Any) -> bool:
    """Lemma 2 with (71): True if trace(H) >= 0, so that not all eigenvalues of H are negative."""
    return bool(trace(sample_hessian(net, x, y)) >= 0)


def midpoint_gap(net: Network, X: Array, Y: Array, l: int, V: Array) -> Any:
    """(E(W_l + V) + E(W_l - V)) / 2 - E(W_l), a scalar, where E is the mean loss.

    Under the assumptions of Lemma 1, the gap is >= 0 if no unit crosses its kink between W_l - V and W_l + V. If the
    gap is >= 0, then E at W_l + V or E at W_l - V is at least E(W_l). If the gap is >= 0 for arbitrarily small V, then
    theta is no strict local maximum, as Lemma 2 states.
    """
    move = scaled(0, weights(net)) | {l: V}
    ahead, back = moved(net, move), moved(net, scaled(-1, move))
    return (loss(ahead, X, Y) + loss(back, X, Y)) / 2 - loss(net, X, Y)
