"""`kfgn.lab.next_commands`: the command lines that the command prints do what they claim."""

import dataclasses
import shlex
from pathlib import Path

import pytest

from kfgn.lab import Options
from kfgn.lab.command_line import parser
from kfgn.lab.comparison_folder import Comparison
from kfgn.lab.next_commands import compare_command, resume_command, show_command, twice_as_long

EVERY = Options(
    "digits",
    backend="torch",
    dtype="float64",
    updates=30,
    seconds=1.5,
    batch=20,
    seed=1,
    validation_fraction=0.2,
    test_fraction=0.0,
    split_seed=2,
    samples=2,
    average=0.9,
    inversion="exact",
    refresh=3,
    tau=1e-05,
    gamma=0.25,
    eta=0.001,
    learning_rate=0.1,
    halving=7,
    evaluate_every=11,
    checkpoint_every=12,
    early_stopping=4,
    max_rejected=5,
    data_folder="my data",
    widths=(64, 5, 10),
    transfers=("tanh",),
    objective="categorical",
)


def parsed(command):
    """The options that the command line gives, and the other words."""
    given = vars(parser().parse_args(shlex.split(command)[1:]))
    known = {field.name for field in dataclasses.fields(Options)}
    options = {name: value for name, value in given.items() if name in known and value is not None}
    return options, {name: value for name, value in given.items() if name not in known}


@pytest.mark.parametrize(
    "options",
    [EVERY, Options("digits", updates=3), Options("npz", updates=3, npz="a b.npz", widths=(3, 2))],
    ids=["every", "few", "npz"],
)
def test_the_command_of_a_comparison_gives_its_options(options):
    comparison = Comparison(Path("my runs/c"), ("kfra", "adam:0.01"), dataclasses.asdict(options))
    given, others = parsed(compare_command(comparison))
    if options.npz is not None:
        assert "data" not in given
        given["data"] = "npz"
    assert Options(**given) == options
    assert (others["out"], others["methods"]) == (Path("my runs/c"), ["kfra", "adam:0.01"])


def test_the_command_of_a_run():
    given, others = parsed(resume_command(Path("my runs/a"), twice_as_long(dataclasses.asdict(EVERY))))
    assert given == {"updates": 60, "seconds": 3.0}
    assert (others["command"], others["resume"], others["out"]) == ("train", True, Path("my runs/a"))
    assert resume_command(Path("a")) == "kfgn train --resume --out a"
    assert show_command(Path("a b")) == "kfgn show 'a b'"
