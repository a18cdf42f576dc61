"""Appendix F, equations (65)-(71), on networks that Hypothesis draws, and on networks that violate an assumption."""

import itertools
from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from .appendix_f import (
    DEAD,
    EXAMPLES,
    FAILS_ABOVE,
    FAILS_ABOVE_AND_BELOW,
    FAILS_BELOW,
    GENERAL,
    NEGATIVE,
    POSITIVE,
    SMOOTH,
    SQUARES,
    TRANSFER,
    ZERO,
    Dual,
    any_point,
    arrays,
    error,
    exactly,
    onward,
    point,
    preactivation,
    quadratic,
    semidefinite,
)


def second_terms(p, l):
    """f''(h_l) dE/da_l per unit of layer l, in a network of squares (f'' = 2) and linear units (f'' = 0)."""
    if p.net.transfers[l - 1] != "square":
        return [0] * len(p.net.weights[l - 1])
    dE_da = []
    for k in range(len(p.net.weights[l - 1])):
        a = [TRANSFER[p.net.transfers[l - 1]](v) for v in preactivation(p.net, p.x, l)]
        a[k] = a[k] + Dual(0, 1)
        row = [sum((w * v for w, v in zip(W, [*a, Dual(1)], strict=True)), Dual(0)) for W in p.net.weights[l]]
        dE_da.append(error(p.A, onward(p.net, l + 1, row, p.net.L), p.y).parts[1])
    return [2 * derivative for derivative in dE_da]


@EXAMPLES
@given(any_point)
@example(GENERAL)
@example(DEAD)
def test_equation_65(p):
    """The blocks are second derivatives of E. All are semi-definite if and only if H_L is, since one is Q kron H_L."""
    with quadratic(p.A):
        verdict = ref.lemma_1(*p.of)
        assert verdict is semidefinite(p.A)
        blocks = ref.sample_hessian_blocks(*p.of)
    for l, V in p.V.items():
        form = p.second_of_weights(l, V, V)
        v = list(V.T.flatten())
        assert sum(v[i] * blocks[l][i, j] * v[j] for i in range(len(v)) for j in range(len(v))) == form
        assert form >= 0 or not verdict


@EXAMPLES
@given(any_point)
@example(GENERAL)
def test_equation_66(p):
    """Without its second term the recursion (8) gives d^2 E / dh_l^2 for l = 1, ..., L - 1."""
    with quadratic(p.A):
        ours, recursion = ref.recursion_without_second_term(*p.of), ref.sample_preactivation_hessians(*p.of)
    assert list(ours) == list(range(1, p.net.L))
    for l in ours:
        assert ours[l].tolist() == recursion[l].tolist() == p.hessian(l).tolist()


@pytest.mark.parametrize("p", SMOOTH)
def test_equation_66_of_smooth_transfer_functions(p):
    """The missing term is D_l, with f'' dE/da_l on its diagonal."""
    with quadratic(p.A):
        ours = ref.recursion_without_second_term(*p.of)
    for l in ours:
        assert ours[l].tolist() == (p.hessian(l) - np.diag(second_terms(p, l))).tolist()


@EXAMPLES
@given(any_point)
@example(GENERAL)
@example(FAILS_BELOW)
def test_equation_67(p):
    """(67) is the change of h_{l+1} when h_l changes by v, for any transfer function."""
    for l in range(1, p.net.L):
        v = p.V[l][:, 0]
        with quadratic(p.A):
            assert ref.carried_up(p.net, p.x, l, v).tolist() == p.carried_up(l, v)


@EXAMPLES
@given(any_point)
@example(GENERAL)
def test_equation_68(p):
    for l in range(1, p.net.L):
        v = p.V[l][:, 0]
        above, truth = p.carried_up(l, v), p.second_of_preactivation(l, v, v)
        with quadratic(p.A):
            assert ref.quadratic_forms(*p.of, l, v) == (truth, truth)
        assert p.second_of_preactivation(l + 1, above, above) == truth


@pytest.mark.parametrize("p", SMOOTH)
def test_equation_68_of_smooth_transfer_functions(p):
    """Only the first form contains the sum over units of f'' dE/da_l v^2."""
    for l in range(1, p.net.L):
        v = exactly([3] * len(p.net.weights[l - 1]))
        truth = p.second_of_preactivation(l, v, v)
        with quadratic(p.A):
            assert ref.quadratic_forms(*p.of, l, v) == (truth, truth - 9 * sum(second_terms(p, l)))


@EXAMPLES
@given(any_point)
@example(GENERAL)
@example(DEAD)
def test_equation_69(p):
    """Definiteness is inherited, for a semi-definite H_L and for any other."""
    H = [semidefinite(p.hessian(l)) for l in range(1, p.net.L + 1)]
    assert all(below or not above for below, above in itertools.pairwise(H))
    with quadratic(p.A):
        assert ref.definiteness_is_inherited(*p.of) is True


