"""Section 2, equations (1)-(10): the forward pass, the gradient and the Hessian, by PyTorch and between rationals."""

import itertools

import kfgn_reference as ref
import numpy as np
import pytest


@pytest.fixture(scope="module")
def hessians(problem, autodiff):
    """d^2 E / dtheta^2 of each datapoint by PyTorch."""
    return [
        autodiff.hessian(
            lambda at, x=x, y=y: autodiff.error(problem.net, y)(autodiff.output(problem.net, x)(at)),
            autodiff.theta(problem.net),
        )
        for x, y in problem.pairs
    ]


def diagonal_blocks(net, H):
    """The block of vec(W_l) for each layer l."""
    ends = np.cumsum([0, *[W.size for W in net.weights]])
    return {l: H[i:j, i:j] for l, (i, j) in enumerate(itertools.pairwise(ends), 1)}


def entries(net):
    """The indices (l, a, b) of all weights, in the order of theta."""
    return [(l, a, b) for l, W in enumerate(net.weights, 1) for b in range(W.shape[1]) for a in range(W.shape[0])]


def with_unit(net, x):
    """a_0, ..., a_{L-1} with the unit, as lists, for piecewise linear transfer functions."""
    left = {"identity": lambda v: v, "relu": lambda v: 0, "leaky_relu": lambda v: v / 10}
    a = [[*x, 1]]
    for W, f in zip(net.weights, net.transfers, strict=False):
        h = [sum(w * v for w, v in zip(row, a[-1], strict=True)) for row in W]
        a.append([*[v if v > 0 else left[f](v) for v in h], 1])
    return a


def shifted(net, l, a):
    """The index of the bias of [h_l]_a, which moves no other pre-activation of the layer."""
    return l, a, net.weights[l - 1].shape[1] - 1


def test_equation_1(problem, autodiff, relative_error):
    """h_l = W_l a_{l-1} and a_l = f(h_l). The keys of a are 0, ..., L - 1, since there is no f_L."""
    net = problem.net
    for x in problem.X:
        truth = autodiff.preactivation(net, x)
        a, h = ref.forward(net, x)
        assert relative_error(h, {l: v.numpy() for l, v in truth.items()}) < 1e-13
        activations = {l: autodiff.transfer(net, l)(truth[l]).numpy() for l in range(1, net.L)}
        assert relative_error(a, {0: x} | activations) < 1e-13


def test_equation_1_between_rationals(rational_problem):
    net = rational_problem.net
    for x in rational_problem.X:
        a, h = ref.forward(net, x)
        units = with_unit(net, x)
        assert [[*a[l], 1] for l in range(net.L)] == units
        for l in range(1, net.L + 1):
            W = net.weights[l - 1]
            assert list(h[l]) == [sum(W[i, j] * v for j, v in enumerate(units[l - 1])) for i in range(len(W))]


def test_equation_2(problem, hessians, relative_error):
    """The full Hessian, with the blocks between layers, and its mean over the batch."""
    assert relative_error(ref.sample_hessian(problem.net, problem.X[-1], problem.Y[-1]), hessians[-1]) < 1e-12
    assert relative_error(ref.hessian(*problem), np.mean(hessians, axis=0)) < 1e-12


def test_equation_2_between_rationals(rational_problem, difference_quotient):
    """The second derivatives with respect to all pairs of four weights per layer."""
    net, (x, y) = rational_problem.net, rational_problem.pairs[1]
    theta = entries(net)
    rng = np.random.default_rng(0)
    chosen = sorted(
        int(i) for l in rational_problem.layers for i in rng.choice([i for i, t in enumerate(theta) if t[0] == l], 4)
    )
    H = ref.sample_hessian(net, x, y)
    quotients = [[difference_quotient(net, x, y, theta[i], theta[j]) for j in chosen] for i in chosen]
    assert np.array_equal(H[np.ix_(chosen, chosen)], quotients)
    assert np.count_nonzero(quotients) > len(chosen)


def test_equation_3(problem, autodiff, relative_error):
    net = problem.net
    cuts = np.cumsum([W.size for W in net.weights])[:-1]
    for x, y in problem.pairs:
        E, h_L = autodiff.error(net, y), autodiff.output(net, x)
        parts = np.split(autodiff.gradient(lambda at, E=E, h_L=h_L: E(h_L(at)), autodiff.theta(net)), cuts)
        truth = {l: part.reshape(net.weights[l - 1].shape, order="F") for l, part in enumerate(parts, 1)}
        assert relative_error(ref.sample_gradient(net, x, y), truth) < 1e-12


