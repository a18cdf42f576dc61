"""A batch or network that does not fit is an error, and never a broadcast or a shorter batch."""

import re

import kfgn_reference as ref
import numpy as np
import pytest

OF_LABELS = (
    ref.loss,
    ref.gradient,
    ref.hessian,
    ref.hessian_blocks,
    ref.gauss_newton,
    ref.gauss_newton_between,
    ref.gauss_newton_blocks,
    ref.factored_between,
    ref.kflr,
    ref.kfra,
    ref.mean_from_jacobians,
)
OF_INPUTS = (ref.expected_q, ref.fisher, ref.fisher_from_output_hessians, ref.mean_from_fisher)


@pytest.mark.parametrize("function", OF_LABELS, ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("objective", "spoil", "message"),
    [
        ("bernoulli", lambda X, Y: (X, Y[:-1]), "Y: expected shape (7, 3) for bernoulli, got (6, 3)"),
        ("squared_error", lambda X, Y: (X, Y[:, :1]), "Y: expected shape (7, 3) for squared_error, got (7, 1)"),
        ("categorical", lambda X, Y: (X, Y[:, None]), "Y: expected shape (7,) for categorical, got (7, 1)"),
        ("categorical", lambda X, Y: (X, 0 * Y - 1), "Y: expected class indices from 0 to 2, got -1 to -1"),
        ("categorical", lambda X, Y: (X, 0 * Y + 3), "Y: expected class indices from 0 to 2, got 3 to 3"),
        ("mixture", lambda X, Y: (X, Y[:, None]), "Y: expected shape (7,) for mixture, got (7, 1)"),
        ("mixture", lambda X, Y: (X, 0 * Y - 1), "Y: expected class indices from 0 to 1, got -1 to -1"),
        ("mixture", lambda X, Y: (X, Y + 1), "Y: expected class indices from 0 to 1, got 1 to 2"),
        ("bernoulli", lambda X, Y: (X[:0], Y[:0]), "X: expected shape (N, 2) with N > 0, got (0, 2)"),
        ("bernoulli", lambda X, Y: (X[:, :1], Y), "X: expected shape (N, 2) with N > 0, got (7, 1)"),
        ("bernoulli", lambda X, Y: (X[0], Y), "X: expected shape (N, 2) with N > 0, got (2,)"),
    ],
)
def test_a_batch_that_does_not_fit(make_problem, function, objective, spoil, message):
    net, X, Y = make_problem(objective, ())
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        function(net, *spoil(X, Y))


@pytest.mark.parametrize(("biases", "hint"), [(None, True), ((True, True), True), ((False, True), False)])
def test_weights_without_a_bias_column(biases, hint):
    """The message names the bias column if X has exactly one column too many."""
    net = ref.Network((np.ones((2, 3)), np.ones((1, 3))), ("tanh",), "squared_error", biases=biases)
    message = "X: expected shape (N, 2) with N > 0, got (4, 3); the last column of W_1 is its bias, unless the first of"
    if hint:
        with pytest.raises(ValueError, match=f"^{re.escape(message)} `biases` is False$"):
            ref.kfra(net, np.ones((4, 3)), np.ones((4, 1)))
    else:
        with pytest.raises(ValueError, match=f"^{re.escape('X: expected shape (N, 3) with N > 0, got (4, 4)')}$"):
            ref.kfra(net, np.ones((4, 4)), np.ones((4, 1)))


@pytest.mark.parametrize("function", OF_INPUTS, ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X: X[:0], "X: expected shape (N, 2) with N > 0, got (0, 2)"),
        (lambda X: X[:, :1], "X: expected shape (N, 2) with N > 0, got (7, 1)"),
        (lambda X: X[0], "X: expected shape (N, 2) with N > 0, got (2,)"),
    ],
)
def test_inputs_that_do_not_fit(make_problem, function, spoil, message):
    net, X, _ = make_problem("mixture", ())
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        function(net, spoil(X))


@pytest.mark.parametrize("outputs", [2, 4])
def test_the_mixture_has_three_outputs(make_problem, outputs):
    net, X, Y = make_problem("mixture", ("softplus",))
    other = net._replace(weights=(net.weights[0], np.ones((outputs, 3))))
    for function, data in [(ref.gradient, (X, Y)), (ref.expected_q, (X,)), (ref.kfac, (X, Y[:, None]))]:
        with pytest.raises(ValueError, match=f"^weights: expected 3 outputs for the mixture, got {outputs}$"):
            function(other, *data)


