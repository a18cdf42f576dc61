"""Options convert numbers of any type to Python's own, so the type changes nothing in a run."""

import json
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from kfgn.lab import Options, UsageError, compare, read_run, resume, train

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


def test_folders_are_paths_of_any_kind(tmp_path):
    assert Options("digits", updates=1, data_folder=Path("a")).data_folder == "a"
    train(Options("digits", updates=1), str(tmp_path / "a"))
    assert read_run(str(tmp_path / "a")) == read_run(tmp_path / "a")


@pytest.mark.parametrize("out", ["", "a\0b", b"a", 3, None, ["a"]])
def test_what_is_no_path(out):
    options = Options("digits", updates=1)
    for call in (
        lambda: train(options, out),
        lambda: compare(options, ["kfra"], out),
        lambda: resume(out),
        lambda: read_run(out),
    ):
        with pytest.raises(UsageError, match=r"^(out|folder): expected a path, got "):
            call()


@pytest.mark.parametrize("methods", ["kfra", [], (), None, {"kfra"}, ["kfra", 3], [["kfra"]], np.array(["kfra"])])
def test_what_is_no_list_of_methods(methods, tmp_path):
    with pytest.raises(UsageError, match=r"^methods: expected a tuple or list of names"):
        compare(Options("digits", updates=1), methods, tmp_path / "c")
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("method", "name", "backend"),
    [("kfra", "eta", "numpy"), ("adam", "learning_rate", "torch"), ("hessian_free", "eta", "torch")],
)
def test_a_number_that_the_dtype_cannot_hold(method, name, backend, tmp_path):
    """It is a `UsageError`, and no folder is begun."""
    if backend == "torch":
        pytest.importorskip("torch")
    options = Options("digits", method=method, backend=backend, updates=1, **{name: 1e300})
    with pytest.raises(UsageError, match=rf"^{method}: {name}: expected a number that float32 can hold, got 1e\+300$"):
        train(options, tmp_path / "run")
    assert not (tmp_path / "run").exists()
