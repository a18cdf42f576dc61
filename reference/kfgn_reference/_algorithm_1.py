"""Appendix H: Algorithm 1, which is one update of the weights by KFRA.

The code follows the lines of the algorithm with the misprints corrected. The arrays a, h and d have one column per
datapoint, as in the paper. `_kfra`, `_damping` and `_step_size` compute the same update, one datapoint and one equation
at a time. `_algorithm_1` calls none of these three modules, so that the two computations of an update check each other.

>>> from kfgn_reference import algorithm_1, kfra
>>> from kfgn_reference._example import X, Y, net
>>> update = algorithm_1(net, X, Y, gamma=0.5, tau=0.0, eta=0.0)
>>> bool((update.G[1] == kfra(net, X, Y)[1]).all()), bool(update.alpha < 0)
(True, True)
"""

from typing import Any, NamedTuple

import numpy as np

from ._arithmetic import diagonal, one, zero
from ._batch import datapoints
from ._expectation import mean
from ._linear_algebra import solve, trace
from ._network import Network
from ._objectives import OBJECTIVES
from ._outputs import output_gauss_newton
from ._types import Array, PerLayer


class Update(NamedTuple):
    """The results of Algorithm 1: the new weights W_l + delta_{*l}, and the intermediate results.

    gradient:  g_l (D_l, D_{l-1} + 1), of f = loss + eta / 2 |theta|^2
    Q, G:      the Kronecker factors of the blocks
    direction: the unscaled direction, which points uphill
    alpha:     the step size along the direction, a negative number
    weights:   W_l after the update
    """

    gradient: PerLayer
    Q: PerLayer
    G: PerLayer
    direction: PerLayer
    alpha: Any
    weights: PerLayer


def algorithm_1(net: Network, X: Array, Y: Array, gamma: Any, tau: Any, eta: Any) -> Update:
    """One update of all weights on the batch X (N, D_0), Y. Requires gamma + eta > 0 if a factor is singular.

    Misprints: the caption excludes updates of eta and gamma, where tau and gamma are meant. The inputs have an f_L,
    which does not exist, and omit tau. G_L has the index L lambda. The backward pass has the heading "Update for W",
    but only the last loop changes W. The two inverses are on the wrong sides of the gradient, and omit I. The line for
    delta^T G delta omits the mean over datapoints. C-tilde and G-tilde in the last lines should be C-bar and G-bar.
    `_printed_algorithm` has the lines as printed. Derivatives propagate through W without its bias column.

    Choice: omega is 1 if the trace of a factor is not positive.
    """
    pairs = list(datapoints(net, X, Y))
    N, L = len(pairs), net.L
    E = OBJECTIVES[net.objective]

    # Forward pass
    unit = one(X[:, :1]).T

    def with_unit(l: int, a: Array) -> Array:
        """The matrix that W_l multiplies: a, followed by a row of ones if layer l has a bias."""
        return np.concatenate([a, unit]) if net.has_bias(l) else a

    a: PerLayer = {0: with_unit(1, X.T)}
    h: PerLayer = {}
    for l in range(1, L + 1):
        h[l] = net.weights[l - 1] @ a[l - 1]
        if l < L:
            a[l] = with_unit(l + 1, net.f(l).f(h[l]))

    # Derivative and Hessian of the objective
    outputs = list(zip(h[L].T, (y for _, y in pairs), strict=True))
    H_L = [output_gauss_newton(net, h_L, y) for h_L, y in outputs]
    d = np.stack([E.gradient(h_L, y) for h_L, y in outputs], axis=1)
    G: PerLayer = {L: mean(H_L)}

    # Backward pass
    g: PerLayer = {}
    Q: PerLayer = {}
    direction: PerLayer = {}
    for l in range(L, 0, -1):
        # Update for W_l
        g[l] = d @ a[l - 1].T / N + eta * net.weights[l - 1]
        Q[l] = a[l - 1] @ a[l - 1].T / N
        of_Q, of_G = trace(Q[l]) * len(G[l]), trace(G[l]) * len(Q[l])
        omega = np.sqrt(of_Q / of_G) if of_Q > 0 and of_G > 0 else one(of_Q)
        k = np.sqrt(gamma + eta)
        left = G[l] + diagonal(one(G[l][0]) * k / omega)
        right = Q[l] + diagonal(one(Q[l][0]) * k * omega)
        direction[l] = solve(right, solve(left, g[l]).T).T
        if l > 1:
            # Propagate gradient and approximate pre-activation Gauss-Newton
            W, A = net.kernel(l), net.f(l - 1).first(h[l - 1])
            d = (W.T @ d) * A
            G[l - 1] = (W.T @ G[l] @ W) * (A @ A.T / N)

    # The R-operator
    Ra = zero(X.T)
    for l in range(1, L + 1):
        v = direction[l] @ a[l - 1] + net.kernel(l) @ Ra
        if l < L:
            Ra = net.f(l).first(h[l]) * v
    curvature = mean(v_n @ H_n @ v_n for v_n, H_n in zip(v.T, H_L, strict=True))
    curvature = curvature + (tau + eta) * sum(np.sum(direction[l] ** 2) for l in direction)
    alpha = -sum(np.sum(direction[l] * g[l]) for l in direction) / curvature

    weights = {l: net.weights[l - 1] + alpha * direction[l] for l in range(1, L + 1)}
    return Update(g, Q, G, direction, alpha, weights)
