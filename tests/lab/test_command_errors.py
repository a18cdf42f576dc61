"""`kfgn.lab.command_errors`: errors of the command have its flags, and a suggestion for a name that is nearly right."""

import pytest

from kfgn.lab.cli import main
from kfgn.lab.command_errors import in_words_of_the_command, with_flags


def error_of(capsys, *words):
    """The printed error of a command line that is refused."""
    try:
        status = main([*words])
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    return capsys.readouterr().err


TRAIN = ("train", "--data", "digits", "--updates", "1", "--out", "no/such/run")
COMPARE = ("compare", *TRAIN[1:], "--methods")


@pytest.mark.parametrize(
    ("words", "end"),
    [
        (("--method", "sgd"), "error: --learning-rate: expected a number for sgd, got none"),
        (
            ("--validation-fraction", "0", "--early-stopping", "2"),
            "--early-stopping: expected a validation set, got none",
        ),
        (("--method", "kfar"), "got 'kfar'; did you mean kfra?"),
        (("--method", "KFRA"), "got 'KFRA'; did you mean kfra?"),
        (("--method", "hessian-free"), "; did you mean hessian_free?"),
        (("--method", "adam:0.1"), "got 'adam:0.1'; use --method adam --learning-rate 0.1"),
        (("--data", "digit"), "got 'digit'; did you mean digits?"),
        (("--transfers", "sigmoid"), "got 'sigmoid'; did you mean logistic?"),
        (("--objective", "mse"), "got 'mse'; did you mean squared_error?"),
        (("--method", "lbfgs"), "got 'lbfgs'"),
        (("--widths", "3,20,2"), "invalid int value: '3,20,2'; separate values by spaces"),
        (("--early-stop", "2"), "unrecognized arguments: --early-stop 2; did you mean --early-stopping?"),
        (("--learning_rate", "0.1"), "unrecognized arguments: --learning_rate 0.1; did you mean --learning-rate?"),
    ],
)
def test_errors_of_train(words, end, capsys):
    assert error_of(capsys, *TRAIN, *words).endswith(f"{end}\n")


def test_names_with_commas(capsys):
    assert error_of(capsys, *COMPARE, "kfra,adam").endswith("got 'kfra,adam'; separate names by spaces\n")
    assert error_of(capsys, *COMPARE, "kfra", "adm").endswith("got 'adm'; did you mean adam?\n")


@pytest.mark.parametrize(("words", "command"), [(TRAIN, "train"), ((*COMPARE, "kfra"), "compare")])
def test_the_usage_of_an_unknown_argument_is_that_of_the_command(words, command, capsys):
    printed = error_of(capsys, *words, "--learning_rate", "1")
    assert printed.startswith(f"usage: kfgn {command} ")
    assert f"kfgn {command}: error: unrecognized" in printed


def test_words_that_are_not_options_do_not_change():
    for message in (
        "runs/early_stopping: expected the folder of a run, got no folder",
        "a.npz: Y: expected class indices, got data",
        "mine: data: expected something",
    ):
        assert with_flags(message) == message
    assert (
        with_flags("npz: expected a file; give it with the option npz") == "--npz: expected a file; give it with --npz"
    )
    assert in_words_of_the_command("updates, seconds: expected at least one of them, got neither") == (
        "--updates, --seconds: expected at least one of them, got neither"
    )
