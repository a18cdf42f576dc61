"""The exact blocks, the gradient and the loss compared with PyTorch and JAX autodiff in float64.

Both libraries have their own convolution, padding and pooling. Only the weights and the data are shared.
"""

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

from .problems import NETWORKS

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script. is deprecated:DeprecationWarning")

NAMES = ("loss", "gradient", "hessian_blocks", "gauss_newton_blocks")


def by_torch(problem, theta):
    """E, its gradient, its Hessian and J^T H_L J in all weights, means over the batch."""
    torch = pytest.importorskip("torch")
    from . import networks_of_torch as networks

    def of_datapoint(x, y):
        def output(theta):
            return networks.output(problem.net, theta, x)

        def loss(h):
            return networks.loss(problem.net, h, y)

        def error(theta):
            return loss(output(theta))

        h = output(theta)
        J = torch.func.jacrev(output)(theta).reshape(h.numel(), -1)
        H_L = torch.func.hessian(loss)(h).reshape(h.numel(), -1)
        return error(theta), torch.func.grad(error)(theta), torch.func.hessian(error)(theta), J.T @ H_L @ J

    theta = torch.tensor(theta)
    samples = [of_datapoint(*map(torch.tensor, pair)) for pair in zip(problem.X, problem.Y, strict=True)]
    return [torch.stack(values).mean(dim=0).numpy() for values in zip(*samples, strict=True)]


def by_jax(problem, theta):
    """E, its gradient, its Hessian and J^T H_L J in all weights, means over the batch, in one compiled program."""
    jax = pytest.importorskip("jax")
    from . import networks_of_jax as networks

    def of_datapoint(theta, x, y):
        def output(theta):
            return networks.output(problem.net, theta, x)

        def loss(h):
            return networks.loss(problem.net, h, y)

        def expanded(step):
            return loss(sum(jax.jvp(output, (theta,), (step,))))

        return (
            loss(output(theta)),
            *(derivative(lambda theta: loss(output(theta)))(theta) for derivative in (jax.grad, jax.hessian)),
            jax.hessian(expanded)(0 * theta),
        )

    with jax.enable_x64(True):
        samples = jax.jit(jax.vmap(of_datapoint, in_axes=(None, 0, 0)))(theta, problem.X, problem.Y)
        return [np.asarray(values).mean(axis=0) for values in samples]


COMPILED = ("grouped", "pooled", "image", "sentence")
"""Networks for JAX, which compiles each for a second. They have every kind of layer, option, axis and objective."""

CASES = [
    pytest.param(name, library, marks=() if library is by_torch or name in COMPILED else pytest.mark.thorough)
    for name in NETWORKS
    for library in (by_torch, by_jax)
]


@pytest.mark.parametrize(("name", "autodiff"), CASES)
def test_exact_blocks(name, autodiff, vector, blocks, relative_error):
    """The loss, the gradient and both blocks of every layer agree to 1e-12 of their largest element."""
    problem = NETWORKS[name]()
    loss, gradient, hessian, gauss_newton = autodiff(problem, vector(problem.net))
    ours = {function: getattr(shared, function)(*problem) for function in NAMES}
    assert relative_error(ours["loss"], loss) < 1e-12
    assert relative_error(np.concatenate([g.ravel(order="F") for g in ours["gradient"].values()]), gradient) < 1e-12
    assert relative_error(ours["hessian_blocks"], blocks(problem.net, hessian)) < 1e-12
    assert relative_error(ours["gauss_newton_blocks"], blocks(problem.net, gauss_newton)) < 1e-12


def test_the_blocks_differ(relative_error):
    """The Hessian is not the Gauss-Newton matrix, in every layer below one that is not linear."""
    for make in NETWORKS.values():
        problem = make()
        hessian, gauss_newton = shared.hessian_blocks(*problem), shared.gauss_newton_blocks(*problem)
        highest = max(l for l, layer in enumerate(problem.net.layers, 1) if hasattr(layer, "curvatures"))
        for l in hessian:
            error = relative_error(hessian[l], gauss_newton[l])
            assert error > 1e-2 if l < highest else error < 1e-12, l