def test_labels_for_kfac_are_s_for_each_datapoint(make_problem):
    net, X, Y = make_problem("bernoulli", ("softplus",))
    with pytest.raises(ValueError, match=r"labels: expected shape \(7, 3, 3\) for bernoulli, got \(7, 3\)"):
        ref.kfac(net, X, Y)
    with pytest.raises(ValueError, match=r"labels: expected shape \(7, 1, 3\) for bernoulli, got \(6, 1, 3\)"):
        ref.kfac(net, X, Y[:-1, None, :])
    net, X, Y = make_problem("mixture", ("softplus",))
    with pytest.raises(ValueError, match=r"labels: expected shape \(7, 1\) for mixture, got \(7, 1, 1\)"):
        ref.kfac(net, X, Y[:, None, None])
    with pytest.raises(ValueError, match="labels: expected class indices from 0 to 1, got 2 to 2"):
        ref.kfac(net, X, 0 * Y[:, None] + 2)


def test_draws_are_s_for_each_datapoint(make_problem):
    net, X, Y = make_problem("bernoulli", ("softplus",))
    for draws, message in [
        (Y[:-1, None, :], "draws: expected shape (7, 1, 3) for bernoulli, got (6, 1, 3)"),
        (Y, "draws: expected shape (7, 3, 3) for bernoulli, got (7, 3)"),
        (Y[:, 0], "draws: expected S > 0 samples per datapoint along axis 1, got shape (7,)"),
        (Y[:, None, :][:, :0], "draws: expected S > 0 samples per datapoint along axis 1, got shape (7, 0, 3)"),
    ]:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            ref.draw_labels(net, X, draws)


def test_class_indices_are_integers_with_an_axis_of_samples(make_problem):
    net, X, Y = make_problem("categorical", ("softplus",))
    with pytest.raises(ValueError, match=r"^Y: expected integers, the indices of classes, got float64$"):
        ref.kflr(net, X, Y + 0.5)
    with pytest.raises(
        ValueError, match=r"^labels: expected S > 0 samples per datapoint along axis 1, got shape \(7,\)$"
    ):
        ref.kfac(net, X, Y)


def test_unknown_names_are_named(make_problem):
    net, X, Y = make_problem("categorical", ("softplus",))
    with pytest.raises(ValueError, match=r"^objective: expected one of squared_error, bernoulli, .*, got 'mse'$"):
        ref.loss(net._replace(objective="mse"), X, np.ones((7, 3)))
    with pytest.raises(ValueError, match=r"^transfers: expected one of identity, relu, .*, got 'tanhh'$"):
        ref.loss(net._replace(transfers=("tanhh",)), X, Y)


def test_a_network_that_is_no_chain(make_problem):
    net, X, Y = make_problem("squared_error", ("softplus",))
    for change, message in [
        ({"weights": ()}, "weights: expected one matrix per layer, got shapes []"),
        (
            {"weights": (net.weights[0], np.ones(3))},
            f"weights: expected one matrix per layer, got shapes {[(2, 5), (3,)]}",
        ),
        ({"weights": (net.weights[0], np.ones((3, 9)))}, "weights: expected shapes (D_l, D_(l-1) + 1), or"),
        (
            {"transfers": ("softplus", "tanh")},
            "transfers: expected 1 for 2 layers, got ('softplus', 'tanh')",
        ),
        ({"biases": (True,)}, "biases: expected 2 values True or False, got (True,)"),
        ({"biases": (True, False)}, "weights: expected shapes (D_l, D_(l-1) + 1), or"),
        ({"biases": (False, True)}, "X: expected shape (N, 5) with N > 0, got (7, 4)"),
    ]:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
            ref.gradient(net._replace(**change), X, Y)


def test_the_outputs_of_the_mixture_are_those_of_the_last_layer():
    weights = tuple(np.zeros(shape) for shape in ((5, 3), (4, 6), (2, 5)))
    with pytest.raises(ValueError, match="weights: expected 3 outputs for the mixture, got 2"):
        ref.loss(ref.Network(weights, ("tanh", "tanh"), "mixture"), np.zeros((1, 2)), np.array([0]))