def test_equation_3_between_rationals(rational_problem, difference_quotient):
    """Both sides: the derivative with respect to the weight, and a_b times that with respect to the bias of h_a."""
    net, (x, y) = rational_problem.net, rational_problem.pairs[0]
    ours, units = ref.sample_gradient(net, x, y), with_unit(net, x)
    for l, a, b in entries(net):
        assert ours[l][a, b] == difference_quotient(net, x, y, (l, a, b))
        assert ours[l][a, b] == units[l - 1][b] * difference_quotient(net, x, y, shifted(net, l, a))
    assert all(np.any(ours[l]) for l in ours)


def test_equation_4(problem, hessians, relative_error):
    """vec stacks columns, so the row of W_l[a, b] is b D_l + a."""
    for (x, y), H in zip(problem.pairs, hessians, strict=True):
        truth = diagonal_blocks(problem.net, H)
        assert relative_error(ref.sample_hessian_blocks(problem.net, x, y), truth) < 1e-12


def test_equation_5(problem, hessians, autodiff, relative_error):
    """Element [a, b, c, d] is the second derivative by W_l[a, b] and W_l[c, d], and a_b a_d [script H]_{a,c}."""
    net = problem.net
    for (x, y), H in zip(problem.pairs, hessians, strict=True):
        ours, h = ref.sample_hessian_elements(net, x, y), autodiff.preactivation(net, x)
        for l, block in diagonal_blocks(net, H).items():
            D, B = net.weights[l - 1].shape
            truth = np.array(
                [
                    [[[block[b * D + a, d * D + c] for d in range(B)] for c in range(D)] for b in range(B)]
                    for a in range(D)
                ]
            )
            assert relative_error(ours[l], truth) < 1e-12
            below = x if l == 1 else autodiff.transfer(net, l - 1)(h[l - 1]).numpy()
            unit, E, h_L = [*below, 1], autodiff.error(net, y), autodiff.onward(net, l)
            above = autodiff.hessian(lambda v, E=E, h_L=h_L: E(h_L(v)), h[l])
            assert relative_error(ours[l], np.einsum("b,d,ac->abcd", unit, unit, above)) < 1e-12


@pytest.mark.parametrize("m", [1, 2, 3])
def test_equation_6(m, problem, autodiff, relative_error):
    """d/dh_l of dE/dh_m: script H_l for m = l, and a matrix that is not square for m > l."""
    net = problem.net
    for x, y in problem.pairs:
        h, E = autodiff.preactivation(net, x), autodiff.error(net, y)
        for l in range(1, net.L + 1):
            if not l <= m <= net.L:
                continue
            h_L, h_m = autodiff.onward(net, m), autodiff.onward(net, l, m)
            dE_dh = autodiff.grad(lambda v, E=E, h_L=h_L: E(h_L(v)))
            truth = autodiff.jacobian(lambda v, dE_dh=dE_dh, h_m=h_m: dE_dh(h_m(v)), h[l])
            assert relative_error(ref.mixed_derivatives(net, x, y, m, l), truth) < 1e-12


def test_equation_6_between_rationals(rational_problem, difference_quotient):
    net, (x, y) = rational_problem.net, rational_problem.pairs[2]
    for l in rational_problem.layers:
        units = [shifted(net, l, a) for a in range(len(net.weights[l - 1]))]
        truth = [[difference_quotient(net, x, y, i, j) for j in units] for i in units]
        assert ref.mixed_derivatives(net, x, y, l, l).tolist() == truth
        assert np.any(truth)


def test_equation_7(problem, autodiff, relative_error):
    """(a a^T) kron script H, element by element and as the map H vec(V) = vec(script H V a a^T)."""
    net, rng = problem.net, np.random.default_rng(0)
    for x, y in problem.pairs[:2]:
        blocks, h, E = ref.sample_hessian_blocks(net, x, y), autodiff.preactivation(net, x), autodiff.error(net, y)
        for l in problem.layers:
            h_L = autodiff.onward(net, l)
            H = autodiff.hessian(lambda v, E=E, h_L=h_L: E(h_L(v)), h[l])
            a = np.append(x if l == 1 else autodiff.transfer(net, l - 1)(h[l - 1]).numpy(), 1)
            V = rng.normal(size=net.weights[l - 1].shape)
            assert blocks[l].shape == (V.size, V.size)
            truth = np.block([[a_b * a_d * H for a_d in a] for a_b in a])  # the definition of footnote 4
            assert relative_error(blocks[l], truth) < 1e-12
            assert relative_error(blocks[l] @ V.ravel(order="F"), (H @ V @ np.outer(a, a)).ravel(order="F")) < 1e-12


