"""The command `kfgn-check mistakes`: print the catalogue of known mistakes."""

import argparse

from .diagnosis import MISTAKES
from .output import Output
from .statuses import PASSED


def mistakes(_options: argparse.ArgumentParser, _given: argparse.Namespace) -> int:
    """Print the catalogue, with a heading for each family, and return the exit status."""
    console, family = Output(), ""
    for mistake in MISTAKES.values():
        if mistake.family != family:
            family = mistake.family
            console.print(f"{family}:", style="bold")
        seen = f" Made by {mistake.seen}." if mistake.seen else ""
        console.print(f"  {mistake.name}: {mistake.description}{seen}", soft_wrap=True)
    return PASSED
