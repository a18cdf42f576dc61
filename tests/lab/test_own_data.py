"""`kfgn.lab.own_data`: a task from an .npz file, and another network for a named data set."""

import re

import numpy as np
import pytest

from kfgn.lab import Options, UsageError, read_run, resume, train
from kfgn.lab.cli import main

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 5)).astype(np.float32)
Y = RNG.integers(0, 3, 60)
NETWORK = {"widths": (5, 4, 3), "objective": "categorical"}


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture
def file(tmp_path):
    np.savez(tmp_path / "data.npz", X=X, Y=Y)
    return tmp_path / "data.npz"


def test_the_command_trains_on_a_file(file, tmp_path, capsys):
    given = ("--npz", file, "--widths", 5, 8, 4, 3, "--transfers", "relu", "tanh", "--objective", "categorical")
    assert run("train", *given, "--updates", 4, "--out", tmp_path / "run") == 0
    trained = read_run(tmp_path / "run")
    network = trained.network()
    assert (network.widths, network.transfers, network.objective) == ((5, 8, 4, 3), ("relu", "tanh"), "categorical")
    assert trained.configuration["data"]["sizes"] == {"train": 42, "validation": 6, "test": 12}
    assert trained.configuration["data"]["about"] == "The arrays of data.npz: X float32 (60, 5), Y int64 (60,)."
    assert run("train", "--resume", "--updates", 6, "--out", tmp_path / "run") == 0
    assert read_run(tmp_path / "run").updates == 6
    assert run("show", tmp_path / "run", "--draw") == 0
    assert "data.npz" in capsys.readouterr().out


def test_two_files_have_their_names(file, tmp_path, capsys):
    """The name npz alone would give both runs one panel and one title."""
    np.savez(tmp_path / "other.npz", X=X, Y=Y)
    for path in (file, tmp_path / "other.npz"):
        train(Options("npz", npz=path, updates=1, **NETWORK), tmp_path / "runs" / path.stem)
    assert run("show", tmp_path / "runs") == 0
    printed = capsys.readouterr().out
    assert [line.split()[:2] for line in printed.splitlines()[2:4]] == [["data", "data.npz"], ["other", "other.npz"]]


def test_a_comparison_trains_on_a_file(file, tmp_path):
    given = ("--npz", file, "--widths", 5, 3, "--objective", "categorical", "--methods", "kfra", "adam:0.01")
    for _ in range(2):  # the finished runs are found again
        assert run("compare", *given, "--updates", 2, "--out", tmp_path / "c") == 0
    assert read_run(tmp_path / "c" / "kfra").updates == 2


def test_held_out_arrays_of_the_file(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, Y=Y, X_test=X[:9], Y_test=Y[:9])
    finished = train(Options("npz", npz=tmp_path / "a.npz", updates=1, **NETWORK), tmp_path / "run")
    assert finished.configuration["data"]["sizes"] == {"train": 54, "validation": 6, "test": 9}


def test_without_targets_the_network_reconstructs(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, X_validation=X[:8])
    options = Options("npz", npz=tmp_path / "a.npz", widths=(5, 2, 5), objective="squared_error", updates=20)
    finished = train(options, tmp_path / "run")
    assert finished.final() < finished.metrics[0]["train_loss"]
    assert finished.configuration["data"]["sizes"] == {"train": 48, "validation": 8, "test": 12}


def test_a_moved_file_with_the_same_arrays_continues_the_run(file, tmp_path):
    train(Options("npz", npz=file, updates=2, **NETWORK), tmp_path / "run")
    moved = file.rename(tmp_path / "moved.npz")
    assert resume(tmp_path / "run", {"npz": moved, "updates": 3}).updates == 3
    np.savez(moved, X=X + 1, Y=Y)
    with pytest.raises(UsageError, match=r"^data: expected the data of the run in "):
        resume(tmp_path / "run", {"updates": 4})


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": X}, "Y: expected integer class indices for categorical, got dtype float32"),
        ({"Y": Y}, "expected an array X, got Y"),
        ({}, "expected an array X, got no array"),
        (
            {"X": X, "Y": Y, "Z": Y},
            "expected only arrays with the names X, Y, X_validation, Y_validation, X_test, Y_test, got",
        ),
        ({"X": X[:, 1:], "Y": Y}, "X: expected shape (n, 5) with n of at least 1, got (60, 4)"),
        ({"X": (9 * X).astype(np.uint8), "Y": Y}, "X: expected dtype float32 or float64, got uint8"),
        ({"X": X, "Y": Y + 1}, "Y: expected class indices from 0 to 2, got values from 1 to 3"),
        ({"X": X, "Y": Y, "X_test": X}, "expected an array Y_test with X_test, got X, Y, X_test"),
        ({"X": X, "Y": Y, "Y_test": Y}, "expected an array X_test with Y_test, got X, Y, Y_test"),
        ({"X": X, "Y_test": Y, "X_test": X}, "expected an array Y with Y_test, got X, Y_test, X_test"),
        ({"X": X, "Y": Y, "X_test": X[:, 1:], "Y_test": Y}, "X_test: expected shape (n, 5)"),
        (
            {"X": X, "Y": np.array([{}] * 60)},
            "expected an .npz file with arrays of numbers, got an array of Python objects",
        ),
    ],
)
def test_wrong_arrays(arrays, message, tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    with pytest.raises(UsageError) as error:
        train(Options("npz", npz=path, updates=1, **NETWORK), tmp_path / "run")
    assert str(error.value).startswith(f"{path}: {message}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an .npz file, got a file of another kind"),
        (b"import numpy", "an .npz file, got a file of another kind"),
        (b"PK\x03\x04", "an .npz file with arrays of numbers, got a damaged file: "),
        (b"\x93NUMPY", "an .npz file with arrays of numbers, got a damaged file: "),
    ],
)
def test_files_that_are_not_npz(content, found, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"a\.npz: expected {re.escape(found)}"):
        train(Options("npz", npz=path, updates=1, **NETWORK), tmp_path / "run")


