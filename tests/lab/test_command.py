"""The command `kfgn`: what it prints, its exit status, and one clear line for what is wrong."""

import subprocess
import sys

import pytest

from kfgn.backends import BackendUnavailableError
from kfgn.lab import Options, compare, read_run
from kfgn.lab.cli import main
from kfgn.lab.comparison import arrival, best_first_order

ADAM = ("--learning-rate", "0.01")


def run(*arguments):
    return main([str(argument) for argument in arguments])


def train(out, *more):
    return run("train", "--data", "digits", "--updates", 12, "--out", out, *more)


def test_train_prints_the_end_of_the_run(tmp_path, capsys):
    assert train(tmp_path / "a") == 0
    told = capsys.readouterr()
    assert told.err == ""  # quiet where there is no terminal
    final = read_run(tmp_path / "a").final()
    assert f"{final:.5g}" in told.out


def test_resume_goes_on(tmp_path):
    train(tmp_path / "a")
    assert run("train", "--resume", "--out", tmp_path / "a", "--updates", 20) == 0
    assert read_run(tmp_path / "a").updates == 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "cifar", "--updates", 1), "data: expected one of digits"),
        (("--updates", 1), "data: expected one of digits"),
        (("--data", "digits"), "updates, seconds: expected one of them, got neither"),
        (("--data", "digits", "--updates", 1, "--method", "x"), "method: expected one of kflr"),
        (("--data", "digits", "--updates", 1, "--backend", "x"), "backend: expected one of numpy"),
        (("--data", "mnist", "--updates", 1, "--data-folder", "nowhere"), "no such file: expected nowhere/mnist"),
        (("--resume",), "there is no run here (configuration.json is missing)"),
    ],
)
def test_wrong_usage_is_one_line(arguments, message, tmp_path, capsys):
    assert run("train", *arguments, "--out", tmp_path / "a") == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("kfgn: error: ")
    assert told.err.count("\n") == 1
    assert message in told.err
    assert not (tmp_path / "a").exists()


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path, capsys):
    train(tmp_path / "a")
    before = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert train(tmp_path / "a") == 2
    assert "is not empty; add --resume to go on with its run, or name another folder" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == before
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.tex").touch()
    assert train(tmp_path / "b") == 2
    assert "b is not empty; name another folder" in capsys.readouterr().err


def test_a_run_that_fails_has_status_1(tmp_path, capsys):
    diverges = ("--method", "sgd", "--learning-rate", "1e30", "--patience", 3)
    assert train(tmp_path / "a", *diverges) == 1
    assert "the last 3 steps up to update 3 were rejected" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["rich", "safetensors", "matplotlib"])
def test_a_missing_extra_is_named(missing, tmp_path, capsys, monkeypatch):
    import importlib

    real = importlib.import_module

    def without(name, package=None):
        if name.split(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    assert train(tmp_path / "a") == 2
    told = capsys.readouterr().err
    assert missing in told
    assert "is not installed: pip install 'kfgn[train]'" in told


WITHOUT_THE_EXTRA = """
import sys

for name in ("rich", "safetensors", "matplotlib", "pooch"):
    sys.modules[name] = None  # an import of it fails

import kfgn.lab.cli

print(kfgn.lab.cli.parser().prog)
"""


def test_the_lab_imports_without_the_extra():
    """In a process of its own: this one has the modules already, and tests patch them."""
    program = [sys.executable, "-c", WITHOUT_THE_EXTRA]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("kfgn\n", "")


def test_compare_starts_all_alike_and_tells_when_each_arrived(tmp_path, capsys):
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
    losses = {row["update"]: min(row["train_loss"], row["train_loss_averaged"]) for row in kfra.evaluations}
    assert losses[arrived.updates] <= best < losses[arrived.updates - 2]
    assert f"{best:.5g}" in printed
    assert (tmp_path / "c" / "comparison.png").read_bytes().startswith(b"\x89PNG")


def test_a_comparison_is_taken_up_where_it_was_left(tmp_path):
    options = Options("digits", updates=10, learning_rate=0.01)
    compare(Options("digits", updates=10), ["kfra"], tmp_path)
    finished = (tmp_path / "kfra" / "metrics.jsonl").read_bytes()
    runs = compare(options, ["kfra", "adam"], tmp_path)
    assert [run.options["method"] for run in runs] == ["kfra", "adam"]
    assert (tmp_path / "kfra" / "metrics.jsonl").read_bytes() == finished
    assert [run.updates for run in compare(Options("digits", updates=15), ["kfra"], tmp_path)] == [15]


def test_compare_takes_a_learning_rate_for_each_method(tmp_path, capsys):
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
        "adam:-1": "learning_rate",
    }.items():
        assert run("compare", "--data", "digits", "--methods", wrong, "--updates", 3, "--out", tmp_path / "d") == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "d").exists()


