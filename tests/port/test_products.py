"""Products with the Jacobian, the Gauss-Newton matrix and the Hessian, against these matrices by autodiff."""

import numpy as np
import pytest

import kfgn
from kfgn._network.output_hessian import Multinomial

jax = pytest.importorskip("jax")
jnp = jax.numpy

OBJECTIVES = ["squared_error", "bernoulli", "categorical", "mixture", "mixture scalar"]
TRANSFERS = {
    "tanh": jnp.tanh,
    "softplus": lambda h: jnp.logaddexp(h, 0.0),
    "leaky_relu": lambda h: jnp.where(h > 0, h, 0.1 * h),
    "logistic": jax.nn.sigmoid,
}
numpy_alone = pytest.mark.parametrize("backend", ["numpy"], indirect=True)
without_jax = pytest.mark.parametrize("backend", ["numpy", "strict", "torch", "torch-cuda", "cupy"], indirect=True)


def ravel(arrays):
    """vec of each layer, columns stacked, one after the other."""
    return np.concatenate([np.asarray(a).T.ravel() for a in arrays])


def unravel(network, theta):
    ends = np.cumsum([m * n for m, n in network.weight_shapes])
    parts = jnp.split(theta, ends[:-1])
    return [part.reshape(n, m).T for part, (m, n) in zip(parts, network.weight_shapes, strict=True)]


def dense(p):
    """J (N, D_L, P), the Gauss-Newton matrix and the Hessian (P, P) of a problem in NumPy's arrays."""

    def outputs(theta):
        a = p.X
        for name, W in zip((*p.network.transfers, None), unravel(p.network, theta), strict=True):
            h = a @ W[:, :-1].T + W[:, -1]
            a = h if name is None else TRANSFERS[name](h)
        return h

    def loss(theta):
        return kfgn.loss(p.network, unravel(p.network, theta), jnp.asarray(p.X), jnp.asarray(p.Y), check=False)

    with jax.enable_x64(True):
        theta = jnp.asarray(ravel(p.weights))
        J = np.asarray(jax.jit(jax.jacfwd(outputs))(theta))
        H = np.asarray(jax.jit(jax.hessian(loss))(theta))
    H_L = kfgn.preactivation_gauss_newton(*p[:4])[-1]
    return J, np.einsum("ndp,nde,neq->pq", J, H_L, J) / len(p.X), H


def blocks_of(network, M):
    """M with everything off its diagonal blocks set to zero."""
    layer = np.repeat(np.arange(network.depth), [m * n for m, n in network.weight_shapes])
    return M * (layer[:, None] == layer[None, :])


@pytest.mark.parametrize(
    ("widths", "objective"),
    [*(((3, 5, 2, 4, 3), objective) for objective in OBJECTIVES), ((4, 3), "mixture"), ((2, 4, 3), "categorical")],
)
@numpy_alone
def test_dense(backend, problem, widths, objective):
    p = problem(backend, objective, widths=widths)
    J, G, H = dense(p)
    v = ravel(p.V)
    args, data = (p.network, p.weights, p.X), (p.network, p.weights, p.X, p.Y, p.V)
    np.testing.assert_allclose(kfgn.jacobian_product(*args, p.V), J @ v, rtol=0, atol=1e-13)
    transposed = kfgn.transposed_jacobian_product(*args, p.U)
    np.testing.assert_allclose(ravel(transposed), np.einsum("ndp,nd->p", J, p.U) / 7, rtol=0, atol=1e-13)
    for product, M in [
        (kfgn.gauss_newton_product, G),
        (kfgn.hessian_product, H),
        (kfgn.gauss_newton_block_product, blocks_of(p.network, G)),
        (kfgn.hessian_block_product, blocks_of(p.network, H)),
    ]:
        np.testing.assert_allclose(ravel(product(*data)), M @ v, rtol=0, atol=1e-13 * np.abs(M).max() * np.abs(v).sum())


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_blocks(backend, problem, objective):
    # the same on every library, by the dense blocks of the port
    p = problem(backend, objective, widths=(2, 5, 4, 3))
    for product, blocks in [
        (kfgn.gauss_newton_block_product, kfgn.gauss_newton_blocks),
        (kfgn.hessian_block_product, kfgn.hessian_blocks),
    ]:
        for came, block, V in zip(product(*p[:4], p.V), blocks(*p[:4]), p.V, strict=True):
            B, v = backend.to_numpy(block), backend.to_numpy(V).T.ravel()
            np.testing.assert_allclose(backend.to_numpy(came).T.ravel(), B @ v, rtol=0, atol=1e-13 * np.abs(B).sum())


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_symmetric(backend, problem, objective):
    p = problem(backend, objective, widths=(2, 5, 4, 3))
    for product in (
        *(kfgn.gauss_newton_product, kfgn.hessian_product),
        *(kfgn.gauss_newton_block_product, kfgn.hessian_block_product),
    ):
        Av, Ab = ([backend.to_numpy(a) for a in product(*p[:4], u)] for u in (p.V, p.b))
        v, b = ([backend.to_numpy(a) for a in u] for u in (p.V, p.b))
        np.testing.assert_allclose(ravel(b) @ ravel(Av), ravel(v) @ ravel(Ab), rtol=1e-11, atol=1e-13)


