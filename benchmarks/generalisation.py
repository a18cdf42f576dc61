"""The loss and the accuracy of KFRA, KFAC, KFLR and Adam on held-out digits, over several seeds.

    OMP_NUM_THREADS=1 python benchmarks/generalisation.py runs/generalisation

A seed chooses the initial weights, the batches, and the split into training, validation and test digits. Every method
takes 200 updates, and Adam also 2000. Every method has two weights eta of L2 regularisation, and Adam has five learning
rates. For each seed, the validation loss chooses among them, and between the weights and their average. The test digits
choose nothing. After an interruption the same command continues: finished runs in the folder are kept.
"""

import argparse
import itertools
import math
import statistics
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from kfgn.lab import Options, Run, read_run, resume, train
from kfgn.lab.figures import FIRST_ORDER, SECOND_ORDER, new_figure, plain, save
from kfgn.lab.run_folder import is_run

SEEDS = 10
RATES = (0.1, 0.03, 0.01, 0.003, 0.001)
ETAS = (1e-5, 1e-3)
METHODS = {
    "Adam, 200 updates": ("adam", 200),
    "Adam, 2000 updates": ("adam", 2000),
    "KFRA, 200 updates": ("kfra", 200),
    "KFAC, 200 updates": ("kfac", 200),
    "KFLR, 200 updates": ("kflr", 200),
}
BASELINES = ("Adam, 200 updates", "Adam, 2000 updates")


class Result(NamedTuple):
    """The figures of a method for one seed, where the validation loss is lowest."""

    rate: float | None
    eta: float
    train_loss: float
    validation_loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float


def results(name: str, seed: int, out: Path) -> Result:
    """Train a method with each rate and eta, and return the figures of the run with the lowest validation loss."""
    method, updates = METHODS[name]
    candidates = []
    for rate, eta in itertools.product(RATES if method == "adam" else (None,), ETAS):
        folder = out / f"{method}-{updates}" / f"{seed}-{eta:g}{'' if rate is None else f'-{rate:g}'}"
        options = Options(
            "digits",
            method,
            updates=updates,
            seed=seed,
            split_seed=seed,
            learning_rate=rate,
            eta=eta,
            evaluate_every=updates,
            checkpoint_every=updates,
        )
        candidates += [_figures(finished(folder, options), rate, eta, averaged=averaged) for averaged in (False, True)]
    return min(candidates, key=lambda result: _infinite_if_nan(result.validation_loss))


def finished(folder: Path, options: Options) -> Run:
    """Start, resume or read the run in the folder."""
    if not is_run(folder):
        return train(options, folder)
    run = read_run(folder)
    return run if run.updates == options.updates and not math.isnan(run.final("test")) else resume(folder)


def _infinite_if_nan(loss: float) -> float:
    return math.inf if math.isnan(loss) else loss


def _figures(run: Run, rate: float | None, eta: float, *, averaged: bool) -> Result:
    losses = (run.final(name, averaged=averaged) for name in ("train", "validation", "test"))
    return Result(rate, eta, *losses, *(run.accuracy(name, averaged=averaged) for name in ("train", "test")))


def spread(values: list[float], form: str) -> str:
    """Return the mean and the standard deviation of one seed."""
    return f"{format(statistics.mean(values), form)} ± {format(statistics.stdev(values), form)}"


def chosen(values: list[float | None], known: tuple[float, ...]) -> str:
    """Return the values that the validation loss has chosen, each with its number of seeds."""
    return ", ".join(f"{value:g} ({values.count(value)})" for value in known if value in values)


def report(of: dict[str, list[Result]], console: Console) -> None:
    """Print the mean and the standard deviation over seeds, and the differences to Adam seed by seed."""
    table = Table(title=f"digits, {len(of[BASELINES[0]])} seeds: mean ± standard deviation of one seed")
    for column in ("method", "training loss", "training accuracy", "test loss", "test accuracy", "eta", "rate"):
        table.add_column(column)
    for name, found in of.items():
        table.add_row(
            name,
            spread([result.train_loss for result in found], ".5f"),
            spread([100 * result.train_accuracy for result in found], ".2f") + " %",
            spread([result.test_loss for result in found], ".4f"),
            spread([100 * result.test_accuracy for result in found], ".2f") + " %",
            chosen([result.eta for result in found], ETAS),
            chosen([result.rate for result in found], RATES),
        )
    console.print(table)
    for baseline in BASELINES:
        console.print(differences(of, baseline))


def differences(of: dict[str, list[Result]], baseline: str) -> Table:
    """Return the table of the differences of test figures to a baseline."""
    table = Table(title=f"difference to {baseline}, seed by seed: mean ± standard error")
    for column in ("method", "test loss", "lower in", "test accuracy", "higher in"):
        table.add_column(column)
    for name, found in of.items():
        if name != baseline:
            pairs = list(zip(found, of[baseline], strict=True))
            losses = [ours.test_loss - theirs.test_loss for ours, theirs in pairs]
            accuracies = [100 * (ours.test_accuracy - theirs.test_accuracy) for ours, theirs in pairs]
            table.add_row(
                name,
                _difference(losses, "+.4f"),
                f"{sum(d < 0 for d in losses)} of {len(losses)}",
                _difference(accuracies, "+.2f") + " points",
                f"{sum(d > 0 for d in accuracies)} of {len(accuracies)}",
            )
    return table


def _difference(values: list[float], form: str) -> str:
    error = statistics.stdev(values) / math.sqrt(len(values))
    return f"{format(statistics.mean(values), form)} ± {format(error, form.removeprefix('+'))}"


def draw(of: dict[str, list[Result]], path: Path) -> None:
    """Draw the test loss and the test accuracy of each seed as a dot, and the mean of each method as a line."""
    figure = new_figure(10, 3.2)
    names = list(of)[::-1]
    colours = dict(zip(of, (*FIRST_ORDER[:2], *SECOND_ORDER), strict=False))
    for axes, (field, label, factor) in zip(
        figure.subplots(1, 2, sharey=True),
        (("test_loss", "test loss", 1), ("test_accuracy", "test accuracy in %", 100)),
        strict=True,
    ):
        for i, name in enumerate(names):
            values = [factor * getattr(result, field) for result in of[name]]
            axes.plot(values, [i] * len(values), "o", color=colours[name], alpha=0.55, markersize=6, markeredgewidth=0)
            mean = statistics.mean(values)
            axes.plot([mean, mean], [i - 0.3, i + 0.3], color=colours[name], linewidth=2.5)
        plain(axes, label, "")
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(-0.6, len(names) - 0.4)
    save(figure, path)


def main() -> None:
    """Make all runs, print the tables, and draw the picture."""
    parser = argparse.ArgumentParser(description="Compare methods on held-out digits over several seeds.")
    parser.add_argument("out", type=Path, help="The folder of all runs.")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"The number of seeds (default: {SEEDS}).")
    parser.add_argument("--picture", type=Path, help="The file of the picture (default: generalisation.png in OUT).")
    given = parser.parse_args()
    of: dict[str, list[Result]] = {name: [] for name in METHODS}
    for seed in range(given.seeds):
        for name, found in of.items():
            found.append(results(name, seed, given.out))
    report(of, Console(width=170))
    draw(of, given.picture or given.out / "generalisation.png")


if __name__ == "__main__":
    main()
