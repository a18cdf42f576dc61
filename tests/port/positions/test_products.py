"""Products with blocks and the quadratic model of networks with positions, compared with matrices and with products."""

import numpy as np
import pytest

import kfgn

from .problems import ALL, PLANES, close, only_numpy, problem, without_jax

every_network = pytest.mark.parametrize("name", ALL)
AT = {"tau": 0.3, "eta": 0.2}


def times(blocks, V):
    """The products of blocks with vec(V_l), in the shape of V_l."""
    return [(B @ v.T.reshape(-1)).reshape(v.shape[::-1]).T for B, v in zip(blocks, V, strict=True)]


@every_network
@without_jax
def test_block_products(backend, name):
    p = problem(ALL[name])
    q = p.on(backend)
    G, H = kfgn.gauss_newton_blocks(*p[:4]), kfgn.hessian_blocks(*p[:4])
    close(backend, kfgn.gauss_newton_block_product(*q[:4], q.V), times(G, p.V))
    close(backend, kfgn.hessian_block_product(*q[:4], q.V), times(H, p.V))


def check_quadratic_model(backend, p, q, tolerance=1e-13):
    """Compare the functions of a quadratic model with sums over products. p is on NumPy, and q on the backend."""
    delta, squared = p.V, sum(np.sum(v * v) for v in p.V)
    Gv, g = kfgn.gauss_newton_product(*p[:4], delta), kfgn.gradient(*p[:4])
    curvature = sum(np.sum(a * b) for a, b in zip(Gv, delta, strict=True)) + 0.5 * squared
    slope = sum(np.sum((a + 0.2 * w) * d) for a, w, d in zip(g, p.weights, delta, strict=True))
    f = kfgn.loss(*p[:4]) + 0.1 * sum(np.sum(w * w) for w in p.weights)
    moved = tuple(w + d for w, d in zip(p.weights, delta, strict=True))
    change = kfgn.loss(p.network, moved, p.X, p.Y) + 0.1 * sum(np.sum(w * w) for w in moved) - f
    close(backend, [kfgn.curvature_along(*q[:4], q.V, **AT)], [curvature], tolerance)
    close(backend, [kfgn.quadratic_model(*q[:4], q.V, **AT)], [f + slope + curvature / 2], tolerance)
    close(backend, [kfgn.step_size(*q[:4], q.V, **AT)], [-slope / curvature], tolerance)
    close(backend, [kfgn.reduction_ratio(*q[:4], q.V, **AT)], [change / (slope + curvature / 2)], 1e-11)


@every_network
@without_jax
def test_quadratic_model(backend, name):
    p = problem(ALL[name])
    check_quadratic_model(backend, p, p.on(backend))


@every_network
@only_numpy
def test_solve(backend, name):
    p = problem(ALL[name])
    x, _, _ = kfgn.solve_gauss_newton(*p[:4], p.V, damping=0.5, iterations=400, tolerance=1e-13)
    Gx = kfgn.gauss_newton_product(*p[:4], x)
    close(backend, [a + 0.5 * b for a, b in zip(Gx, x, strict=True)], p.V, 1e-11)
    x, _, _ = kfgn.solve_gauss_newton_blocks(*p[:4], p.V, damping=0.5, iterations=400, tolerance=1e-13)
    Gx = kfgn.gauss_newton_block_product(*p[:4], x)
    close(backend, [a + 0.5 * b for a, b in zip(Gx, x, strict=True)], p.V, 1e-11)


def explicit_blocks(p):
    """The diagonal blocks from products with all unit vectors of each layer."""
    zero = tuple(np.zeros_like(W) for W in p.weights)
    for l, W in enumerate(p.weights):
        columns = []
        for i in range(W.size):
            unit = np.eye(1, W.size, i).reshape(W.shape[::-1]).T
            v = (*zero[:l], unit, *zero[l + 1 :])
            columns.append(kfgn.gauss_newton_product(*p[:4], v)[l].T.reshape(-1))
        yield np.stack(columns, axis=1)


@pytest.mark.parametrize("name", PLANES)
@only_numpy
def test_blocks_of_planes(backend, name):
    # the products are compared with autograd in test_autograd.py
    p = problem(PLANES[name])
    close(backend, kfgn.gauss_newton_blocks(*p[:4]), list(explicit_blocks(p)))
