"""`kfgn.lab.Run.outputs`: the outputs of a trained network at new inputs."""

import numpy as np
import pytest

from kfgn.lab import Options, UsageError, read_run, train
from kfgn.lab.tasks import open_task


def test_the_outputs_are_those_of_the_forward_pass(folder):
    run, X = read_run(folder), np.random.default_rng(0).standard_normal((5, 64))
    for averaged in (False, True):
        h = X.astype(np.float32)
        for l, W in enumerate(run.weights(averaged=averaged)):
            a = h if l == 0 else np.tanh(h)
            h = a @ W[:, :-1].T + W[:, -1]
        found = run.outputs(X, averaged=averaged)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, h, rtol=1e-5, atol=1e-5)


def test_the_largest_output_is_the_class(tmp_path):
    """All 1,797 digits are training data, whose accuracy the run has recorded."""
    run = train(Options("digits", updates=20, validation_fraction=0, test_fraction=0), tmp_path)
    task = open_task("digits")
    assert (run.outputs(task.X).argmax(1) == task.Y).mean() == pytest.approx(run.accuracy(), abs=1e-3)
    assert run.accuracy() > 0.8


def test_numbers_that_the_dtype_of_the_run_cannot_hold(folder):
    with pytest.raises(UsageError, match=r"^X: expected finite values"):
        read_run(folder).outputs(np.full((1, 64), 1e300))
