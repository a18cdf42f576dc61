"""The paper's headline: how soon KFRA, with its defaults, is where the best Adam ends.

    python benchmarks/headline.py mnist runs/headline-mnist --data-folder FOLDER

Adam gets five learning rates of the paper's grid for 4 minutes each, then the two best, halved at each quarter, for
20 minutes; KFRA gets a quarter of that, 5 minutes. All have the same start, batches, backend, dtype and threads, and
every loss is over the whole training set, off the clock. Nothing else should run meanwhile. What is done already in
the folder is not done again: the same command goes on after an interruption, and prints the table when all is there.
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from kfgn.lab import Options, Run, resume, train
from kfgn.lab.comparison import arrival, best_first_order
from kfgn.lab.pictures import draw_losses
from kfgn.lab.run_folder import is_run

RATES = tuple(2.0**-k for k in (7, 8, 9, 10, 11))
TRIAL, FULL, KFRA = 240.0, 1200.0, 300.0
"""Seconds of training."""


def trained(folder: Path, options: Options) -> Run:
    """The run in the folder, begun or gone on with."""
    return resume(folder, {"seconds": options.seconds}) if is_run(folder) else train(options, folder)


def final(run: Run) -> float:
    """At the weights or at their average."""
    return min(run.final(), run.final(averaged=True))


def adam(data: str, out: Path, folder: str | None, backend: str) -> tuple[list[Run], list[Run]]:
    """The trials, and the full runs of the two best."""

    def one(name: str, seconds: float, rate: float, halving: int | None) -> Run:
        options = Options(
            data,
            "adam",
            backend,
            seconds=seconds,
            learning_rate=rate,
            halving=halving,
            evaluate_every=200,
            checkpoint_every=400,
            data_folder=folder,
        )
        return trained(out / name, options)

    trials = [one(f"adam-{rate:g}", TRIAL, rate, None) for rate in RATES]
    best = sorted((run for run in trials if final(run) == final(run)), key=final)[:2]
    full = []
    for run in best:
        rate = run.options["learning_rate"]
        quarter = round(run.updates * FULL / run.seconds / 4)
        place = out / f"adam-{rate:g}-halved"
        halving = quarter if not is_run(place) else None
        full.append(one(place.name, FULL, rate, halving))
    return trials, full


def kfra(data: str, out: Path, folder: str | None, backend: str) -> Run:
    """With every default."""
    options = Options(data, "kfra", backend, seconds=KFRA, evaluate_every=20, checkpoint_every=100, data_folder=folder)
    return trained(out / "kfra", options)


def report(runs: list[Run], second: Run, console: Console) -> None:
    """Final losses, and when KFRA had the best of Adam's."""
    table = Table(title=f"{second.options['data']}: loss over the training set")
    for column in ("run", "rate", "halved every", "updates", "seconds", "at the weights", "at their average"):
        table.add_column(column)
    for run in [*runs, second]:
        of = [run.options[name] for name in ("learning_rate", "halving")]
        table.add_row(
            run.folder.name,
            *("" if value is None else f"{value:g}" for value in of),
            str(run.updates),
            f"{run.seconds:.0f}",
            f"{run.final():.4f}",
            f"{run.final(averaged=True):.4f}",
        )
    console.print(table)
    loss = best_first_order(runs)
    assert loss is not None
    best = min(runs, key=final)
    there, first = arrival(second, loss), arrival(best, loss)
    console.print(f"best Adam: {loss:.4f} ({best.folder.name}), first there after {first.seconds:.0f} s")
    if there.seconds is None:
        console.print(f"KFRA did not come to it in {second.seconds:.0f} s: {final(second):.4f}")
    else:
        assert first.seconds is not None
        console.print(
            f"KFRA came to it after {there.seconds:.0f} s and {there.updates} updates: "
            f"{first.seconds / there.seconds:.1f} times sooner"
        )


def main() -> None:
    """All runs, then the table and the picture."""
    parser = argparse.ArgumentParser(description="KFRA with its defaults against a tuned Adam.")
    parser.add_argument("data", choices=("mnist", "curves", "faces"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--data-folder")
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--only", choices=("adam", "kfra"), help="one half of the runs, and no table")
    asked = parser.parse_args()
    of = (asked.data, asked.out, asked.data_folder, asked.backend)
    console = Console(width=120)
    trials, full = ([], []) if asked.only == "kfra" else adam(*of)
    if asked.only == "adam":
        return
    second = kfra(*of)
    if full:
        report([*trials, *full], second, console)
        draw_losses([*full, second], asked.out / "headline.png")


if __name__ == "__main__":
    main()
