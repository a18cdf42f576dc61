"""Known names that resemble unknown ones."""

import difflib
from collections.abc import Iterable

MOST = 5
"""The most names in a suggestion."""


def suggestion(unknown: Iterable[str], known: Iterable[str]) -> str:
    """Return ", perhaps for kfac_blocks" with the nearest known name of each unknown one, or "" if none is near."""
    names = list(known)
    near = dict.fromkeys(match for name in unknown for match in difflib.get_close_matches(name, names, 1))
    return f", perhaps for {', '.join(list(near)[:MOST])}" if near else ""
