"""Properties of masked batches: no influence of masked positions, masks of all positions, any order of datapoints."""

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

import kfgn

from ..positions.problems import close, problem as unmasked
from ..positions.test_libraries import leaves, results, spectral
from .optimisers import OPTIMISERS, step
from .problems import ALL, SOME, few_elsewhere, on, problem


def everything(p, optimisers=("kfac", "adam")):
    """The results of all functions, and of a step of some optimisers, as a flat list."""
    return results(p) + results(p, "expand") + spectral(p) + leaves([step(p, name) for name in optimisers])


@few_elsewhere(ALL, ["tokens"])
def test_values_at_masked_positions_have_no_influence(backend, name):
    """Inputs, targets, labels and random numbers at masked positions change no bit of any result."""
    optimisers = OPTIMISERS if backend.library == "numpy" else ("kfac", "adam")
    found = [everything(on(backend, problem(name, noise)[0]), optimisers) for noise in (0, 1)]
    assert not np.array_equal(problem(name, 0)[0].X.values, problem(name, 1)[0].X.values)
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(backend.to_numpy(a), backend.to_numpy(b))


@few_elsewhere(["dense", "grouped"], [])
def test_values_that_are_not_finite_have_no_influence(backend, name):
    p = problem(name)[0]
    values = np.where(p.X.mask[:, None, :], p.X.values, np.nan)
    found = [everything(on(backend, q)) for q in (p, p._replace(X=p.X._replace(values=values)))]
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(backend.to_numpy(a), backend.to_numpy(b))


@few_elsewhere(SOME, ["tokens"])
def test_a_mask_of_all_positions(backend, name):
    p = unmasked(ALL[name][0])
    mask = np.ones_like(ALL[name][1])
    masked = on(backend, p._replace(X=kfgn.Padded(p.X, mask)))
    close(backend, results(masked), [backend.to_numpy(a) for a in results(p.on(backend))], 1e-12)


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_the_order_of_the_datapoints(backend, name):
    """No result that is a mean over the datapoints depends on their order."""
    p, order = problem(name)[0], [2, 0, 1]
    changed = {field: getattr(p, field)[order] for field in ("Y", "labels", "draws", "projections", "U")}
    q = p._replace(X=kfgn.Padded(*(array[order] for array in p.X)), **changed)
    for function in (kfgn.kflr, kfgn.kfra, kfgn.tkfac, kfgn.gauss_newton_blocks, kfgn.hessian_blocks):
        close(backend, leaves(function(*q[:4])), leaves(function(*p[:4])), 1e-12)


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_more_padding(backend, name):
    """Further masked positions after the last one change nothing but the shapes of arguments."""
    p = problem(name)[0]
    inputs = (p.network.inputs[0], *(T + 2 for T in p.network.inputs[1:]))
    network = kfgn.Network(inputs, p.network.layers, p.network.objective, p.network.psd, p.network.divisor)
    ends = [(0, 0), *((0, 2) for _ in inputs[1:])]
    values = np.pad(p.X.values, ends if p.network.has_tokens else [(0, 0), *ends])
    Y = p.Y
    if p.network.shapes[-1][1:] and p.network.shapes[-1] != network.shapes[-1]:
        grown = (b - a for a, b in zip(p.network.shapes[-1][1:], network.shapes[-1][1:], strict=True))
        widths = [(0, 0), *((0, more) for more in grown)]
        Y = np.pad(Y, widths + [(0, 0)] * (Y.ndim - len(widths)))
    q = p._replace(network=network, X=kfgn.Padded(values, np.pad(p.X.mask, ends)), Y=Y)
    for function in (kfgn.kflr, kfgn.kfra, kfgn.tkfac, kfgn.gauss_newton_blocks, kfgn.hessian_blocks):
        close(backend, leaves(function(*q[:4])), leaves(function(*p[:4])), 1e-12)


@pytest.mark.parametrize("kind", ["mean", "sum"])
@pytest.mark.parametrize("shape", [(3, 5), (3, 2, 4)])
@pytest.mark.parametrize("backend", ["numpy", "torch"], indirect=True)
def test_a_window_over_all_positions(backend, kind, shape):
    """Without a mask, the width None is that of the input."""
    width = shape[1] if len(shape) == 2 else shape[1:]
    found = []
    for w in (None, width):
        layers = kfgn.Dense(4, "tanh"), kfgn.Pooling(w, 1, kind), kfgn.Dense(2)
        p = unmasked(kfgn.Network(shape, layers, "categorical")).on(backend)
        found.append([backend.to_numpy(a) for a in results(p)])
    close(backend, [backend.asarray(a) for a in found[0]], found[1])


def test_the_mean_over_positions_without_a_mask():
    """The divisor "positions" is T without a mask."""
    layers = kfgn.Dense(4, "tanh"), kfgn.Dense(3)
    by_name, by_number = (
        unmasked(kfgn.Network((2, 5), layers, "categorical", divisor=divisor)) for divisor in ("positions", 5)
    )
    for a, b in zip(results(by_name), results(by_number), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_reference_is_that_of_the_counted_positions():
    """`counted` removes the positions that the test problems remove, and noise at masked positions is noise."""
    p, r = problem("dense")
    X, Y = shared.counted(*(np.asarray(x) for x in (p.X.values, p.Y)), p.X.mask)
    for a, b in zip(X + Y, r.X + r.Y, strict=True):
        np.testing.assert_array_equal(a, b)
