"""The nearest Kronecker product in balls, by a route without the singular value decomposition."""

import flint
import numpy as np
import pytest
from kfgn_conformance import SHARED_WEIGHTS
from kfgn_conformance.certified import PRECISION, accuracy, certified, midpoint, to_ball
from kfgn_conformance.certified_products import leading_vector
from kfgn_conformance.diagnosis.textbook.shared_weights import SharedTextbook
from kfgn_conformance.problems.shared_weights.fixed import shared_problems

PROBLEM = next(problem for problem in shared_problems() if problem.id == "shared-strided-mixture-scalar")


def in_balls(A):
    return np.asarray(to_ball(np.array(A, dtype=np.float64)), dtype=object)


def test_the_balls_have_the_products_by_singular_vectors():
    balls = certified(PROBLEM, SHARED_WEIGHTS["kfoc_blocks"])
    for ball, block in zip(balls, SharedTextbook(PROBLEM).answer("kfoc_blocks"), strict=True):
        np.testing.assert_allclose(midpoint(ball).astype(np.float64), block, rtol=0, atol=1e-12 * np.max(np.abs(block)))


def test_the_leading_vector_of_a_matrix_by_hand():
    """The matrix 3 v v^T + w w^T with v = (3, 4) / 5 and w = (-4, 3) / 5."""
    with flint.ctx.workprec(PRECISION):
        v = leading_vector(in_balls([[43, 24], [24, 57]]) / 25)
        signed = v if v[0] > 0 else -v
        assert all(x.overlaps(flint.arb(n) / 5) for x, n in zip(signed, (3, 4), strict=True))
        assert all(float(x.rad()) < 1e-60 for x in v)


@pytest.mark.parametrize("A", [np.eye(2), np.diag([2.0, 2.0, 1.0])])
def test_a_repeated_eigenvalue_is_not_decided(A):
    with flint.ctx.workprec(PRECISION), pytest.raises(ValueError, match="a largest eigenvalue that is simple"):
        leading_vector(in_balls(A))


@pytest.mark.parametrize("name", SHARED_WEIGHTS)
def test_the_reference_is_accurate(name):
    of = [PROBLEM, *(p for p in shared_problems() if p.id == "shared-tokens-mean-categorical")]
    row = SHARED_WEIGHTS[name]
    result = accuracy(row, [problem for problem in of if row.applies_to(problem)])
    assert result.asked > 0
    assert result.ratio <= 1
    assert result.width < 1e-50
