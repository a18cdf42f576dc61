"""Names of runs and methods in words, for tables, legends and titles."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .methods import METHODS
from .plain_text import escaped
from .run import Run

METHOD_NAMES = {
    "kflr": "KFLR",
    "kfra": "KFRA",
    "kfac": "KFAC",
    "rp": "random projections",
    "ekfac": "EKFAC",
    "tkfac": "TKFAC",
    "tnt": "TNT",
    "kfoc": "KFOC",
    "foof": "FOOF",
    "hessian_free": "Hessian-free",
    "hessian_free_blocks": "Hessian-free by blocks",
    "sgd": "SGD",
    "momentum": "SGD with momentum",
    "nesterov": "Nesterov's method",
    "adam": "Adam",
}
"""The name of each method in legends, titles, notes and lines of progress."""


def data_of(options: Mapping[str, Any]) -> str:
    """Return the name of the data set of a run. The name of your own data is that of the .npz file."""
    npz = options.get("npz")
    return str(options["data"]) if npz is None else Path(npz).name


def names_of(runs: Sequence[Run]) -> list[str]:
    """Return the names of the folders of runs or, if two names are equal, the paths below the common folder."""
    folders = [run.folder.resolve() for run in runs]
    names = [folder.name for folder in folders]
    if len(set(names)) == len(names) or len(set(folders)) == 1:
        return names
    return [os.path.relpath(folder, os.path.commonpath(folders)) for folder in folders]


def labels_of(runs: Sequence[Run]) -> list[str]:
    """Return a label for each run, made from its method, its learning rate and the halving of the rate.

    If the labels of several runs would be equal, the names of their folders are added.
    """
    words = [words_of(run) for run in runs]
    names = names_of(runs)
    return [
        f"{word} ({escaped(name)})" if words.count(word) > 1 else word for word, name in zip(words, names, strict=True)
    ]


def words_of(run: Run) -> str:
    """Describe the method of a run, its learning rate and the halving of the rate."""
    options = run.options
    rate = "" if options["learning_rate"] is None else f", learning rate {options['learning_rate']:.3g}"
    halving = "" if options["halving"] is None else f", halved every {options['halving']} updates"
    return f"{METHOD_NAMES[options['method']]}{rate}{halving}"


def best_loss_in_words(runs: Sequence[Run]) -> str:
    """Name the lowest final training loss of the first-order methods among the runs, such as "best loss of Adam"."""
    names = {METHOD_NAMES[name] for run in runs if METHODS[name := run.options["method"]].first_order}
    return f"best loss of {names.pop()}" if len(names) == 1 else "best first-order loss"


def note_on_rates(best: Run, runs: Sequence[Run]) -> str:
    """Return a note if the best learning rate is the lowest, the highest or the only one, and otherwise "".

    best: the run with the lowest final training loss of the first-order methods
    """
    method, rate = best.options["method"], best.options["learning_rate"]
    rates = {run.options["learning_rate"] for run in runs if run.options["method"] == method}
    name = METHOD_NAMES[method]
    if len(rates) == 1:
        return f"only one learning rate of {name} was compared, and a different rate may have a lower loss"
    for extreme, highest, higher in ((max(rates), "highest", "higher"), (min(rates), "lowest", "lower")):
        if rate == extreme:
            worth = f"so a {higher} rate may have a lower loss"
            return f"the best learning rate of {name}, {rate:.3g}, is the {highest} that was compared, {worth}"
    return ""


def note_on_eta(runs: Sequence[Run]) -> str:
    """Return a note if the methods of the runs have different weights eta of L2 regularisation, and otherwise "".

    Methods whose runs have several values of eta do not differ if the methods have the same set of values.
    """
    by_method: dict[str, set[float]] = {}
    for run in runs:
        by_method.setdefault(run.options["method"], set()).add(run.options["eta"])
    by_values: dict[tuple[float, ...], list[str]] = {}
    for method, values in by_method.items():
        by_values.setdefault(tuple(sorted(values)), []).append(METHOD_NAMES[method])
    if len(by_values) < 2:
        return ""
    groups = "; ".join(
        f"{' and '.join(f'{eta:g}' for eta in etas)} for {', '.join(n)}" for etas, n in by_values.items()
    )
    return f"the methods differ in eta, the weight of L2 regularisation: {groups}; give --eta for a fair comparison"


def duration(seconds: float) -> str:
    """Return a time of training in words, such as "45 s" or "20 min"."""
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min"
