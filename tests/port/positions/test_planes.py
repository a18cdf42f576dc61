"""Two axes of positions: a network over planes of height or width 1 equals the network over one axis."""

import dataclasses

import numpy as np
import pytest

import kfgn

from .problems import GROUPED, NETWORKS, PLANES, close, only_numpy, problem

ALL = NETWORKS | GROUPED
PAIRS = {"width": (1, 1), "stride": (1, 1), "dilation": (1, 1), "padding": ((0, 0), (0, 0))}


def in_plane(layer, axis):
    """The layer over two axes, of which the other one has a single position."""
    changes = {}
    for name, (first, second) in PAIRS.items():
        if (value := getattr(layer, name, None)) is not None:
            changes[name] = (value, second) if axis == 0 else (first, value)
    return dataclasses.replace(layer, **changes)


def plane(p, axis):
    """The same problem, whose positions are along one axis of a plane."""
    C, T = p.network.inputs
    layers = tuple(in_plane(layer, axis) for layer in p.network.layers)
    network = dataclasses.replace(p.network, inputs=(C, T, 1) if axis == 0 else (C, 1, T), layers=layers)

    def with_axis(a, before):
        return np.expand_dims(a, before + 1 if axis == 0 else before)

    if len(network.shapes[-1]) == 1:  # the outputs of `Flatten` have no positions
        return p._replace(network=network, X=with_axis(p.X, 2))
    return p._replace(network=network, X=with_axis(p.X, 2), Y=with_axis(p.Y, 1), labels=with_axis(p.labels, 2))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", ALL)
@only_numpy
def test_a_thin_plane_is_a_line(backend, name, axis):
    p = problem(ALL[name])
    q = plane(p, axis)
    assert q.network.weight_shapes == p.network.weight_shapes
    for function in (kfgn.gradient, kfgn.gauss_newton_blocks, kfgn.hessian_blocks):
        close(backend, function(*q[:4]), function(*p[:4]))
    for sharing in ("expand", "reduce"):
        for a, b in (
            (kfgn.kflr(*q[:4], sharing=sharing), kfgn.kflr(*p[:4], sharing=sharing)),
            (kfgn.kfac(*q[:4], q.labels, sharing=sharing), kfgn.kfac(*p[:4], p.labels, sharing=sharing)),
        ):
            close(backend, a.Q, b.Q)
            close(backend, a.G, b.G)
    close(backend, kfgn.kfra(*q[:4]).G, kfgn.kfra(*p[:4]).G)


@pytest.mark.parametrize("name", PLANES)
@only_numpy
def test_factors_are_sums_of_blocks_of_the_exact_matrix(backend, name):
    """G of expand is the sum of the blocks of each position with itself, and G of reduce that of all blocks."""
    p = problem(PLANES[name])
    by_sharing = {"expand": [], "reduce": []}
    for M, layer, l in zip(
        kfgn.preactivation_gauss_newton(*p[:4]), p.network.weighted.values(), p.network.weighted, strict=True
    ):
        T, C = p.network.positions[l + 1], p.network.widths[l + 1]
        blocks = M.mean(axis=0).reshape(T, C, T, C)
        size = C // layer.groups
        for sharing, G in (("expand", np.einsum("tctd->cd", blocks)), ("reduce", blocks.sum(axis=(0, 2)))):
            by_sharing[sharing] += [G[i : i + size, i : i + size] for i in range(0, C, size)]
    for sharing, expected in by_sharing.items():
        close(backend, kfgn.kflr(*p[:4], sharing=sharing).G, expected)


@only_numpy
def test_patches_of_a_plane(backend):
    """The taps of a patch are in row-major order, with the channels of a tap next to each other."""
    rng = np.random.default_rng(3)
    layer = kfgn.Convolution(2, (2, 3), stride=(1, 2), padding=((0, 1), (2, 0)), dilation=(2, 1))
    network = kfgn.Network((2, 3, 4), (layer,), "squared_error")
    X = rng.normal(size=(5, 2, 3, 4))
    Y = np.zeros((5, *network.shapes[-1][1:], 2))
    padded = np.pad(X, ((0, 0), (0, 0), (0, 1), (2, 0)))
    _, H, W = network.shapes[-1]
    rows = [
        [padded[n, c, i + 2 * k, 2 * j + m] for k in range(2) for m in range(3) for c in range(2)] + [1.0]
        for n in range(5)
        for i in range(H)
        for j in range(W)
    ]
    rows = np.array(rows)
    Q = kfgn.kfra(network, (np.ones((2, 13)),), X, Y).Q[0]
    close(backend, [Q], [rows.T @ rows / len(rows)])
