"""The counted operations: by hand for a small network, and from the products of running plain code."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import floor, plain
from benchmarks.floor import by_phase, operations
from benchmarks.sizes import Sizes

S = Sizes((3, 5, 4, 2), 10)
"""A network whose products are counted by hand."""


class Counted(np.ndarray):
    """An array that adds the operations of its products to a total."""

    total = 0

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        plain_inputs = [np.asarray(x) for x in inputs]
        if ufunc is np.matmul:
            (m, k), (_, n) = (x.shape for x in plain_inputs)
            Counted.total += 2 * m * k * n
        return np.asarray(getattr(ufunc, method)(*plain_inputs, **keywords)).view(Counted)


XP = SimpleNamespace(
    concat=lambda arrays, axis: np.concatenate(arrays, axis=axis).view(Counted),
    eye=lambda D, dtype: np.eye(D, dtype=dtype).view(Counted),
    tanh=np.tanh,
    ones_like=np.ones_like,
)
"""The functions of NumPy that plain code calls, with results that count."""


def counted(f, sizes):
    """The operations of the products in f(weights, X, Y, V)."""
    rng = np.random.default_rng(0)
    W, V = ([rng.standard_normal((D, P + 1)).view(Counted) for P, D in sizes.layers] for _ in range(2))
    X, Y = (rng.standard_normal((sizes.N, D)).view(Counted) for D in (sizes.widths[0], sizes.outputs))
    Counted.total = 0
    f(W, X, Y, V)
    return Counted.total


def test_passes_by_hand():
    assert operations(floor.forward(S)) == 2 * 10 * (4 * 5 + 6 * 4 + 5 * 2)
    assert operations(floor.backward(S)) == 2 * 10 * (5 * 4 + 4 * 2)
    assert operations(floor.weight_gradients(S)) == operations(floor.forward(S))


def test_a_moment_is_half_of_a_product_and_its_diagonal():
    assert operations([floor.moment("Q", 10, 4)]) == 2 * 10 * (4 * 5 / 2)


def test_the_operations_are_those_of_plain_code():
    assert counted(lambda W, X, Y, V: plain.gradient(XP, W, X, Y), S) == operations(floor.gradient(S))
    product = operations(floor.forward(S) + floor.gauss_newton_product(S))
    assert counted(lambda W, X, Y, V: plain.gauss_newton_product(XP, W, X, Y, V), S) == product


def test_kfra_is_plain_code_with_symmetric_products_halved():
    phases = by_phase(floor.kfra(S))
    full = counted(lambda W, X, Y, V: plain.kfra(XP, W, X, Y), S)
    # a symmetric product with D rows has D + 1 of 2 D parts of the full product
    Q = sum(2 * 10 * D * D for D in (4, 6, 5)) - phases["Q"]
    slopes = sum(2 * 10 * D * D for D in (5, 4)) - phases["slopes"]
    recursion = 2 * 2 * 4 * 4 + 2 * 4 * 5 * 5 - (2 * 4 * 5 + 4 * 5 * 6)
    assert operations(floor.kfra(S)) == full - Q - slopes - recursion


def test_recursion_by_hand():
    # E[H_L] = I: only the symmetric W_3^T W_3 (4, 4), and then E[G_2] W_2 (4, 4) by (4, 5) and a symmetric (5, 5)
    assert by_phase(floor.kfra(S))["recursion"] == 2 * 4 * 5 + 2 * 4 * 4 * 5 + 4 * 5 * 6
    categorical = S._replace(objective="categorical")
    assert by_phase(floor.kfra(categorical))["recursion"] == by_phase(floor.kfra(S))["recursion"] + 2 * 2 * 2 * 4


def test_roots_by_hand():
    # K = 2 columns: rows of (5, 4) by (4, 5) for N K vectors, and moments of N K rows
    phases = by_phase(floor.kflr(S._replace(objective="bernoulli")))
    assert phases["roots"] == 2 * (10 * 2) * 4 * 5
    assert phases["G"] == (10 * 2) * (4 * 5 + 5 * 6)


def test_the_squared_error_has_the_exact_step_of_kfra():
    phases = by_phase(floor.kflr(S))
    assert phases["G"] == 10 * 4 * 5 + 2 * 4 * 5 + (10 * 2) * 5 * 6


def test_roots_restart_at_a_narrow_layer():
    narrow = Sizes((3, 8, 4, 6), 10, "bernoulli")
    N, K, D, below = 10, 6, 4, 8
    triangular = N * D**3 / 3 + N * D * D * below
    assert by_phase(floor.kflr(narrow))["roots"] == min(2 * N * D * D * below, triangular) < 2 * N * K * D * below
    assert by_phase(floor.kflr(narrow))["G"] == N * K * D * (D + 1) + N * D * below * (below + 1)


def test_matrices_restart_where_they_are_cheaper_than_triangular_roots():
    assert operations(floor.restart(10, 9, 2)) == 2 * 10 * 9 * 9 * 2
    assert operations(floor.restart(10, 9, 8)) == pytest.approx(10 * 9**3 / 3 + 10 * 9 * 9 * 8)


def test_kfac_has_a_backward_pass_and_moments_for_each_sample():
    one, three = (by_phase(floor.kfac(S, samples)) for samples in (1, 3))
    assert one["sampled gradients"] == operations(floor.backward(S))
    assert three["sampled gradients"] == 3 * one["sampled gradients"]
    assert three["G"] == 3 * one["G"] == 3 * 10 * (5 * 6 + 4 * 5 + 2 * 3)


def test_a_damped_direction_by_hand():
    phases = by_phase(floor.damped_direction(Sizes((3, 5), 10)))
    assert phases == {"Cholesky": pytest.approx((4**3 + 5**3) / 3), "solves": 2 * 5 * 5 * 4 + 2 * 5 * 4 * 4}


def test_steps_have_the_adaptation_of_their_periods():
    candidate = operations(floor.damped_direction(S) + floor.tangents(S))
    every = operations(floor.kfra(S)) + candidate
    assert operations(floor.gauss_newton_steps(S, 4)) == pytest.approx(4 * every)
    adaptation = 4 * operations(floor.forward(S)) + 2 * candidate
    assert operations(floor.gauss_newton_steps(S, 20)) == pytest.approx(20 * every + adaptation)


def test_seconds_are_operations_over_rates():
    terms = floor.forward(Sizes((3, 5), 10))
    assert floor.seconds(terms, {(10, 4, 5): 100.0}) == 4.0


def test_phases_add_up():
    terms = floor.kflr(S)
    assert sum(by_phase(terms).values()) == operations(terms)
    assert sum(operations(floor.of_phase(terms, phase)) for phase in by_phase(terms)) == operations(terms)
