"""A problem: a network, its weights and a batch, all of it exact in float32 and so the same numbers to everyone."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from kfgn_reference import Network
from numpy.typing import NDArray

Array = NDArray[Any]

SCHEMA_VERSION = 1


class Layer(NamedTuple):
    """One layer record. `kind` is "dense" today; another kind is another record, and old problems keep their ids."""

    kind: str
    inputs: int
    outputs: int
    transfer: str | None


@dataclass(frozen=True, eq=False)
class Problem:
    """What an implementation is asked about. Arrays are float64 with values that are `exact` in float32.

    id:       stable and unique within a run
    layers:   the network; the last layer has no transfer function
    weights:  W_l (D_l, D_{l-1} + 1), bias in the last column
    X, Y:     the batch, (N, D_0) and (N, D_L), or (N,) int64 indices for the categorical objective
    labels:   S for each datapoint, (N, S, D_L) or (N, S), as data: what KFAC is computed at
    draws:    normals (squared error) or uniforms in [0, 1) that labels are sampled from, the shape of `labels`
    """

    id: str
    layers: tuple[Layer, ...]
    objective: str
    weights: tuple[Array, ...]
    X: Array
    Y: Array
    labels: Array
    draws: Array
    schema_version: int = SCHEMA_VERSION

    @property
    def widths(self) -> tuple[int, ...]:
        """D_0, ..., D_L."""
        return (self.layers[0].inputs, *(layer.outputs for layer in self.layers))

    @property
    def transfers(self) -> tuple[str, ...]:
        """f_1, ..., f_{L-1}."""
        return tuple(layer.transfer for layer in self.layers if layer.transfer is not None)

    @property
    def N(self) -> int:  # noqa: N802  (the paper's symbol)
        """The number of datapoints."""
        return len(self.X)

    @property
    def reference(self) -> Network:
        """The network as the reference takes it."""
        return Network(self.weights, self.transfers, self.objective)

    def head(self, n: int) -> "Problem":
        """The same problem on its first n datapoints."""
        return replace(self, X=self.X[:n], Y=self.Y[:n], labels=self.labels[:n], draws=self.draws[:n])


def exact(problem: Problem) -> Problem:
    """The problem itself, once all its numbers are seen to be exact in float32; `ValueError` otherwise."""
    for array in (*problem.weights, problem.X, problem.Y, problem.labels, problem.draws):
        if array.dtype.kind == "f" and not np.array_equal(array, array.astype(np.float32)):
            raise ValueError(f"problem {problem.id}: expected values that float32 holds exactly")
    return problem


def dense_layers(widths: tuple[int, ...], transfers: tuple[str, ...]) -> tuple[Layer, ...]:
    """The records of a chain of dense layers D_0, ..., D_L with f_1, ..., f_{L-1}."""
    names = (*transfers, None)
    return tuple(Layer("dense", widths[l], widths[l + 1], names[l]) for l in range(len(widths) - 1))
