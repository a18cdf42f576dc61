"""Answers on problems with a mask: the adapters that get them, the mistakes, the port and the textbook."""

from dataclasses import fields, replace

import numpy as np
import pytest
from kfgn_conformance import (
    SHARED_WEIGHTS,
    Conventions,
    Dense,
    Description,
    MaskedProblem,
    Pooling,
    Problem,
    Status,
    check,
    judge,
)
from kfgn_conformance.adapters import kfgn_port
from kfgn_conformance.adapters.description import from_json as description_from_json
from kfgn_conformance.diagnosis import mistakes_of
from kfgn_conformance.diagnosis.textbook.shared_weights import SharedTextbook
from kfgn_conformance.problems.dyadic import Recipe
from kfgn_conformance.problems.layers import Convolution
from kfgn_conformance.problems.masked import first_positions, is_masked
from kfgn_conformance.problems.shared_weights.dyadic import shared_problem
from kfgn_conformance.problems.shared_weights.fixed import shared_problems
from kfgn_conformance.problems.shared_weights.masked_sequences import masked_problems

from .test_masks import FAULTS, TOKENS, problems

_, EMBEDDING, CONVOLUTIONS = masked_problems()


class Mine:
    """A right implementation that takes masks, or does not."""

    def __init__(self, *, masks):
        self.masks = masks

    def describe(self):
        return Description("mine", "1", "float64", SHARED_WEIGHTS.keys(), masks=self.masks)

    def compute(self, problem, quantity):
        return SharedTextbook(problem).answer(quantity)


MADE_BY_A_USER = {
    "of numbers": (replace(TOKENS, mask=TOKENS.mask.astype(int)), TypeError, "an array of bool, got dtype int64"),
    "a list": (replace(TOKENS, mask=TOKENS.mask.tolist()), TypeError, "an array of bool, got list"),
    "of a wrong shape": (FAULTS["shape"][0], ValueError, r"expected shape \(5, 7\), got \(5, 3\)"),
    "none counted": (FAULTS["none counted"][0], ValueError, FAULTS["none counted"][1]),
    "of the paper": (
        replace(TOKENS, inputs=3),
        ValueError,
        "expected no mask for a network without positions, got a mask",
    ),
}


@pytest.mark.parametrize("name", MADE_BY_A_USER)
def test_a_mask_is_checked_before_an_implementation_gets_it(name):
    problem, error, message = MADE_BY_A_USER[name]

    class Unused(Mine):
        def compute(self, *_):
            raise AssertionError

    with pytest.raises(error, match=f"problem {TOKENS.id}: mask: .*{message}"):
        judge(Unused(masks=True), problem, SHARED_WEIGHTS["expand_q"])
    with pytest.raises(error, match=message):
        check("expand_q", Unused(masks=True).compute, masks=True, problems=[problem])


@problems
def test_only_an_adapter_that_declares_masks_gets_a_problem_with_a_mask(problem):
    row = SHARED_WEIGHTS["expand_q"]
    left_out = judge(Mine(masks=False), problem, row)
    assert left_out.status is Status.UNIMPLEMENTED
    assert "the description does not declare masks=True" in left_out.detail
    assert judge(Mine(masks=True), problem, row).status is Status.PASS


def test_a_description_with_masks_in_json():
    described = Mine(masks=True).describe()
    assert description_from_json(described.as_json(), "float64") == described
    without = {name: value for name, value in described.as_json().items() if name != "masks"}
    assert description_from_json(without, "float64") == Mine(masks=False).describe()
    with pytest.raises(TypeError, match="masks: expected True or False, got int"):
        Mine(masks=1).describe()


def test_a_function_is_run_with_masks_only_if_it_takes_them():
    def mine(problem):
        return SharedTextbook(problem).answer("expand_q")

    for masks in (False, True):
        result = check("expand_q", mine, masks=masks)
        assert result.passed
        ids = {verdict.problem for verdict in result.report.cells[0].verdicts}
        assert ids == {p.id for p in (*shared_problems(), *(masked_problems() if masks else ()))}


def test_the_divisor_of_q_counts_the_positions_that_are_not_masked():
    """An implementation that divides Q by N declares this, and the kit divides by M instead of N T."""

    def mine(problem):
        counts = [mask.sum() / problem.N for mask in problem.masks[1:]]
        of_weights = [n for layer, n in zip(problem.layers, counts, strict=True) if layer in problem.weighted]
        right = SHARED_WEIGHTS["expand_q"].value(problem)
        return [n * Q for n, Q in zip(of_weights, right, strict=True)]

    declared = Conventions(divisors={"expand_q": "datapoints"})
    assert check("expand_q", mine, conventions=declared, masks=True, problems=[TOKENS, CONVOLUTIONS]).passed
    assert not check("expand_q", mine, masks=True, problems=[TOKENS, CONVOLUTIONS]).passed


