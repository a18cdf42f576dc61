"""`kfgn.lab.tables`: the tables of runs and of backends."""

from kfgn.backends import BACKENDS, BackendUnavailableError
from kfgn.lab import read_run
from kfgn.lab.cli import main
from kfgn.lab.run import SETS


def run(*arguments):
    return main([str(argument) for argument in arguments])


def train(out, *more):
    return run("train", "--data", "digits", "--updates", 12, "--out", out, *more)


def test_the_update_of_the_losses_is_printed(tmp_path, capsys):
    train(tmp_path / "a")
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
