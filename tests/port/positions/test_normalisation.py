"""Layer normalisation as two layers: cases in which KFRA is exact, the dense block, and large inputs."""

import dataclasses

import numpy as np
import pytest

import kfgn

from .problems import NORMALISED, close, only_numpy, problem

every_network = pytest.mark.parametrize("name", NORMALISED)


@every_network
@pytest.mark.parametrize("sharing", ["expand", "reduce"])
@only_numpy
def test_scale_and_shift_have_their_exact_block(backend, name, sharing):
    p = problem(NORMALISED[name])
    exact, blocks = (
        kfgn.gauss_newton_blocks(*p[:4]),
        iter(kfgn.kronecker_blocks(*kfgn.kflr(*p[:4], sharing=sharing)[2:])),
    )
    for l, block in zip(p.network.weighted, exact, strict=True):
        layer = p.network.layers[l]
        of_layer = [next(blocks) for _ in range(getattr(layer, "groups", 1))]
        if isinstance(layer, kfgn.ScaleShift):
            close(backend, [of_layer[0].dense(), of_layer[0].Q], [block, [[1.0]]])


@only_numpy
def test_kfra_is_exact_for_one_datapoint_of_one_position(backend):
    p = problem(NORMALISED["normalised vectors"], N=1)
    close(backend, kfgn.kfra(*p[:4]).G, kfgn.kflr(*p[:4]).G, 1e-12)


def test_kfra_is_not_exact_for_two_datapoints():
    p = problem(NORMALISED["normalised vectors"], N=2)
    came, exact = kfgn.kfra(*p[:4]).G, kfgn.kflr(*p[:4]).G
    for a, b in zip(came[:2], exact[:2], strict=True):
        assert np.abs(a - b).max() > 0.01 * np.abs(b).max()


@pytest.mark.parametrize("name", ["token-wise block", "mixed and normalised"])
def test_kfra_is_positive_semi_definite(name):
    for G in kfgn.kfra(*problem(NORMALISED[name], N=40)[:4]).G:
        values = np.linalg.eigvalsh(G)
        assert values[0] > -1e-12 * values[-1]


@only_numpy
def test_an_offset_of_all_channels_changes_nothing(backend):
    """A normalisation removes the mean of the channels before it squares them."""
    network = kfgn.Network((4, 3), (kfgn.Normalisation(), kfgn.Dense(2)), "squared_error")
    p = problem(network)
    p = p._replace(X=np.round(8 * p.X) / 8)  # the mean of four channels is exact
    q = p._replace(X=p.X + 2.0**20)
    close(backend, kfgn.gradient(*q[:4]), kfgn.gradient(*p[:4]))
    close(backend, kfgn.kfra(*q[:4]).Q, kfgn.kfra(*p[:4]).Q)


@only_numpy
def test_equal_channels_are_normalised_to_zero(backend):
    """The variance is 0, and the Jacobian is that of the centred channels over the root of epsilon."""
    layers = kfgn.Dense(3, bias=False), kfgn.Normalisation(0.25), kfgn.ScaleShift()
    network = kfgn.Network((1, 2), layers, "squared_error")
    W, X, Y = (np.ones((3, 1)), np.array([[1.0, 2.0]] * 3)), np.ones((4, 1, 2)), np.ones((4, 2, 3))
    assert kfgn.loss(network, W, X, Y) == 2 * 3 * (2 - 1) ** 2 / 2
    centred = np.eye(3) - 1 / 3
    close(backend, kfgn.kflr(network, W, X, Y).G[:1], [2 * centred @ centred / 0.25])


def test_a_normalisation_is_a_value():
    layer = kfgn.Normalisation(np.float32(0.5))
    assert (layer, type(layer.epsilon)) == (kfgn.Normalisation(0.5), float)
    assert dataclasses.replace(layer, epsilon=0.25) != layer
