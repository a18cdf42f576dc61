"""Parts of options that several commands share: values, examples, and the options for random problems."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from .adapters.naming import is_name

Group = argparse._ActionsContainer
"""The type of a group of options, or of a command without groups."""


Commands = argparse._SubParsersAction
"""The type of the object to which the functions of `options` add commands."""


def examples(*lines: tuple[str, str], after: str = "") -> str:
    """Return the end of a help text: examples, and further paragraphs.

    lines: the arguments and the purpose of each example
    after: the further paragraphs
    """
    shown = "".join(f"  # {purpose}\n  kfgn-check{' ' * bool(given)}{given}\n" for given, purpose in lines)
    return f"examples:\n{shown}" + (f"\n{after}" if after else "")


def add_drawing(command: Group, default: int, least: int, more: str = "") -> None:
    """Add the options for random problems: their number and the seed.

    more: further sentences at the end of the help text of `--examples`
    """
    command.add_argument(
        "--examples",
        type=whole_number(least),
        default=default,
        metavar="N",
        help=f"Draw this number of random problems. The default is {default}." + more,
    )
    command.add_argument(
        "--seed",
        type=whole_number(None),
        default=0,
        metavar="N",
        help="Draw the random problems with this seed. The default is 0.",
    )


def path(text: str) -> Path:
    """Convert the text of an option to a path, which must not be empty or contain a zero byte."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError(f"expected a path, got {text!r}")
    return Path(text)


def adapter_name(text: str) -> str:
    """Return the name of an adapter if it has the form `package.module:Adapter` or `exec:COMMAND`."""
    if not is_name(text):
        raise argparse.ArgumentTypeError(f"expected package.module:Adapter or exec:COMMAND, got {text}")
    return text


def seconds(text: str) -> float:
    """Convert the text of an option to a number of seconds."""
    try:
        number = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a number of seconds, got {text}") from error
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a finite number of seconds above 0, got {text}")
    return number


def whole_number(least: int | None) -> Callable[[str], int]:
    """Return a function that reads an integer of 32 bits. If `least` is not None, it is the lower bound."""

    def integer(text: str) -> int:
        try:
            number = int(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"expected an integer, got {text}") from error
        if least is not None and number < least:
            raise argparse.ArgumentTypeError(f"expected {least} or more, got {text}")
        if not -(2**31) <= number < 2**31:
            shown = text if len(text) <= 20 else f"{text[:20]}..."
            raise argparse.ArgumentTypeError(f"expected an integer of 32 bits, got {shown}")
        return number

    return integer
