"""Mistakes that are not about masks: further masked positions have no influence on their answers."""

from dataclasses import replace

import numpy as np
import pytest
from kfgn_conformance import SHARED_WEIGHTS, Pooling
from kfgn_conformance.diagnosis import mistakes_of
from kfgn_conformance.diagnosis.textbook.shared_weights import SharedTextbook
from kfgn_conformance.problems.layers import Convolution
from kfgn_conformance.problems.masked import has_all_positions

from .test_masked_answers import without_padding
from .test_masks import EMBEDDING, TOKENS, problems

MISTAKES = {name: each for name, each in mistakes_of(SHARED_WEIGHTS["shared_loss"]).items() if each.family != "masks"}

OF_THE_PADDING = {
    "last-position-only",
    "positions-permuted",
    "unit-not-masked",
    "patch-circular-for-zeros",
    "patch-circular-along-the-last-axis",
}
"""The mistakes that depend on the masked positions: on the last position, or on the positions with zero derivatives."""

QUANTITIES = (
    "shared_loss",
    "shared_gradient",
    "shared_gauss_newton_blocks",
    "expand_blocks",
    "reduce_kfac_blocks",
    "ekfac_diagonal",
    "kfra_over_taps",
)


def longer(problem, more=2):
    """The problem with further masked positions at the end. A window over all positions has the further ones too."""
    layers, T = [], problem.shapes[0][1] + more
    for layer, below in zip(problem.layers, problem.shapes, strict=False):
        if has_all_positions(layer, below):
            layers.append(replace(layer, width=T))
            T = 1
        else:
            layers.append(layer)
            T = layer.windows[0].outputs(T) if isinstance(layer, Convolution | Pooling) else T

    def extended(array, axis, by):
        return np.pad(array, [(0, by if i == axis else 0) for i in range(array.ndim)], mode="edge")

    of_outputs = T - problem.shapes[-1][1]
    return replace(
        problem,
        inputs=(problem.inputs[0], problem.inputs[1] + more),
        layers=tuple(layers),
        X=extended(problem.X, problem.X.ndim - 1, more),
        Y=extended(problem.Y, 1, of_outputs),
        labels=extended(problem.labels, 2, of_outputs),
        draws=extended(problem.draws, 2, of_outputs),
        mask=np.pad(problem.mask, ((0, 0), (0, more))),
    )


def differs(a, b):
    return any(not np.max(abs(x - y), initial=0) <= 1e-10 * np.max(abs(x)) for x, y in zip(a, b, strict=True))


@problems
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_further_masked_positions_have_no_influence(quantity, problem):
    if not SHARED_WEIGHTS[quantity].applies_to(problem):
        pytest.skip(f"{quantity} does not apply")
    padded = longer(problem)
    assert not differs(*(SharedTextbook(each).answer(quantity) for each in (problem, padded)))
    with np.errstate(all="ignore"):  # without epsilon, a normalisation divides 0 by 0 at a masked position
        answers = {
            name: [mistake.textbook(each).answer(quantity) for each in (problem, padded)]
            for name, mistake in MISTAKES.items()
            if name not in OF_THE_PADDING
        }
    assert not [name for name, pair in answers.items() if differs(*pair)]


PER_DATAPOINT = {
    "slope-averaged-over-positions": "shared_gradient",
    "positions-averaged-in-the-gradient": "shared_gradient",
    "positions-averaged-in-the-block": "shared_hessian_blocks",
    "outputs-summed-over-positions": "shared_gauss_newton_blocks",
    "probabilities-of-other-positions": "expand_g",
    "shift-counted-at-each-position": "shared_gradient",
    "patch-unit-padded": "shared_gradient",
    "ekfac-positions-averaged": "ekfac_diagonal",
}
"""Mistakes in the sums of a single datapoint, each with a quantity that is a mean over the datapoints."""


@pytest.mark.parametrize("problem", [TOKENS, EMBEDDING], ids=lambda problem: problem.id)
@pytest.mark.parametrize("name", PER_DATAPOINT)
def test_a_mistake_is_made_as_for_each_datapoint_without_its_padding(name, problem):
    quantity, mistake = PER_DATAPOINT[name], MISTAKES[name].textbook
    each = [mistake(of_datapoint).answer(quantity) for of_datapoint in without_padding(problem)]
    means = [np.mean(arrays, axis=0) for arrays in zip(*each, strict=True)]
    assert not differs(mistake(problem).answer(quantity), means)


def test_kfra_uses_the_mean_slope_of_the_counted_positions():
    at = SharedTextbook(TOKENS)
    slopes, counted = at.slope(1).transpose(0, 2, 1), TOKENS.masks[1]
    mean = np.mean(slopes[counted], axis=0)
    found = MISTAKES["kfra-slopes-averaged-first"].textbook(TOKENS).slope_moments(1)
    np.testing.assert_allclose(found, np.outer(mean, mean), rtol=1e-13)
