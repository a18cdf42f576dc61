"""`kfgn.lab.methods`: every method reduces the loss on digits."""

import pytest

from kfgn.lab import METHODS, Options, train

RATES = {"sgd": 0.3, "momentum": 0.05, "nesterov": 0.05, "adam": 0.01}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns(method, tmp_path):
    run = train(
        Options("digits", method, updates=60, widths=(64, 16, 10), learning_rate=RATES.get(method)), tmp_path / "run"
    )
    start = run.metrics[0]["train_loss"]
    assert start > 2.2  # log 10
    assert run.final() < start / 2
    assert run.final(averaged=True) < start / 1.5
    assert (run.updates, run.rejected) == (60, 0)


@pytest.mark.parametrize("method", ["kflr", "kfra", "kfac", "rp"])
def test_the_mixture_of_odd_and_even_is_learnt(method, tmp_path):
    run = train(Options("digits-odd", method, updates=60), tmp_path / "run")
    assert run.final() < run.metrics[0]["train_loss"] / 3
