"""All quantities of masked batches, compared with the reference without the masked positions, on all libraries."""

import functools

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

import kfgn
from kfgn._linearisation.counted import counted_positions

from ..positions.problems import close, in_order
from ..positions.test_reference import check_factors, factors, scale_shift_factor
from .problems import few_elsewhere, on, problem, without

every_sharing = pytest.mark.parametrize("sharing", ["expand", "reduce"])


@functools.cache
def result(function, name, targets="Y"):
    """The result of a function of the reference."""
    _, r = problem(name)
    return function(r.net, r.X, getattr(r, targets))


@few_elsewhere()
def test_loss_and_gradient(backend, name):
    p, r = problem(name)
    q = on(backend, p)
    close(backend, [kfgn.loss(*q[:4])], [result(shared.loss, name)])
    close(backend, kfgn.gradient(*q[:4]), in_order(r.net, result(shared.gradient, name)))


@few_elsewhere()
def test_exact_blocks(backend, name):
    p, r = problem(name)
    q = on(backend, p)
    close(backend, kfgn.gauss_newton_blocks(*q[:4]), in_order(r.net, result(shared.gauss_newton_blocks, name)))
    close(backend, kfgn.hessian_blocks(*q[:4]), in_order(r.net, result(shared.hessian_blocks, name)))


@every_sharing
@few_elsewhere()
def test_kflr_and_kfac(backend, name, sharing):
    p, r = problem(name)
    q = on(backend, p)
    for came, expected in (
        (kfgn.kflr(*q[:4], sharing=sharing), result(shared.pairs, name)),
        (kfgn.kfac(*q[:4], q.labels, sharing=sharing), result(shared.sampled_pairs, name, "labels")),
    ):
        check_factors(backend, came, factors(r.net, expected, sharing))
        close(backend, [came.loss], [result(shared.loss, name)])
        close(backend, came.gradient, in_order(r.net, result(shared.gradient, name)))


@few_elsewhere()
def test_kfra(backend, name):
    p, r = problem(name)
    close(backend, kfgn.kfra(*on(backend, p)[:4]).G, kfra_factors(r, result(shared.kfra_over_taps, name)))


def kfra_factors(r, G):
    """The second factors of all blocks, from the matrices at the outputs of all layers."""
    found = []
    for l, layer in sorted(r.net.weighted.items()):
        if isinstance(layer, shared.ScaleShift):
            found.append(scale_shift_factor(layer, [shared.forward(r.net, x)[l - 1] for x in r.X], G[l]))
        else:
            ends = np.split(np.arange(len(G[l])), layer.groups)
            found += [G[l][np.ix_(part, part)] for part in ends]
    return found


@few_elsewhere()
def test_preactivation_matrices(backend, name):
    """The matrices of a datapoint are those of the shorter datapoint, with zeros at masked positions."""
    p, r = problem(name)
    q = on(backend, p)
    masks = counted_positions(p.network, p.X).masks[1:]
    for function, expected in (
        (kfgn.preactivation_gauss_newton, shared.sample_preactivation_gauss_newton),
        (kfgn.preactivation_hessians, shared.sample_preactivation_hessians),
    ):
        found = function(*q[:4])
        for n, (x, y) in enumerate(zip(r.X, r.Y, strict=True)):
            of_datapoint = in_order(r.net, expected(r.net, x, y))
            for l, M, truth in zip(p.network.weighted, found, of_datapoint, strict=True):
                M = backend.to_numpy(M)[n]
                every = np.ones(p.network.positions[l + 1], bool)
                counted = every if masks[l] is None else masks[l].counted[n].reshape(-1)
                entries = np.repeat(counted, p.network.widths[l + 1])
                np.testing.assert_allclose(M[np.ix_(entries, entries)], truth, rtol=0, atol=1e-12 * np.abs(truth).max())
                assert not np.any(M[~entries])
                assert not np.any(M[:, ~entries])


@few_elsewhere()
def test_sampled_labels(backend, name):
    """Labels at masked positions are 0."""
    p, r = problem(name)
    q = on(backend, p)
    came = backend.to_numpy(kfgn.sample_labels(*q[:3], q.draws))
    came = came.reshape(p.of_reference.labels.shape)
    expected = shared.draw_labels(r.net, r.X, [np.asarray(one) for one in r.draws])
    for found, truth, mask in zip(came, expected, r.masks, strict=True):
        for labels, of_sample in zip(found, truth, strict=True):
            close(backend, [backend.asarray(np.asarray(without(labels, mask, 0), dtype="float64"))], [of_sample])
            assert not np.any(labels[~mask])
