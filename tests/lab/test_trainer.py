"""`kfgn.lab.trainer`: the recorded losses, the end of a run, and rejected steps."""

import math
import signal

import numpy as np
import pytest

import kfgn
from kfgn._linearisation.passes import forward
from kfgn.lab import Options, RunFailedError, Task, read_run, resume, train
from kfgn.lab.errors import InterruptedRunError
from kfgn.lab.splitting import split
from kfgn.lab.tasks import open_task
from kfgn.lab.watch import Watch


def test_the_losses_of_the_metrics_are_those_of_the_weights(tmp_path):
    run = train(Options("digits", updates=9, dtype="float64"), tmp_path / "run")
    for name, (X, Y) in split(open_task("digits"), Options(**run.options))._asdict().items():
        X = X.astype(np.float64)
        for averaged in (False, True):
            W = run.weights(averaged=averaged)
            assert math.isclose(
                float(kfgn.loss(run.network(), W, X, Y)), run.final(name, averaged=averaged), rel_tol=1e-12
            )
            *_, outputs = forward(np, run.network(), W, X).preactivations
            assert math.isclose((outputs.argmax(axis=1) == Y).mean(), run.accuracy(name, averaged=averaged))


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A run on NumPy."""
    return train(Options("digits", "kfac", updates=12, dtype="float64"), tmp_path_factory.mktemp("host"))


@pytest.mark.parametrize("backend", ["torch", "jax", "strict"])
def test_backends_train_alike(backend, host, tmp_path):
    other = train(Options(**host.options | {"backend": backend}), tmp_path)
    for W, V in zip(host.weights(), other.weights(), strict=True):
        np.testing.assert_allclose(V, W, rtol=1e-6, atol=1e-8)


def test_a_budget_of_seconds_ends_a_run(tmp_path):
    run = train(Options("digits", "adam", seconds=0.2, learning_rate=0.01), tmp_path / "run")
    assert run.updates > 5
    assert run.metrics[-11]["seconds"] < 0.2 <= run.seconds
    assert "train_loss" in run.metrics[-1]


def test_consecutive_rejected_steps_end_a_run(tmp_path):
    options = Options("digits", "sgd", updates=50, learning_rate=1e30, max_rejected=7, checkpoint_every=4)
    with pytest.raises(RunFailedError, match=r"the last 7 steps up to update 7 .*checkpoint-000000004.safetensors"):
        train(options, tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert run.rejected >= 7
    np.testing.assert_array_equal(run.weights()[0][:, -1], 0)  # the weights have not moved


def test_fewer_rejected_steps_than_the_limit_are_counted(tmp_path):
    options = Options("digits", "sgd", updates=6, learning_rate=1e30, max_rejected=7)
    with pytest.warns(UserWarning, match=r"^all 6 steps .* not finite; scale .* or try a lower learning rate$"):
        run = train(options, tmp_path / "run")
    assert (run.updates, run.rejected) == (6, 6)


def test_inputs_that_overflow_are_a_warning(tmp_path):
    X, Y = np.full((30, 2), 1e20), np.arange(30) % 2
    task = Task("own", kfgn.Network.dense((2, 3, 2), ("relu",), "categorical"), X, Y)
    with pytest.warns(UserWarning, match=r"^all 6 steps .*; scale the columns of X, .* or try a larger tau$"):
        assert train(Options("own", updates=6), tmp_path / "run", task=task).rejected == 6


class StopsAtTheEnd(Watch):
    """A watch that requests a stop after the last of five updates."""

    def on_updates(self, records):
        if records[-1]["update"] == 5:
            signal.raise_signal(signal.SIGINT)


def test_a_stop_after_the_last_step_interrupts_the_run(tmp_path):
    """Otherwise a comparison could not be stopped at the end of a run."""
    with pytest.raises(InterruptedRunError, match="stopped after update 5, with a checkpoint"):
        train(Options("digits", updates=5), tmp_path, watch=StopsAtTheEnd())
    assert resume(tmp_path).updates == 5
    assert (tmp_path / "loss.png").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunFailedError, match="file/run could not be written: Not a directory"):
        train(Options("digits", updates=5), tmp_path / "file" / "run")
