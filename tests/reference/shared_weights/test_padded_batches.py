"""Batches with padding: a language model and a classifier, with masks here and with padded batches of other systems."""

from fractions import Fraction

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

from .masked_problems import ENDS, ONE
from .problems import Numbers, problem

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script. is deprecated:DeprecationWarning")


def language_model():
    """Tokens with padding at the end: a normalisation, a causal and a centred convolution, and a loss per token."""
    n = Numbers(100)
    layers = (
        *(shared.Embedding(n(4, 7)), shared.Normalisation(0.25), shared.ScaleShift(n(4, 2))),
        *(n.convolution(3, 4, width=3, padding=(1, 1)), shared.Elementwise("tanh")),
        *(n.convolution(2, 3, width=2, padding=(1, 0)), n.dense(5, 2)),
    )
    M = np.count_nonzero(ENDS)
    return problem(n, layers, "categorical", (5,), divisor=Fraction(M, 3))


def classifier():
    """Sequences with padding at the end: a convolution, the mean over counted positions, and a dense layer."""
    n = Numbers(101)
    layers = (
        *(n.convolution(3, 2, width=3, padding=(1, 1)), shared.Elementwise("softplus")),
        *(shared.Pooling(None, 1, "mean"), n.dense(4, 3)),
    )
    return problem(n, layers, "categorical", (2, 5))


def masked_outputs(networks, library, net, theta, X):
    """The outputs (N, T, D) of the padded batch, whose convolutions and means multiply their input by the mask."""
    parts, start = {}, 0
    for l, layer in net.weighted.items():
        parts[l] = theta[start : start + layer.weight.size].reshape(layer.weight.shape[::-1]).T
        start += layer.weight.size

    def of_datapoint(x, m):
        a = x
        for l, layer in enumerate(net.layers, 1):
            if isinstance(layer, shared.Convolution | shared.Pooling):
                a = library.where(m, a, library.zeros_like(a))
            if isinstance(layer, shared.Pooling):
                a = a.sum(axis=1).reshape(-1, 1) / m.sum()
            else:
                a = networks.applied(layer, parts.get(l), a)
        return a.T

    mask = library.asarray(ENDS)
    return library.stack([of_datapoint(x, m) for x, m in zip(library.asarray(X), mask, strict=True)])


def by_torch(net, theta, X, Y):
    """E, its gradient, its Hessian and J^T H_L J of a padded batch, with the mean of `ignore_index`."""
    torch = pytest.importorskip("torch")
    from . import networks_of_torch as networks

    labels = torch.tensor(Y).flatten()

    def output(theta):
        return masked_outputs(networks, torch, net, theta, X).reshape(len(labels), -1)

    def loss(h):
        return torch.nn.functional.cross_entropy(h, labels, ignore_index=IGNORED)

    def error(theta):
        return loss(output(theta))

    theta = torch.tensor(theta)
    h = output(theta)
    J = torch.func.jacrev(output)(theta).reshape(h.numel(), -1)
    H_L = torch.func.hessian(loss)(h).reshape(h.numel(), -1)
    results = error(theta), torch.func.grad(error)(theta), torch.func.hessian(error)(theta), J.T @ H_L @ J
    return [result.numpy() for result in results]


def by_jax(net, theta, X, Y):
    """The same by JAX, with the sum over counted labels divided by their number."""
    jax = pytest.importorskip("jax")
    from . import networks_of_jax as networks

    labels = Y.flatten()

    def output(theta):
        return masked_outputs(networks, jax.numpy, net, theta, X).reshape(len(labels), -1)

    def loss(h):
        return networks.LOSSES["categorical"](h[labels != IGNORED], labels[labels != IGNORED]) / sum(labels != IGNORED)

    def error(theta):
        return loss(output(theta))

    def expanded(step, theta):
        return loss(sum(jax.jvp(output, (theta,), (step,))))

    def everything(theta):
        return error(theta), jax.grad(error)(theta), jax.hessian(error)(theta), jax.hessian(expanded)(0 * theta, theta)

    with jax.enable_x64(True):
        return list(map(np.asarray, jax.jit(everything)(theta)))


IGNORED = -100


@pytest.mark.parametrize(
    ("make", "autodiff"),
    [
        (language_model, by_torch),
        pytest.param(language_model, by_jax, marks=pytest.mark.thorough),
        (classifier, by_torch),
        (classifier, by_jax),
    ],
)
def test_padded_batches(make, autodiff, vector, blocks, relative_error):
    """Loss, gradient and both blocks, with the mean over all counted labels."""
    net, X, Y = make()
    of_tokens = make is language_model
    padded = np.where(ENDS if of_tokens else ENDS[:, None], X, 6 if of_tokens else 1e6)
    labels = np.where(ENDS, Y, IGNORED) if of_tokens else Y
    loss, gradient, hessian, gauss_newton = autodiff(net, vector(net), padded, labels)
    batch = net, *shared.counted(X, Y, ENDS, None if of_tokens else ONE)
    assert relative_error(shared.loss(*batch), loss) < 1e-12
    assert relative_error(vector_of(shared.gradient(*batch)), gradient) < 1e-12
    assert relative_error(shared.hessian_blocks(*batch), blocks(net, hessian)) < 1e-12
    assert relative_error(shared.gauss_newton_blocks(*batch), blocks(net, gauss_newton)) < 1e-12


def vector_of(gradient):
    return np.concatenate([g.ravel(order="F") for g in gradient.values()])


def test_closed_forms_of_an_embedding_with_masks():
    """Counts of counted tokens over M give the Q of expand."""
    net, X, Y = language_model()
    batch = net, *shared.counted(X, Y, ENDS)
    q, G = shared.expand_tokens(shared.token_pairs(*batch), V=7)
    expand = shared.expand(shared.pairs(*batch)[1, 1])
    counts = [np.count_nonzero(v == X[ENDS]) for v in range(7)]
    assert np.allclose(q, np.array(counts) / 12, rtol=1e-15, atol=0)
    assert np.allclose(np.diag(q), expand.Q, rtol=1e-15, atol=0)
    assert np.array_equal(G, expand.G)
