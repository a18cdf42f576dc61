"""The normalisation of channels, with its second derivatives, and the scale and shift of each channel."""

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
from flint import fmpq

from .problems import Numbers, Problem, problem
from .test_layers import everything

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script. is deprecated:DeprecationWarning")


def test_values_by_hand():
    """Deviations 0, 3, 0, -3, 0 have the variance 18/5, and the root of 18/5 + 2/5 is 2."""
    layer, a = shared.Normalisation(0.4), np.array([[1.0], [4.0], [1.0], [-2.0], [1.0]])
    z = np.array([0.0, 1.5, 0.0, -1.5, 0.0])
    assert np.allclose(layer.forward(a)[:, 0], z, rtol=1e-15, atol=0)
    J = (np.eye(5) - 1 / 5 - np.outer(z, z) / 5) / 2
    assert np.allclose(layer.jacobians(a)[0], J, rtol=0, atol=1e-15)


def test_derivatives(relative_error):
    """The Jacobian at each position, and the sum of dE/dz_k times the Hessian of z_k, by PyTorch."""
    torch = pytest.importorskip("torch")
    n = Numbers(81)
    layer, a, d = shared.Normalisation(0.25), n(4, 2, 3), n(4, 2, 3)

    def normalised(a_t):
        return torch.nn.functional.layer_norm(a_t, (4,), eps=0.25)

    positions = zip(a.reshape(4, -1).T, d.reshape(4, -1).T, layer.jacobians(a), layer.curvatures(a, d), strict=True)
    for t, (a_t, d_t, J, D) in enumerate(positions):
        a_t, d_t = torch.tensor(a_t), torch.tensor(d_t)
        assert relative_error(layer.forward(a).reshape(4, -1)[:, t], normalised(a_t).numpy()) < 1e-12
        assert relative_error(J, torch.func.jacrev(normalised)(a_t).numpy()) < 1e-12
        truth = torch.func.hessian(lambda x, d_t=d_t: torch.dot(d_t, normalised(x)))(a_t).numpy()
        assert relative_error(D, truth) < 1e-12
        assert np.max(np.abs(truth - np.diag(np.diag(truth)))) > 0.05


RECURSIONS = shared.sample_preactivation_hessians, shared.sample_preactivation_gauss_newton


def only_normalised():
    """Dense layers with a normalisation between them, and squared error, so that H_L = I."""
    n = Numbers(82)
    layers = n.dense(4, 3), shared.Normalisation(0.25), n.dense(2, 4)
    return problem(n, layers, "squared_error", (3, 5))


def test_the_term_that_gauss_newton_drops(relative_error):
    """Without D the recursion of the Hessian gives the Gauss-Newton matrix, and the difference is the block of D."""
    net, X, Y = only_normalised()
    differences = []
    for x, y in zip(X, Y, strict=True):
        H, G = (
            f(net, x, y)[1] for f in (shared.sample_preactivation_hessians, shared.sample_preactivation_gauss_newton)
        )
        h, dE_dz = shared.forward(net, x)[1], shared.backpropagate(net, x, y)[2]
        D = net.layers[1].curvatures(h, dE_dz)
        for t in range(5):
            kept = slice(4 * t, 4 * t + 4)
            assert relative_error(H[kept, kept] - G[kept, kept], D[t]) < 1e-12
        differences.append(relative_error(G, H))
    assert min(differences) > 0.1


def test_a_normalised_activation_ignores_a_shift_and_almost_a_scale():
    """J_t 1 = 0, so that the Hessian and the Gauss-Newton matrix of a layer below have the null vector 1."""
    net, X, Y = only_normalised()
    for f in RECURSIONS:
        H = f(net, X[0], Y[0])[1]
        ones = np.kron(np.eye(5), np.ones((4, 1)))
        assert np.max(np.abs(H @ ones)) < 1e-12 * np.max(np.abs(H))


