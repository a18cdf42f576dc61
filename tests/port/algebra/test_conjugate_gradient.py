"""Conjugate gradients: the number of products, and the end of the iterations."""

import numpy as np
import pytest

from kfgn._algebra.conjugate_gradient import conjugate_gradient


def solved(A, b, **options):
    """The solution, and the vectors with which A was multiplied."""
    products = []

    def apply(v):
        products.append(v[0])
        return (A @ v[0],)

    return conjugate_gradient(apply, (b,), tolerance=0.0, **options), products


@pytest.mark.parametrize("separate", [False, True])
def test_the_residual_costs_a_product(separate):
    A, b = np.diag([1.0, 2.0, 3.0]), np.ones(3)
    full, products = solved(A, b, iterations=2, separate=separate)
    assert len(products) == 3
    bare, products = solved(A, b, iterations=2, separate=separate, residual=False)
    assert len(products) == 2
    assert bare.residual == ()
    np.testing.assert_array_equal(bare.x[0], full.x[0])
    assert bare.iterations == full.iterations


def test_a_direction_of_negative_curvature_is_the_last():
    """The second direction has negative curvature. The residual after it would be a direction of positive curvature."""
    A, b = np.diag([4.0, 1.0, -1.0]), np.array([3.0, 1.0, 1.0])
    (one, _), (many, _) = (solved(A, b, iterations=n, residual=False) for n in (1, 9))
    assert one.iterations == many.iterations == 1
    np.testing.assert_array_equal(many.x[0], one.x[0])


@pytest.mark.parametrize("separate", [False, True])
def test_no_product_is_computed_after_the_last_change_of_x(separate):
    A, b = np.diag([4.0, 1.0, -1.0]), np.array([3.0, 1.0, 1.0])
    solution, products = solved(A, b, iterations=50, separate=separate, residual=False)
    assert len(products) == 2  # the second one finds the negative curvature
    assert np.sum(solution.iterations[0] if separate else solution.iterations) == 1


def test_a_right_hand_side_of_zeros_needs_no_product():
    solution, products = solved(np.eye(3), np.zeros(3), iterations=50, residual=False)
    assert products == []
    np.testing.assert_array_equal(solution.x[0], np.zeros(3))


@pytest.mark.parametrize("size", [1e-320, 1e308])
def test_the_size_of_the_right_hand_side_does_not_matter(size):
    """1 / 1e-320 overflows, and so does the square of 1e308."""
    A, b = np.diag([1.0, 2.0]), np.array([1.0, 0.5])
    solution, _ = solved(A, size * b, iterations=9, residual=False)
    np.testing.assert_allclose(solution.x[0], size * b / np.diag(A), rtol=1e-3)