@pytest.mark.parametrize(
    ("p", "H", "inherited", "semidefinite_blocks"),
    [
        (NEGATIVE, [-10, 1], False, False),
        (POSITIVE, [2, 1], True, True),
        (ZERO, [0, 1], True, True),
        (FAILS_ABOVE, [0, -10, 1], False, False),
        (FAILS_ABOVE_AND_BELOW, [-10, -10, 1], False, False),
        (FAILS_BELOW, [-10, 1, 1], False, False),
        (FAILS_BELOW._replace(A=exactly([[-1]])), [10, -1, -1], True, False),
    ],
    ids=["negative", "positive", "zero", "above", "above-and-below", "below", "concave"],
)
def test_equations_65_and_69_of_smooth_transfer_functions(p, H, inherited, semidefinite_blocks):
    """(69) fails if script H_l is negative below a semi-definite one. Below a negative one it claims nothing."""
    assert [p.hessian(l).item() for l in range(1, p.net.L + 1)] == H
    with quadratic(p.A):
        assert ref.definiteness_is_inherited(*p.of) is inherited
        assert ref.lemma_1(*p.of) is semidefinite_blocks


@st.composite
def matrices_of_one_layer(draw):
    """a with the unit (D_{l-1} + 1,), script H_l (D_l, D_l) and V (D_l, D_{l-1} + 1)."""
    D, below = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    return draw(arrays(below)), draw(arrays(D, D)), draw(arrays(D, below))


@EXAMPLES
@given(matrices_of_one_layer())
@example((exactly([2, -1, 1]), exactly([[1, 2], [-3, 5]]), exactly([[1, -2, 3], [4, 0, -1]])))
def test_equation_70(matrices):
    """All five expressions are sum_{ijpq} V_ip a_p H_ij V_jq a_q, for any H, symmetric or not."""
    a, H, V = matrices
    rows, columns = map(range, V.shape)
    truth = sum(
        V[i, p] * a[p] * H[i, j] * V[j, q] * a[q] for i, j, p, q in itertools.product(rows, rows, columns, columns)
    )
    assert ref.quadratic_form_of_block(a, H, V) == (truth,) * 5


@EXAMPLES
@given(any_point)
@example(GENERAL)
def test_equation_70_of_a_network(p):
    """With a_{l-1} and its unit, the five expressions are the quadratic form of the Hessian block of W_l."""
    with quadratic(p.A):
        a, H = ref.forward(p.net, p.x)[0], ref.sample_preactivation_hessians(*p.of)
    for l, V in p.V.items():
        truth = p.second_of_weights(l, V, V)
        assert ref.quadratic_form_of_block(ref.append_unit(a[l - 1]), H[l], V) == (truth,) * 5


@EXAMPLES
@given(any_point)
@example(GENERAL)
@example(FAILS_BELOW)
@example(ZERO._replace(A=exactly([[0]])))
def test_equation_71(p):
    """The trace is the sum of the second derivatives with respect to each weight, for any transfer function.

    If Lemma 1 is true, the trace is not negative and Lemma 2 is true. Lemma 2 may also be true if Lemma 1 is not.
    """
    truth = p.trace()
    with quadratic(p.A):
        assert ref.traces(*p.of) == (truth, truth)
        assert ref.lemma_2(*p.of) is bool(truth >= 0)
        assert truth >= 0 or not ref.lemma_1(*p.of)


@pytest.mark.parametrize(
    ("p", "trace", "lemma_1"),
    [
        (NEGATIVE, 2 - 10 * 2, False),
        (POSITIVE, 2 + 2 * 2, True),
        (point(*SQUARES, [4]), 2 - 2 * 2, False),
        (point(*SQUARES, [Fraction(7, 2)]), 2 - 1 * 2, False),  # 0
        (ZERO._replace(A=exactly([[0]])), 0, True),
        (DEAD, 0, False),
    ],
    ids=["negative", "positive", "lower", "zero", "constant", "dead"],
)
def test_equation_71_by_hand(p, trace, lemma_1):
    """The block of (w_l, b_l) is H_l (1, 1; 1, 1) for l = 1 and 2, and its trace is 2 H_l."""
    with quadratic(p.A):
        assert ref.traces(*p.of) == (trace, trace)
        assert ref.lemma_2(*p.of) is (trace >= 0)
        assert ref.lemma_1(*p.of) is lemma_1


@pytest.mark.parametrize("objective", ["squared_error", "bernoulli", "categorical", "mixture"])
def test_equation_71_by_autodiff(objective, make_problem, autodiff):
    net, X, Y = make_problem(objective, ("softplus",), N=2)
    for x, y in zip(X, Y, strict=True):
        E, h_L, at = autodiff.error(net, y), autodiff.output(net, x), autodiff.theta(net)
        truth = np.trace(autodiff.hessian(lambda at, E=E, h_L=h_L: E(h_L(at)), at))
        assert np.max(np.abs(np.array(ref.traces(net, x, y)) - truth)) < 1e-12 * abs(truth)
        assert ref.lemma_2(net, x, y) is bool(truth >= 0)
