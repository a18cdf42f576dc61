"""The moving averages of the factors and of the parameters."""

import kfgn_reference as ref
import numpy as np
import pytest

from .optimiser import ETA, METHODS, by_layer, network, run, second_factor


def weighted(shares, values):
    return {l: sum(share * value[l] for share, value in zip(shares, values, strict=True)) for l in values[0]}


@pytest.mark.parametrize(
    ("most", "shares"),
    [
        ((9, 10), {1: (1,), 2: (1 / 2, 1 / 2), 3: (1 / 3, 1 / 3, 1 / 3)}),
        ((1, 4), {1: (1,), 2: (1 / 4, 3 / 4), 3: (1 / 16, 3 / 16, 3 / 4)}),
        ((3, 5), {1: (1,), 2: (1 / 2, 1 / 2), 3: (3 / 10, 3 / 10, 2 / 5)}),
        ((0, 1), {1: (1,), 2: (0, 1), 3: (0, 0, 1)}),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_the_average_of_the_curvature(method, most, shares, relative_error):
    """The average is of the factors of each batch at the weights of its step. 9/10 is the weight of the old average."""
    settings = ref.Settings(method, ETA, curvature_average=most)
    data, states, _ = run(settings, network("categorical", transfers=("tanh", "softplus"), widths=(2, 4, 2, 3)), 3)
    Q = [ref.expected_q(state.net, batch[0]) for state, batch in zip(states, data, strict=False)]
    G = [second_factor(method, state.net, *batch) for state, batch in zip(states, data, strict=False)]
    for t, share in shares.items():
        assert states[t].Q.keys() == states[t].G.keys() == {1, 2, 3}
        assert relative_error(states[t].Q, weighted(share, Q[:t])) < 1e-14
        assert relative_error(states[t].G, weighted(share, G[:t])) < 1e-14


def test_the_recursion_never_sees_the_average(relative_error):
    """The average of KFRA differs from KFRA with an averaged G_L."""
    settings = ref.Settings("kfra", ETA)
    data, states, _ = run(settings, network("categorical"), 2)
    net, X = states[1].net, data[1][0]
    W, derivatives = net.kernel(2), np.array([1 - np.tanh(ref.forward(net, x)[1][1]) ** 2 for x in X])
    carried = (W.T @ states[2].G[2] @ W) * (derivatives.T @ derivatives / len(X))
    assert relative_error(states[2].G[1], carried) > 1e-2


@pytest.mark.parametrize(
    ("most", "shares"),
    [
        ((19, 20), {1: (1,), 2: (1 / 2, 1 / 2), 4: (1 / 4,) * 4}),
        ((1, 3), {1: (1,), 2: (1 / 3, 2 / 3), 4: (1 / 27, 2 / 27, 2 / 9, 2 / 3)}),
        ((0, 1), {1: (1,), 2: (0, 1), 4: (0, 0, 0, 1)}),
    ],
)
def test_the_average_of_the_parameters(most, shares, relative_error):
    """The average is of theta_1, theta_2, ..., without the initial weights, and does not influence the steps."""
    settings = ref.Settings("kfra", ETA, parameter_average=most)
    _, states, infos = run(settings, network("bernoulli"), 4)
    weights = [by_layer(state.net) for state in states]
    assert states[0].average == {}
    for t, share in shares.items():
        assert relative_error(states[t].average, weighted(share, weights[1 : t + 1])) < 1e-14
    _, others, other_infos = run(ref.Settings("kfra", ETA, parameter_average=(1, 2)), network("bernoulli"), 4)
    assert relative_error(by_layer(others[4].net), weights[4]) == 0
    assert infos == other_infos


def test_the_two_averages_are_two(relative_error):
    """The two averages have separate constants."""
    start = network("bernoulli")
    _, one, _ = run(ref.Settings("kfra", ETA, curvature_average=(1, 4), parameter_average=(1, 3)), start, 2)
    _, two, _ = run(ref.Settings("kfra", ETA, curvature_average=(1, 4), parameter_average=(2, 5)), start, 2)
    assert relative_error(one[2].G, two[2].G) == 0
    assert relative_error(one[2].average, two[2].average) > 1e-4
