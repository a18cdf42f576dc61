"""KFAC (59) and its labels: by hand, where its mean over labels is KFLR, and compared with the reference.

Also: `test_equation_59` in tests/reference/equations/ and tests/reference/test_kfac.py for the reference, and the
rows `kfac`, `kfac_blocks` and `labels` of the conformance kit for every library.
"""

import itertools

import kfgn_reference as ref
import numpy as np
import pytest

import kfgn
from kfgn._linearisation import linearisation

from .by_hand import DEEP, OBJECTIVES, OUTPUTS, Y, arrays, assert_layers, batch, in_order, reference, without_jax


@without_jax
def test_labels_of_unit_variance_by_hand(backend):
    # the labels h - 1 and h + 1 of each datapoint have the variance of the model, so that the mean is KFLR
    (labels,) = arrays(backend, [[np.array(h) - 1, np.array(h) + 1] for h in OUTPUTS])
    assert_layers(backend, kfgn.kfac(*batch(backend), labels).G, ([[2]], [[4, 3], [3, 4.5]], [[1]]))


@without_jax
def test_labels_of_the_data_give_the_empirical_fisher_by_hand(backend):
    # dE/dh is 1 and 2 at the outputs, (2, 3) and (4, 0) below them, and 0 and 4 at the first layer
    (labels,) = arrays(backend, [[y] for y in Y])
    assert_layers(backend, kfgn.kfac(*batch(backend), labels).G, ([[8]], [[10, 3], [3, 4.5]], [[2.5]]))


@pytest.mark.parametrize("objective", OBJECTIVES[:4])
@without_jax
def test_reference(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP)
    network, X, _ = reference(backend, p)
    expected = in_order(ref.kfac(network, X, backend.to_numpy(p.labels)))
    assert_layers(backend, kfgn.kfac(*p[:4], p.labels).G, expected, 1e-13)


LABELS = {
    "bernoulli": ([0.0, 0.0, 0.0], list(itertools.product((0.0, 1.0), repeat=3))),
    "categorical": (np.log([1.0, 2.0, 3.0]), [0, 1, 1, 2, 2, 2]),
}
"""Outputs, and labels as often as they are probable at these outputs."""


@pytest.mark.parametrize("objective", LABELS)
@without_jax
def test_labels_as_often_as_they_are_probable_give_kflr(backend, problem, objective):
    outputs, labels = LABELS[objective]
    p = problem(backend, objective, widths=DEEP, N=1)
    W_1, W_2, W_3 = map(backend.to_numpy, p.weights)
    a = np.tanh(W_1 @ np.append(backend.to_numpy(p.X)[0], 1))
    a = np.log1p(np.exp(W_2 @ np.append(a, 1)))
    W_3 = np.column_stack([W_3[:, :-1], outputs - W_3[:, :-1] @ a])  # the bias with which h_3 is `outputs`
    p = p._replace(weights=(*p.weights[:2], backend.asarray(W_3)))
    kfac = kfgn.kfac(*p[:4], backend.asarray(np.array([labels])))
    assert_layers(backend, kfac.G, map(backend.to_numpy, kfgn.kflr(*p[:4]).G), 1e-13)


@pytest.mark.parametrize("objective", OBJECTIVES[:4])
@without_jax
def test_labels_are_those_of_the_reference(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP)
    network, X, _ = reference(backend, p)
    labels = kfgn.sample_labels(p.network, p.weights, p.X, p.draws)
    expected = np.array(ref.draw_labels(network, X, backend.to_numpy(p.draws)))
    np.testing.assert_allclose(backend.to_numpy(labels), expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("sharing", ["expand", "reduce"])
@pytest.mark.parametrize("objective", OBJECTIVES[:4])
def test_draws_give_the_factors_at_their_labels(backend, problem, objective, sharing):
    p = problem(backend, objective, widths=DEEP)
    labels = kfgn.sample_labels(p.network, p.weights, p.X, p.draws)
    at_labels = kfgn.kfac(*p[:4], labels, sharing=sharing)
    from_draws = kfgn.kfac(*p[:4], draws=p.draws, sharing=sharing)
    assert_layers(backend, from_draws.G, map(backend.to_numpy, at_labels.G), 1e-13)
    assert_layers(backend, from_draws.gradient, map(backend.to_numpy, at_labels.gradient), 1e-13)


def test_draws_take_one_forward_pass(backend, problem, monkeypatch):
    p, passes, forward = problem(backend, "categorical", widths=DEEP), [], linearisation.forward
    monkeypatch.setattr(linearisation, "forward", lambda *arguments: passes.append(1) or forward(*arguments))
    kfgn.kfac(*p[:4], draws=p.draws)
    assert len(passes) == 1


def test_labels_or_draws(backend, problem):
    p = problem(backend, "categorical", widths=DEEP)
    with pytest.raises(TypeError, match=r"^labels: expected either labels or draws, got neither$"):
        kfgn.kfac(*p[:4])
    with pytest.raises(TypeError, match=r"^labels: expected either labels or draws, got both$"):
        kfgn.kfac(*p[:4], p.labels, draws=p.draws)
    with pytest.raises(ValueError, match=r"^draws: expected shape"):
        kfgn.kfac(*p[:4], draws=p.draws[:-1, ...])
