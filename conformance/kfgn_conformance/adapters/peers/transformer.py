"""Run a library on the transformer block of `kfgn_conformance.functions`, and name what it computes.

    python -m kfgn_conformance.adapters.peers.transformer curvlinops

The program prints a row for each method of the library and each problem, with the definition that the blocks of the
linear layers satisfy. "x 7" means that the block of the library is 7 times the definition. The problems are the block
with an output per token, whose loss is a sum or a mean over tokens, and the block with an output per datapoint.
"""

import argparse
import copy
import importlib
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...functions import FunctionOracle, ModuleProblem, transformer_block
from ...problems.problem import Array
from .runs import Runs

LIBRARIES = (
    *("asdl", "backpack", "bergson", "curvlinops", "kfac_jax", "kfac_pytorch", "kronfluence", "nngeometry", "singd"),
)
"""The modules of this folder with a table `RUNS`."""

ROUNDING = 1e-6
"""The largest error of a block that satisfies a definition."""

KFAC = ("expand", "reduce")
"""The definitions that are printed before all others."""

HEADING = ("method", "outputs, loss", "layers", "block", "vec")


class Row(NamedTuple):
    """A row of the table, for one method and one problem.

    layers: the names of the layers with the same block, or "all"
    block:  the definition and the factor, or the error that the library raised
    vec:    the order of vec, or nothing if the block does not determine it
    """

    method: str
    problem: str
    layers: str
    block: str
    vec: str


def problems() -> dict[str, ModuleProblem]:
    """The problems by their outputs and their loss."""
    tokens = transformer_block("tokens")
    return {
        "tokens, sum": tokens,
        "tokens, mean": transformer_block("tokens", divisor=tokens.X.shape[1]),
        "datapoint": transformer_block("datapoint"),
    }


def rows(runs: Runs, named: Mapping[str, ModuleProblem]) -> Iterator[Row]:
    """Yield the rows of a library. Layers whose blocks have the same description are one row."""
    for title, problem in named.items():
        oracle = problem.oracle()
        for method, run in runs.items():
            # a library may leave its hooks in the module, so each method has a copy
            try:
                blocks = run(problem._replace(module=copy.deepcopy(problem.module)))
            except Exception as error:
                yield Row(method, title, "all", first_line(error), "")
                continue
            found: dict[tuple[str, str], list[str]] = {}
            for name, block in blocks.items():
                found.setdefault(description(oracle, name, block), []).append(name)
            for (block_text, vec), names in found.items():
                yield Row(method, title, "all" if len(found) == 1 else ", ".join(names), block_text, vec)


def description(oracle: FunctionOracle, name: str, block: Array) -> tuple[str, str]:
    """The definition that a block satisfies, with its factor, and the order of vec.

    A block that satisfies no definition has the nearest one with its error. Definitions that differ by a factor on this
    problem are all satisfied, and the ones with a factor near 1 are returned.
    """
    if not np.isfinite(block).all():
        return "not finite", ""
    if np.abs(block).max() < ROUNDING**2:
        return "0", ""
    best, *others = oracle.matches(name, block)
    vec = best.vec if min(oracle.matrix(name).shape) > 1 else ""
    if best.error > ROUNDING:
        return f"none; nearest is {best.definition} x {1 / best.factor:.3g} with error {best.error:.2g}", vec
    same = [best, *(one for one in others if one.error < ROUNDING)]
    factor = min((1 / one.factor for one in same), key=distance_from_one)
    names = sorted(
        (one.definition for one in same if np.isclose(1 / one.factor, factor, rtol=10 * ROUNDING)),
        key=lambda definition: (definition not in KFAC, definition),
    )
    return f"{' = '.join(names)} x {factor:.6g}", vec


def distance_from_one(factor: float) -> float:
    """The absolute logarithm of a factor."""
    return abs(float(np.log(abs(factor))))


def first_line(error: Exception) -> str:
    """The type of an error with the first line of its message."""
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of one library."""
    parser = argparse.ArgumentParser("python -m kfgn_conformance.adapters.peers.transformer", description=__doc__)
    parser.add_argument("library", choices=LIBRARIES)
    library = parser.parse_args(arguments).library
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the warnings of the libraries
        runs: Runs = importlib.import_module(f"{__package__}.{library}").RUNS
        for row in (HEADING, ("---",) * len(HEADING), *rows(runs, problems())):
            sys.stdout.write(f"| {' | '.join(row)} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
