"""`kfgn.lab.pictures`: losses of runs, and reconstructions."""

import numpy as np
import pytest

import kfgn
from kfgn.lab import Options, Run, train
from kfgn.lab.cli import main
from kfgn.lab.loss_pictures import draw_losses
from kfgn.lab.pictures import _draw_reconstructions, _outputs, draw_run
from kfgn.lab.task import Task
from kfgn.lab.tasks import open_task


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture
def drawn(monkeypatch):
    """Collect the figures instead of writing them."""
    figures = []
    for module in ("loss_pictures", "pictures"):
        monkeypatch.setattr(f"kfgn.lab.{module}.save", lambda figure, _path: figures.append(figure))
    return figures


def legend(parent):
    return [text.get_text() for text in parent.get_texts()]


def made(folder, method="kfra", data="digits", *, losses, rate=None, seconds=1.0):
    """A run with given evaluations: pairs of the update and the training loss, at the weights and at the average."""
    metrics = [
        {"update": t, "seconds": seconds * t, "train_loss": loss, "train_loss_averaged": loss} for t, loss in losses
    ]
    options = {"data": data, "method": method, "learning_rate": rate, "halving": None, "eta": 0.0}
    return Run(folder, {"options": options}, metrics)


def test_data_sets_never_share_an_axis(tmp_path, drawn):
    train(Options("digits", updates=12), tmp_path / "a")
    assert run("train", "--data", "digits-odd", "--updates", 12, "--out", tmp_path / "b") == 0
    drawn.clear()
    assert run("show", tmp_path, "--draw") == 0
    (figure,) = drawn
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["digits", "", "", "digits-odd", "", ""]
    assert all(len(axes.lines) == 2 for axes in figure.axes)  # the weights and their average, of one run
    (found,) = figure.legends
    assert legend(found) == ["KFRA"]


def test_a_method_has_one_colour_on_all_data_sets(tmp_path, drawn):
    """The legend names each method once, and the reference lines come after the runs."""
    places = [("c", "kfra", "digits"), ("c", "adam", "digits"), ("o", "kfac", "faces"), ("o", "kfra", "faces")]
    runs = [
        made(tmp_path / f"{folder}/{method}", method, data, losses=[(0, 9.0), (50, 5.0)])
        for folder, method, data in places
    ]
    draw_losses(runs, tmp_path / "c")
    (figure,) = drawn
    assert legend(figure.legends[0])[:3] == ["KFRA", "Adam", "KFAC"]
    colours = [{line.get_label(): line.get_color() for line in axes.lines} for axes in figure.axes[::2]]
    assert colours[0]["KFRA"] == colours[1]["KFRA"] != colours[1]["KFAC"]


def test_close_losses_are_drawn_above_the_lowest(tmp_path, drawn):
    close = [made(tmp_path / name, losses=[(0, 90.0), (1, loss)]) for name, loss in (("a", 50.0), ("b", 51.0))]
    draw_losses(close, tmp_path / "c.png")
    (figure,) = drawn
    assert figure.axes[0].get_ylabel() == "training loss above 50,\nthe lowest of all runs"
    np.testing.assert_array_equal(figure.axes[0].lines[2].get_ydata(), [40.0, 1.0])
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), [40.0, np.nan])
    far = [made(tmp_path / name, losses=[(0, 90.0), (1, loss)]) for name, loss in (("a", 50.0), ("b", 70.0))]
    draw_losses(far, tmp_path / "c.png")
    assert drawn[1].axes[0].get_ylabel() == "training loss"


