"""`kfgn.lab.results`: the command names the files that it has written and the next commands."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from kfgn.lab import read_run
from kfgn.lab.cli import main
from kfgn.lab.comparison_folder import runs_in
from kfgn.lab.errors import PictureError
from kfgn.lab.schema import Update

GIVEN = ["--data", "digits", "--updates", "10", "--quiet", "--out"]


def test_train_names_the_folder_the_files_and_the_next_commands(tmp_path, capsys):
    out = tmp_path / "my run"
    assert main(["train", *GIVEN, str(out)]) == 0
    printed = capsys.readouterr().out
    assert f"the run is in {out}:\n" in printed
    for kind in ("weights", "metrics", "pictures"):
        (names,) = re.findall(rf"^  {kind} +(.*)$", printed, re.MULTILINE)
        assert all((out / name).is_file() for name in names.split(", "))
    for name in ("show", "continue"):
        (command,) = re.findall(rf"^{name} it: kfgn (.*)$", printed, re.MULTILINE)
        assert main(shlex.split(command)) == 0
    assert read_run(out).updates == 20
    (python,) = re.findall(r"in Python: kfgn\.lab\.(.*)", printed)
    assert len(eval(python, {"read_run": read_run})) == 3


def test_show_prints_json(tmp_path, capsys):
    assert main(["compare", "--methods", "kfra", "adam:0.01", *GIVEN, str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["show", "--json", str(tmp_path)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    kfra, adam = json.loads(line)
    run = read_run(tmp_path / "adam-0.01")
    assert (kfra["method"], kfra["state"], kfra["updates"], kfra["best_update"]) == ("kfra", "complete", 10, None)
    assert (adam["folder"], adam["data"], adam["learning_rate"]) == (str(run.folder), "digits", 0.01)
    assert (adam["seconds"], adam["test_loss"]) == (run.seconds, run.final("test"))
    assert adam["validation_accuracy_averaged"] == run.accuracy("validation", averaged=True)


def test_the_page_has_what_the_command_prints(tmp_path, capsys, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "train.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^kfgn (train --data digits .*runs/a)$", page, re.MULTILINE)
    (shown,) = re.findall(r"^```text\n(the run is in .*?)```$", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 0
    assert capsys.readouterr().out.endswith(f"\n\n{shown}")


def test_the_page_has_every_field_of_the_metrics():
    page = (Path(__file__).parents[2] / "docs" / "train.md").read_text(encoding="utf-8")
    table = page.partition("| field | meaning |")[2].partition("\n\n")[0]
    fields = {name for line in table.splitlines() if line for name in line.split("|")[1].strip().split(", ")}
    known = {name for name in Update.__annotations__ if not name.endswith("_averaged")}
    assert fields - {"---", "..._averaged"} == known


def test_a_run_that_is_complete_is_not_continued(tmp_path, capsys):
    out = str(tmp_path / "a")
    assert main(["train", *GIVEN, out]) == 0
    assert "already complete" not in capsys.readouterr().out
    assert main(["train", "--resume", "--quiet", "--out", out]) == 0
    printed = capsys.readouterr().out
    assert "\nthe run was already complete after update 10\n" in printed
    assert f"continue it: kfgn train --resume --updates 20 --out {out}\n" in printed
    assert main(["train", "--resume", "--quiet", "--updates", "12", "--out", out]) == 0
    assert "already complete" not in capsys.readouterr().out


def test_early_stopping_names_its_weights_and_how_to_continue(tmp_path, capsys):
    rejects = ["--method", "sgd", "--learning-rate", "1e30", "--max-rejected", "99", "--evaluate-every", "2"]
    assert main(["train", *GIVEN, str(tmp_path / "a"), *rejects, "--early-stopping", "1"]) == 0
    printed = capsys.readouterr().out
    assert "early stopping ended the run after update 2\n" in printed
    assert "weights, losses and accuracies are those of update 0, with the lowest validation loss\n" in printed
    assert (
        "  weights   checkpoint-000000002.safetensors, whose arrays best.weights.* are those of update 0\n" in printed
    )
    arrays = load_file(tmp_path / "a" / "checkpoint-000000002.safetensors")
    np.testing.assert_array_equal(arrays["best.weights.0"], read_run(tmp_path / "a").weights()[0])
    (command,) = re.findall(r"^continue it: kfgn (.*)$", printed, re.MULTILINE)
    assert command == f"train --resume --early-stopping 2 --out {tmp_path / 'a'}"
    assert main(["train", "--resume", "--updates", "99", "--quiet", "--out", str(tmp_path / "a")]) == 0
    assert "the run was already complete after update 2\n" in capsys.readouterr().out
    assert main(shlex.split(command)) == 0
    assert read_run(tmp_path / "a").updates == 4


def test_early_stopping_names_the_better_of_the_weights_and_their_average(tmp_path, capsys):
    """With a learning rate of 2, the average of the weights has the lower validation loss."""
    far = ["--method", "sgd", "--learning-rate", "2", "--evaluate-every", "1", "--early-stopping", "4"]
    assert main(["train", *GIVEN, str(tmp_path / "a"), *far]) == 0
    run, printed = read_run(tmp_path / "a"), capsys.readouterr().out
    assert run.best_update < run.updates
    assert run.final("validation", averaged=True) < run.final("validation")
    line = f"update {run.best_update}, with the lowest validation loss at the average of the weights\n"
    assert line in printed
    assert printed.endswith(f"in Python: kfgn.lab.read_run({str(run.folder)!r}).weights(averaged=True)\n")


def _without_space(_figure, path):
    raise PictureError(f"{path} could not be written: No space left on device", path.parent)


@pytest.mark.parametrize("command", [["train"], ["compare", "--methods", "kfra", "adam"]])
def test_the_results_are_printed_before_a_picture_that_cannot_be_written(command, tmp_path, capsys, monkeypatch):
    for module in ("pictures", "loss_pictures"):
        monkeypatch.setattr(f"kfgn.lab.{module}.save", _without_space)
    assert main([*command, *GIVEN, str(tmp_path / "a")]) == 1
    printed = capsys.readouterr()
    assert "updates" in printed.out
    assert f"show it: kfgn show {tmp_path / 'a'}\n" in printed.out
    assert "picture" not in printed.out
    assert printed.err.endswith(f" No space left on device; to draw it: kfgn show {tmp_path / 'a'} --draw\n")
    assert printed.err.count("\n") == 1
    assert [run.updates for run in runs_in(tmp_path / "a")] == [10] * len(command[2:] or command)


def test_compare_names_its_runs_and_commands(tmp_path, capsys):
    out = tmp_path / "c"
    assert main(["compare", "--methods", "kfra", "adam:0.01", *GIVEN, str(out)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert (
        f"the comparison is in {out}, with a folder for each run: kfra, adam-0.01 picture: {out}/comparison.png"
        in printed
    )
    assert f"show it: kfgn show {out} continue it: kfgn compare --data digits --updates 20 --methods kfra" in printed
