"""Conventions of layers with shared weights: the order of a patch, the divisors of factors, and separate biases."""

import numpy as np
import pytest
from kfgn_conformance import SHARED_WEIGHTS, Conventions, Convolution, Description, Status, check, judge
from kfgn_conformance.adapters import ConventionError
from kfgn_conformance.adapters.positions import DIVIDED, DIVISORS
from kfgn_conformance.problems.layers import has_bias_column, positions_of
from kfgn_conformance.problems.shared_weights.fixed import shared_problems

PATCHES = ("shared_gradient", "expand_q", "reduce_q", "shared_gauss_newton_blocks", "expand_blocks", "ekfac_blocks")

PROBLEMS = [p for p in shared_problems() if p.id in ("shared-padded-categorical", "shared-grouped-categorical")]


def by_channels(layer, width):
    """The places of the inputs channel by channel, in the order tap by tap. The unit stays last."""
    if not isinstance(layer, Convolution):
        return np.arange(width)
    inputs = width - layer.bias
    order = np.arange(inputs).reshape(layer.taps, -1).T.ravel()
    return np.concatenate([order, np.arange(inputs, width)])


def with_patches_by_channels(quantity):
    """The reference's answers with the inputs of a patch channel by channel."""
    row = SHARED_WEIGHTS[quantity]

    def mine(problem):
        answer = []
        for (layer, (D, P)), array in zip(row.weights_of(problem), row.value(problem), strict=True):
            order = by_channels(layer, P)
            if row.array_kind == "weights":
                answer.append(array[:, order])
            elif row.array_kind == "inputs":
                answer.append(array[np.ix_(order, order)])
            else:
                answer.append(array.reshape(P, D, P, D)[order][:, :, order].reshape(P * D, P * D))
        return answer

    return mine


@pytest.mark.parametrize("quantity", PATCHES)
def test_a_declared_order_of_the_patch_is_translated(quantity):
    mine, declared = with_patches_by_channels(quantity), Conventions(patch="channels")
    result = check(quantity, mine, conventions=declared, problems=PROBLEMS)
    assert result.passed
    (cell,) = result.report.cells
    assert cell.translations == ("inputs of convolutions reordered from channel by channel to tap by tap",)
    assert not check(quantity, mine, problems=PROBLEMS).passed


@pytest.mark.parametrize("quantity", ["shared_gradient", "expand_q"])
def test_a_declared_order_of_the_patch_of_images_is_translated(quantity):
    """The taps of a kernel of two axes have row-major order in both orders."""
    images = [p for p in shared_problems() if p.id == "shared-images-strided-categorical"]
    mine = with_patches_by_channels(quantity)
    assert check(quantity, mine, conventions=Conventions(patch="channels"), problems=images).passed


def test_an_undeclared_order_of_the_patch_is_named():
    result = check("shared_gradient", with_patches_by_channels("shared_gradient"), problems=PROBLEMS)
    assert result.mistakes == ("patch-channels-first",)
    assert 'Conventions(patch="channels")' in " ".join(str(result).split())


@pytest.mark.parametrize("bias", ["separate", "first"])
@pytest.mark.parametrize("quantity", ["shared_gradient", "expand_q", "shared_gauss_newton_blocks", "reduce_blocks"])
def test_conventions_of_the_bias(quantity, bias):
    row = SHARED_WEIGHTS[quantity]

    def mine(problem):
        answer = []
        for (layer, (D, P)), array in zip(row.weights_of(problem), row.value(problem), strict=True):
            if not has_bias_column(layer, (D, P)):
                answer.append(array)
            elif bias == "first":
                axes = (1,) if row.array_kind == "weights" else (0, 1)
                step = D if row.array_kind == "blocks" else 1
                answer.append(np.roll(array, (step,) * len(axes), axes))
            elif row.array_kind == "weights":
                answer += [array[:, :-1], array[:, -1]]
            elif row.array_kind == "inputs":
                answer.append(array[:-1, :-1])
            else:
                n = D * (P - 1)
                answer += [array[:n, :n], array[n:, n:]]
        return answer

    assert check(quantity, mine, conventions=Conventions(bias=bias), problems=PROBLEMS).passed


def with_divisor(quantity, divisor):
    """The reference's factors with another divisor."""

    def mine(problem):
        row, answer = SHARED_WEIGHTS[quantity], []
        positions = dict(zip(map(id, problem.layers), map(positions_of, problem.shapes[1:]), strict=True))
        layers = [layer for layer, _ in row.weights_of(problem)]
        for layer, array in zip(layers, row.value(problem), strict=True):
            sizes = {"positions": problem.N * positions[id(layer)], "datapoints": problem.N, "none": 1}
            answer.append(array * sizes[DIVIDED[quantity]] / sizes[divisor])
        return answer

    return mine


@pytest.mark.parametrize("quantity", DIVIDED)
def test_a_declared_divisor_is_translated_and_an_undeclared_one_is_named(quantity):
    for divisor in DIVISORS:
        mine = with_divisor(quantity, divisor)
        result = check(quantity, mine, conventions=Conventions(divisors={quantity: divisor}))
        assert result.passed
        undeclared = check(quantity, mine)
        assert undeclared.passed is (divisor == DIVIDED[quantity])
        if not undeclared.passed:
            assert undeclared.mistakes != ()
            assert f"declared divisor ({divisor})" in " ".join(result.report.cells[0].translations)


def test_a_sum_over_datapoints_with_declared_divisors_is_divided_once():
    conventions = Conventions(reduction="sum", divisors={"expand_g": "none"})
    assert check("expand_g", with_divisor("expand_g", "none"), conventions=conventions).passed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"divisors": {"kfra": "none"}}, "divisors: expected quantities among expand_q, .*, got 'kfra'"),
        ({"divisors": {"expand_q": "N"}}, "divisors: expected positions or datapoints or none for expand_q, got 'N'"),
        ({"divisors": "none"}, "divisors: expected a dict with quantities as keys, got str"),
        ({"patch": "rows"}, "patch: expected taps or channels, got 'rows'"),
    ],
)
def test_wrong_conventions_are_refused(given, message):
    with pytest.raises(ConventionError, match=message):
        Conventions(**given)


class Separate:
    """An adapter with separate biases that offers one block."""

    def describe(self):
        quantities = {"ekfac_blocks", "tnt_blocks"}
        return Description("separate", "1", "float64", quantities, conventions=Conventions(bias="separate"))

    def compute(self, problem, quantity):
        return SHARED_WEIGHTS[quantity].value(problem)


@pytest.mark.parametrize("quantity", ["ekfac_blocks", "tnt_blocks"])
def test_an_approximation_of_one_block_is_not_compared_with_two(quantity):
    verdicts = {
        problem.id: judge(Separate(), problem, SHARED_WEIGHTS[quantity])
        for problem in shared_problems()
        if problem.id in ("shared-without-biases-bernoulli", "shared-tokens-bernoulli")
    }
    assert verdicts["shared-without-biases-bernoulli"].status is Status.PASS
    left_out = verdicts["shared-tokens-bernoulli"]
    assert left_out.status is Status.UNIMPLEMENTED
    assert "only on networks without biases" in left_out.detail