def test_kfra_of_a_normalisation(relative_error):
    """One datapoint over positions is exact, and over tokens and over taps is the mean of J_t^T G J_t."""
    net, X, Y = only_normalised()
    single = net, X[:1], Y[:1]
    truth = shared.sample_preactivation_gauss_newton(net, X[0], Y[0])
    assert relative_error(shared.kfra_over_positions(*single), truth) < 1e-12
    G = shared.kfra_over_tokens(net, X, Y)
    W = net.layers[2].weight[:, :-1]
    assert relative_error(G[2], 5 * W.T @ W) < 1e-12
    J = [J_t for x in X for J_t in net.layers[1].jacobians(shared.forward(net, x)[1])]
    assert relative_error(G[1], sum(J_t.T @ G[2] @ J_t for J_t in J) / len(J)) < 1e-12
    assert relative_error(shared.kfra_over_taps(net, X, Y), G) < 1e-12


@pytest.mark.parametrize("epsilon", [0, -0.5])
def test_epsilon_is_positive(epsilon):
    net, X, Y = only_normalised()
    layers = net.layers[0], shared.Normalisation(epsilon), net.layers[2]
    with pytest.raises(ValueError, match=f"layer 2: epsilon: expected a positive number, got {epsilon}"):
        shared.loss(net._replace(layers=layers), X, Y)


def scaled(bias, outputs=2):
    """A scale for each of 4 channels, with or without a shift, before a convolution."""
    n = Numbers(83, exact=True)
    layers = (
        *(n.dense(4, 3), shared.Elementwise("leaky_relu"), shared.ScaleShift(n(4, 1 + bias), bias)),
        *(n.convolution(outputs, 4, width=2), shared.Elementwise("leaky_relu"), n.dense(2, outputs)),
    )
    return problem(n, layers, "squared_error", (3, 4), divisor=4)


@pytest.mark.parametrize("bias", [True, False])
def test_scale_and_shift_is_a_depthwise_convolution_of_width_one(bias):
    """Every quantity without pairs, and every quantity of the other layers, is the same between rationals."""
    net, X, Y = with_scales = scaled(bias)
    layer = shared.Convolution(net.layers[2].weight, width=1, groups=4, bias=bias)
    convolution = Problem(net._replace(layers=(*net.layers[:2], layer, *net.layers[3:])), X, Y)
    ours, truth = everything(with_scales), everything(convolution)
    own = {f"{function} 3" for function in ("expand", "reduce", "tkfac", "tnt", "foof")}
    assert own < set(ours)
    assert all(np.array_equal(ours[name], truth[name]) for name in set(ours) - own)
    for kfra in (shared.kfra_over_positions, shared.kfra_over_taps):
        found, expected = kfra(*with_scales), kfra(*convolution)
        assert all(np.array_equal(found[l], expected[l]) for l in expected)


@pytest.mark.parametrize("bias", [True, False])
def test_the_block_of_scale_and_shift_is_dense(bias):
    """g_nc is the sum over positions of (a_nt * C_ntc, C_ntc). Reduce and TNT are exact, and expand is not."""
    net, X, Y = with_scales = scaled(bias)
    block = shared.gauss_newton_blocks(*with_scales)[3]
    g = []
    for x, y in zip(X, Y, strict=True):
        a, C = shared.forward(net, x)[2], shared.sample_roots(net, x, y)[3].reshape(4, 4, -1)
        for c in range(C.shape[2]):
            gamma, beta = sum(a[:, t] * C[t, :, c] for t in range(4)), sum(C[:, :, c])
            g.append(np.concatenate([gamma, beta]) if bias else gamma)
    assert np.array_equal(sum(np.outer(v, v) for v in g) / len(X), block)
    assert np.all(block != 0)
    (key,) = [key for key in shared.pairs(*with_scales) if key[0] == 3]
    batch = shared.pairs(*with_scales)[key]
    assert key == (3, 1)
    for exact in (shared.exact_block(batch), shared.reduce(batch).block, shared.tnt(batch).block):
        assert np.array_equal(exact, block)
    error = shared.expand(batch).block - block
    assert np.sum(error * error) > fmpq(1, 100) * np.sum(block * block)


def test_the_weight_of_scale_and_shift_is_checked():
    net, X, Y = scaled(True)
    layers = *net.layers[:2], net.layers[2]._replace(bias=False), *net.layers[3:]
    with pytest.raises(ValueError, match=r"layer 3: weight: expected shape \(4, 1\), got \(4, 2\)"):
        shared.loss(net._replace(layers=layers), X, Y)
