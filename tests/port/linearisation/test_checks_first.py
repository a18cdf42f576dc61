"""Every argument is checked before the forward pass, which may take long and much memory."""

import numpy as np
import pytest

import kfgn

pytestmark = pytest.mark.usefixtures("no_pass")

NETWORK = kfgn.Network.dense((2, 3, 4), ("tanh",), "bernoulli")
WEIGHTS = tuple(np.ones(shape) for shape in NETWORK.weight_shapes)
X, Y = np.ones((5, 2)), np.ones((5, 4)) / 2
BATCH = NETWORK, WEIGHTS, X, Y
STEP = {"tau": 1.0, "eta": 1.0}

WRONG = {
    "kflr": lambda: kfgn.kflr(*BATCH, memory=0),
    "kfac": lambda: kfgn.kfac(*BATCH, "labels"),
    "kfac, draws": lambda: kfgn.kfac(*BATCH, draws="draws"),
    "kfac, neither": lambda: kfgn.kfac(*BATCH),
    "tkfac": lambda: kfgn.tkfac(*BATCH, labels="labels"),
    "kfoc": lambda: kfgn.kfoc(*BATCH, iterations=0),
    "ekfac": lambda: kfgn.ekfac(*BATCH, sharing="sum"),
    "ekfac_diagonal": lambda: kfgn.ekfac_diagonal(*BATCH, "U_Q", "U_G"),
    "rp": lambda: kfgn.rp(*BATCH, "projections"),
    "sample_labels": lambda: kfgn.sample_labels(NETWORK, WEIGHTS, X, "draws"),
    "jacobian_product": lambda: kfgn.jacobian_product(NETWORK, WEIGHTS, X, "V"),
    "transposed_jacobian_product": lambda: kfgn.transposed_jacobian_product(NETWORK, WEIGHTS, X, "U"),
    **{
        name: lambda name=name: getattr(kfgn, name)(*BATCH, "V")
        for name in (
            *("gauss_newton_product", "hessian_product"),
            *("gauss_newton_block_product", "hessian_block_product"),
        )
    },
    **{
        name: lambda name=name: getattr(kfgn, name)(*BATCH, "b", damping=1.0)
        for name in ("solve_gauss_newton", "solve_gauss_newton_blocks")
    },
    **{
        f"{name}, {wrong}": lambda name=name, wrong=wrong: getattr(kfgn, name)(*BATCH, WEIGHTS, **STEP | {wrong: -1.0})
        for name in ("curvature_along", "quadratic_model", "step_size", "reduction_ratio")
        for wrong in STEP
    },
}


@pytest.fixture
def no_pass(monkeypatch):
    def refused(*_arguments):
        raise AssertionError("the forward pass began")

    monkeypatch.setattr("kfgn._linearisation.linearisation.forward", refused)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name):
    with pytest.raises((TypeError, ValueError), match=r"^[A-Za-z_]+: expected"):
        WRONG[name]()


@pytest.mark.parametrize("name", ["kfra", "kflr", "kfac", "rp", "tkfac", "tnt", "kfoc", "foof", "ekfac"])
def test_factors_that_do_not_fit(name, monkeypatch):
    monkeypatch.setattr("kfgn._curvature.factor_memory.available_memory", lambda like: 1)
    monkeypatch.setattr("kfgn._curvature.factor_memory.SMALL", 0)
    further = {"kfac": (np.ones((5, 2, 4)),), "rp": (np.ones((5, 2, 4)),)}.get(name, ())
    with pytest.raises(MemoryError, match=r"^[QG]_\d: expected"):
        getattr(kfgn, name)(*BATCH, *further)


def test_an_indefinite_curvature_without_a_replacement():
    network = kfgn.Network.dense((2, 3), (), "mixture", "raise")
    with pytest.raises(ValueError, match=r"^psd: expected"):
        kfgn.kfra(network, (np.ones((3, 3)),), X, np.ones(5, int))


def test_the_patch_is_seen():
    with pytest.raises(AssertionError, match="began"):
        kfgn.loss(*BATCH)
