"""Algorithm 1 with the curvature of EKFAC: averaged eigenvalues in the eigenbases of averaged factors.

For layer l, the curvature is U diag(vec S_l) U^T with U = U_Q kron U_G. S_l is the average (44) of the diagonals of
`ekfac_diagonal`, to which every batch adds its own. The eigenvectors U_Q and U_G of the averages of Q_l and G_l are
computed every `refresh` steps. The damping gamma + eta is added to the eigenvalues, so that

    delta_l = U_G ((U_G^T grad f_l U_Q) / (S_l + gamma + eta)) U_Q^T.

All heuristics are those of `updated` in the module of the paper's optimiser. The network is one of the paper, whose
layers have one position per datapoint. Q and G are those of `expected_q` and `kflr`.

>>> from kfgn_reference import Settings
>>> from kfgn_reference._example import X, Y, net
>>> from kfgn_reference.shared_weights import ekfac_step, initial_ekfac_state
>>> state, info = ekfac_step(Settings("ekfac", eta=0.0), initial_ekfac_state(net, tau=0.5, gamma=0.5), X, Y)
>>> state.at.t, float(info.f), state.S[2].round(6).tolist()
(1, 1.25, [[0.0, 0.602376, 46.897624]])
"""

import math
from typing import Any, NamedTuple

import numpy as np

from .._arithmetic import diagonal, one, rational
from .._batch import datapoints
from .._kflr import sample_roots
from .._linear_algebra import NotPositiveDefiniteError
from .._network import Network, forward
from .._optimiser import Info, Settings, State, averaged, factors, initial_state, rejected, updated
from .._step_size import regularised_gradient, regularised_loss
from .._types import Array, PerLayer
from ._ekfac import eigenbases, ekfac_diagonal
from ._factors import Factors
from ._pairs import Batch, Pairs

Bases = dict[int, tuple[Array, Array]]
"""The orthogonal matrices (U_Q, U_G) of each layer, (D_{l-1} + 1, D_{l-1} + 1) and (D_l, D_l)."""


class EkfacState(NamedTuple):
    """The state after t steps: that of the paper's optimiser, with the bases and the averaged eigenvalues.

    at:    the network, the averages of its weights and of the factors, the dampings, and the last update
    bases: the eigenvectors of the averages of Q_l and G_l, or unit vectors before the first update of the factors
    S:     the averages of the diagonals, shaped like W_l, empty before the first batch
    """

    at: State
    bases: Bases
    S: PerLayer


def initial_ekfac_state(net: Network, tau: Any, gamma: Any) -> EkfacState:
    """The state before the first step, with empty averages, and with unit vectors as bases."""
    units = {l: (diagonal(one(W[0])), diagonal(one(W[:, 0]))) for l, W in enumerate(net.weights, start=1)}
    return EkfacState(initial_state(net, tau, gamma), units, {})


def dense_pairs(net: Network, X: Array, Y: Array) -> dict[int, Batch]:
    """The pairs of every datapoint for each layer l of a network of the paper, which has one position."""
    samples = [(forward(net, x)[0], sample_roots(net, x, y)) for x, y in datapoints(net, X, Y)]
    return {l: [Pairs(net.with_unit(l, a[l - 1])[None], C[l][None]) for a, C in samples] for l in range(1, net.L + 1)}


def in_new_basis(S: Array, old: tuple[Array, Array], new: tuple[Array, Array]) -> Array:
    """The diagonal (O, I) of V^T U diag(vec S) U^T V, with U = U_Q kron U_G of `old` and V = V_Q kron V_G of `new`.

    The sum of all elements is that of S.
    """
    (U_Q, U_G), (V_Q, V_G) = old, new
    return (V_G.T @ U_G) ** 2 @ S @ ((V_Q.T @ U_Q) ** 2).T


def with_new_bases(settings: Settings, state: EkfacState, X: Array, Y: Array) -> EkfacState:
    """The state with the batch in the averages of Q and G, with the eigenvectors of both, and with S in this basis."""
    Q, G = factors(settings._replace(method="kflr"), state.at, X, Y, None)
    bases = {l: eigenbases(Factors(Q[l], G[l])) for l in Q}
    S = {l: in_new_basis(state.S[l], state.bases[l], bases[l]) for l in state.S}
    return EkfacState(state.at._replace(Q=Q, G=G), bases, S)


def observed(settings: Settings, state: EkfacState, X: Array, Y: Array) -> EkfacState:
    """The state with the batch in the average S.

    Every `refresh`-th step, from the first step on, also updates Q and G, and computes the new bases before S.
    """
    done, at = state.at.t - state.at.rejected, state.at
    turned = with_new_bases(settings, state, X, Y) if at.t % settings.refresh == 0 else state
    of_batch = {l: ekfac_diagonal(batch, *turned.bases[l]) for l, batch in dense_pairs(at.net, X, Y).items()}
    upper = rational(*settings.curvature_average, at.tau)
    return turned._replace(S=averaged(turned.S, of_batch, done + 1, upper))


def ekfac_direction(state: EkfacState, g: PerLayer, k: Any) -> PerLayer:
    """U (diag(vec S_l) + k I)^-1 U^T vec(g_l) as a matrix, for each layer.

    If U is orthogonal only up to rounding, the result is still defined by this product of matrices. Raises
    `NotPositiveDefiniteError` if an element of S_l + k is not positive.
    """

    def of_layer(S: Array, U_Q: Array, U_G: Array, g: Array) -> Array:
        damped = S + k
        if not np.all(damped > 0):
            raise NotPositiveDefiniteError(f"S + k: expected positive numbers, got {damped.min()}")
        return U_G @ ((U_G.T @ g @ U_Q) / damped) @ U_Q.T

    return {l: of_layer(state.S[l], *state.bases[l], g[l]) for l in g}


def ekfac_step(settings: Settings, state: EkfacState, X: Array, Y: Array) -> tuple[EkfacState, Info]:
    """One update on the batch X (N, D_0), Y, or a rejected step, which keeps the weights, the bases and all averages.

    settings: the method is "ekfac", and the inversion has no effect
    """
    net, eta = state.at.net, settings.eta
    f, g = regularised_loss(net, X, Y, eta), regularised_gradient(net, X, Y, eta)
    if not math.isfinite(float(f)):
        at, info = rejected(settings, state.at, f, damped=False)
        return state._replace(at=at), info
    new = observed(settings, state, X, Y)
    at, info = updated(settings, state.at, X, Y, f, g, lambda gamma: ekfac_direction(new, g, gamma + eta))
    return (new._replace(at=at._replace(Q=new.at.Q, G=new.at.G)) if info.ok else state._replace(at=at)), info
