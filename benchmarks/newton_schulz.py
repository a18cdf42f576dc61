"""Newton-Schulz refinement of the inverses of the step before, instead of factorisations.

    python -m benchmarks.newton_schulz --task mnist --steps 30

The damped factors of (36) change slowly from one step of the optimiser to the next. A refinement of an approximate
inverse X of A is X <- X (2 I - A X), which squares the residual I - A X and costs two products of matrices. Refinements
converge if the spectral norm of the residual is below 1.

The program runs the optimiser of the paper with KFRA. After each step it refines, in float32, the inverse that belongs
to the factor of the step before. It counts the refinements until the residual is at most 0.01, and until the residual
is at most twice that of the Cholesky factor of SciPy in float32. Residuals are computed in float64, as Frobenius norms
over sqrt(D). A refinement that does not lower the residual ends the count, and the next step then starts from the
inverse by Cholesky.
"""

import argparse
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.linalg import cho_factor, cho_solve  # type: ignore[import-untyped]

import kfgn
from kfgn.lab.batches import Batches
from kfgn.lab.initialisation import initial_weights
from kfgn.lab.task import Task
from kfgn.lab.tasks import open_task

Matrix = NDArray[Any]

COARSE = 1e-2
"""The residual of an inverse whose direction differs little from that of the exact inverse."""

MOST = 20
"""The largest number of refinements."""

PHASES = {
    "steps 2 to 5": range(2, 6),
    "steps 6 to 19": range(6, 20),
    "step 20": range(20, 21),
    "from 21": range(21, 999),
}
"""The steps of each row. Early factors are means of few batches, and gamma may change in step 20."""


class Refined(NamedTuple):
    """The refinement of one inverse.

    start, cholesky: the residuals before the first refinement, and of the inverse by Cholesky
    coarse, fine:    the numbers of refinements to `COARSE` and to twice the residual of Cholesky, or None if that
                     residual was not reached
    """

    start: float
    cholesky: float
    coarse: int | None
    fine: int | None


def damped_factors(state: kfgn.State, gamma: float, eta: float) -> Iterator[Matrix]:
    """The damped factors of (36) for each Q_l and G_l."""
    root = math.sqrt(gamma + eta)
    for Q, G in zip(state.factors.Q, state.factors.G, strict=True):
        omega = float(kfgn.omega(Q, G))
        for A, k in ((Q, omega * root), (G, root / omega)):
            yield A + np.asarray(k, A.dtype) * np.eye(A.shape[0], dtype=A.dtype)


def residual(A: Matrix, X: Matrix) -> float:
    """|I - A X|_F / sqrt(D), computed in float64."""
    R = np.eye(A.shape[0]) - A.astype(np.float64) @ X.astype(np.float64)
    return float(np.linalg.norm(R)) / math.sqrt(A.shape[0])


def inverse_by_cholesky(A: Matrix) -> Matrix:
    """A^-1 from the Cholesky factor, in the dtype of A."""
    found: Matrix = cho_solve(cho_factor(A, lower=True), np.eye(A.shape[0], dtype=A.dtype))
    return found


def refined(A: Matrix, X: Matrix) -> tuple[Refined, Matrix]:
    """The counts for a damped factor A and the inverse X of the step before, and the inverse for the next step."""
    exact = inverse_by_cholesky(A)
    limit, start = residual(A, exact), residual(A, X)
    found, coarse = start, None
    for n in range(MOST + 1):
        coarse = n if coarse is None and found <= COARSE else coarse
        if found <= 2 * limit:
            return Refined(start, limit, coarse, n), X
        Y = X @ (2 * np.eye(A.shape[0], dtype=A.dtype) - A @ X)
        before, found, X = found, residual(A, Y), Y
        if not found < before:
            break
    return Refined(start, limit, coarse, None), exact


def refinements(task: Task, steps: int, seed: int) -> dict[int, list[Refined]]:
    """The refinements of all factors in each step t = 2, ..., of a run."""
    optimiser = kfgn.GaussNewton(task.network)
    state, batches = optimiser.init(initial_weights(task.network, seed)), Batches(len(task.X), task.batch or 256, seed)
    inverses: list[Matrix] = []
    found: dict[int, list[Refined]] = {}
    for t in range(1, steps + 1):
        rows = batches(t)
        state, info = optimiser.step(state, task.X[rows], task.Y[rows])
        factors = list(damped_factors(state, float(info.gamma), optimiser.eta))
        if inverses:
            pairs = [refined(A, X) for A, X in zip(factors, inverses, strict=True)]
            found[t], inverses = [count for count, _ in pairs], [X for _, X in pairs]
        else:
            inverses = [inverse_by_cholesky(A) for A in factors]
    return found


def table(found: dict[int, list[Refined]]) -> Table:
    """A row for each phase of the run."""
    printed = Table("phase", "inverses", "first residual", "residual of Cholesky", "to 0.01", "to Cholesky", "never")
    for phase, steps in PHASES.items():
        counts = [count for t in steps if t in found for count in found[t]]
        if not counts:
            continue
        printed.add_row(
            phase,
            str(len(counts)),
            _spread([c.start for c in counts]),
            _spread([c.cholesky for c in counts]),
            _spread([c.coarse for c in counts if c.coarse is not None]),
            _spread([c.fine for c in counts if c.fine is not None]),
            str(sum(c.fine is None for c in counts)),
        )
    return printed


def _spread(values: list[Any]) -> str:
    """The median with the lowest and the highest value, or an empty text for no values."""
    return f"{np.median(values):.2g} ({min(values):.2g}-{max(values):.2g})" if values else ""


def main() -> None:
    """Run the optimiser and print the table."""
    p = argparse.ArgumentParser(description="Count Newton-Schulz refinements of the inverses of the step before.")
    p.add_argument("--task", default="mnist", help="A task of kfgn.lab with an autoencoder (default: mnist).")
    p.add_argument("--steps", type=int, default=30, help="The number of steps (default: 30).")
    p.add_argument("--seed", type=int, default=0, help="The seed of the weights and the batches (default: 0).")
    given = p.parse_args()
    Console(width=150).print(table(refinements(open_task(given.task), given.steps, given.seed)))


if __name__ == "__main__":
    main()