def test_equation_7_fixes_the_order_of_vec(relative_error):
    """(A kron B) vec(V) = vec(B V A^T) and (A kron B)^-1 vec(V) = vec(B^-1 V A^-T), for A and B without symmetry.

    Misprint: Appendix C.1 has A^-1 V B^-1, which also has the right shape for a square V.
    """
    rng = np.random.default_rng(1)
    A, B, V = (rng.normal(size=(4, 4)) for _ in range(3))
    truth = ref.vec(np.linalg.inv(B) @ V @ np.linalg.inv(A).T)
    assert relative_error(np.kron(A, B) @ ref.vec(V), ref.vec(B @ V @ A.T)) < 1e-13
    assert relative_error(np.linalg.solve(np.kron(A, B), ref.vec(V)), truth) < 1e-12
    assert relative_error(ref.vec(np.linalg.inv(A) @ V @ np.linalg.inv(B)), truth) > 0.1


def test_equation_8(problem, autodiff, relative_error):
    net = problem.net
    for x, y in problem.pairs:
        h, E = autodiff.preactivation(net, x), autodiff.error(net, y)
        truth = {}
        for l in problem.layers:
            h_L = autodiff.onward(net, l)
            truth[l] = autodiff.hessian(lambda v, E=E, h_L=h_L: E(h_L(v)), h[l])
        ours = ref.sample_preactivation_hessians(net, x, y)
        assert relative_error(ours, truth) < 1e-12
        for l in range(1, net.L):  # the recursion itself, with the matrices by PyTorch
            W, f = net.weights[l][:, :-1], autodiff.transfer(net, l)
            B = autodiff.jacobian(f, h[l])
            dE_da = autodiff.grad(lambda a, E=E, l=l: E(autodiff.above(net, l)(a)))(f(h[l]))
            D = autodiff.hessian(lambda v, dE_da=dE_da, f=f: dE_da @ f(v), h[l])
            assert relative_error(ours[l], B @ W.T @ truth[l + 1] @ W @ B + D) < 1e-12


def test_equation_8_between_rationals(rational_problem, difference_quotient):
    net, (x, y) = rational_problem.net, rational_problem.pairs[0]
    ours = ref.sample_preactivation_hessians(net, x, y)
    for l in rational_problem.layers:
        units = [shifted(net, l, a) for a in range(len(net.weights[l - 1]))]
        assert ours[l].tolist() == [[difference_quotient(net, x, y, i, j) for j in units] for i in units]


def test_equation_9(problem, autodiff, relative_error):
    """B_l is the full Jacobian da_l / dh_l."""
    net = problem.net
    for x in problem.X:
        h = autodiff.preactivation(net, x)
        given = {l: v.numpy() for l, v in h.items()}
        for l in range(1, net.L):
            truth = autodiff.jacobian(autodiff.transfer(net, l), h[l])
            assert relative_error(ref.derivative_matrix(net, given, l), truth) < 1e-13


def test_equation_10(problem, autodiff):
    """D_l is the second derivative of sum_a c_a f([h_l]_a) for the constants c_a = dE/d[a_l]_a, and 0 if f'' = 0."""
    net = problem.net
    for x, y in problem.pairs:
        h, E = autodiff.preactivation(net, x), autodiff.error(net, y)
        given, dE_dh = {l: v.numpy() for l, v in h.items()}, {}
        for l in problem.layers:
            h_L = autodiff.onward(net, l)
            dE_dh[l] = autodiff.gradient(lambda v, E=E, h_L=h_L: E(h_L(v)), h[l])
        for l in range(1, net.L):
            f, h_L = autodiff.transfer(net, l), autodiff.above(net, l)
            c = autodiff.grad(lambda a, E=E, h_L=h_L: E(h_L(a)))(f(h[l]))
            truth = autodiff.hessian(lambda v, c=c, f=f: c @ f(v), h[l])
            ours = ref.second_derivative_matrix(net, given, dE_dh, l)
            assert ours.shape == truth.shape
            assert np.any(truth) == (net.transfers[l - 1] not in ("identity", "relu", "leaky_relu"))
            assert np.all(np.abs(ours - truth) <= 1e-12 * np.max(np.abs(truth)))
