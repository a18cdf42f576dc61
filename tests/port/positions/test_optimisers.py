"""Optimiser steps on networks with positions: directions from blocks of each group, and steps on all libraries."""

import numpy as np
import pytest

import kfgn

from ...pairs import each_pair
from .problems import ALL, NETWORKS, WITHOUT_JAX, close, only_numpy, problem

CURVATURES = {
    "kflr": kfgn.KroneckerFactored("kflr"),
    "kflr, reduce": kfgn.KroneckerFactored("kflr", sharing="reduce"),
    "kfra, exact": kfgn.KroneckerFactored("kfra", inversion="exact"),
    "kfac, reduce": kfgn.KroneckerFactored("kfac", sharing="reduce", samples=2),
    "rp": kfgn.KroneckerFactored("rp", refresh=2),
    "tkfac": kfgn.KroneckerFactored("tkfac"),
    "tnt": kfgn.KroneckerFactored("tnt", samples=2),
    "kfoc": kfgn.KroneckerFactored("kfoc"),
    "foof": kfgn.KroneckerFactored("foof"),
    "ekfac, reduce": kfgn.EigenvalueCorrected(sharing="reduce"),
    "ekfac": kfgn.EigenvalueCorrected(samples=2, refresh=2),
    "hessian_free": kfgn.HessianFree(iterations=20),
}

DAMPED = {"foof": {"tau": kfgn.Damping(0.1, 5)}}
"""Options of the optimiser. The blocks of FOOF do not have the scale of the loss, and neither has its first damping."""


STEPPED = ["strided", "grouped", "tokens", "plane", "mixed and normalised", "embedded tokens"]


@each_pair(backend=WITHOUT_JAX, name=STEPPED, curvature=CURVATURES)
def test_steps_decrease_the_loss(backend, name, curvature):
    p = problem(ALL[name], N=8).on(backend)
    optimiser = kfgn.GaussNewton(p.network, CURVATURES[curvature], **DAMPED.get(curvature, {}))
    state = optimiser.init(p.weights)
    for t in range(1, 7):
        state, info = optimiser.step(state, p.X, p.Y, optimiser.draw(seed=0, t=t, N=8))
        assert bool(info.ok)
    before, after = (float(kfgn.loss(p.network, weights, p.X, p.Y)) for weights in (p.weights, state.weights))
    assert after < before


def rows_of_groups(network, arrays):
    """The arrays of each Kronecker block: the rows of W_l of one group, or vec(W_l) of a scale and shift."""
    layers = [network.layers[l] for l in network.weighted]
    found = []
    for layer, W in zip(layers, arrays, strict=True):
        vector = isinstance(layer, kfgn.ScaleShift)
        found += [W.T.reshape(-1, 1)] if vector else np.split(W, getattr(layer, "groups", 1))
    return found


@pytest.mark.parametrize("name", ["strided", "grouped", "planes of outputs", "mixed and normalised"])
@pytest.mark.parametrize("sharing", ["expand", "reduce"])
@only_numpy
def test_the_direction_of_a_step(backend, name, sharing):
    """A step is along the solution of the damped blocks of the factors that `kflr` returns."""
    p = problem(ALL[name])
    curvature = kfgn.KroneckerFactored("kflr", inversion="exact", sharing=sharing)
    optimiser = kfgn.GaussNewton(p.network, curvature, eta=0.0, gamma=kfgn.Damping(initial=0.1, period=None))
    state, info = optimiser.step(optimiser.init(p.weights), p.X, p.Y)
    _, gradient, Q, G = kfgn.kflr(*p[:4], sharing=sharing)
    blocks = kfgn.kronecker_blocks(Q, G)
    parts = zip(blocks, rows_of_groups(p.network, gradient), strict=True)
    expected = [float(info.step_size) * B.solve(g, damping=0.1, inversion="exact") for B, g in parts]
    moved = [after - before for after, before in zip(state.weights, p.weights, strict=True)]
    close(backend, rows_of_groups(p.network, moved), expected, 1e-9)


@pytest.mark.parametrize("rule", [kfgn.SGD, kfgn.Adam])
def test_first_order_steps(rule):
    p = problem(NETWORKS["strided"])
    optimiser = rule(p.network, learning_rate=0.01)
    state, info = optimiser.step(optimiser.init(p.weights), p.X, p.Y)
    assert bool(info.ok)
    assert float(kfgn.loss(p.network, state.weights, p.X, p.Y)) < float(info.loss)


def test_kfra_has_expand_alone():
    with pytest.raises(ValueError, match=r"^sharing: expected 'expand' for kfra, got 'reduce'$"):
        kfgn.KroneckerFactored("kfra", sharing="reduce")
