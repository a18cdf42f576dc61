"""Kronecker factors that do not fit in memory: one error before anything is allocated."""

import numpy as np
import pytest

import kfgn
from kfgn._curvature import factor_memory

HUGE = 3_000_000
"""The number of outputs. One G in float32 takes 36 TB, which no machine has."""


def huge(backend):
    network = kfgn.Network.dense((1, HUGE), (), "categorical")
    ones = [backend.asarray(np.ones(shape, "float32")) for shape in ((HUGE, 2), (2, 1))]
    return network, (ones[0],), ones[1], backend.asarray(np.zeros(2, "int64"))


def test_functions(backend):
    batch = huge(backend)
    labels = backend.asarray(np.zeros((2, 1), "int64"))
    calls = {
        "kfra": lambda: kfgn.kfra(*batch),
        "kflr": lambda: kfgn.kflr(*batch),
        "kfac": lambda: kfgn.kfac(*batch, labels),
        "tkfac": lambda: kfgn.tkfac(*batch),
        "tnt": lambda: kfgn.tnt(*batch),
        "kfoc": lambda: kfgn.kfoc(*batch),
        "foof": lambda: kfgn.foof(*batch),
        "ekfac": lambda: kfgn.ekfac(*batch),
        "rp": lambda: kfgn.rp(*batch, backend.asarray(np.ones((2, 1, HUGE), "float32"))),
    }
    for call in calls.values():
        with pytest.raises(
            MemoryError, match=r"^G_1: expected .* GB of available memory, got shape \(3000000, 3000000\) of .*float32"
        ):
            call()


def test_bases_that_are_given_need_no_memory_for_factors(monkeypatch):
    monkeypatch.setattr("kfgn._curvature.factor_memory.available_memory", lambda like: 1)
    monkeypatch.setattr("kfgn._curvature.factor_memory.SMALL", 0)
    network, weights = kfgn.Network.dense((3, 2), (), "squared_error"), (np.ones((2, 4)),)
    kfgn.ekfac_diagonal(network, weights, np.ones((5, 3)), np.ones((5, 2)), [np.eye(4)], [np.eye(2)])
    with pytest.raises(MemoryError, match=r"^Q_1: "):
        kfgn.ekfac(network, weights, np.ones((5, 3)), np.ones((5, 2)))


@pytest.mark.parametrize("method", ["kfra", "kflr", "kfac", "rp", "tkfac", "ekfac"])
def test_optimisers(backend, method):
    network, weights, *_ = huge(backend)
    optimiser = kfgn.GaussNewton(network, curvature=method)
    with pytest.raises(MemoryError, match=r"^G_1: .*kfgn\.HessianFree"):
        optimiser.init(weights)
    kfgn.GaussNewton(network, curvature=kfgn.HessianFree()).init(weights)


def test_inverses_that_are_kept_between_steps_are_counted(monkeypatch):
    needed = 8 * (3 * (4 * 4 + 2 * 2) + factor_memory.TEMPORARIES * 4 * 4)
    monkeypatch.setattr(factor_memory, "available_memory", lambda like: needed)
    monkeypatch.setattr(factor_memory, "SMALL", 0)
    network, weights = kfgn.Network.dense((3, 2), (), "squared_error"), (np.ones((2, 4)),)
    kfgn.GaussNewton(network, kfgn.KroneckerFactored("kfra")).init(weights)
    with pytest.raises(MemoryError, match=r"^Q_1: "):
        kfgn.GaussNewton(network, kfgn.KroneckerFactored("kfra", refresh=2)).init(weights)


def test_wide_inputs_are_named():
    network = kfgn.Network.dense((HUGE, 2), (), "squared_error")
    with pytest.raises(MemoryError, match=r"^Q_1: .*\(3000001, 3000001\)"):
        kfgn.kfra(network, (np.ones((2, HUGE + 1)),), np.ones((1, HUGE)), np.ones((1, 2)))


@pytest.mark.parametrize(
    ("layers", "name"),
    [
        ((kfgn.Convolution(8, 1, groups=8), kfgn.Flatten(), kfgn.Dense(2)), "Q_2"),
        ((kfgn.Convolution(8, 1), kfgn.Pooling(2, 1, "mean"), kfgn.Convolution(80, 1, groups=2)), "G_2, group 1"),
        ((kfgn.Convolution(80, 1, groups=8), kfgn.Dense(2)), "Q_2"),
        ((kfgn.Convolution(80, 1, groups=8), kfgn.ScaleShift()), "G_2"),
        ((kfgn.Convolution(800, 1, groups=8), kfgn.Convolution(80, 1, groups=80)), "G_1, group 1"),
    ],
)
def test_layers_and_groups_are_named(monkeypatch, layers, name):
    monkeypatch.setattr("kfgn._curvature.factor_memory.available_memory", lambda like: 1)
    monkeypatch.setattr("kfgn._curvature.factor_memory.SMALL", 0)
    network = kfgn.Network((8, 5), layers, "squared_error")
    weights = tuple(map(np.ones, network.weight_shapes))
    C, *positions = network.shapes[-1]
    with pytest.raises(MemoryError, match=f"^{name}: expected Kronecker factors"):
        kfgn.kflr(network, weights, np.ones((2, 8, 5)), np.ones((2, *positions, C)))


@pytest.mark.parametrize(("available", "fits"), [(None, True), (2**40, True), (10**9, False)])
def test_what_is_available_decides(monkeypatch, available, fits):
    network = kfgn.Network.dense((2, 9000), (), "squared_error")
    weights, X = (np.zeros((9000, 3)),), np.zeros((1, 2))
    monkeypatch.setattr("kfgn._curvature.factor_memory.available_memory", lambda like: available)
    check = __import__("kfgn._curvature.factor_memory", fromlist=["check_memory"]).check_memory
    if fits:
        check(network, X)
    else:
        with pytest.raises(MemoryError, match=r"fit in 1 GB of available memory, .* and 1\.94 GB for all factors"):
            kfgn.kfra(network, weights, X, np.zeros((1, 9000)))
