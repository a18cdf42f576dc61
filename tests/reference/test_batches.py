"""A batch whose parts differ in length is an error, and not a shorter batch."""

import kfgn_reference as kr
import pytest

ON_THE_BATCH = (kr.loss, kr.gradient, kr.hessian_blocks, kr.gauss_newton_blocks, kr.kflr, kr.kfra, kr.kfac)


@pytest.mark.parametrize("function", ON_THE_BATCH, ids=lambda f: f.__name__)
def test_more_inputs_than_labels(make_problem, function):
    net, X, Y = make_problem("bernoulli", ("softplus",))
    labels = Y[:-1, None, :] if function is kr.kfac else Y[:-1]
    with pytest.raises(ValueError, match="shorter"):
        function(net, X, labels)


def test_more_inputs_than_draws(make_problem):
    net, X, Y = make_problem("bernoulli", ("softplus",))
    with pytest.raises(ValueError, match="shorter"):
        kr.draw_labels(net, X, Y[:-1, None, :])
