"""Means over the labels of the model: probabilities, exact means of quadratic functions of y, and drawn labels."""

import itertools
from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest
from kfgn_reference._outcomes import OUTCOMES

H = {
    "squared_error": (0.5, -2.0, 1.25),
    "bernoulli": (0.4, -1.3, 2.0),
    "categorical": (0.4, -1.3, 2.0, 0.0),
    "mixture": (0.4, -1.3, 2.0),
}
DISCRETE = ("bernoulli", "categorical", "mixture")
LABELS = {
    "bernoulli": lambda D: set(itertools.product((0, 1), repeat=D)),
    "categorical": lambda D: set(range(D)),
    "mixture": lambda D: {0, 1},
}


def network(objective, h):
    """A network with one input unit and these h_L for every input."""
    return ref.Network((np.array([[0 * v, v] for v in h]),), (), objective)


def mean(objective, h, f):
    return ref.model_mean(network(objective, h), np.array(h), f)


def outcomes(objective, h):
    """The probabilities p(y | h_L), keyed by the label as a hashable value."""
    found = list(OUTCOMES[objective](np.array(h)))
    table = {tuple(y) if np.ndim(y) else y: p for y, p in found}
    assert len(table) == len(found)
    return table


def rationals(D):
    """h_L, and the linear and the quadratic coefficients of a function, as Fractions."""
    rng = np.random.default_rng(D)
    return [
        np.frompyfunc(lambda k: Fraction(int(k), 7), 1, 1)(rng.integers(-30, 31, size=shape))
        for shape in (D, D, (D, D))
    ]


@pytest.mark.parametrize("D", [1, 2, 3, 4, 5])
def test_means_of_the_normal_distribution_between_rationals(D):
    """The means of 1, y, y y^T and any quadratic function are exact rationals: 1, h_L, I + h_L h_L^T."""
    h, b, A = rationals(D)
    total = mean("squared_error", h, lambda y: Fraction(1))
    assert total == 1
    assert isinstance(total, Fraction)
    assert mean("squared_error", h, lambda y: y).tolist() == h.tolist()
    second = mean("squared_error", h, lambda y: np.outer(y, y))
    assert second.tolist() == [[h[i] * h[j] + (i == j) for j in range(D)] for i in range(D)]
    covariance = mean("squared_error", h, lambda y: np.outer(y - h, y - h))
    assert covariance.tolist() == np.eye(D, dtype=int).tolist()
    truth = h @ A @ h + np.trace(A) + b @ h + 3
    assert mean("squared_error", h, lambda y: y @ A @ y + b @ y + 3) == truth


def test_means_of_the_normal_distribution_go_no_further():
    """E[(y - h)^4] = 3 is not the mean of a quadratic function, and the points give 1."""
    assert mean("squared_error", [Fraction(2)], lambda y: (y[0] - 2) ** 4) == 1


@pytest.mark.parametrize("objective", H)
@pytest.mark.parametrize("scale", [0, 1, 5, 100, 800])
def test_probabilities_sum_to_1(objective, scale):
    """The probabilities add up to 1, also in the tails, where each has a limit."""
    h = scale * np.array(H[objective])
    p = np.array(list(outcomes(objective, h).values()))
    assert np.all((p >= 0) & (p <= 1))
    assert abs(mean(objective, h, lambda y: 1.0) - 1) < 1e-15 * len(p)
    assert abs(np.sum(p) - 1) < 1e-15 * len(p)


@pytest.mark.parametrize("objective", ["squared_error", "bernoulli"])
def test_labels_are_in_the_arithmetic_of_the_outputs(objective):
    """Labels and probabilities of float32 outputs are float32."""
    for y, p in OUTCOMES[objective](np.array(H[objective], np.float32)):
        assert y.dtype == np.float32
        assert p.dtype == np.float32


@pytest.mark.parametrize("objective", DISCRETE)
def test_every_label_and_its_probability(objective):
    """Every label occurs once, with p(y | h_L) = e^-E."""
    h = np.array(H[objective])
    table = outcomes(objective, h)
    assert set(table) == LABELS[objective](len(h))
    for y, p in table.items():
        label = np.array(y) if objective == "bernoulli" else y
        assert abs(p - np.exp(-ref.OBJECTIVES[objective].value(h, label))) < 1e-15