def test_the_update_that_reaches_the_best_adam_is_marked(tmp_path, drawn):
    adam = [made(tmp_path / f"{rate}", "adam", losses=[(0, 9.0), (300, last)], rate=rate) for rate, last in ADAMS]
    draw_losses([*adam, made(tmp_path / "kfra", losses=[(0, 9.0), (20, 6.0), (40, 3.0), (60, 1.0)])], tmp_path / "c")
    (figure,) = drawn
    for axes, text in zip(figure.axes, ("KFRA: 40 updates", "KFRA: 40 s"), strict=True):
        (star,) = (line for line in axes.lines if line.get_marker() == "*")
        assert star.get_xydata().tolist() == [[40.0, 3.0]]
        assert legend(axes.get_legend()) == [text]
        assert [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == ":"] == [4.0]
    assert legend(figure.legends[0]) == [
        "Adam, learning rate 0.1",
        "Adam, learning rate 0.01",
        "KFRA",
        "best loss of Adam",
        "first evaluation that reaches this loss",
    ]
    (star,) = (handle for handle in figure.legends[0].legend_handles if handle.get_marker() == "*")
    assert star.get_color() == "#999999"  # the star belongs to no single run


def test_a_first_order_run_without_a_final_loss_has_no_star(tmp_path, drawn):
    """The run reaches the best loss of the other run, and diverges later."""
    best, diverged = [(0, 9.0), (300, 4.0)], [(0, 9.0), (100, 3.0), (300, np.nan)]
    runs = [made(tmp_path / str(i), "adam", losses=losses, rate=i) for i, losses in enumerate((best, diverged), 1)]
    draw_losses([*runs, made(tmp_path / "kfra", losses=[(0, 9.0), (40, 3.0)])], tmp_path / "c")
    (figure,) = drawn
    assert [legend(axes.get_legend()) for axes in figure.axes] == [["KFRA: 40 updates"], ["KFRA: 40 s"]]


ADAMS = ((0.1, 5.0), (0.01, 4.0))


def test_the_picture_of_one_run_has_each_set(tmp_path, drawn):
    train(Options("digits", updates=6, evaluate_every=2), tmp_path / "run")
    losses, dampings = drawn
    assert [axes.get_ylabel() for axes in losses.axes] == ["loss", "accuracy"]
    assert legend(losses.legends[0]) == ["each batch", "training", "validation", "test"]
    test = [line for line in losses.axes[0].lines if line.get_marker() == "x"]
    assert [line.get_xdata().tolist() for line in test] == [[6], [6]]
    assert [axes.get_ylabel()[:5] for axes in dampings.axes] == ["tau, ", "gamma", "rho, ", "|alph"]
    assert [len(axes.lines[0].get_xdata()) for axes in dampings.axes] == [6, 6, 1, 6]
    styles = [(axes.lines[0].get_linestyle(), axes.lines[0].get_marker()) for axes in dampings.axes]
    assert styles == [("-", "None"), ("-", "None"), ("None", "."), ("None", ".")]
    assert min(dampings.axes[3].lines[0].get_ydata()) > 0


def test_the_legend_has_the_sets_of_both_panels(tmp_path, drawn):
    """The loss on the test set overflowed, and the accuracy exists."""
    one = made(tmp_path / "a", losses=[(0, 9.0), (6, 4.0)])
    for record in one.metrics:
        record |= {"loss": 5.0, "train_accuracy": 0.5, "train_accuracy_averaged": 0.5}
    one.metrics[-1] |= {"test_loss": None, "test_accuracy": 0.5}
    draw_losses([one], tmp_path / "a.png")
    (figure,) = drawn
    assert legend(figure.legends[0]) == ["each batch", "training", "test"]


def test_a_damping_that_the_method_does_not_use_has_no_axes(tmp_path, drawn):
    train(Options("digits", method="hessian_free", updates=2), tmp_path / "run")
    panel = drawn[1].axes[1]
    assert [text.get_text() for text in panel.texts] == ["hessian_free has no gamma"]
    assert (panel.lines[:], panel.axison) == ([], False)


def test_the_numbers_of_a_logarithmic_axis_are_plain(tmp_path, drawn):
    """An axis of three decades or more has the same kind of numbers as a shorter axis."""
    for last in (5.0, 1e-5):
        draw_losses(
            [made(tmp_path / "a", losses=[(0, 9.0), (9, last)]), made(tmp_path / "b", losses=[(0, 9.0)])], tmp_path
        )
    for figure, expected in zip(drawn, ("5", "0.01"), strict=True):
        figure.draw_without_rendering()
        texts = [text.get_text() for text in figure.axes[0].get_yticklabels()]
        assert expected in texts
        assert not any("$" in text for text in texts)


