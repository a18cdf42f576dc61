"""A state is made from its parts by public names, and every array in it is checked."""

import numpy as np
import pytest

import kfgn

NETWORK = kfgn.Network.dense((3, 4, 2), ("tanh",), "bernoulli")
REFRESHED = kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored(refresh=3), gamma=kfgn.Damping(1.0, None))


def weights():
    rng = np.random.default_rng(4)
    return tuple(rng.normal(size=shape) for shape in NETWORK.weight_shapes)


def batch(t):
    rng = np.random.default_rng(t)
    return rng.normal(size=(7, 3)), rng.uniform(size=(7, 2))


def leaves(tree):
    return [leaf for part in tree for leaf in leaves(part)] if isinstance(tree, tuple) else [tree]


def assert_equal(a, b):
    for x, y in zip(leaves(a), leaves(b), strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("inversion", ["trace", "exact"])
def test_missing_inverses_are_those_of_the_factors_and_gamma(inversion):
    """The inverses of a refresh are made of the factors and the gamma that the state then has."""
    curvature = kfgn.KroneckerFactored(refresh=3, inversion=inversion)
    optimiser = kfgn.GaussNewton(NETWORK, curvature, gamma=kfgn.Damping(1.0, None))
    whole, _ = optimiser.step(optimiser.init(weights()), *batch(1))
    parts = optimiser.init(whole.weights)._replace(
        t=1,
        average=whole.average,
        factors=kfgn.Factors(whole.factors.count, whole.factors.Q, whole.factors.G),
        tau=whole.tau,
        gamma=whole.gamma,
        counts=kfgn.Counts(*whole.counts),
    )
    assert_equal(optimiser.step(parts, *batch(2)), optimiser.step(whole, *batch(2)))


def test_missing_inverses_of_a_rejected_step_are_kept():
    whole, _ = REFRESHED.step(REFRESHED.init(weights()), *batch(1))
    X, Y = batch(2)
    state, info = REFRESHED.step(whole._replace(factors=whole.factors._replace(inverses=())), X * np.nan, Y)
    assert not info.ok
    assert_equal(state.factors, whole.factors)


def test_other_parts_are_not_left_out():
    state = REFRESHED.init(weights())
    for part in ("Q", "G"):
        with pytest.raises(ValueError, match=rf"^state\.factors\.{part}: expected 2 elements, got 0"):
            REFRESHED.step(state._replace(factors=state.factors._replace(**{part: ()})), *batch(1))
    with pytest.raises(ValueError, match=r"^state\.average: expected 2 elements, got 0"):
        REFRESHED.step(state._replace(average=()), *batch(1))
    one_inverse = state.factors._replace(inverses=state.factors.inverses[:1])
    with pytest.raises(ValueError, match=r"^state\.factors\.inverses: expected 2 elements, got 1"):
        REFRESHED.step(state._replace(factors=one_inverse), *batch(1))


@pytest.mark.parametrize("field", ["tau", "gamma", "average"])
@pytest.mark.parametrize("backend", ["torch"], indirect=True)
def test_a_tensor_inside_a_transform_is_refused_in_every_field(backend, field):
    import torch

    optimiser = kfgn.GaussNewton(NETWORK)
    state = optimiser.init(tuple(map(backend.asarray, weights())))
    X, Y = map(backend.asarray, batch(1))

    def loss(part):
        part = (part, *state.average[1:]) if field == "average" else part
        return optimiser.step(state._replace(**{field: part}), X, Y)[1].loss

    part = state.average[0] if field == "average" else getattr(state, field)
    path = "state.average_1" if field == "average" else f"state.{field}"
    with pytest.raises(TypeError, match=rf"^{path}: expected a tensor outside transforms of torch\.func"):
        torch.func.grad(loss)(part)


def test_public_names():
    assert type(REFRESHED.init(weights())) is kfgn.State
    assert type(REFRESHED.init(weights()).factors) is kfgn.Factors
    assert type(REFRESHED.init(weights()).counts) is kfgn.Counts
    assert type(kfgn.Adam(NETWORK).init(weights())) is kfgn.FirstOrderState


@pytest.mark.parametrize("curvature", [kfgn.KroneckerFactored(), kfgn.HessianFree(blocks=True)], ids=str)
def test_dampings_that_are_not_given_are_those_of_the_curvature(curvature):
    optimiser = kfgn.GaussNewton(NETWORK, curvature)
    assert optimiser.tau == optimiser.dampings.tau == curvature.default_tau
    assert optimiser.gamma == optimiser.dampings.gamma == curvature.default_gamma
    given = kfgn.GaussNewton(NETWORK, curvature, tau=kfgn.Damping(3.0, 7))
    assert given.tau == given.dampings.tau == kfgn.Damping(3.0, 7)


def test_the_curvatures_implement_the_interface():
    """Every member of the protocol, with the same arguments."""
    import inspect

    from kfgn._optimisers.curvature_estimate import CurvatureEstimate

    members = [name for name in vars(CurvatureEstimate) if not name.startswith("_")]
    assert len(members) == 12
    for kind in (kfgn.KroneckerFactored, kfgn.HessianFree):
        for name in members:
            expected = getattr(CurvatureEstimate, name)
            if inspect.isfunction(expected):
                arguments = list(inspect.signature(expected).parameters)
                assert list(inspect.signature(getattr(kind, name)).parameters) == arguments
            else:
                assert hasattr(kind(), name)
