"""Options convert numbers of any type to Python's own, so the type changes nothing in a run."""

import json
from dataclasses import asdict
from fractions import Fraction

import numpy as np
import pytest

from kfgn.lab import Options, resume, train

RATES = ("average", "tau", "gamma", "eta")


def of(number, count):
    return Options("digits", updates=count(2), seed=count(3), refresh=count(2), **{name: number(0.5) for name in RATES})


@pytest.mark.parametrize("count", [np.int64, np.int8, np.uint64])
@pytest.mark.parametrize("number", [np.float64, np.float32, np.longdouble, Fraction])
def test_numbers_become_pythons(number, count):
    options, expected = of(number, count), of(float, int)
    assert options == expected
    assert hash(options) == hash(expected)
    assert json.dumps(asdict(options)) == json.dumps(asdict(expected))


def test_a_run_with_numbers_of_numpy(tmp_path):
    first = train(of(np.longdouble, np.int64), tmp_path / "a")
    second = train(of(float, int), tmp_path / "b")
    assert first.configuration == second.configuration
    assert first.metrics[-1]["loss"] == second.metrics[-1]["loss"]
    assert first.metrics[-1]["ok"] is True
    resumed = resume(tmp_path / "a", {"updates": np.int64(3), "eta": np.float32(0.5)})
    assert resumed.updates == 3
    assert resumed.options["updates"] == 3
