"""The cases in which expand or reduce is exact, as equations between rationals, and the least error in other cases."""

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
from flint import fmpq

from . import problems_of_rationals as rationals


def squared_error(ours, truth):
    """|ours - truth|^2 / |truth|^2 in the Frobenius norm, a rational."""
    return np.sum((ours - truth) ** 2) / np.sum(truth**2)


def blocks(problem):
    """The exact block of each layer, with expand and with reduce."""
    for (l, _), pairs in shared.pairs(*problem).items():
        yield l, shared.exact_block(pairs), shared.expand(pairs).block, shared.reduce(pairs).block


WRONG = fmpq(1, 100)
"""The least squared error where an approximation is not exact, an error of a tenth."""


def test_one_position():
    """T = 1: both are (20), which is exact for one datapoint."""
    for _, exact, expand, reduce in blocks(rationals.one_position(N=3)):
        assert np.array_equal(expand, reduce)
        assert np.any(exact != 0)
    for _, exact, expand, _ in blocks(rationals.one_position(N=1)):
        assert np.array_equal(expand, exact)


def test_one_input_several_times():
    """T = 1, and the same input for every datapoint: both are exact, also with a transfer function."""
    net, X, Y = rationals.one_position()
    repeated = net, np.stack([X[0]] * 3), Y
    for _, exact, expand, reduce in blocks(repeated):
        assert np.array_equal(expand, exact)
        assert np.array_equal(reduce, exact)


def test_a_loss_per_token():
    """A linear network without mixing, and a loss per token: expand is exact for any N, and reduce is not."""
    for _, exact, expand, reduce in blocks(rationals.per_token()):
        assert np.array_equal(expand, exact)
        assert squared_error(reduce, exact) > WRONG


@pytest.mark.parametrize("kind", ["sum", "mean"])
def test_pooled_tokens(kind):
    """A linear network of dense layers with pooled tokens: reduce is exact for any N, and expand is not."""
    for l, exact, expand, reduce in blocks(rationals.pooled_tokens(kind)):
        assert np.array_equal(reduce, exact)
        assert (squared_error(expand, exact) > WRONG) == (l < 4)  # layer 4 has one position


def test_circular_convolutions():
    """Linear convolutions of stride 1 with circular padding and a sum over positions: reduce is exact in all layers."""
    for l, exact, expand, reduce in blocks(rationals.convolutions(circular=True)):
        assert np.array_equal(reduce, exact)
        assert (squared_error(expand, exact) > WRONG) == (l < 4)


@pytest.mark.parametrize("padding", [None, "zeros"])
def test_convolutions_with_a_border(padding):
    """With zeros or no padding, derivatives differ by position below the last convolution, and reduce is not exact."""
    problem = rationals.padded() if padding else rationals.convolutions(circular=False)
    found = {l: (exact, expand, reduce) for l, exact, expand, reduce in blocks(problem)}
    exact, expand, reduce = found[1]
    assert squared_error(expand, exact) > WRONG
    assert squared_error(reduce, exact) > WRONG
    exact, expand, reduce = found[2]
    assert np.array_equal(reduce, exact)
    assert squared_error(expand, exact) > WRONG


def test_the_second_factor_of_reduce_is_the_block_of_the_bias():
    """In every layer and group of a nonlinear network."""
    for pairs in shared.pairs(*rationals.mixed()).values():
        O = pairs[0].C.shape[1]
        assert np.array_equal(shared.reduce(pairs).G, shared.exact_block(pairs)[-O:, -O:])


def test_a_mean_over_positions_divides_once():
    """The divisor of the loss divides every block once, and not its square."""
    summed, averaged = (rationals.mixed(N=1, divisor=divisor) for divisor in (1, 4))
    of_sums = shared.pairs(*summed)
    for key, pairs in shared.pairs(*averaged).items():
        of_sum = of_sums[key]
        for function in (shared.expand, shared.reduce, shared.tkfac, shared.tnt):
            assert np.array_equal(4 * function(pairs).block, function(of_sum).block)
    for name in ("gauss_newton_blocks", "hessian_blocks", "kfra_over_positions", "kfra_over_taps"):
        ours, of_sum = getattr(shared, name)(*averaged), getattr(shared, name)(*summed)
        assert all(np.array_equal(4 * ours[l], of_sum[l]) for l in of_sum)
