"""The programs that train: a bare loop, small batches, and the refinement of the inverses of the step before."""

import numpy as np
import pytest

import kfgn
from benchmarks.calls import library_of
from benchmarks.newton_schulz import inverse_by_cholesky, refined, refinements, residual
from benchmarks.small_batches import main as small_batches
from benchmarks.training import main, training
from kfgn.lab import Task


def small_task():
    X = np.random.default_rng(0).random((60, 6)).astype("float32")
    return Task("random", kfgn.Network.dense((6, 4, 6), ("tanh",), "squared_error"), X, X, batch=30)


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_a_bare_loop_lowers_the_loss(name):
    pytest.importorskip(name)
    first, *_, last, milliseconds = training(small_task(), library_of(name, "float32"), 30)
    assert first.startswith("update 1: loss ")
    assert float(last.split()[-1]) < float(first.split()[-1])
    assert milliseconds.endswith(f"ms per update after update 20, on {name}")


def test_the_command_trains_on_digits(capsys):
    main(["--task", "digits", "--backend", "numpy", "--updates", "3"])
    assert capsys.readouterr().out.count("update ") == 3


def test_small_batches_explode_with_the_defaults(capsys):
    small_batches(["--settings", "defaults", "tau constant at 1", "--batches", "4", "--steps", "60"])
    spirals = [float(line.split()[-2]) for line in capsys.readouterr().out.splitlines()[2:4]]
    assert spirals[0] > 10
    assert spirals[1] < 1


def test_refinements_reach_the_residual_of_cholesky():
    """A residual is squared by each refinement, so a start of 0.1 needs a few. A start above 1 never gets there."""
    rng = np.random.default_rng(0)
    A = rng.standard_normal((20, 60)).astype("float32")
    A = A @ A.T / 60
    exact = inverse_by_cholesky(A)
    found, X = refined(A, np.float32(1.1) * exact)
    assert found.start == pytest.approx(0.1, rel=1e-3)
    assert (found.coarse, found.fine) in {(1, 3), (2, 3)}  # 1e-2, 1e-4, 1e-8
    assert residual(A, X) <= 2 * found.cholesky
    never, X = refined(A, 3 * exact)
    assert never.fine is None
    assert np.array_equal(X, exact)


def test_every_inverse_of_a_run_is_counted():
    found = refinements(small_task(), steps=4, seed=0)
    assert sorted(found) == [2, 3, 4]
    assert all(len(counts) == 4 for counts in found.values())
