"""`kfgn.lab.watch` and `kfgn.lab.progress`: callbacks of a run, and the progress bar."""

import io

import pytest
from rich.console import Console

from kfgn.lab import Options, UsageError, Watch, resume, train
from kfgn.lab.progress import Progress


class Calls(Watch):
    """A watch that collects its calls."""

    def __init__(self):
        self.starts, self.updates = [], []

    def on_start(self, options, updates, seconds):
        self.starts.append((options.batch, updates, seconds > 0))

    def on_updates(self, records):
        self.updates += [record["update"] for record in records]


def test_every_update_is_observed_once(tmp_path):
    first, second = Calls(), Calls()
    train(Options("digits", updates=12), tmp_path, watch=first)
    resume(tmp_path, {"updates": 15}, watch=second)
    assert (first.starts, first.updates) == ([(256, 0, False)], list(range(13)))
    assert (second.starts, second.updates) == ([(256, 12, True)], [13, 14, 15])


@pytest.mark.parametrize("watch", ["watch", Watch, 3])
def test_a_watch_of_another_class(watch, tmp_path):
    with pytest.raises(UsageError, match=r"^watch: expected a kfgn\.lab\.Watch, got "):
        train(Options("digits", updates=1), tmp_path / "run", watch=watch)


def test_a_warning_is_a_user_warning():
    with pytest.warns(UserWarning, match="^the disk is slow$"):
        Watch().on_warning("the disk is slow")


@pytest.mark.parametrize("method", ["kfra", "adam"])
def test_the_bar_has_alpha_with_its_sign(method, tmp_path):
    """Alpha of (40) is negative for a descent step, and minus the learning rate for a first-order method."""
    stream = io.StringIO()
    with Progress(Console(file=stream, force_terminal=True, width=200)) as bar:
        run = train(Options("digits", method, updates=2), tmp_path / "run", watch=bar)
    alpha = run.metrics[-1]["step_size"]
    assert alpha < 0
    assert f"alpha {alpha:.3g}" in stream.getvalue()
