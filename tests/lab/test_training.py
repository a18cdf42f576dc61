"""Real training on digits: every method learns, and what it writes is complete and well formed."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import kfgn
from kfgn.lab import METHODS, Options, RunFailedError, UsageError, read_run, train
from kfgn.lab.tasks import open_task

RATES = {"sgd": 0.3, "momentum": 0.05, "nesterov": 0.05, "adam": 0.01}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns(method, tmp_path):
    run = train(Options("digits", method, updates=60, learning_rate=RATES.get(method)), tmp_path / "run")
    begin = run.metrics[0]["train_loss"]
    assert begin > 2.2  # log 10
    assert run.final() < begin / 2
    assert run.final(averaged=True) < begin / 1.5
    assert (run.updates, run.rejected) == (60, 0)


@pytest.mark.parametrize("method", ["kflr", "kfra", "kfac", "rp"])
def test_the_mixture_of_odd_and_even_is_learnt(method, tmp_path):
    run = train(Options("digits-odd", method, updates=60), tmp_path / "run")
    assert run.final() < run.metrics[0]["train_loss"] / 3


def test_the_losses_of_the_metrics_are_those_of_the_weights(tmp_path):
    run = train(Options("digits", updates=9, dtype="float64"), tmp_path / "run")
    task = open_task("digits")
    X = task.X.astype(np.float64)
    for averaged in (False, True):
        loss = float(kfgn.loss(run.network(), run.weights(averaged=averaged), X, task.Y))
        assert math.isclose(loss, run.final(averaged=averaged), rel_tol=1e-12)


@pytest.mark.parametrize("backend", ["torch", "jax", "strict"])
def test_backends_train_alike(backend, tmp_path):
    host, other = (
        train(Options("digits", "kfac", name, updates=12, dtype="float64"), tmp_path / name)
        for name in ("numpy", backend)
    )
    for W, V in zip(host.weights(), other.weights(), strict=True):
        np.testing.assert_allclose(V, W, rtol=1e-6, atol=1e-8)


def test_metrics_are_a_row_for_each_update(tmp_path):
    run = train(Options("digits", updates=23, evaluate_every=10), tmp_path / "run")
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert rows == run.metrics
    assert [row["update"] for row in rows] == list(range(24))
    assert [row["update"] for row in rows if "train_loss" in row] == [0, 10, 20, 23]
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(seconds)
    assert seconds[1] > 0
    assert [row["update"] for row in rows[1:] if row["rho"] is not None] == [5, 10, 15, 20]
    for row in rows[1:]:
        assert row["ok"] is True
        assert all(math.isfinite(row[name]) for name in ("loss", "f", "step_size", "tau", "gamma"))


def test_the_configuration_is_complete(tmp_path):
    options = Options("digits", "kfac", updates=3, seed=5, samples=2, tau=0.5)
    run = train(options, tmp_path / "run")
    saved = run.configuration
    optimiser = kfgn.GaussNewton(run.network(), kfgn.KroneckerFactored("kfac", samples=2))
    assert saved["options"] == {
        **vars(options),
        "device": "cpu",
        "batch": 256,
        "average": optimiser.curvature.average,
        "inversion": optimiser.curvature.inversion,
        "refresh": optimiser.curvature.refresh,
        "gamma": optimiser.gamma.initial,
        "eta": optimiser.eta,
    }
    assert saved["optimiser"]["tau"]["initial"] == 0.5
    assert [layer["units"] for layer in saved["network"]["layers"]] == [32, 16, 10]
    assert saved["versions"]["kfgn"] == kfgn.__version__
    assert saved["versions"]["numpy"] == np.__version__
    assert {"python", "kfgn", "numpy"} <= saved["versions"].keys()
    assert saved["data"]["n"] == 1797
    assert "Alpaydin" in saved["data"]["about"]
    assert {"platform", "cores", "threads"} <= saved["machine"].keys()


def test_a_budget_of_seconds_ends_a_run(tmp_path):
    run = train(Options("digits", "adam", seconds=0.2, learning_rate=0.01), tmp_path / "run")
    assert run.updates > 5
    assert run.metrics[-11]["seconds"] < 0.2 <= run.seconds
    assert "train_loss" in run.metrics[-1]


def test_pictures_are_drawn(tmp_path):
    train(Options("digits", updates=3), tmp_path / "run")
    assert (tmp_path / "run" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "run" / "reconstructions.png").exists()


def test_rejected_steps_end_a_run_when_patience_does(tmp_path):
    options = Options("digits", "sgd", updates=50, learning_rate=1e30, patience=7, checkpoint_every=4)
    with pytest.raises(RunFailedError, match=r"the last 7 steps up to update 7 .*checkpoint-000000004.safetensors"):
        train(options, tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert run.rejected >= 7
    np.testing.assert_array_equal(run.weights()[0][:, -1], 0)  # where it began


def test_fewer_rejected_steps_than_patience_are_counted(tmp_path):
    run = train(Options("digits", "sgd", updates=6, learning_rate=1e30, patience=7), tmp_path / "run")
    assert (run.updates, run.rejected) == (6, 6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": "cifar"}, "data: expected one of digits, .*, got 'cifar'"),
        ({"method": "lbfgs"}, "method: expected one of kflr, .*, got 'lbfgs'"),
        ({"backend": "numba"}, "backend: expected one of numpy, .*, got 'numba'"),
        ({"device": "cuda"}, "device: expected cpu for numpy, got 'cuda'"),
        ({"dtype": "float16"}, "dtype: expected one of float32, float64, got 'float16'"),
        ({"updates": None}, "updates, seconds: expected one of them, got neither"),
        ({"updates": 0}, "updates: expected a positive integer, got 0"),
        ({"seconds": -1.0}, r"seconds: expected a finite number above 0, got -1\.0"),
        ({"seed": -1}, r"seed: expected an integer from 0, got -1"),
        ({"batch": 1798}, "batch: expected at most 1797, the size of digits, got 1798"),
        ({"method": "sgd"}, "learning_rate: expected a number for sgd, got none"),
        ({"method": "adam", "tau": 1.0}, "tau: expected none for adam, which has learning_rate, halving, eta"),
        ({"samples": 2}, "samples: expected none for kfra, which has"),
        ({"tau": -1.0}, "kfra: tau: initial: expected a number from 0 to 1e\\+10, got -1.0"),
        ({"inversion": "lu"}, "kfra: inversion: expected one of trace, .*, got 'lu'"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(options, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        train(Options(**{"data": "digits", "updates": 5, **options}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("method", ["kfra", "adam", "nesterov"])
def test_labels_that_are_no_classes_end_a_run_with_a_word_about_the_data(method, tmp_path):
    """Labels 1 to 10 of ten classes: at the first batch that has a 10, and not when patience is over."""
    task = open_task("digits")
    options = Options("digits", method, updates=50, learning_rate=RATES.get(method))
    wrong = "data: digits: the batch of update 1 cannot be trained on: Y: expected class indices from 0 to 9, got"
    with pytest.raises(UsageError, match=wrong):
        train(options, tmp_path / "run", task=replace(task, Y=task.Y + 1))


def test_images_that_are_no_probabilities_are_refused_where_data_are_opened(monkeypatch):
    """Grey values from 0 to 255 for a Bernoulli objective."""
    task = open_task("digits")
    grey = SimpleNamespace(pixels=255 * task.X, labels=task.Y, shape=task.shape, about="")
    monkeypatch.setattr("kfgn.lab.tasks.load", lambda *_: grey)
    wrong = "data: mnist cannot be trained on: Y: expected bernoulli targets from 0 to 1, got values from 0.0 to 255.0"
    with pytest.raises(UsageError, match=wrong):
        open_task("mnist")
