"""Products, projections and the quadratic model of masked batches, compared with matrices of such batches."""

import numpy as np
import pytest

import kfgn

from ..positions.problems import close
from ..positions.test_products import check_quadratic_model, times
from .problems import few_elsewhere, on, problem


def one_by_one(p, r, function):
    """The mean over datapoints of a function of a batch of one datapoint without masked positions.

    The shorter network has the same layers and the number of positions of the datapoint.
    """
    found = []
    for n, (x, y, mask) in enumerate(zip(r.X, r.Y, r.masks, strict=True)):
        inputs = (p.network.inputs[0], *x.shape[x.ndim - len(p.network.inputs) + 1 :])
        network = kfgn.Network(inputs, p.network.layers, p.network.objective, p.network.psd)
        Y = np.asarray(y)[None] if network.shapes[-1][1:] else np.asarray(y)[None, 0]
        found.append(function(network, x[None], Y, n, mask))
    divisor = float(r.net.divisor)
    return [sum(parts) / len(found) / divisor for parts in zip(*found, strict=True)]


@few_elsewhere()
def test_products_of_shorter_datapoints(backend, name):
    p, r = problem(name)
    q = on(backend, p)
    for function in (
        kfgn.gauss_newton_product,
        kfgn.hessian_product,
        kfgn.gauss_newton_block_product,
        kfgn.hessian_block_product,
    ):
        expected = one_by_one(p, r, lambda network, x, y, *_, f=function: f(network, p.weights, x, y, p.V))
        close(backend, function(*q[:4], q.V), expected)


@few_elsewhere()
def test_jacobian_products(backend, name):
    """The derivatives at masked outputs are 0, and the vectors there have no influence."""
    p, r = problem(name)
    q = on(backend, p)
    Jv = backend.to_numpy(kfgn.jacobian_product(*q[:3], q.V))
    if p.network.shapes[-1][1:]:
        assert not np.any(Jv[~r.masks])

    def transposed(network, x, _y, n, mask):
        counted = np.asarray(p.U[n])[mask] if network.shapes[-1][1:] else np.asarray(p.U[n])
        shape = (1, *network.shapes[-1][1:], network.widths[-1])
        u = counted.reshape(shape)
        v = kfgn.jacobian_product(network, p.weights, x, p.V)
        of_datapoint = Jv[n][mask] if network.shapes[-1][1:] else Jv[n]
        np.testing.assert_allclose(of_datapoint.reshape(shape), v, rtol=0, atol=1e-12 * np.abs(v).max())
        return kfgn.transposed_jacobian_product(network, p.weights, x, u)

    expected = one_by_one(p, r, transposed)
    divisor = float(r.net.divisor)  # the Jacobian is that of the outputs, without the divisor
    close(backend, kfgn.transposed_jacobian_product(*q[:3], q.U), [divisor * array for array in expected])


@few_elsewhere()
def test_quadratic_model(backend, name):
    p, _ = problem(name)
    q = on(backend, p)
    check_quadratic_model(backend, p, q, 1e-12)
    blocks = kfgn.gauss_newton_blocks(*p[:4])
    close(backend, kfgn.gauss_newton_block_product(*q[:4], q.V), times(blocks, p.V), 1e-12)


@pytest.mark.parametrize("sharing", ["expand", "reduce"])
@few_elsewhere(["tokens", "strided"], [])
def test_random_projections_on_all_columns(backend, name, sharing):
    """With the unit vectors times the root of their number, random projections are the exact factors."""
    p, _ = problem(name)
    N, _, *positions, K = kfgn.projection_shape(p.network, 3, 1)
    T = int(np.prod(positions))
    columns = np.sqrt(T * K) * np.eye(T * K).reshape(T * K, *positions, K)
    q = on(backend, p._replace(projections=np.broadcast_to(columns, (N, *columns.shape)).copy()))
    exact = kfgn.kflr(*q[:4], sharing=sharing)
    came = kfgn.rp(*q[:4], q.projections, sharing=sharing)
    close(backend, came.G, [backend.to_numpy(G) for G in exact.G])
