"""Suggestions of known names that resemble unknown names."""

import difflib
from collections.abc import Iterable

MOST = 5
"""The maximum number of names in a suggestion."""


def suggestion(unknown: Iterable[str], known: Iterable[str]) -> str:
    """Return the end of an error message, such as " (did you mean kfac_blocks?)", or "" if no known name is near.

    The text has the known name nearest to each unknown name.
    """
    names = list(known)
    near = dict.fromkeys(match for name in unknown for match in difflib.get_close_matches(name, names, 1))
    return f" (did you mean {', '.join(list(near)[:MOST])}?)" if near else ""
