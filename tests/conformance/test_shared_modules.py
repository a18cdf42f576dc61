"""Problems with shared weights in PyTorch: the same outputs, the same gradients, and blocks in the order of the kit."""

import numpy as np
import pytest
import torch
from kfgn_conformance.adapters import UnsupportedError
from kfgn_conformance.adapters.loss_ratios import loss_ratio
from kfgn_conformance.adapters.peers.modules import LOSS_RATIOS, LOSSES, rows_with_biases
from kfgn_conformance.adapters.peers.shared_modules import LOSS_SUMS, converted, in_order_of_kit, sampled_targets
from kfgn_conformance.problems.shared_weights.fixed import shared_problems
from kfgn_conformance.problems.shared_weights.network import network_of, outputs
from kfgn_reference.shared_weights import gradient, sampled_pairs

GROUPED = [p for p in shared_problems() if any(layer.groups > 1 for layer in p.weighted)]
IMAGES = [p for p in shared_problems() if len(p.shapes[0]) == 3]
NORMALISED = [p for p in shared_problems() if "normalised" in p.id or "embedding" in p.id]
SUPPORTED = [p for p in shared_problems() if p.objective in LOSSES and p not in (*GROUPED, *IMAGES, *NORMALISED)]
by_id = pytest.mark.parametrize("problem", SUPPORTED, ids=lambda problem: problem.id)


def in_columns_of_kit(net, arrays):
    """Arrays shaped like the parameters of the layers of a converted problem as matrices with the bias last."""
    rest = iter(arrays)
    for layer, columns in zip(net.layers, net.columns, strict=True):
        weights = next(rest).reshape(len(layer.weight), -1)[:, np.argsort(columns)]
        yield weights if layer.bias is None else np.column_stack([weights, next(rest)])


def test_images_are_refused():
    with pytest.raises(UnsupportedError, match="no images in this adapter"):
        converted(IMAGES[0], "float64", objectives=LOSSES)


def test_normalisations_are_refused():
    with pytest.raises(UnsupportedError, match="no Normalisation layers in this adapter"):
        converted(NORMALISED[0], "float64", objectives=LOSSES)


@by_id
def test_outputs(problem):
    net = converted(problem, "float64", objectives=LOSSES)
    h = net.model(net.X).detach().numpy()
    if problem.objective == "categorical" and h.ndim == 3:
        h = h.transpose(0, 2, 1)
    expected = np.stack([outputs(problem, x) for x in problem.X])
    assert np.allclose(h.reshape(expected.shape), expected, rtol=0, atol=1e-12)


@by_id
def test_gradient(problem):
    net = converted(problem, "float64", objectives=LOSSES)
    gradients = torch.autograd.grad(net.loss(net.model(net.X), net.Y), [*net.model.parameters()])
    ratio = float(loss_ratio(LOSS_RATIOS.get(problem.objective, "1"), problem.widths[-1])) / net.scale
    reference = network_of(problem)
    expected = gradient(reference, problem.X, problem.Y)
    found = in_columns_of_kit(net, [g.numpy() for g in gradients])
    for l, G in zip(reference.weighted, found, strict=True):
        assert np.allclose(G, expected[l] * ratio, rtol=0, atol=1e-12 * np.abs(expected[l]).max())


@by_id
def test_blocks_are_in_the_order_of_the_kit(problem):
    """The reordered outer product of a gradient is the outer product of the reordered gradient."""
    net = converted(problem, "float64", objectives=LOSSES)
    gradients = [g.numpy() for g in torch.autograd.grad(net.model(net.X).sum(), [*net.model.parameters()])]
    kept = iter(gradients)
    for layer, columns, G in zip(net.layers, net.columns, in_columns_of_kit(net, gradients), strict=True):
        parts = [next(kept).ravel()] if layer.bias is None else [next(kept).ravel(), next(kept)]
        g = np.concatenate(parts)
        block = np.outer(g, g)
        block = block if layer.bias is None else rows_with_biases(block, len(layer.bias))
        assert np.array_equal(in_order_of_kit(block, columns, len(layer.weight)), np.outer(G.ravel(), G.ravel()))


@by_id
def test_sums_of_losses_at_samples(problem):
    """The gradients of the sums are the sums over datapoints of the gradients at each sample of the labels."""
    net = converted(problem, "float64", objectives=LOSSES)
    S = problem.labels.shape[1]
    batches = sampled_pairs(network_of(problem), problem.X, problem.labels)
    for s, y in enumerate(sampled_targets(problem, "float64")):
        loss = LOSS_SUMS[problem.objective](net.model(net.X), y)
        found = in_columns_of_kit(net, [g.numpy() for g in torch.autograd.grad(loss, [*net.model.parameters()])])
        for G, batch in zip(found, batches.values(), strict=True):
            roots = [np.einsum("ti,to->oi", pairs.a, pairs.C[:, :, s]) for pairs in batch]
            expected = sum(roots) * np.sqrt(S * problem.divisor)
            assert np.allclose(G, expected, rtol=0, atol=1e-11 * max(1, np.abs(expected).max()))


def test_what_is_not_supported():
    with pytest.raises(UnsupportedError, match="group"):
        converted(GROUPED[0], "float64", objectives=LOSSES)
    with pytest.raises(UnsupportedError, match="objective"):
        converted(SUPPORTED[0], "float64", objectives=())
    with pytest.raises(UnsupportedError, match="positions"):
        converted(next(p for p in SUPPORTED if p.shapes[-1][1] > 1), "float64", objectives=LOSSES, positions=False)
    with pytest.raises(UnsupportedError, match="Linear"):
        converted(SUPPORTED[0], "float64", objectives=LOSSES, kinds=frozenset({torch.nn.Conv2d}))
