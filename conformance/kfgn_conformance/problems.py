"""A problem: a network, its weights and a batch, all of it exact in float32 and so the same numbers to everyone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from kfgn_reference import Network
from numpy.typing import NDArray

Array = NDArray[Any]

SCHEMA_VERSION = 1

CLASSIFIERS = ("categorical", "mixture")
"""The objectives whose labels are indices of classes."""


class Layer(NamedTuple):
    """One layer record. `kind` is "dense" today; another kind is another record, and old problems keep their ids."""

    kind: str
    inputs: int
    outputs: int
    transfer: str | None


class Probes(NamedTuple):
    """What products, projections and solves are asked at, beside the batch.

    direction:       V_l (D_l, D_{l-1} + 1): a direction in parameter space, a step, and the right-hand side of solves
    cotangents:      (N, D_L), what is carried back through the network
    projections:     (N, S, K), what the root of H_L is projected on, K by `root_columns`
    tau, gamma, eta: the dampings of the full and of the block-diagonal matrix, and the weight of L2; 0-d
    """

    direction: tuple[Array, ...]
    cotangents: Array
    projections: Array
    tau: Array
    gamma: Array
    eta: Array


@dataclass(frozen=True, eq=False)
class Problem:
    """What an implementation is asked about. Arrays are float64 with values that are `exact` in float32.

    id:       stable and unique within a run
    layers:   the network; the last layer has no transfer function
    weights:  W_l (D_l, D_{l-1} + 1), bias in the last column
    X, Y:     the batch, (N, D_0) and (N, D_L), or (N,) int64 indices for the objectives that classify
    labels:   S for each datapoint, (N, S, D_L) or (N, S), as data: what KFAC is computed at
    draws:    normals (squared error) or uniforms in [0, 1) that labels are sampled from, the shape of `labels`
    probes:   what products, projections and solves are asked at
    psd:      what stands for an indefinite H_L, "project" or "scalar": that of the mixture is one
    """

    id: str
    layers: tuple[Layer, ...]
    objective: str
    weights: tuple[Array, ...]
    X: Array
    Y: Array
    labels: Array
    draws: Array
    probes: Probes
    psd: str = "project"
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
    def parameters(self) -> int:
        """The number of weights."""
        return sum(W.size for W in self.weights)

    @property
    def reference(self) -> Network:
        """The network as the reference takes it."""
        return Network(self.weights, self.transfers, self.objective, self.psd)

    def head(self, n: int) -> "Problem":
        """The same problem on its first n datapoints."""
        V, U, Z, *dampings = self.probes
        probes = Probes(V, U[:n], Z[:n], *dampings)
        return replace(self, X=self.X[:n], Y=self.Y[:n], labels=self.labels[:n], draws=self.draws[:n], probes=probes)

    def map_reals(self, f: Callable[[Array], Array]) -> "Problem":
        """The problem with f applied to every array of real numbers in it; indices of classes stay as they are."""

        def mapped(x: Array) -> Array:
            return f(x) if x.dtype.kind == "f" else x

        V, *others = self.probes
        return replace(
            self,
            weights=tuple(mapped(W) for W in self.weights),
            X=mapped(self.X),
            Y=mapped(self.Y),
            labels=mapped(self.labels),
            draws=mapped(self.draws),
            probes=Probes(tuple(mapped(V_l) for V_l in V), *(mapped(other) for other in others)),
        )


def exact(problem: Problem) -> Problem:
    """The problem itself, once all its numbers are seen to be exact in float32; `ValueError` otherwise."""

    def seen(x: Array) -> Array:
        if not np.array_equal(x, x.astype(np.float32)):
            raise ValueError(f"problem {problem.id}: expected values that float32 holds exactly")
        return x

    return problem.map_reals(seen)


def dense_layers(widths: tuple[int, ...], transfers: tuple[str, ...]) -> tuple[Layer, ...]:
    """The records of a chain of dense layers D_0, ..., D_L with f_1, ..., f_{L-1}."""
    names = (*transfers, None)
    return tuple(Layer("dense", widths[l], widths[l + 1], names[l]) for l in range(len(widths) - 1))


def weight_shapes(widths: tuple[int, ...]) -> list[tuple[int, int]]:
    """(D_l, D_{l-1} + 1) of each layer."""
    return [(widths[l + 1], widths[l] + 1) for l in range(len(widths) - 1)]


def root_columns(objective: str, psd: str, outputs: int) -> int:
    """K, the columns of the reference's root of H_L."""
    return 1 if objective == "mixture" and psd == "scalar" else outputs


def classes(objective: str, outputs: int) -> int:
    """How many classes a label of an objective that classifies is one of."""
    return 2 if objective == "mixture" else outputs


def draw_shape(objective: str, leading: tuple[int, ...], outputs: int) -> tuple[int, ...]:
    """The shape of labels and of what they are sampled from: one number for each datapoint, or for each output."""
    return leading if objective in CLASSIFIERS else (*leading, outputs)
