"""Products with the Jacobian, the Gauss-Newton matrix and the Hessian compared with these matrices by autodiff."""

import numpy as np
import pytest

import kfgn

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
    """vec(W_l) of all layers, one after the other. vec stacks columns."""
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
    """M with zeros outside its diagonal blocks."""
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
    # products with the dense blocks of the port, on every library
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
    for n in range(3):  # the outputs, from losses alone: |h - y|^2 / 2 at the targets y = e_n and -e_n
        e = np.zeros((7, 3))
        e[:, n] = 1.0
        for i in range(7):
            one = (p.network, p.weights, p.X[i : i + 1, :])
            up, down = (kfgn.loss(*one, backend.asarray(sign * e[i : i + 1])) for sign in (1, -1))
            h[i, n] = (float(down) - float(up)) / 2
    U = backend.asarray(h - backend.to_numpy(p.Y))
    for a, b in zip(kfgn.transposed_jacobian_product(*p[:3], U), kfgn.gradient(*p[:4]), strict=True):
        np.testing.assert_allclose(backend.to_numpy(a), backend.to_numpy(b), rtol=0, atol=1e-13)
