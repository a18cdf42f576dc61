"""`kfgn.lab.tasks`: the networks of the paper, and the check of their data."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import kfgn
from kfgn.lab import Options, UsageError, train
from kfgn.lab.tasks import open_task


def test_the_tasks_on_digits():
    digits, odd = open_task("digits"), open_task("digits-odd")
    assert digits.network.widths == (64, 32, 16, 10)
    assert (odd.network.widths, odd.network.objective) == ((64, 32, 16, 3), "mixture")
    np.testing.assert_array_equal(odd.Y, digits.Y % 2)
    assert not digits.reconstructs


def test_the_autoencoder_has_a_linear_code():
    curves = open_task("curves")
    widths = (784, 1000, 500, 250, 30, 250, 500, 1000, 784)
    assert (curves.network.widths, curves.network.objective) == (widths, "bernoulli")
    assert curves.network.transfers == ("tanh", "tanh", "tanh", "identity", "tanh", "tanh", "tanh")
    assert curves.reconstructs


def test_images_that_are_not_probabilities(monkeypatch):
    """Grey values from 0 to 255 are not valid targets of the Bernoulli objective."""
    task = open_task("digits")
    grey = SimpleNamespace(pixels=255 * task.X, labels=task.Y, shape=task.shape, about="")
    monkeypatch.setattr("kfgn.lab.tasks.load_with_held_out", lambda *_: (grey,))
    wrong = "data: mnist is not a valid task: Y: expected bernoulli targets from 0 to 1, got values from 0.0 to 255.0"
    with pytest.raises(UsageError, match=wrong):
        open_task("mnist")


DIGITS = open_task("digits")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "digits"}, "network: expected a kfgn.Network, got builtins.str"),
        ({"X": DIGITS.X.tolist()}, "X: expected a NumPy array, got "),
        ({"X": DIGITS.X.astype(np.float16)}, "X: expected dtype float32 or float64, got float16"),
        ({"X": (16 * DIGITS.X).astype(np.uint8)}, "X: expected dtype float32 or float64, got uint8"),
        ({"X": DIGITS.X[0]}, r"X: expected shape (n, 64) with n of at least 1, got (64,)"),
        ({"X": DIGITS.X[:, :63]}, r"X: expected shape (n, 64) with n of at least 1, got (1797, 63)"),
        ({"X": DIGITS.X[:0]}, r"X: expected shape (n, 64) with n of at least 1, got (0, 64)"),
        (
            {"X": np.where(DIGITS.X == 1, np.float32(np.nan), DIGITS.X)},
            "X: expected finite values, got NaN or infinity",
        ),
        ({"Y": DIGITS.Y.tolist()}, "Y: expected a NumPy array, got "),
        ({"Y": DIGITS.Y[:-1]}, "Y: expected shape (1797,) for categorical, got (1796,)"),
        ({"Y": DIGITS.Y.astype(np.float32)}, "Y: expected integer class indices for categorical, got dtype float32"),
        ({"Y": DIGITS.Y + 1}, "Y: expected class indices from 0 to 9, got values from 1 to 10"),
        ({"Y": DIGITS.X}, "Y: expected integer class indices"),
        ({"name": None}, "name: expected a text, got None"),
        ({"about": 3}, "about: expected a text, got 3"),
        ({"shape": 8}, "shape: expected a pair"),
        ({"test": DIGITS.X}, "test: expected a pair of arrays X and Y, got "),
        ({"test": (DIGITS.X, DIGITS.Y[1:])}, "test.Y: expected shape (1797,) for categorical, got (1796,)"),
        ({"validation": (DIGITS.X[:, 1:], DIGITS.Y)}, "validation.X: expected shape (n, 64) with n of at least 1, got"),
        (
            {"validation": (DIGITS.X.astype(np.float64), DIGITS.Y)},
            "validation.X: expected dtype float32, the dtype of X, got float64",
        ),
        (
            {"network": kfgn.Network((1, 64), (kfgn.Convolution(2, 3), kfgn.Flatten(), kfgn.Dense(10)), "categorical")},
            "network: expected a network without positions, got inputs of shape (1, 64)",
        ),
        ({"shape": (8, 8.0)}, "shape: expected a positive integer, got 8.0"),
        ({"shape": (4, 8)}, "shape: expected a height and a width with the product 64, got 4 and 8"),
        ({"batch": 0}, "batch: expected a positive integer, got 0"),
    ],
)
def test_a_task_is_checked_before_anything_is_written(changes, message, tmp_path):
    with pytest.raises(UsageError) as error:
        train(Options("digits", updates=1), tmp_path / "run", task=replace(DIGITS, **changes))
    assert str(error.value).startswith(f"task.{message}")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_a_task_in_float64_and_without_images(tmp_path):
    rng = np.random.default_rng(0)
    network = kfgn.Network.dense((3, 4, 2), ("tanh",), "squared_error")
    X = rng.standard_normal((20, 3))
    task = replace(DIGITS, network=network, X=X, Y=X[:, :2] ** 2, shape=(1, 3), batch=10)
    run = train(Options("own", updates=5), tmp_path / "run", task=task)
    assert run.final() < run.metrics[0]["train_loss"]