def without_padding(problem):
    """Each datapoint without its masked positions, as a problem without a mask."""
    given = {field.name: getattr(problem, field.name) for field in fields(Problem)}
    for n, (of_inputs, of_outputs) in enumerate(zip(problem.mask, problem.masks[-1], strict=True)):
        X, Y = problem.X[n : n + 1, ..., of_inputs], problem.Y[n : n + 1, of_outputs]
        labels, draws = (of[n : n + 1, :, of_outputs] for of in (problem.labels, problem.draws))
        inputs = (problem.inputs[0], int(of_inputs.sum()))
        yield Problem(**given | {"X": X, "Y": Y, "labels": labels, "draws": draws, "inputs": inputs})


def test_a_normalisation_without_epsilon_is_named_with_masks():
    """Without epsilon, the textbook divides 0 by 0 at a masked position. The implementation has no such position."""
    quantity = "shared_gradient"
    mistake = mistakes_of(SHARED_WEIGHTS[quantity])["epsilon-forgotten"].textbook

    def mine(problem):
        if not is_masked(problem):
            return mistake(problem).answer(quantity)
        if problem.id != EMBEDDING.id:
            return SHARED_WEIGHTS[quantity].value(problem)
        each = [mistake(of_datapoint).answer(quantity) for of_datapoint in without_padding(problem)]
        return [np.mean(of_layer, axis=0) for of_layer in zip(*each, strict=True)]

    assert check(quantity, mine, masks=True).mistakes == ("epsilon-forgotten",)
    assert "epsilon-forgotten" in check(quantity, mine, masks=True, problems=[EMBEDDING]).mistakes


@pytest.mark.parametrize(("name", "position"), [("first-position-only", 0), ("last-position-only", -1)])
@pytest.mark.parametrize("quantity", ["expand_q", "reduce_q"])
def test_a_factor_of_one_position_is_named_with_masks(quantity, name, position):
    """The inputs at a masked position are 0, and the divisor is the number of datapoints."""

    def mine(problem):
        at = [a[:, position] for a, _ in SharedTextbook(problem).groups()]
        return [x.T @ x / problem.N for x in at]

    assert check(quantity, mine, masks=True).mistakes == (name,)


def test_a_mistake_with_masks_is_named():
    def mine(problem):
        return mistakes_of(SHARED_WEIGHTS["expand_q"])["units-of-masked-positions"].textbook(problem).answer("expand_q")

    assert check("expand_q", mine).passed
    assert check("expand_q", mine, masks=True).mistakes == ("units-of-masked-positions",)


@problems
@pytest.mark.parametrize("quantity", ["shared_gradient", "reduce_blocks", "reduce_kfac_blocks"])
def test_the_port_is_right(problem, quantity):
    port = kfgn_port.KfgnPort(kfgn_port.open_target("numpy"), "float64")
    assert judge(port, problem, SHARED_WEIGHTS[quantity]).status is Status.PASS


def masked_image():
    """Images with counted rows and columns of different numbers: two convolutions, a mean, and two dense layers."""
    layers = (
        Convolution(3, (3, 2), "tanh", padding=((1, 1), (0, 1))),
        Dense(4, "softplus"),
        Convolution(3, (2, 3), "logistic", stride=(2, 1), padding=((0, 1), (1, 1))),
        Pooling((3, 5), 1, "mean"),
        Dense(2),
    )
    recipe = Recipe("bernoulli", "project", (2, 6, 5), layers, 4, 3)
    problem = shared_problem("masked-image", recipe, np.random.default_rng(0))
    mask = first_positions([np.array([6, 2, 3, 5]), np.array([5, 4, 1, 2])], (6, 5))
    return MaskedProblem(**{field.name: getattr(problem, field.name) for field in fields(problem)}, mask=mask)


IMAGE = masked_image()


def test_the_rows_and_columns_of_a_masked_image():
    assert [mask.sum(axis=(1, 2)).tolist() for mask in IMAGE.masks] == [
        [30, 8, 3, 10],
        [30, 8, 3, 10],
        [30, 8, 3, 10],
        [15, 4, 2, 6],
        [1, 1, 1, 1],
        [1, 1, 1, 1],
    ]


@pytest.mark.parametrize("quantity", [name for name, row in SHARED_WEIGHTS.items() if row.applies_to(IMAGE)])
def test_the_textbook_is_right_on_masked_images(quantity):
    assert judge(Mine(masks=True), IMAGE, SHARED_WEIGHTS[quantity]).status is Status.PASS
