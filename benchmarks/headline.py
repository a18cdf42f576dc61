"""The time that KFRA, with its defaults, needs to reach the final loss of the best of several tuned Adam runs.

    python benchmarks/headline.py mnist runs/headline-mnist --data-folder FOLDER

Adam gets five learning rates of the paper's grid for 4 minutes each. Then its two best rates, halved at each quarter,
get 20 minutes each. KFRA gets 5 minutes. All runs have the same initial weights, batches, backend, dtype and threads.
Every loss is that of the whole training set, and its evaluation is not counted as training time. A whole run trains for
65 minutes: 5 x 4 + 2 x 20 + 5. The program needs the extras `train` and `torch`. CURVES needs no download.

No other program should run meanwhile. After an interruption the same command continues: finished runs in the folder are
kept, and the table is printed when all runs are finished.
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from kfgn.lab import Options, Run, resume, train
from kfgn.lab.arrivals import arrival, best_first_order
from kfgn.lab.loss_pictures import draw_losses
from kfgn.lab.run_folder import is_run
from kfgn.lab.wording import duration

RATES = tuple(2.0**-k for k in (7, 8, 9, 10, 11))
TRIAL, FULL, KFRA = 240.0, 1200.0, 300.0
"""The seconds of training of a trial of Adam, of a full run of Adam, and of KFRA."""


def trained(folder: Path, options: Options) -> Run:
    """Start or resume the run in the folder."""
    return resume(folder, {"seconds": options.seconds}) if is_run(folder) else train(options, folder)


def final(run: Run) -> float:
    """Return the lower of the final losses at the weights and at their average."""
    return min(run.final(), run.final(averaged=True))


def adam(data: str, out: Path, folder: str | None, backend: str) -> tuple[list[Run], list[Run]]:
    """Run the trials, and the full runs of the two best rates."""

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
    """Run KFRA with all defaults."""
    options = Options(data, "kfra", backend, seconds=KFRA, evaluate_every=20, checkpoint_every=100, data_folder=folder)
    return trained(out / "kfra", options)


def full_runs(runs: list[Run]) -> list[Run]:
    """Return the full runs of Adam, the better one first, and the run of KFRA last."""
    adam = [run for run in runs if run.options["halving"] is not None]
    return [*sorted(adam, key=final), *(run for run in runs if run.options["method"] == "kfra")]


def labels(runs: list[Run]) -> list[str]:
    """Return the label of each run of `full_runs`."""
    adam = [f"Adam, {place} of {len(RATES)} rates" for place in ("best", "second")]
    return [f"{name}, {duration(run.seconds)}" for name, run in zip([*adam, "KFRA, defaults"], runs, strict=True)]


def report(runs: list[Run], second: Run, console: Console) -> None:
    """Print the final losses, and the time at which KFRA reached the best loss of Adam."""
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
    reached, first = arrival(second, loss), arrival(best, loss)
    console.print(f"best Adam: {loss:.4f} ({best.folder.name}), first reached after {first.seconds:.0f} s")
    if reached.seconds is None:
        console.print(f"KFRA did not reach it in {second.seconds:.0f} s: {final(second):.4f}")
    else:
        assert first.seconds is not None
        console.print(
            f"KFRA reached it after {reached.seconds:.0f} s and {reached.updates} updates: "
            f"{first.seconds / reached.seconds:.1f} times sooner"
        )


def main() -> None:
    """Make all runs, print the table, and draw the picture."""
    parser = argparse.ArgumentParser(description="Compare KFRA with its defaults with tuned Adam.")
    parser.add_argument("data", choices=("mnist", "curves", "faces"), help="The data set.")
    parser.add_argument("out", type=Path, help="The folder of all runs.")
    parser.add_argument("--data-folder", help="The folder of the data files.")
    parser.add_argument("--backend", default="torch", help="The array library and device (default: torch).")
    parser.add_argument(
        "--only", choices=("adam", "kfra"), help="Make only the runs of this method, without a table of both."
    )
    given = parser.parse_args()
    of = (given.data, given.out, given.data_folder, given.backend)
    console = Console(width=120)
    trials, full = ([], []) if given.only == "kfra" else adam(*of)
    if given.only == "adam":
        return
    second = kfra(*of)
    if full:
        report([*trials, *full], second, console)
        shown = full_runs([*full, second])
        draw_losses(shown, given.out / "headline.png", labels(shown))


if __name__ == "__main__":
    main()
