"""Error messages in the words of the command line, with a suggestion for a name that is nearly right."""

import argparse
import difflib
import re
from collections.abc import Iterable
from dataclasses import fields

from .methods import METHODS
from .options import Options

OPTIONS = ("out", "methods", *(field.name for field in fields(Options)))

SYNONYMS = {
    "sigmoid": "logistic",
    "linear": "identity",
    "mse": "squared_error",
    "mean_squared_error": "squared_error",
    "l2": "squared_error",
    "cross_entropy": "categorical",
    "softmax": "categorical",
    "binary_cross_entropy": "bernoulli",
    "cuda": "torch-cuda",
    "gpu": "torch-cuda",
    "pytorch": "torch",
}
"""A dictionary from names in other libraries or in papers to the names in this package."""


def in_words_of_the_command(message: str) -> str:
    """Replace the names of options in an error message by their flags, and add a suggestion if there is one."""
    return with_flags(message) + suggestion(message)


def with_flags(message: str) -> str:
    """Replace names of options in a message by their flags.

    A name is replaced at the start of the message, where the name of a method may precede it, and after the words "the
    option". A name with an underscore is replaced everywhere, except within a path, quotation marks or a longer word.
    """
    names, long = "|".join(OPTIONS), "|".join(name for name in OPTIONS if "_" in name)
    start = re.match(rf"(?:(?:{'|'.join(METHODS)}): )?(?:{names})(?:, (?:{names}))*: ", message)
    head = start.group() if start else ""
    flagged = re.sub(rf"\b(?:{names})\b(?=[,:])", lambda found: _flag(found.group()), head)
    others = re.sub(rf"(?<![\w/.'-])(?:{long})(?![\w/.'-])", lambda found: _flag(found.group()), message[len(head) :])
    return flagged + re.sub(rf"\bthe option ({names})\b", lambda found: _flag(found[1]), others)


def suggestion(message: str) -> str:
    """Return the advice after a message about a wrong name, such as the name that the user may have meant, or ""."""
    found = re.search(r"expected one of (.+), got '(.*)'$", message)
    if found is None:
        return ""
    known, given = found[1].split(", "), found[2]
    if "," in given:
        return "; separate names by spaces"
    name, colon, rate = given.partition(":")
    if colon and name in known:
        return f"; use --method {name} --learning-rate {rate}"
    meant = SYNONYMS.get(_plain(given), "")
    return f"; did you mean {meant}?" if meant in known else _near(given, known)


def suggested_flag(message: str, flags: Iterable[str]) -> str:
    """Return the advice after a message of argparse about an unknown flag or a list with commas, and otherwise ""."""
    if found := re.match(r"unrecognized arguments: (--[\w-]+)", message):
        return _near(found[1], flags)
    listed = re.match(r"argument --\w+: invalid \w+ value: '[^']*,", message)
    return "; separate values by spaces" if listed else ""


def command_parser(top: argparse.ArgumentParser, command: str) -> argparse.ArgumentParser:
    """Return the parser of one command. The parser prints the usage of this command before an error message."""
    kinds = (action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    parser: argparse.ArgumentParser = next(kinds).choices[command]
    return parser


def _near(given: str, known: Iterable[str]) -> str:
    by_plain = {_plain(name): name for name in known}
    near = difflib.get_close_matches(_plain(given), by_plain, 1)
    return f"; did you mean {by_plain[near[0]]}?" if near else ""


def _plain(name: str) -> str:
    """Return a name in lower case, with underscores instead of hyphens and spaces."""
    return re.sub(r"[- ]", "_", name.lower())


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
