"""The term d of the tolerance rule: its lower bounds, and what it measures."""

from dataclasses import replace

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES
from kfgn_conformance.arithmetic import Single
from kfgn_conformance.changes import PERTURBATIONS, UnusableOracleError, changes, perturbed
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problems.cases import case
from kfgn_conformance.problems.layers import dense_layers
from kfgn_conformance.problems.real import autoencoder, digits

DIGITS = digits()
CASE = case("bernoulli", "project", ("tanh", "softplus"))


def test_an_oracle_without_a_value_in_24_bits_passes_nothing():
    def unusable(p):
        if isinstance(p.X, Single):
            raise ValueError("not positive definite")
        return (np.ones(1),)

    broken = replace(QUANTITIES["loss"], oracle=unusable)
    with pytest.raises(UnusableOracleError, match="loss on digits: the tolerance has no value: not positive definite"):
        Oracle(DIGITS, broken).changes  # noqa: B018
    assert not Oracle(DIGITS, broken).is_conclusive


def test_d_is_at_least_the_last_rounding_and_nothing_for_integers():
    """A value that no perturbation moves is still rounded once."""
    constant = replace(QUANTITIES["loss"], oracle=lambda p: (np.full(2, 0.1), np.arange(3)))
    assert changes(CASE, constant) == (float(f"{0.1 * 2.0**-24:.3g}"), 0.0)


def test_d_is_at_least_twice_the_root_mean_square():
    """The changes of one number may all be small by chance, and then their largest is too low a bound."""
    calls = iter(range(PERTURBATIONS + 1))
    steady = replace(QUANTITIES["loss"], oracle=lambda p: (np.array(1.0 if next(calls) == 0 else 1 + 2.0**-10),))
    assert changes(CASE, steady) == (float(f"{2 * 2.0**-10:.3g}"),)


def test_d_is_the_same_when_it_is_computed_again():
    for name in ("loss", "kfra", "solve_exact"):
        assert changes(CASE.head(2), QUANTITIES[name]) == changes(CASE.head(2), QUANTITIES[name])


def test_d_sees_what_a_recursion_cancels():
    """w^T G w with G = C C^T and a small C^T w: rounding G loses what no move of the problem's numbers shows."""
    C_T, w = np.array([[1.0, 0.9375], [0.9375, 0.875]]), np.array([[0.9375], [-1.0]])
    weights = tuple(np.column_stack([W, np.zeros(len(W))]) for W in (np.ones((1, 1)), w, C_T))
    problem = replace(
        CASE,
        inputs=1,
        layers=dense_layers((1, 1, 2, 2), ("identity", "identity")),
        objective="squared_error",
        weights=weights,
        X=np.ones((1, 1)),
        Y=np.zeros((1, 2)),
    )
    quantity = QUANTITIES["preactivation_gauss_newton"]
    right = Oracle(problem, quantity)
    (G, *_), d = right.arrays, right.changes[0]
    neighbours = [perturbed(problem, np.random.default_rng(seed), 2.0**-24) for seed in range(8)]
    moved = max(np.max(np.abs(quantity.oracle(neighbour)[0] - G)) for neighbour in neighbours)
    assert d > 30 * moved


def test_the_change_is_linear_in_the_step():
    """d is a first derivative, so d measured at 2^-24 can be scaled to a different roundoff."""
    oracle = QUANTITIES["kflr"].oracle
    base = oracle(DIGITS)
    moved = [oracle(perturbed(DIGITS, np.random.default_rng(7), step)) for step in (2.0**-24, 2.0**-30)]
    for q, coarse, fine in zip(base, *moved, strict=True):
        ratio = np.max(np.abs(coarse - q)) / np.max(np.abs(fine - q))
        assert ratio == pytest.approx(2**6, rel=1e-3)


def test_one_perturbation_is_enough_for_many_weights():
    """d of the autoencoder's matrices from one perturbation and from another: the same within a factor of 3."""
    oracle = QUANTITIES["q"].oracle
    problem = autoencoder().head(16)
    base = oracle(problem)
    moved = [oracle(perturbed(problem, np.random.default_rng(seed), 2.0**-24)) for seed in range(3)]
    changes = np.array([[np.max(np.abs(b - a)) for a, b in zip(base, arrays, strict=True)] for arrays in moved])
    assert np.all(changes.max(axis=0) < 3 * changes.min(axis=0))
