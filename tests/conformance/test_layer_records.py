"""Layers without a bias and transfer functions with a parameter: the port agrees with the reference everywhere."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, Status, judge
from kfgn_conformance.adapters import Conventions, Description
from kfgn_conformance.adapters.conventions import with_separate_biases
from kfgn_conformance.adapters.kfgn_port import KfgnPort, open_target
from kfgn_conformance.diagnosis import MISTAKES, Answered, diagnose
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.discontinuities import clear_of_kinks, near_border
from kfgn_conformance.problems.layers import Dense, weight_shapes
from kfgn_conformance.relatives import relatives
from kfgn_reference import OBJECTIVES

from ..pairs import each_value


@cache
def problem(objective):
    """The first random problem far from every discontinuity, with four datapoints of a case and other layers."""
    case = next(p for p in cases() if p.objective == objective).head(4)
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


@each_value(objective=OBJECTIVES, name=QUANTITIES)
def test_the_port_passes_every_quantity(objective, name):
    verdict = judge(KfgnPort(open_target("numpy"), "float64"), problem(objective), QUANTITIES[name])
    assert verdict.status is Status.PASS, verdict


class InItsConventions:
    """An adapter that gives the reference's answers in its own conventions for the bias."""

    def __init__(self, bias):
        self.bias = bias

    def describe(self):
        return Description(
            "mine", "1", "float64", frozenset({"gradient", "q", *WITH_SIZES}), {}, Conventions(bias=self.bias)
        )

    def compute(self, problem, quantity):
        answer = []
        for layer, array in zip(problem.layers, QUANTITIES[quantity].value(problem), strict=True):
            if not layer.bias:
                answer.append(array)
            elif self.bias == "first":
                answer.append(np.roll(array, 1, axis=1) if quantity == "gradient" else np.roll(array, (1, 1), (0, 1)))
            elif quantity != "q":
                answer += [array[:, :-1], array[:, -1]]
            else:
                answer.append(array[:-1, :-1])
        return tuple(answer)


@pytest.mark.parametrize("bias", ["first", "separate"])
@pytest.mark.parametrize("quantity", ["gradient", "q"])
def test_only_layers_with_a_bias_have_one_in_other_conventions(quantity, bias):
    verdict = judge(InItsConventions(bias), problem("bernoulli"), QUANTITIES[quantity])
    assert verdict.status is Status.PASS, verdict


def test_relatives_have_the_layers_of_the_problem():
    """Without a bias the parts of a random network with biases would not fit."""
    for other in relatives(problem("squared_error")):
        assert [W.shape for W in other.weights] == [W.shape for W in problem("squared_error").weights]


@pytest.mark.parametrize("name", ["unit-forgotten", "inputs-centred", "penalty-without-biases"])
def test_the_diagnosis_names_a_mistake(name):
    """The first layer has a bias, and the others have none."""
    right = Oracle(problem("bernoulli"), QUANTITIES["reduction_ratio" if "penalty" in name else "gradient"])
    wrong = MISTAKES[name].textbook(problem("bernoulli")).answer(right.quantity.name)
    assert f"{name}: " in str(diagnose([Answered(right, wrong)], "float64"))


WITH_SIZES = ("kronecker_matvec", "solve_trace", "solve_exact", "conjugate_gradients", "block_conjugate_gradients")
"""The quantities shaped like the weights whose tolerance is not relative to their largest element alone."""


@pytest.mark.parametrize("quantity", WITH_SIZES)
@pytest.mark.parametrize("of", [problem("bernoulli"), cases()[0]], ids=["some biases", "all biases"])
def test_every_part_of_separate_biases_has_its_own_tolerance(of, quantity):
    """The larger size of the arrays of a layer is the size of the joined array. The other size is smaller."""
    whole, parts = Oracle(of, QUANTITIES[quantity]), Oracle(of, with_separate_biases(QUANTITIES[quantity]))
    sizes = iter(parts.sizes)
    for layer, size in zip(of.layers, whole.sizes, strict=True):
        of_layer = [next(sizes) for _ in range(1 + layer.bias)]
        assert max(of_layer) == pytest.approx(size, rel=1e-12)
        assert not layer.bias or min(of_layer) < size
    verdict = judge(InItsConventions("separate"), of, QUANTITIES[quantity])
    assert verdict.status is Status.PASS, verdict


def test_an_error_of_a_small_bias_fails():
    """The error in b_2 is within the tolerance of W_2."""

    class Wrong(InItsConventions):
        def compute(self, problem, quantity):
            W_1, b_1, W_2, b_2, *others = super().compute(problem, quantity)
            return W_1, b_1, W_2, b_2 + error, *others

    of, quantity = cases()[0], QUANTITIES["kronecker_matvec"]
    allowed = Oracle(of, with_separate_biases(quantity)).tolerances("float64")
    error = 0.9 * allowed[2]
    assert allowed[3] < error
    assert judge(Wrong("separate"), of, quantity).status is not Status.PASS