def test_places_of_stars_do_not_overlap(tmp_path, drawn):
    """Two methods reach the best loss at the same update, so their stars and any text next to them would overlap."""
    runs = [made(tmp_path / name, name, losses=[(0, 9.0), (50, 1.0)]) for name in ("kfra", "kfac")]
    draw_losses([*runs, made(tmp_path / "adam", "adam", losses=[(0, 9.0), (50, 5.0)])], tmp_path / "c")
    (figure,) = drawn
    for axes, unit in zip(figure.axes, ("updates", "s"), strict=True):
        assert list(axes.texts) == []
        assert legend(axes.get_legend()) == [f"KFRA: 50 {unit}", f"KFAC: 50 {unit}"]
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for axes in figure.axes for text in axes.get_legend().get_texts()]
    assert not any(box.overlaps(other) for i, box in enumerate(boxes) for other in boxes[:i])


@pytest.mark.filterwarnings("ignore:all .* steps of the run .* were rejected")
def test_the_picture_shows_the_weights_that_early_stopping_keeps(tmp_path, drawn):
    """Steps with a learning rate of 1e30 are rejected, so the initial weights have the lowest validation loss."""
    options = Options("digits", "sgd", updates=9, learning_rate=1e30, evaluate_every=2, early_stopping=2)
    train(options, tmp_path / "run")
    (figure,) = drawn
    for axes in figure.axes:
        crosses = [line for line in axes.lines if line.get_marker() == "x"]
        assert [line.get_xdata().tolist() for line in crosses] == [[0], [0]]
        (kept,) = (line for line in axes.lines if line.get_linestyle() == ":")
        assert list(kept.get_xdata()) == [0, 0]
    assert legend(figure.legends[0])[-1] == "weights that are kept: lowest validation loss"


def test_a_first_order_method_has_no_dampings(tmp_path):
    train(Options("digits", "adam", updates=2), tmp_path / "run")
    assert not (tmp_path / "run" / "damping.png").exists()


AUTOENCODER = ("tanh", "identity", "tanh")


@pytest.mark.parametrize("objective", ["bernoulli", "squared_error"])
def test_reconstructions_are_drawn_and_resemble_the_images(objective, tmp_path, monkeypatch):
    X = open_task("digits").X
    network = kfgn.Network.dense((64, 40, 20, 40, 64), AUTOENCODER, objective)
    task = Task("small", network, X, X, (8, 8), "digits", 256)
    run = train(Options("digits", updates=80), tmp_path / "run", task=task)
    assert (tmp_path / "run" / "reconstructions.png").read_bytes().startswith(b"\x89PNG")
    figures = []
    monkeypatch.setattr("kfgn.lab.pictures.save", lambda figure, _path: figures.append(figure))
    _draw_reconstructions(run, task, tmp_path / "r.png")
    assert [axes.get_ylabel() for axes in figures[0].axes if axes.get_ylabel()] == ["images", "outputs"]
    outputs = _outputs(run, X)
    assert ((outputs - X) ** 2).sum() < 0.35 * ((X - X.mean(axis=0)) ** 2).sum()
    if objective == "bernoulli":
        assert 0 <= outputs.min() < outputs.max() <= 1


def test_the_images_of_another_task_are_not_drawn(tmp_path):
    """`kfgn show --draw` loads the data that the options name, and the run may have had data of the same name."""
    X = np.random.default_rng(0).random((40, 64), dtype=np.float32)
    task = Task("own", kfgn.Network.dense((64, 3, 64), ("tanh",), "squared_error"), X, X, (8, 8))
    run = train(Options("digits", updates=2), tmp_path / "run", task=task)
    assert (run.folder / "reconstructions.png").exists()
    assert [path.name for path in draw_run(run)] == ["loss.png", "damping.png"]


def test_pictures_are_drawn(tmp_path):
    train(Options("digits", updates=3), tmp_path / "run")
    assert (tmp_path / "run" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "run" / "reconstructions.png").exists()
