"""`kfgn.lab.tables`: the tables of runs and of backends."""

import io

import pytest
from rich.console import Console

import kfgn
from kfgn.backends import BACKENDS, BackendUnavailableError
from kfgn.lab import Options, Run, compare, read_run
from kfgn.lab.cli import main
from kfgn.lab.run import SETS
from kfgn.lab.tables import print_runs


def run(*arguments):
    return main([str(argument) for argument in arguments])


def train(out, *more):
    return run("train", "--data", "digits", "--updates", 12, "--out", out, *more)


def test_the_update_of_the_losses_is_printed(tmp_path, capsys):
    train(tmp_path / "a", "--evaluate-every", 50)
    metrics = tmp_path / "a" / "metrics.jsonl"
    metrics.write_text("".join(metrics.read_text().splitlines(keepends=True)[:10]))  # as after a kill
    for checkpoint in (tmp_path / "a").glob("checkpoint-*"):  # a checkpoint never covers more than the metrics
        checkpoint.unlink()
    capsys.readouterr()
    assert run("show", tmp_path / "a") == 0
    assert "a: the losses were computed after update 0\n" in capsys.readouterr().out


def test_the_extra_to_install_is_printed(capsys, monkeypatch):
    def missing(_name):
        raise BackendUnavailableError("pip install 'kfgn[jax]'")

    monkeypatch.setattr("kfgn.lab.tables.open_backend", missing)
    assert run("backends") == 0
    assert "kfgn[jax]" in capsys.readouterr().out


def test_usable_backends_are_printed(capsys):
    assert run("backends") == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line[:1].strip()}
    assert lines["numpy"].split()[-1] == "yes"
    assert list(lines) == ["backend", *BACKENDS]


