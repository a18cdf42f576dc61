"""The adaptation of tau and gamma, Appendix C.3, in rationals and by hand."""

from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest
from kfgn_reference._adaptation import decay

HALF = Fraction(1, 2)


def test_tau_by_hand():
    """tau is halved if rho > 3/4, doubled if rho < 3/4, and kept at 3/4, starting from its last value."""
    just = Fraction(1, 10**30)
    ratios = [
        (Fraction(1), 4),
        (Fraction(3, 4) + just, 2),
        (Fraction(3, 4), 2),
        (Fraction(3, 4) - just, 4),
        (Fraction(1, 4), 8),  # one threshold, and no second one at 1/4
        (Fraction(0), 16),
        (Fraction(-5), 32),
        (Fraction(7), 16),
    ]
    tau = Fraction(8)
    for rho, expected in ratios:
        tau = ref.adapted_tau(tau, rho, HALF)
        assert type(tau) is Fraction
        assert tau == expected


@pytest.mark.parametrize(("rho", "expected"), [(0.76, 2.0), (0.75, 8.0), (0.74, 32.0)])
def test_tau_in_floats(rho, expected):
    """3/4 is exact in float64, so rho can be equal to it."""
    assert ref.adapted_tau(8.0, rho, 0.25) == expected


def test_tau_of_nothing_is_nothing():
    """As printed there are no bounds, so tau = 0 stays 0."""
    assert ref.adapted_tau(Fraction(0), Fraction(0), HALF) == ref.adapted_tau(Fraction(0), Fraction(1), HALF) == 0


class Score:
    """A function of gamma given by its values, which records its arguments."""

    def __init__(self, values):
        self.values, self.asked = values, []

    def __call__(self, gamma):
        assert type(gamma) is Fraction
        self.asked.append(gamma)
        return self.values[gamma]


@pytest.mark.parametrize(
    ("values", "winner"),  # of gamma / 2, gamma and 2 gamma
    [
        ((1, 2, 3), 12),
        ((3, 2, 1), 3),
        ((1, 3, 2), 6),
        ((2, 1, 3), 12),
        ((3, 1, 2), 3),
        ((2, 3, 1), 6),
        ((2, 2, 2), 6),  # a tie keeps gamma
        ((2, 2, 1), 6),
        ((1, 2, 2), 6),
        ((-1, -2, -3), 3),
        ((-3, -2, -1), 12),
        ((-2, -1, -3), 6),
    ],
)
def test_gamma_by_hand(values, winner):
    """The largest decrease is chosen. Each of the three candidates is scored once, gamma first."""
    score = Score(dict(zip((3, 6, 12), values, strict=True)))
    gamma = ref.adapted_gamma(Fraction(6), HALF, score)
    assert type(gamma) is Fraction
    assert gamma == winner
    assert score.asked == [6, 3, 12]


def test_gamma_between_two_better_ones():
    """If both other candidates are better by the same amount, the smaller is chosen, since it is scored first."""
    score = Score({3: 2, 6: 1, 12: 2})
    assert ref.adapted_gamma(Fraction(6), HALF, score) == 3


def test_gamma_follows_a_valley():
    """With a single best gamma, here 5, gamma is halved until the next one is worse, and then kept."""
    seen, gamma = [], Fraction(48)
    for _ in range(6):
        gamma = ref.adapted_gamma(gamma, HALF, lambda gamma: -abs(gamma - 5))
        seen.append(gamma)
    assert seen == [24, 12, 6, 6, 6, 6]


def test_decay():
    """0.95^5 and 0.95^20 as rationals."""
    like = Fraction(1, 3)
    for period, numerator, denominator in (
        (1, 19, 20),
        (5, 2476099, 3200000),
        (20, 37589973457545958193355601, 104857600000000000000000000),
    ):
        omega = decay((19, 20), period, like)
        assert type(omega) is Fraction
        assert omega == Fraction(numerator, denominator)
    assert decay((1, 2), 3, like) == Fraction(1, 8)
    assert decay((19, 20), 5, 2.0) == 0.95**5
    assert abs(decay((19, 20), 20, 2.0) - 0.3584859224085422) < 1e-15


def test_decay_is_undone():
    """tau after an increase and a decrease with the omega of the paper is the same rational, without drift."""
    omega = decay((19, 20), 5, Fraction(1))
    tau = Fraction(150)
    for _ in range(8):
        tau = ref.adapted_tau(tau, Fraction(1), omega)
    assert tau == 150 * Fraction(19, 20) ** 40
    for _ in range(8):
        tau = ref.adapted_tau(tau, Fraction(0), omega)
    assert tau == 150


@pytest.mark.parametrize(("rho", "tau"), [(-np.inf, 32.0), (np.inf, 2.0), (np.nan, 8.0)])
def test_tau_where_f_overflowed(rho, tau):
    assert ref.adapted_tau(8.0, np.float64(rho), 0.25) == tau
