"""Cases in which the approximations are exact, cases in which they are not, piecewise linear networks, and kinks.

Q kron G is the exact block if one factor is the same for every datapoint. KFRA equals KFLR if only one of the
quantities that (26) averages separately varies. Cases with a difference are included, since an implementation of
KFRA that computes KFLR would pass all others.
"""

import numpy as np
import pytest
from kfgn_reference import (
    TRANSFERS,
    expected_q,
    factored_blocks,
    gauss_newton_blocks,
    hessian_blocks,
    kflr,
    kfra,
    sample_preactivation_gauss_newton,
    sample_preactivation_hessians,
    transfer,
)

OBJECTIVES = ("squared_error", "bernoulli", "categorical")
TANH = [("tanh",) * hidden for hidden in range(4)]
LINEAR = [("identity",) * hidden for hidden in range(1, 4)]
PIECEWISE_LINEAR = [("relu",), ("leaky_relu", "relu"), ("leaky_relu", "identity", "leaky_relu")]


def repeated(problem):
    """The batch with every input replaced by the first, and different labels, on which H_L does not depend."""
    return problem._replace(X=np.repeat(problem.X[:1], len(problem.X), axis=0))


def factored(problem):
    return factored_blocks(expected_q(problem.net, problem.X), kflr(*problem))


@pytest.mark.parametrize("transfers", TANH)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_kfra_is_kflr_at_the_last_layer_or_two(objective, transfers, make_problem, relative_error):
    """KFRA equals KFLR at L, and at L - 1 if H_L is constant. At every other layer they differ clearly."""
    problem = make_problem(objective, transfers)
    L, G, exact = problem.net.L, kfra(*problem), kflr(*problem)
    last = L - 1 if objective == "squared_error" else L
    assert G.keys() == exact.keys() == set(range(1, L + 1))
    for l in G:
        if l >= last:
            assert relative_error(G[l], exact[l]) < 1e-13
        else:
            assert relative_error(G[l], exact[l]) > 1e-2


@pytest.mark.parametrize("transfers", LINEAR)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_kfra_is_kflr_in_linear_networks(objective, transfers, make_problem, relative_error):
    problem = make_problem(objective, transfers)
    assert relative_error(kfra(*problem), kflr(*problem)) < 1e-13


@pytest.mark.parametrize("transfers", TANH)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_one_input_makes_everything_exact(objective, transfers, make_problem, relative_error):
    """For N = 1 and for repeated inputs, KFRA equals KFLR and the factored block is exact."""
    for problem in (make_problem(objective, transfers, N=1), repeated(make_problem(objective, transfers))):
        assert relative_error(kfra(*problem), kflr(*problem)) < 1e-13
        assert relative_error(factored(problem), gauss_newton_blocks(*problem)) < 1e-13


@pytest.mark.parametrize("transfers", TANH)
def test_factored_block_of_the_last_layer(transfers, make_problem, relative_error):
    """The factored block is exact at L for squared error, whose H_L is constant, and in no other case."""
    for objective in OBJECTIVES:
        problem = make_problem(objective, transfers)
        ours, exact = factored(problem), gauss_newton_blocks(*problem)
        for l in ours:
            if l == problem.net.L and objective == "squared_error":
                assert relative_error(ours[l], exact[l]) < 1e-13
            else:
                assert relative_error(ours[l], exact[l]) > 1e-2


@pytest.mark.parametrize("transfers", LINEAR)
def test_factored_blocks_of_linear_networks(transfers, make_problem, relative_error):
    """The factored blocks are exact for squared error. For cross-entropy they are not, although KFRA equals KFLR."""
    problem = make_problem("squared_error", transfers)
    assert relative_error(factored(problem), gauss_newton_blocks(*problem)) < 1e-13
    for objective in ("bernoulli", "categorical"):
        problem = make_problem(objective, transfers)
        ours, exact = factored(problem), gauss_newton_blocks(*problem)
        assert all(relative_error(ours[l], exact[l]) > 1e-2 for l in exact)


@pytest.mark.parametrize("transfers", PIECEWISE_LINEAR)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_piecewise_linear_hessian_is_gauss_newton(objective, transfers, make_problem, relative_error):
    problem = make_problem(objective, transfers)
    assert relative_error(hessian_blocks(*problem), gauss_newton_blocks(*problem)) < 1e-13


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_curved_hessian_is_not_gauss_newton(objective, make_problem, relative_error):
    """The two matrices differ by the terms with f'': not at layer L, and by a diagonal matrix at layer L - 1."""
    net, X, Y = make_problem(objective, ("softplus", "tanh"))
    H, G = sample_preactivation_hessians(net, X[0], Y[0]), sample_preactivation_gauss_newton(net, X[0], Y[0])
    assert np.array_equal(H[3], G[3])
    difference = H[2] - G[2]
    assert relative_error(difference, np.diag(np.diag(difference))) < 1e-13
    assert relative_error(H[2], G[2]) > 1e-2
    assert relative_error(H[1], G[1]) > 1e-2


@pytest.mark.parametrize(("name", "slope"), [("relu", 0), ("leaky_relu", 0.1)])
def test_kinks(name, slope):
    """f'(0) is the left derivative, by choice."""
    f = TRANSFERS[name]
    at = np.array([-1e-300, -0.0, 0.0, 1e-300])
    assert f.first(at).tolist() == [slope, slope, slope, 1]
    assert f.second(at).tolist() == [0, 0, 0, 0]
    assert f.f(np.array([-2.0, 0.0, 2.0])).tolist() == [-2 * slope, 0, 2]


def test_the_kink_of_elu():
    """f'(0) and f''(0) are the left derivatives, both alpha."""
    f = transfer(("elu", 0.5))
    at = np.array([-1e-300, -0.0, 0.0, 1e-300])
    assert f.first(at).tolist() == [0.5, 0.5, 0.5, 1]
    assert f.second(at).tolist() == [0.5, 0.5, 0.5, 0]
    assert f.f(np.array([-800.0, 0.0, 2.0])).tolist() == [-0.5, 0, 2]
