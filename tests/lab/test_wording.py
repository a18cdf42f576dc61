"""`kfgn.lab.wording`: names of runs in words."""

import pytest

from kfgn.lab import METHODS, Run
from kfgn.lab.wording import METHOD_NAMES, best_loss_in_words, duration, labels_of, note_on_rates, words_of


def made(folder, method="kfra", rate=None, halving=None):
    return Run(folder, {"options": {"method": method, "learning_rate": rate, "halving": halving}}, [])


def test_every_method_has_a_name():
    assert list(METHOD_NAMES) == list(METHODS)


def test_the_rate_and_its_halving_are_named(tmp_path):
    assert words_of(made(tmp_path)) == "KFRA"
    assert words_of(made(tmp_path, "adam", 2**-9)) == "Adam, learning rate 0.00195"
    expected = "SGD with momentum, learning rate 0.1, halved every 100 updates"
    assert words_of(made(tmp_path, "momentum", 0.1, 100)) == expected


def test_runs_with_equal_words_have_their_folders(tmp_path):
    runs = [made(tmp_path / "a\nb"), made(tmp_path / "c"), made(tmp_path / "d", "kflr")]
    assert labels_of(runs) == ["KFRA (a\\nb)", "KFRA (c)", "KFLR"]


@pytest.mark.parametrize(
    ("methods", "words"),
    [
        (["kfra", "adam", "adam"], "best loss of Adam"),
        (["momentum", "kfra"], "best loss of SGD with momentum"),
        (["adam", "sgd"], "best first-order loss"),
    ],
)
def test_the_best_loss_has_the_name_of_its_method(methods, words, tmp_path):
    assert best_loss_in_words([made(tmp_path, method) for method in methods]) == words


@pytest.mark.parametrize(
    ("rates", "best", "words"),
    [
        ([0.1], 0.1, "only one learning rate of Adam was compared"),
        ([0.1, 0.01, 0.001], 0.1, "the best learning rate of Adam, 0.1, is the highest that was compared"),
        ([0.1, 0.01, 0.001], 0.001, "the best learning rate of Adam, 0.001, is the lowest that was compared"),
    ],
)
def test_rates_that_do_not_bracket_the_best(rates, best, words, tmp_path):
    runs = [*(made(tmp_path, "adam", rate) for rate in rates), made(tmp_path), made(tmp_path, "sgd", 9.0)]
    assert note_on_rates(made(tmp_path, "adam", best), runs).startswith(words)


def test_rates_on_both_sides_of_the_best_need_no_note(tmp_path):
    runs = [made(tmp_path, "adam", rate) for rate in (0.1, 0.01, 0.001)]
    assert note_on_rates(runs[1], runs) == ""


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0.4 s"), (45, "45 s"), (1200.02, "20 min"), (150, "2.5 min")])
def test_durations(seconds, words):
    assert duration(seconds) == words
