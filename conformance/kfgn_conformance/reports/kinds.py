"""Names of the kinds of problems, and the text that counts the problems of each kind in a report."""

from collections import Counter
from collections.abc import Iterable

KINDS = {
    "case": ("case", "cases"),
    "saturated": ("saturated problem", "saturated problems"),
    "batch": ("batch size", "batch sizes"),
    "shape": ("network shape", "network shapes"),
    "throughout": ("network with one transfer function", "networks with one transfer function"),
    "further": ("added problem", "added problems"),
    "drawn": ("random problem", "random problems"),
    "shared": ("problem with shared weights", "problems with shared weights"),
    "walk": ("optimiser run", "optimiser runs"),
}
"""The kinds of problem, in the singular and the plural, by the first word of a problem's id.

The report prints the id of a problem that has none of these kinds.
"""


def kinds(ids: Iterable[str]) -> str:
    """The number of problems of each kind, and the ids of the problems without a kind."""
    names = list(ids)
    counts = Counter(name.partition("-")[0] for name in names)
    counted = [f"{counts[kind]} {words[counts[kind] > 1]}" for kind, words in KINDS.items() if counts[kind]]
    return ", ".join([*counted, *(name for name in names if name.partition("-")[0] not in KINDS)])
