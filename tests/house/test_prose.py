"""The extraction of prose, the rules of style on planted faults, and the draw of sentences."""

import pytest

from . import prose as module
from .check_docstrings import faults, main
from .prose import Prose, paragraphs, prose, sentences
from .sample_sentences import all_sentences, sample

SOURCE = '''
"""A module docstring."""

LIMIT = 3
"""The docstring of an attribute."""


def f(x):
    """A summary line.

        y = x^2

    Parameters
    ----------
    x : array of float64, shape (N, D)
        The inputs, one row per datapoint. Each is finite.
    """
    # a comment that goes
    # over two lines
    print("kfgn.lab.cli.a_name_of_many_words")
    raise ValueError(f"x: expected at least {LIMIT} rows, got none")  # noqa: B904  (a reason of several words)
'''


def kinds(tmp_path, monkeypatch, source):
    monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text(source)
    return [(one.line, one.kind, one.text.partition("\n")[0]) for one in prose(tmp_path / "a.py")]


def test_texts_of_a_file(tmp_path, monkeypatch):
    assert kinds(tmp_path, monkeypatch, SOURCE) == [
        (2, "docstring", "A module docstring."),
        (5, "docstring", "The docstring of an attribute."),
        (9, "docstring", "A summary line."),
        (18, "comment", "a comment that goes over two lines"),
        (21, "comment", "a reason of several words"),
        (21, "message", "x: expected at least {} rows, got none"),
    ]


def test_paragraphs_are_prose():
    text = """A summary of several words.

        f = loss + eta / 2 |theta|^2

    weights: the weights of every layer,
             with the bias in the last column
    tau:     the damping of the full matrix
    f(x, y)  the value of the function f
    value(x) the value of a function of one argument

    * Batches are rows.
    * Weights have the bias
      in the last column.

    Parameters
    ----------
    x : array of float64, of any shape
        The inputs, one row per datapoint.
    """
    text = "\n".join(line.removeprefix("    ") for line in text.splitlines())
    assert list(paragraphs(text)) == [
        (0, "A summary of several words."),
        (4, "weights: the weights of every layer, with the bias in the last column"),
        (6, "tau:     the damping of the full matrix"),
        (7, "f(x, y)  the value of the function f"),
        (8, "value(x) the value of a function of one argument"),
        (11, "Weights have the bias in the last column."),
        (17, "The inputs, one row per datapoint."),
    ]


def test_sentences():
    assert sentences("See Fig. 3 for it, e.g. here. A `b.c`. `d` is last. (An aside.) Is it? 3 more.") == [
        "See Fig. 3 for it, e.g. here.",
        "A `b.c`.",
        "`d` is last.",
        "(An aside.)",
        "Is it?",
        "3 more.",
    ]


@pytest.mark.parametrize(
    ("rule", "kind", "text"),
    [
        ("first-word", "docstring", "What it says."),
        ("first-word", "docstring", "Whether the step was accepted."),
        ("first-word", "docstring", "Those that apply."),
        ("first-word", "docstring", "Of each layer."),
        ("unfinished", "docstring", "TODO."),
        ("unfinished", "docstring", ""),
        (
            "semicolons",
            "docstring",
            "A first line.\n\nThe first part is long; the second part, too; the third also.",
        ),
        ("private", "docstring", "Each adapter has a process of its own, which ends with it."),
        ("long", "comment", "a word after " * 16),
        ("private", "docstring", "The answer is held against the reference."),
        ("private", "comment", "computed anew for every step"),
        ("private", "message", "expected the file beside the other one"),
    ],
)
def test_a_fault_is_found(rule, kind, text):
    assert [fault.rule for fault in faults(Prose("a.py", 1, kind, text))] == [rule]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("docstring", "The whole of it, which is what counts."),
        ("docstring", "Offsets of the layers; the last one is the number of weights."),
        ("docstring", "A line.\n\n    f(a; b; c) = g(a; b; c) + h(a; b; c)"),
        ("docstring", "The function `curving_matrix`, besides `bent`."),
        ("docstring", "The names of the tasks: digits; mnist and curves; and with a suffix the mixture (27)."),
        ("docstring", "Each step has the matrix of its own batch."),
        ("docstring", "Symbols:\n\n    here    paper     meaning\n    E; L    E; E; E   the objective and loss"),
        ("comment", "what is computed here is needed below"),
    ],
)
def test_good_prose_has_no_fault(kind, text):
    assert list(faults(Prose("a.py", 1, kind, text))) == []


def test_a_draw_depends_on_the_seed_alone():
    found = all_sentences()
    assert len(found) > 2000
    assert {one.kind for one in found} == {"docstring", "comment", "message"}
    assert sample(found, "0123abc", 100) == sample(list(found), "0123abc", 100)
    assert sample(found, "0123abc", 100) != sample(found, "0123abd", 100)
    assert len(set(sample(found, "0123abc", 100))) == 100


def test_the_folder_of_the_checks_passes(capsys):
    assert main(["tests/house"]) == 0, capsys.readouterr().out
