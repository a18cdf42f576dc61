"""`kfgn.lab.setup`: the description of a run, and errors before anything is written."""

from dataclasses import replace

import numpy as np
import pytest

import kfgn
from kfgn.lab import Options, UsageError, train
from kfgn.lab.setup import set_up
from kfgn.lab.tasks import open_task

RATES = {"sgd": 0.3, "momentum": 0.05, "nesterov": 0.05, "adam": 0.01}


def test_the_configuration_is_complete(tmp_path):
    options = Options("digits", "kfac", updates=3, seed=5, samples=2, tau=0.5)
    run = train(options, tmp_path / "run")
    saved = run.configuration
    optimiser = kfgn.GaussNewton(run.network(), kfgn.KroneckerFactored("kfac", samples=2))
    assert saved["options"] == {
        **vars(options),
        "batch": 256,
        "evaluate_every": 1,
        "validation_fraction": 0.1,
        "test_fraction": 0.2,
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
    assert saved["data"]["sizes"] == {"train": 1258, "validation": 180, "test": 359}
    assert "Alpaydin" in saved["data"]["about"]
    assert {"platform", "cores", "threads"} <= saved["machine"].keys()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": "cifar"}, "data: expected one of digits, .*, got 'cifar'"),
        ({"method": "lbfgs"}, "method: expected one of kflr, .*, got 'lbfgs'"),
        ({"backend": "cuda"}, "backend: expected one of numpy, .*, got 'cuda'"),
        ({"dtype": "float16"}, "dtype: expected one of float32, float64, got 'float16'"),
        ({"updates": None}, "updates, seconds: expected at least one of them, got neither"),
        ({"updates": 0}, "updates: expected a positive integer, got 0"),
        ({"seconds": -1.0}, r"seconds: expected a finite number above 0, got -1\.0"),
        ({"seed": -1}, r"seed: expected an integer of at least 0, got -1"),
        ({"batch": 1259}, "batch: expected at most 1258, the number of training datapoints of digits, got 1259"),
        ({"validation_fraction": 1.0}, r"validation_fraction: expected a number of at least 0 and below 1, got 1\.0"),
        ({"test_fraction": -0.1}, r"test_fraction: expected a number of at least 0 .* got -0\.1"),
        (
            {"validation_fraction": 0.6, "test_fraction": 0.6},
            r"validation_fraction, test_fraction: expected some of the 1797 datapoints to remain for training, "
            r"got 0\.6 and 0\.6",
        ),
        ({"validation_fraction": 0.0, "early_stopping": 3}, "early_stopping: expected a validation set, got none"),
        ({"early_stopping": 0}, "early_stopping: expected a positive integer, got 0"),
        ({"method": "sgd"}, "learning_rate: expected a number for sgd, got none"),
        (
            {"method": "adam", "tau": 1.0},
            "tau: expected no value for adam, whose options are learning_rate, halving, eta, got 1.0",
        ),
        ({"samples": 2}, "samples: expected no value for kfra, whose options are"),
        ({"tau": -1.0}, "kfra: tau: initial: expected a number from 0 to 1e\\+10, got -1.0"),
        ({"inversion": "lu"}, "kfra: inversion: expected one of trace, .*, got 'lu'"),
    ],
)
def test_errors_before_anything_is_written(options, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        train(Options(**{"data": "digits", "updates": 5, **options}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("updates", "every"), [(3, 1), (60, 3), (999, 49), (5000, 50), (None, 50)])
def test_a_short_run_has_twenty_evaluations(updates, every):
    assert set_up(Options("digits", updates=updates, seconds=9.0)).options.evaluate_every == every
    assert set_up(Options("digits", updates=updates, seconds=9.0, evaluate_every=7)).options.evaluate_every == 7


@pytest.mark.parametrize("method", ["kfra", "adam", "nesterov"])
def test_labels_that_are_not_classes(method, tmp_path):
    """Labels 1 to 10 of ten classes are refused before the first step, whether or not the first batch has a 10."""
    task = open_task("digits")
    options = Options("digits", method, updates=50, learning_rate=RATES.get(method))
    wrong = r"^task\.Y: expected class indices from 0 to 9, got values from 1 to 10"
    with pytest.raises(UsageError, match=wrong):
        train(options, tmp_path / "run", task=replace(task, Y=task.Y + 1))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("method", "name", "backend"),
    [("kfra", "eta", "numpy"), ("adam", "learning_rate", "torch"), ("hessian_free", "eta", "torch")],
)
def test_a_number_that_the_dtype_cannot_hold(method, name, backend, tmp_path):
    """The error is a `UsageError`, and no folder is made."""
    if backend == "torch":
        pytest.importorskip("torch")
    options = Options("digits", method=method, backend=backend, updates=1, **{name: 1e300})
    with pytest.raises(UsageError, match=rf"^{method}: {name}: expected a number that float32 can hold, got 1e\+300$"):
        train(options, tmp_path / "run")
    assert not (tmp_path / "run").exists()
