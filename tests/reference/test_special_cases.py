"""Where the approximations are exact, and where they are not; piecewise linear networks; kinks.

Q kron G is the exact block where one factor is the same for every datapoint. KFRA is KFLR where only one of the
things that (26) averages apart varies. The other cases are there because a KFRA that is KFLR passes all of these.
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
)

OBJECTIVES = ("squared_error", "bernoulli", "categorical")
TANH = [("tanh",) * hidden for hidden in range(4)]
LINEAR = [("identity",) * hidden for hidden in range(1, 4)]
PIECEWISE_LINEAR = [("relu",), ("leaky_relu", "relu"), ("leaky_relu", "identity", "leaky_relu")]


def repeated(problem):
    """The first datapoint again and again, with the labels as they are: H_L does not depend on them."""
    return problem._replace(X=np.repeat(problem.X[:1], len(problem.X), axis=0))


def factored(problem):
    return factored_blocks(expected_q(problem.net, problem.X), kflr(*problem))


@pytest.mark.parametrize("transfers", TANH)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_kfra_is_kflr_at_the_last_layer_or_two(objective, transfers, make_problem, relative_error):
    """At L always, at L - 1 too if H_L is constant; at every other layer they are well apart."""
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
    """N = 1 and repeated inputs: KFRA is KFLR and the factored block is the exact one."""
    for problem in (make_problem(objective, transfers, N=1), repeated(make_problem(objective, transfers))):
        assert relative_error(kfra(*problem), kflr(*problem)) < 1e-13
        assert relative_error(factored(problem), gauss_newton_blocks(*problem)) < 1e-13


@pytest.mark.parametrize("transfers", TANH)
def test_factored_block_of_the_last_layer(transfers, make_problem, relative_error):
    """Exact with squared error, where H_L is the same for every datapoint; not before, and not otherwise."""
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
    """Exact with squared error. Not with cross-entropy, although KFRA is KFLR there."""
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
    """They differ by what f'' brings: not at the last layer, and by a diagonal matrix at the one before."""
    net, X, Y = make_problem(objective, ("softplus", "tanh"))
    H, G = sample_preactivation_hessians(net, X[0], Y[0]), sample_preactivation_gauss_newton(net, X[0], Y[0])
    assert np.array_equal(H[3], G[3])
    difference = H[2] - G[2]
    assert relative_error(difference, np.diag(np.diag(difference))) < 1e-13
    assert relative_error(H[2], G[2]) > 1e-2
    assert relative_error(H[1], G[1]) > 1e-2


@pytest.mark.parametrize(("name", "slope"), [("relu", 0), ("leaky_relu", 0.1)])
def test_kinks(name, slope):
    """A choice: f'(0) is the slope of the left branch."""
    f = TRANSFERS[name]
    at = np.array([-1e-300, -0.0, 0.0, 1e-300])
    assert f.first(at).tolist() == [slope, slope, slope, 1]
    assert f.second(at).tolist() == [0, 0, 0, 0]
    assert f.f(np.array([-2.0, 0.0, 2.0])).tolist() == [-2 * slope, 0, 2]