def test_a_damping_out_of_range_is_named(tmp_path, capsys):
    assert train(tmp_path / "a", "--gamma", -1) == 2
    assert "kfra: gamma: initial" in capsys.readouterr().err


def test_seconds_end_a_run(tmp_path):
    assert run("train", "--data", "digits", "--seconds", 0.5, "--out", tmp_path / "a") == 0
    finished = read_run(tmp_path / "a")
    assert finished.seconds >= 0.5 > finished.metrics[-2]["seconds"] - 0.3  # it is looked at after some updates


def test_compare_names_an_option_that_no_method_has(tmp_path, capsys):
    arguments = ("--data", "digits", "--methods", "kfra", "kflr", *ADAM, "--updates", 5, "--out", tmp_path / "c")
    assert run("compare", *arguments) == 2
    assert "learning_rate: expected an option of one of kfra, kflr, and none takes it" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


def test_show_prints_and_redraws(tmp_path, capsys):
    train(tmp_path / "a")
    train(tmp_path / "b", "--seed", 1)
    (tmp_path / "a" / "loss.png").unlink()
    assert run("show", tmp_path / "a") == 0
    assert (tmp_path / "a" / "loss.png").exists()
    assert run("show", tmp_path) == 0  # both
    printed = capsys.readouterr().out
    for name in "ab":
        assert f"{read_run(tmp_path / name).final():.5g}" in printed
    assert (tmp_path / "comparison.png").exists()
    assert run("show", tmp_path / "a", "--out", tmp_path / "mine.png") == 0
    assert (tmp_path / "mine.png").exists()
    assert run("show", tmp_path / "nowhere") == 2
    assert "there is no run here" in capsys.readouterr().err


def test_an_option_that_every_method_overrides_is_named(tmp_path, capsys):
    arguments = ("--data", "digits", "--methods", "kfra", "adam:0.1", *ADAM, "--updates", 5, "--out", tmp_path / "c")
    assert run("compare", *arguments) == 2
    assert "learning_rate: expected an option of one of kfra, adam:0.1, and none takes it" in capsys.readouterr().err


def test_show_says_of_which_update_the_losses_are(tmp_path, capsys):
    train(tmp_path / "a")
    metrics = tmp_path / "a" / "metrics.jsonl"
    metrics.write_text("".join(metrics.read_text().splitlines(keepends=True)[:10]))  # as after a kill
    for checkpoint in (tmp_path / "a").glob("checkpoint-*"):  # which never knows more than the metrics
        checkpoint.unlink()
    capsys.readouterr()
    assert run("show", tmp_path / "a") == 0
    assert "a: its losses are those after update 0\n" in capsys.readouterr().out


def test_runs_on_several_data_sets_are_told_apart_in_a_picture(tmp_path, monkeypatch):
    train(tmp_path / "a")
    assert run("train", "--data", "digits-odd", "--updates", 12, "--out", tmp_path / "b") == 0
    drawn = []
    monkeypatch.setattr("kfgn.lab.pictures._save", lambda figure, _path: drawn.append(figure))
    assert run("show", tmp_path) == 0
    (figure,) = drawn
    assert figure.get_suptitle() == "several data sets; dashed: averaged parameters"
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["digits, kfra", "digits-odd, kfra"]


def test_backends_keeps_the_extra_that_pip_needs(capsys, monkeypatch):
    def missing(_name, _device):
        raise BackendUnavailableError("pip install 'kfgn[jax]'")

    monkeypatch.setattr("kfgn.lab.tables.open_backend", missing)
    assert run("backends") == 0
    assert "kfgn[jax]" in capsys.readouterr().out


def test_backends_says_what_is_usable(capsys):
    assert run("backends") == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert lines["numpy"].split()[-1] == "yes"
    assert "cupy" in lines
