"""The timed calls: autograd's gradient is that of kfgn, launches are counted, and rejected steps raise an error."""

from types import SimpleNamespace

import numpy as np
import pytest

import kfgn
from benchmarks.batch import batch
from benchmarks.calls import library_of
from benchmarks.growth import slope
from benchmarks.libraries import usable
from benchmarks.sizes import Sizes
from benchmarks.work import BY_NAME, steps_of

CATEGORICAL = Sizes((6, 7, 5, 4), 9, "categorical")


def test_autograd_gives_the_gradient_of_kfgn():
    pytest.importorskip("torch")
    from benchmarks import autograd

    b = batch(library_of("torch", "float64"), CATEGORICAL)
    found = autograd.gradient(b)()
    for l, expected in enumerate(kfgn.gradient(b.network, b.weights, b.X, b.Y)):
        np.testing.assert_allclose(found[2 * l], expected[:, :-1], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found[2 * l + 1], expected[:, -1], rtol=1e-9, atol=1e-12)


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
