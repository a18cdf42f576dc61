"""`kfgn.lab.watch` and `kfgn.lab.progress`: callbacks of a run, and the progress on a terminal or a pipe."""

import io
import re

import pytest
from rich.console import Console

from kfgn.lab import Options, RunFailedError, UsageError, Watch, resume, train
from kfgn.lab.cli import main
from kfgn.lab.comparison_folder import runs_in
from kfgn.lab.data import load_with_held_out
from kfgn.lab.progress import progress_on


class Calls(Watch):
    """A watch that collects its calls."""

    def __init__(self):
        self.starts, self.updates = [], []

    def on_start(self, options, updates, seconds, folder):
        self.starts.append((options.batch, updates, seconds > 0))
        self.folder = folder

    def on_end(self):
        self.starts.append("end")

    def on_updates(self, records):
        self.updates += [record["update"] for record in records]


def test_every_update_is_observed_once(tmp_path):
    first, second = Calls(), Calls()
    train(Options("digits", updates=12), tmp_path, watch=first)
    resume(tmp_path, {"updates": 15}, watch=second)
    assert (first.starts, first.updates) == ([(256, 0, False), "end"], list(range(13)))
    assert (second.starts, second.updates) == ([(256, 12, True), "end"], [13, 14, 15])


def test_a_function_is_called_with_each_record(tmp_path):
    records, calls = [], Calls()
    run = train(Options("digits", updates=12), tmp_path, watch=[records.append, calls])
    assert records == run.metrics
    assert calls.updates == list(range(13))
    assert calls.folder == tmp_path


def test_a_function_cannot_change_a_run(tmp_path):
    run = train(Options("digits", updates=3, max_rejected=1), tmp_path, watch=lambda record: record.clear())
    assert run.updates == 3


def test_the_end_is_observed_after_an_error(tmp_path):
    calls = Calls()
    with pytest.raises(RunFailedError):
        train(Options("digits", "sgd", learning_rate=1e30, updates=9, max_rejected=2), tmp_path, watch=calls)
    assert calls.starts[-1] == "end"


@pytest.mark.parametrize("watch", ["watch", Watch, 3, [Watch], ["watch"], [Watch(), 3]])
def test_a_watch_of_another_class(watch, tmp_path):
    with pytest.raises(
        UsageError, match=r"^watch: expected a kfgn\.lab\.Watch, a function of a record, or a list of these, got "
    ):
        train(Options("digits", updates=1), tmp_path / "run", watch=watch)


def test_a_warning_is_a_user_warning():
    with pytest.warns(UserWarning, match="^the disk is slow$"):
        Watch().on_warning("the disk is slow")


@pytest.mark.parametrize("method", ["kfra", "adam"])
@pytest.mark.parametrize("terminal", [True, False])
def test_progress_has_alpha_or_the_learning_rate(terminal, method, tmp_path, monkeypatch):
    """Alpha of (40) is negative for a descent step. The learning rate of a first-order method is positive."""
    monkeypatch.setattr("kfgn.lab.progress.INTERVAL", 0.0)
    stream = io.StringIO()
    with progress_on(Console(file=stream, force_terminal=terminal, width=200)) as progress:
        run = train(Options("digits", method, updates=2), tmp_path / "run", watch=progress)
    alpha = run.metrics[-1]["step_size"]
    assert alpha < 0
    expected = f"alpha {alpha:.3g}" if method == "kfra" else f"rate {-alpha:.3g}"
    assert expected in stream.getvalue()


def flushed_lines(monkeypatch, *, quiet=False, interval=0.0):
    """A progress on a pipe, and the lines that it has written and flushed."""
    monkeypatch.setattr("kfgn.lab.progress.INTERVAL", interval)
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(io.BufferedWriter(raw)), width=200)
    return progress_on(console, quiet=quiet), lambda: raw.getvalue().decode().splitlines()


def test_a_pipe_gets_lines(tmp_path, monkeypatch):
    progress, lines = flushed_lines(monkeypatch)
    options = Options("digits", "adam", learning_rate=0.01, updates=11, evaluate_every=50)
    train(options, tmp_path / "run", watch=progress)
    updates, last = lines()
    assert updates.startswith("digits, Adam, rate 0.01: update 10 of 11, loss ")
    assert last.startswith("digits, Adam, rate 0.01: update 11 of 11, loss ")
    assert ", validation loss " in updates  # of update 0
    assert ", validation loss " in last  # the last update is evaluated
    assert re.search(r", [\d.e+]+/s, rate 0.01$", last)


def test_seconds_are_in_the_line(tmp_path, monkeypatch):
    progress, lines = flushed_lines(monkeypatch)
    train(Options("digits", seconds=0.01), tmp_path / "run", watch=progress)
    assert ", 0 of 0.01 s, validation loss " in lines()[-1]


@pytest.mark.parametrize("given", [{"quiet": True}, {"interval": 60.0}])
def test_a_quiet_or_short_run_prints_nothing(given, tmp_path, monkeypatch):
    progress, lines = flushed_lines(monkeypatch, **given)
    progress.on_preparation("curves: 1,000 of 20,000 images")
    train(Options("digits", updates=3), tmp_path / "run", watch=progress)
    assert lines() == []
    progress.on_warning("the disk is slow")
    assert lines() == ["kfgn: warning: the disk is slow"]


def test_the_generation_of_data_is_reported(monkeypatch):
    monkeypatch.setattr("kfgn.lab.data.curves.PARTS", {"train": (0, 2000), "validation": (0, 500), "test": (0, 700)})
    progress, lines = flushed_lines(monkeypatch)
    sets = load_with_held_out("curves", None, progress.on_preparation)
    assert [len(images.pixels) for images in sets] == [2000, 500, 700]
    assert lines() == [
        "curves: 1,000 of 2,000 images of the train set generated",
        "curves: 2,000 of 2,000 images of the train set generated",
        "curves: 500 of 500 images of the validation set generated",
        "curves: 700 of 700 images of the test set generated",
    ]
    stream = io.StringIO()
    with progress_on(Console(file=stream, force_terminal=True, width=200)) as bar:
        load_with_held_out("curves", None, bar.on_preparation)
        bar.bar.refresh()
        bar.on_start(Options("curves", updates=1), 0, 0.0, None)
        assert [task.description for task in bar.bar.tasks] == ["curves, KFRA"]
    assert "curves: 700 of 700 images" in stream.getvalue()


def test_each_run_of_a_comparison_has_a_line(tmp_path, capsys):
    given = ["compare", "--data", "digits", "--methods", "kfra", "adam:0.01", "--out", str(tmp_path), "--updates"]
    assert main([*given, "3"]) == 0
    losses = [f"{run.final():.5g}" for run in runs_in(tmp_path)]
    assert capsys.readouterr().err.splitlines() == [
        f"digits, KFRA: ended at update 3 of 3, training loss {losses[0]}",
        f"digits, Adam, rate 0.01: ended at update 3 of 3, training loss {losses[1]}",
    ]
    assert main([*given, "3"]) == 0
    assert capsys.readouterr().err == ""  # no run was continued


def test_quiet_is_an_option_of_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("kfgn.lab.progress.INTERVAL", 0.0)
    given = ["--data", "digits", "--updates", "2", "--out"]
    assert main(["train", *given, str(tmp_path / "a")]) == 0
    assert "update 2 of 2" in capsys.readouterr().err
    assert main(["train", *given, str(tmp_path / "b"), "--quiet"]) == 0
    assert main(["compare", "--methods", "kfra", *given, str(tmp_path / "c"), "--quiet"]) == 0
    assert capsys.readouterr().err == ""