def test_one_array(tmp_path):
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(UsageError, match=r"a\.npy: expected an \.npz file with arrays X and Y, got an \.npy file"):
        train(Options("npz", npz=tmp_path / "a.npy", updates=1, **NETWORK), tmp_path / "run")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"npz": None}, "npz: expected a value for your own data, got none"),
        ({"widths": None}, "widths: expected a value for your own data, got none"),
        ({"objective": None}, "objective: expected a value for your own data, got none"),
        ({"widths": None, "objective": None}, "widths, objective: expected values for your own data, got none"),
        ({"objective": "hinge"}, "objective: expected one of squared_error, "),
        ({"transfers": ("sin",)}, "transfers"),
        ({"transfers": ("tanh", "tanh")}, "transfers"),
        ({"data": "digits"}, "npz: expected no file for the data set digits, got "),
    ],
)
def test_wrong_options(changes, message, file, tmp_path):
    with pytest.raises(UsageError) as error:
        train(Options(**{"data": "npz", "npz": file, "updates": 1, **NETWORK, **changes}), tmp_path / "run")
    assert str(error.value).startswith(message)


REAL = {"objective": "squared_error"}


@pytest.mark.parametrize(
    ("arrays", "network", "end"),
    [
        ({"X": X.astype(np.uint8), "Y": Y}, NETWORK, "got uint8; use X.astype('float32')"),
        ({"X": X, "Y": Y.astype(np.float64)}, NETWORK, "got dtype float64; use Y.astype(int)"),
        ({"X": X, "Y": np.eye(3)[Y]}, NETWORK, "got dtype float64; use Y.argmax(1) if the rows of Y are one-hot"),
        ({"X": X, "Y": Y[:, None]}, NETWORK, "; use Y.ravel()"),
        ({"X": X, "Y": X[:, 0]}, {**REAL, "widths": (5, 1)}, "; use Y[:, None]"),
        ({"X": X, "Y": Y[:, None]}, {**REAL, "widths": (5, 1)}, "; use Y.astype('float32')"),
        ({"X": X.astype(np.float64), "Y": X}, {**REAL, "widths": (5, 5)}, "; use Y.astype('float64')"),
        ({"X": X, "Y": Y, "X_test": X.astype(np.float64), "Y_test": Y}, NETWORK, "; use X_test.astype('float32')"),
        ({"arr_0": X, "arr_1": Y}, NETWORK, "got 'arr_0'; name the arrays, as in np.savez(file, X=X, Y=Y)"),
        ({"X": X, "Y": Y + 1}, NETWORK, "class indices from 0 to 2, got values from 1 to 3"),
    ],
)
def test_the_remedy_for_wrong_arrays(arrays, network, end, tmp_path):
    """The expression in the message repairs the array."""
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    options = Options("npz", npz=path, updates=1, **network)
    with pytest.raises(UsageError) as error:
        train(options, tmp_path / "run")
    assert str(error.value).endswith(end)
    if found := re.search(r"; use (\S+(?:\[:, None\])?)", end.replace("[:, None]", "[:,None]")):
        name = re.match(r"\w+", found[1])[0]
        np.savez(path, **{**arrays, name: eval(found[1], dict(arrays))})
        assert train(options, tmp_path / "run").updates == 1


def test_a_run_remembers_its_file_from_another_folder(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = train(Options("npz", npz="data.npz", updates=1, **NETWORK), tmp_path / "run")
    assert run.options["npz"] == str(file)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert resume(tmp_path / "run", {"updates": 2}).updates == 2
    file.unlink()
    missing = rf"^npz: expected the .npz file of the run .* got {file}, which does not exist; give the new path"
    with pytest.raises(UsageError, match=missing):
        resume(tmp_path / "run", {"updates": 3})


@pytest.mark.parametrize("name", ["widths", "transfers"])
@pytest.mark.parametrize("value", ["tanh", 3, (), {"tanh"}, [None]])
def test_options_that_are_not_sequences(name, value):
    with pytest.raises(UsageError, match=rf"^{name}: expected "):
        Options("digits", updates=1, **{name: value})


def test_another_network_for_a_named_data_set(tmp_path):
    run = train(Options("digits", updates=2, widths=[64, 10], objective="categorical"), tmp_path / "run")
    assert run.network().widths == (64, 10)
    assert resume(tmp_path / "run", {"updates": 3, "widths": (64, 10)}).updates == 3
    with pytest.raises(UsageError, match=r"^the network does not fit the data set digits: X: expected shape \(n, 63\)"):
        train(Options("digits", updates=2, widths=(63, 10)), tmp_path / "other")


def test_both_names(file, tmp_path, capsys):
    assert run("train", "--data", "digits", "--npz", file, "--updates", 1, "--out", tmp_path / "run") == 2
    assert f"--data, --npz: expected only one of them, got digits and {file}" in capsys.readouterr().err
