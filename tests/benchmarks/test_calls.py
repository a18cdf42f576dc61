"""The timed calls: autograd's gradient is that of kfgn, launches are counted, and rejected steps raise an error."""

from types import SimpleNamespace

import numpy as np
import pytest

import kfgn
from benchmarks import positions
from benchmarks.batch import batch, batch_of, network_of
from benchmarks.calls import library_of
from benchmarks.growth import slope
from benchmarks.libraries import usable
from benchmarks.sizes import Sizes
from benchmarks.work import BY_NAME, steps_of

CATEGORICAL = Sizes((6, 7, 5, 4), 9, "categorical")


NETWORKS = {
    "dense": network_of(CATEGORICAL),
    "images": positions.images(8, (2, 3)),
    "tokens": positions.tokens((4, 8, 3), 5),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_autograd_gives_the_gradient_of_kfgn(name):
    """The gradient of kfgn, as weights of a module, is that of the parameters of the module."""
    pytest.importorskip("torch")
    from benchmarks import autograd

    b = batch_of(library_of("torch", "float64"), NETWORKS[name], 9)
    expected = autograd.module(b._replace(weights=kfgn.gradient(b.network, b.weights, b.X, b.Y)))
    for x, parameter in zip(autograd.gradient(b)(), expected.parameters(), strict=True):
        np.testing.assert_allclose(x, parameter.detach(), rtol=1e-9, atol=1e-12)


def test_the_work_is_the_same_in_every_library():
    results = []
    for name in ("numpy", "torch"):
        pytest.importorskip(name)
        library = library_of(name, "float64")
        curvature = BY_NAME["KFRA"].prepare(batch(library, CATEGORICAL))()
        results.append([library.backend.to_numpy(x) for x in (curvature.loss, *curvature.gradient, *curvature.G)])
    for x, y in zip(*results, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("work", BY_NAME.values(), ids=BY_NAME)
def test_each_piece_of_work_runs_and_has_a_floor(work):
    assert work.prepare(batch(library_of("numpy", "float32"), CATEGORICAL))() is not None
    assert all(term.operations > 0 for term in work.terms(CATEGORICAL))


def test_operators_of_pytorch_are_counted():
    torch = pytest.importorskip("torch")
    from benchmarks.launches import launches

    library, x = library_of("torch", "float32"), torch.ones(3, 3)
    assert launches(lambda: (x @ x).tanh(), library) == 2
    assert launches(lambda: None, library_of("numpy", "float32")) is None


def test_rejected_steps_are_no_benchmark():
    b = batch(library_of("numpy", "float32"), CATEGORICAL)
    state = SimpleNamespace(counts=SimpleNamespace(accepted=1))
    optimiser = SimpleNamespace(init=lambda weights: state, step=lambda state, X, Y: (state, None))
    assert steps_of(optimiser, b, steps=1)()[0] is state
    with pytest.raises(RuntimeError, match="steps: expected 2 accepted steps, got 1"):
        steps_of(optimiser, b, steps=2)()


def test_the_slope_of_a_power_is_its_exponent():
    assert slope([1, 2, 4], [3.0, 3 * 2**1.5, 3 * 4**1.5]) == pytest.approx(1.5)


def test_unusable_libraries_are_left_out():
    assert [library.name for library in usable(("numpy", "cupy"), "float32")][:1] == ["numpy"]
    with pytest.raises(ValueError, match="backend: expected one of"):
        usable(("no-such-library",), "float32")
