"""`kfgn.lab.pictures`: losses of runs, and reconstructions."""

import pytest

import kfgn
from kfgn.lab import Options, train
from kfgn.lab.cli import main
from kfgn.lab.pictures import _outputs
from kfgn.lab.tasks import Task, open_task


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_a_picture_of_runs_on_several_data_sets_names_them(tmp_path, monkeypatch):
    train(Options("digits", updates=12), tmp_path / "a")
    assert run("train", "--data", "digits-odd", "--updates", 12, "--out", tmp_path / "b") == 0
    drawn = []
    monkeypatch.setattr("kfgn.lab.pictures._save", lambda figure, _path: drawn.append(figure))
    assert run("show", tmp_path) == 0
    (figure,) = drawn
    assert figure.get_suptitle() == "several data sets; dashed: averaged weights"
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["digits, kfra", "digits-odd, kfra"]


AUTOENCODER = ("tanh", "identity", "tanh")


@pytest.mark.parametrize("objective", ["bernoulli", "squared_error"])
def test_reconstructions_are_drawn_and_resemble_the_images(objective, tmp_path):
    X = open_task("digits").X
    network = kfgn.Network.dense((64, 40, 20, 40, 64), AUTOENCODER, objective)
    task = Task("small", network, X, X, (8, 8), "digits", 256)
    run = train(Options("digits", updates=80), tmp_path / "run", task=task)
    assert (tmp_path / "run" / "reconstructions.png").read_bytes().startswith(b"\x89PNG")
    outputs = _outputs(run, X)
    assert ((outputs - X) ** 2).sum() < 0.35 * ((X - X.mean(axis=0)) ** 2).sum()
    if objective == "bernoulli":
        assert 0 <= outputs.min() < outputs.max() <= 1


def test_pictures_are_drawn(tmp_path):
    train(Options("digits", updates=3), tmp_path / "run")
    assert (tmp_path / "run" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "run" / "reconstructions.png").exists()