def test_a_pipe_gets_one_line_for_each_backend(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert run("backends") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["backend", *BACKENDS]
    assert all(line == line.rstrip() for line in lines)


def test_a_run_without_an_evaluation_has_a_note(tmp_path, capsys):
    """As in a run that was killed at its start."""
    train(tmp_path / "a")
    for path in ((tmp_path / "a" / "metrics.jsonl"), *(tmp_path / "a").glob("checkpoint-*")):
        path.unlink()
    capsys.readouterr()
    assert run("show", tmp_path / "a") == 0
    printed = capsys.readouterr().out
    assert "a: no evaluation was written yet\n" in printed
    assert printed.splitlines()[-2].endswith(" is unfinished, 0 of 12 updates done")


def test_losses_and_accuracies_of_each_set_are_printed(tmp_path, capsys):
    train(tmp_path / "a")
    lines = capsys.readouterr().out.splitlines()
    finished = read_run(tmp_path / "a")
    for place, averaged in (("weights", False), ("average", True)):
        (line,) = (line for line in lines if line.split()[-7:-6] == [place])
        expected = [f"{finished.final(name, averaged=averaged):.5g}" for name in SETS]
        expected += [f"{finished.accuracy(name, averaged=averaged):.4f}" for name in SETS]
        assert line.split()[-6:] == expected


def test_early_stopping_is_printed(tmp_path, capsys):
    """Steps with a learning rate of 1e-30 change no weight, so only rounding brings a lower validation loss."""
    given = ("--method", "sgd", "--learning-rate", "1e-30", "--evaluate-every", 2, "--early-stopping", 2)
    assert run("train", "--data", "digits", "--updates", 200, "--out", tmp_path / "a", *given) == 0
    ended = read_run(tmp_path / "a").updates
    assert ended < 200
    assert f"a: early stopping ended the run after update {ended}\n" in capsys.readouterr().out


FIGURES = [f"{name}_{kind}{suffix}" for name in SETS for kind in ("loss", "accuracy") for suffix in ("", "_averaged")]


def made(folder, method, last, data="digits"):
    """A run of 100 updates with a training loss of 2 at update 50, and the loss `last` at update 100."""
    figures = dict.fromkeys(FIGURES, 0.123456)
    losses = ((0, 3.0), (50, 2.0), (100, last))
    metrics = [
        {"update": t, "seconds": t / 10, **figures, "train_loss": x, "train_loss_averaged": x} for t, x in losses
    ]
    options = {"method": method, "data": data, "learning_rate": None, "halving": None, "eta": 0.0}
    return Run(folder, {"options": options}, metrics)


def printed(runs, width):
    stream = io.StringIO()
    print_runs(runs, Console(file=stream, width=width))
    return stream.getvalue().splitlines()


def test_the_columns_name_the_best_loss(tmp_path):
    lines = printed([made(tmp_path / "kfra", "kfra", 1.0), made(tmp_path / "adam-0.1", "adam", 2.0)], 80)
    assert [line.split() for line in lines[:4]] == [
        ["updates", "seconds"],
        ["rejected", "until", "best", "until", "best"],
        ["run", "updates", "seconds", "updates", "loss", "of", "Adam", "loss", "of", "Adam"],
        ["kfra", "100", "10.0", "0", "50", "5.0"],
    ]
    assert lines[-2] == "best loss of Adam: 2, the lowest final training loss, by the run adam-0.1"
    assert " ".join(lines[-1:]).startswith("note: only one learning rate of Adam was compared")


def test_methods_with_different_regularisation_have_a_note(tmp_path):
    """The note appears unless every method has the same values of eta."""
    runs = compare(Options("digits", updates=1), ["kfra", "kflr", "adam:0.1", "adam:0.01"], tmp_path / "a")
    (line,) = (line for line in printed(runs, 80) if "eta" in line)
    values = "1e-05 for KFRA, KFLR; 0 for Adam"
    expected = f"the methods differ in eta, the weight of L2 regularisation: {values}; give --eta for a fair comparison"
    assert line == f"note: {expected}"
    equal = compare(Options("digits", updates=1, eta=1e-5), ["kfra", "adam:0.1"], tmp_path / "b")
    assert not any("eta" in line for line in printed(equal, 80))
    swept = [*equal, *compare(Options("digits", updates=1, eta=1e-3), ["kfra", "adam:0.1"], tmp_path / "c")]
    assert not any("eta" in line for line in printed(swept, 80))


def test_the_help_has_the_defaults_of_eta(capsys):
    with pytest.raises(SystemExit):
        run("compare", "--help")
    text = " ".join(capsys.readouterr().out.split())
    assert "The default of --eta is 1e-5 for second-order methods and 0 for first-order methods" in text
    network = kfgn.Network.dense((3, 2), (), "squared_error")
    assert (kfgn.GaussNewton(network, "kfra").eta, kfgn.Adam(network).eta) == (1e-5, 0)


def test_losses_of_different_data_sets_are_not_compared(tmp_path):
    lines = printed([made(tmp_path / "kfra", "kfra", 1.0, "mnist"), made(tmp_path / "adam", "adam", 2.0)], 80)
    assert not any("best" in line for line in lines)


@pytest.mark.parametrize("width", [80, 60])
def test_tables_of_long_names_are_not_cut(width, tmp_path):
    """The losses and the accuracies have a table each if one table of both is too wide."""
    runs = [made(tmp_path / name, name.split("-")[0], 1.0) for name in ("hessian_free_blocks", "nesterov-0.05")]
    lines = printed(runs, width)
    assert not any("…" in line for line in lines)
    assert sum(line.split()[:3] == ["run", "at", "the"] for line in lines) == 2
    assert sum(line.split()[:3] == ["run", "at", "the"] for line in printed(runs, 120)) == 1


@pytest.mark.parametrize("width", [40, 20])
def test_a_narrow_terminal_loses_no_name_and_no_number(width, tmp_path):
    """The terminal breaks the lines that do not fit. A long name is folded."""
    runs = [made(tmp_path / name, name.split("-")[0], 1.0) for name in ("hessian_free_blocks", "adam")]
    lines = printed(runs, width)
    assert not any("…" in line for line in lines)
    assert [line.split() for line in lines if line.startswith("hessian_free ")] == [
        ["hessian_free", "100", "10.0", "0", "100", "10.0"],
        ["hessian_free", "weights", "1", "0.12346", "0.12346"],
        ["hessian_free", "weights", "0.1235", "0.1235", "0.1235"],
    ]
