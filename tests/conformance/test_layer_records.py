"""Layers without a bias and transfer functions with a parameter: the port agrees with the reference everywhere."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, Status, judge
from kfgn_conformance.adapters.kfgn_port import KfgnPort, open_target
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.discontinuities import clear_of_kinks, near_border
from kfgn_conformance.problems.layers import Dense, weight_shapes
from kfgn_reference import OBJECTIVES


@cache
def problem(objective):
    """The first random problem far from every discontinuity, with a case's batch and other layers."""
    case = next(p for p in cases() if p.objective == objective)
    first, second, last = case.widths[1:]
    layers = (Dense(first, ("leaky_relu", 0.25)), Dense(second, "tanh", bias=False), Dense(last, bias=False))
    shapes = weight_shapes(case.inputs, layers)
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        weights, direction = (tuple(rng.integers(-16, 17, shape) / 16 for shape in shapes) for _ in range(2))
        arguments = case.arguments._replace(direction=direction)
        made = replace(case, id=f"layers-{objective}", layers=layers, weights=weights, arguments=arguments)
        if clear_of_kinks(made) and not near_border(made).any():
            return made
    raise AssertionError


def test_the_reference_gets_the_records():
    net = problem("bernoulli").reference
    assert net.transfers == (("leaky_relu", 0.25), "tanh")
    assert net.biases == (True, False, False)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_port_passes_every_quantity(objective):
    port = KfgnPort(open_target("numpy"), "float64")
    verdicts = {name: judge(port, problem(objective), quantity) for name, quantity in QUANTITIES.items()}
    assert {name: v for name, v in verdicts.items() if v.status is not Status.PASS} == {}