@without_jax
def test_gradient_is_the_transposed_product(backend, problem):
    p = problem(backend, "squared_error", widths=(2, 5, 3))
    zero = [0 * W for W in p.weights]
    outputs = kfgn.jacobian_product(p.network, (*zero[:-1], p.weights[-1]), p.X, p.V)
    assert tuple(outputs.shape) == (7, 3)
    h = backend.to_numpy(p.Y) * 0
    for n in range(3):  # the outputs, from the loss alone: |h|^2 / 2 at targets -e_n, 0 and e_n
        e = np.zeros((7, 3))
        e[:, n] = 1.0
        for i in range(7):
            one = (p.network, p.weights, p.X[i : i + 1, :])
            up, down = (kfgn.loss(*one, backend.asarray(sign * e[i : i + 1])) for sign in (1, -1))
            h[i, n] = (float(down) - float(up)) / 2
    U = backend.asarray(h - backend.to_numpy(p.Y))
    for a, b in zip(kfgn.transposed_jacobian_product(*p[:3], U), kfgn.gradient(*p[:4]), strict=True):
        np.testing.assert_allclose(backend.to_numpy(a), backend.to_numpy(b), rtol=0, atol=1e-13)


def test_a_confident_softmax_keeps_its_digits():
    # p (1 - p) of 1e-9 would be lost in p - p^2; float64 says what float32 should
    h = np.array([[20.0, 0.0, 1.0, -2.0]])
    p = np.exp(h) / np.exp(h).sum()
    v = np.array([[1.0, -0.5, 0.25, 2.0]])
    single, double = (Multinomial(p.astype(t)) for t in ("float32", "float64"))
    for shift in (0.0, 3.0):
        moved = v + shift
        expected = double.product(v)
        np.testing.assert_allclose(single.product(moved.astype("float32")), expected, rtol=1e-5)
        np.testing.assert_allclose(single.quadratic(moved.astype("float32")), double.quadratic(v), rtol=1e-5)
        np.testing.assert_allclose((double.matrix() @ v[..., None])[..., 0], expected, rtol=1e-12)


@pytest.mark.parametrize("gap", [0.0, 16.0, 30.0, 90.0, 700.0])
def test_a_sure_softmax_keeps_the_digits_of_every_entry(gap):
    # where p rounds to 1 its entries are still known: H_L is e^-gap in size, and the root e^(-gap/2)
    small = np.exp(-gap) * np.array([1.0, 0.5, 0.25])
    p = np.array([[1.0, *small]]) / (1 + small.sum())
    v, rest = np.array([[3.0, 1.0, -2.0, 0.5]]), small / (1 + small.sum())
    mean = (rest * (v[0, 1:] - v[0, 0])).sum()  # p^T v less v_1
    variance = (rest * (v[0, 1:] - v[0, 0] - mean) ** 2).sum() + p[0, 0] * mean**2
    terms = (np.sqrt(rest) * v[0, 1:]).sum()
    first = np.sqrt(p[0, 0]) * (rest.sum() * v[0, 0] - np.sqrt(p[0, 0]) * terms)
    M = Multinomial(p)
    np.testing.assert_allclose(M.product(v)[0], p[0] * np.array([-mean, *(v[0, 1:] - v[0, 0] - mean)]), rtol=1e-13)
    np.testing.assert_allclose(M.quadratic(v)[0], variance, rtol=1e-13)
    np.testing.assert_allclose(M.root_product(v)[0, 0], first, rtol=1e-13)
    np.testing.assert_allclose((M.matrix() @ v[0])[0], M.product(v)[0], rtol=1e-12)
