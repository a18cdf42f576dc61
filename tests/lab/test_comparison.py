"""`kfgn.lab.comparison`: several methods from the same start, and the time at which each reaches a loss."""

import numpy as np
import pytest

import kfgn
from kfgn.lab import Options, Task, UsageError, compare, read_run, train
from kfgn.lab.arrivals import arrival, best_first_order
from kfgn.lab.cli import main
from kfgn.lab.comparison_folder import runs_in

ADAM = ("--learning-rate", "0.01")


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.mark.usefixtures("rendered")
def test_all_methods_start_alike_and_the_time_to_the_best_loss_is_printed(tmp_path, capsys):
    arguments = ("compare", "--data", "digits", "--methods", "kfra", "adam", *ADAM, "--evaluate-every", 2)
    assert run(*arguments, "--updates", 20, "--out", tmp_path / "c") == 0
    printed = capsys.readouterr().out
    kfra, adam = (read_run(tmp_path / "c" / name) for name in ("kfra", "adam"))
    assert kfra.metrics[0] == adam.metrics[0]
    assert kfra.metrics[1]["loss"] == adam.metrics[1]["loss"]
    best = best_first_order([kfra, adam])
    assert best == min(adam.final(), adam.final(averaged=True))
    arrived = arrival(kfra, best)
    assert 0 < arrived.updates < 20
    losses = {r["update"]: min(r["train_loss"], r["train_loss_averaged"]) for r in kfra.evaluations}
    assert losses[arrived.updates] <= best < losses[arrived.updates - 2]
    assert f"{best:.5g}" in printed
    assert (tmp_path / "c" / "comparison.png").read_bytes().startswith(b"\x89PNG")


def test_a_comparison_keeps_finished_runs_and_resumes_the_others(tmp_path):
    options = Options("digits", updates=10, learning_rate=0.01)
    compare(Options("digits", updates=10), ["kfra"], tmp_path)
    finished = (tmp_path / "kfra" / "metrics.jsonl").read_bytes()
    runs = compare(options, ["kfra", "adam"], tmp_path)
    assert [run.options["method"] for run in runs] == ["kfra", "adam"]
    assert (tmp_path / "kfra" / "metrics.jsonl").read_bytes() == finished
    assert [run.updates for run in compare(Options("digits", updates=15), ["kfra"], tmp_path)] == [15]


def test_the_folder_of_a_run_is_refused(tmp_path, capsys):
    """Otherwise `kfgn show` would show the run alone, and call the comparison incomplete."""
    train(Options("digits", updates=1), tmp_path / "a")
    before = sorted(tmp_path.rglob("*"))
    assert run("compare", "--data", "digits", "--methods", "kfra", "--updates", 1, "--out", tmp_path / "a") == 2
    assert f"{tmp_path / 'a'} is the folder of a run; choose another folder" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_method_that_fails_does_not_stop_the_others(tmp_path, capsys):
    methods = ("sgd:1e30", "kfra", "--max-rejected", 4)
    assert run("compare", "--data", "digits", "--methods", *methods, "--updates", 9, "--out", tmp_path / "c") == 1
    printed = capsys.readouterr()
    assert [place.folder.name for place in runs_in(tmp_path / "c")] == ["sgd-1e30", "kfra"]
    assert f"{read_run(tmp_path / 'c' / 'kfra').final():.5g}" in printed.out
    assert (tmp_path / "c" / "comparison.png").exists()
    again = (
        f"continue it: kfgn compare --data digits --updates 18 --max-rejected 4 --methods kfra --out {tmp_path / 'c'}"
    )
    assert printed.out.endswith(f"{again}\n")
    assert f"up to update 4 of the run in {tmp_path / 'c' / 'sgd-1e30'} were rejected" in printed.err
    assert printed.err.endswith(f"; to show the results: kfgn show {tmp_path / 'c'}\n")


def test_a_repeated_method_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"^methods: expected each method once, got 'kfra' 2 times"):
        compare(Options("digits", updates=1), ["kfra", "adam", "kfra"], tmp_path / "c")
    with pytest.raises(UsageError, match=r"^methods: expected each method once, got 'adam:0.1' 2 times"):
        compare(Options("digits", updates=1), ["adam:0.1", "adam:0.10"], tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_each_method_may_have_its_own_learning_rate(tmp_path, capsys):
    methods = ("adam:0.01", "adam:0.001", "sgd:0.1")
    assert run("compare", "--data", "digits", "--methods", *methods, "--updates", 3, "--out", tmp_path / "c") == 0
    rates = {
        place.name: read_run(place).options["learning_rate"] for place in (tmp_path / "c").iterdir() if place.is_dir()
    }
    assert rates == {"adam-0.01": 0.01, "adam-0.001": 0.001, "sgd-0.1": 0.1}
    capsys.readouterr()
    for wrong, message in {
        "kfra:0.1": "methods: expected no learning rate for kfra, got 'kfra:0.1'",
        "adam:fast": "methods: expected a learning rate after the colon, got 'adam:fast'",
        "adam:-1": "adam: --learning-rate: expected a finite number above 0",
    }.items():
        assert run("compare", "--data", "digits", "--methods", wrong, "--updates", 3, "--out", tmp_path / "d") == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "d").exists()


def test_an_option_that_no_method_has_is_named(tmp_path, capsys):
    arguments = ("--data", "digits", "--methods", "kfra", "kflr", *ADAM, "--updates", 5, "--out", tmp_path / "c")
    assert run("compare", *arguments) == 2
    message = "--learning-rate: expected no value, since none of kfra, kflr uses this value, got 0.01"
    assert message in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


def test_an_option_that_every_method_overrides_is_named(tmp_path, capsys):
    arguments = ("--data", "digits", "--methods", "kfra", "adam:0.1", *ADAM, "--updates", 5, "--out", tmp_path / "c")
    assert run("compare", *arguments) == 2
    message = "--learning-rate: expected no value, since none of kfra, adam:0.1 uses this value, got 0.01"
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("methods", ["kfra", [], (), None, {"kfra"}, ["kfra", 3], [["kfra"]], np.array(["kfra"])])
def test_methods_that_are_not_a_list_of_names(methods, tmp_path):
    with pytest.raises(UsageError, match=r"^methods: expected a tuple or list of names"):
        compare(Options("digits", updates=1), methods, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_a_task_of_the_user_is_compared(tmp_path):
    X = np.random.default_rng(0).standard_normal((40, 3))
    task = Task("own", kfgn.Network.dense((3, 2), (), "squared_error"), X, X[:, :2])
    runs = compare(Options("own", updates=2), ["kfra", "adam"], tmp_path / "c", task=task)
    assert [run.configuration["data"]["sizes"]["test"] for run in runs] == [8, 8]
    with pytest.raises(UsageError, match=r"^task: expected a kfgn\.lab\.Task, got "):
        compare(Options("own", updates=2), ["kfra"], tmp_path / "d", task="digits")


def test_a_run_that_cannot_be_resumed_is_named_before_any_file_is_written(tmp_path):
    data = np.random.default_rng(0).normal(size=(40, 3))
    network = kfgn.Network.dense((3, 2), (), "squared_error")
    compare(Options("own", updates=1), ["kfra"], tmp_path, task=Task("own", network, data, data[:, :2]))
    before = (tmp_path / "comparison.json").read_bytes()
    with pytest.raises(UsageError, match="data: expected the data of the run"):
        compare(Options("own", updates=2), ["kfra", "adam:0.1"], tmp_path, task=Task("own", network, data, data[:, 1:]))
    assert (tmp_path / "comparison.json").read_bytes() == before
    assert not (tmp_path / "adam-0.1").exists()