def test_probabilities_by_hand():
    half, third = 0.0, np.log(3)
    table = outcomes("bernoulli", [half, third])
    assert np.allclose(
        [table[y] for y in [(0, 0), (0, 1), (1, 0), (1, 1)]], [1 / 8, 3 / 8, 1 / 8, 3 / 8], rtol=1e-15, atol=0
    )
    table = outcomes("categorical", [0.0, np.log(2), np.log(5)])
    assert np.allclose([table[y] for y in range(3)], [1 / 8, 2 / 8, 5 / 8], rtol=1e-15, atol=0)
    table = outcomes("mixture", [third, third, -third])  # 3/4 3/4 + 1/4 1/4
    assert np.allclose([table[y] for y in range(2)], [3 / 8, 5 / 8], rtol=1e-15, atol=0)


@pytest.mark.parametrize("objective", DISCRETE)
def test_means_over_discrete_labels(objective):
    """The mean of any function of a discrete label, here of its indicators and of a nonlinear function."""
    h = np.array(H[objective])
    table = outcomes(objective, h)
    score = {y: i**3 + 1 for i, y in enumerate(sorted(table))}

    def key(y):
        return tuple(y) if objective == "bernoulli" else y

    assert abs(mean(objective, h, lambda y: score[key(y)]) - sum(p * score[y] for y, p in table.items())) < 1e-12
    for label, p in table.items():
        assert abs(mean(objective, h, lambda y, label=label: float(key(y) == label)) - p) < 1e-15
    assert abs(mean(objective, h, lambda y: np.exp(ref.OBJECTIVES[objective].value(h, y))) - len(table)) < 1e-12
    slope = mean(objective, h, lambda y: ref.OBJECTIVES[objective].gradient(h, y))
    assert np.max(np.abs(slope)) < 1e-15


@pytest.mark.parametrize(
    ("objective", "h", "M"),
    [
        ("bernoulli", (np.log(3), 0.0, -np.log(3)), 4),  # p = 3/4, 1/2, 1/4
        ("categorical", (0.0, np.log(2), np.log(5)), 8),  # 1/8, 2/8, 5/8
        ("mixture", (np.log(3), np.log(3), -np.log(3)), 8),  # 5/8
        ("categorical", H["categorical"], 1000),
        ("mixture", H["mixture"], 1000),
    ],
)
def test_frequencies_of_drawn_labels(objective, h, M):
    """M equidistant uniform draws, on a grid for Bernoulli, give labels with the right frequencies.

    The frequencies are the probabilities if these are multiples of 1 / M, and else within 1 / M of them.
    """
    even = (np.arange(M) + 0.5) / M
    draws = np.array(list(itertools.product(even, repeat=len(h)))) if objective == "bernoulli" else even
    drawn = ref.draw_labels(network(objective, h), np.ones((1, 1)), draws[None])[0]
    keys = [tuple(y) if objective == "bernoulli" else y for y in drawn]
    for y, p in outcomes(objective, h).items():
        assert abs(keys.count(y) / len(keys) - p) < (1 / M if M == 1000 else 1e-15)


def test_frequencies_of_drawn_normal_labels():
    """h_L + z has the mean h_L and the covariance I if z has the mean 0 and the covariance I."""
    h = np.array(H["squared_error"])
    z = np.sqrt(3) * np.concatenate([np.eye(3), -np.eye(3)])
    drawn = np.array(ref.draw_labels(network("squared_error", h), np.ones((1, 1)), z[None])[0])
    assert np.allclose(np.mean(drawn, axis=0), mean("squared_error", h, lambda y: y), rtol=1e-14, atol=0)
    ours = mean("squared_error", h, lambda y: np.outer(y, y))
    assert np.allclose(drawn.T @ drawn / len(drawn), ours, rtol=1e-13, atol=0)


def test_a_categorical_of_one_class_has_a_fisher_matrix_of_zeros():
    net = ref.Network((np.array([[0.5, -1.0]]),), (), "categorical")
    (blocks,) = ref.fisher_from_weight_gradients(net, np.array([[2.0], [3.0]])).values()
    assert np.array_equal(blocks, np.zeros((2, 2)))
