"""A problem: a network, its weights and a batch, all of it exact in float32 and so the same numbers to everyone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from kfgn_reference import Network
from numpy.typing import NDArray

Array = NDArray[Any]

SCHEMA_VERSION = 1

DTYPES = ("float32", "float64")
"""The dtypes in which a problem is run, unless it has its own."""

CLASSIFIERS = ("categorical", "mixture")
"""The objectives whose labels are indices of classes."""


class Layer(NamedTuple):
    """One layer record. `kind` is "dense" today; another kind is another record, and old problems keep their ids."""

    kind: str
    inputs: int
    outputs: int
    transfer: str | None


class Arguments(NamedTuple):
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


class Checkpoint(NamedTuple):
    """A state of the optimiser after t steps, and the batch of the next.

    weights, average, update: W_l, the average of the parameters and the last update, (D_l, D_{l-1} + 1)
    Q, G:                     the averages of the factors; ones where there are none, and they must not count
    tau, gamma:               0-d
    X, Y, draws:              the batch, and the random numbers of a method that samples
    """

    t: int
    weights: tuple[Array, ...]
    average: tuple[Array, ...]
    Q: tuple[Array, ...]
    G: tuple[Array, ...]
    update: tuple[Array, ...]
    tau: Array
    gamma: Array
    X: Array
    Y: Array
    draws: Array | None


class Trajectory(NamedTuple):
    """An optimiser, with eta of the probes and else the paper's constants, and the states that it steps from.

    method:     kflr, kfra, kfac or rp; blocks or whole, the exact Gauss-Newton matrix of the batch
    inversion:  a norm of (38), or exact for the inverse of (35)
    thresholds: of rho: tau grows below the first and shrinks above the second; (n, d) is n / d, and so is momentum
    tau_bounds, gamma_bounds: the least and the most of each, where they are bounded
    max_step_size: the most that |alpha| may be
    momentum:   what part of the last update is added to the next
    refresh:    every how many steps, from the first, the factors take in a batch
    """

    method: str
    inversion: str = "trace"
    thresholds: tuple[tuple[int, int], tuple[int, int]] = ((3, 4), (3, 4))
    tau_bounds: tuple[float, float] | None = None
    gamma_bounds: tuple[float, float] | None = None
    max_step_size: float | None = None
    momentum: tuple[int, int] = (0, 1)
    refresh: int = 1
    checkpoints: tuple[Checkpoint, ...] = ()


@dataclass(frozen=True, eq=False)
class Problem:
    """A network, its weights and a batch. Arrays are float64 with values that are `exact` in float32.

    id:       stable and unique within a run
    layers:   the network; the last layer has no transfer function
    weights:  W_l (D_l, D_{l-1} + 1), bias in the last column
    X, Y:     the batch, (N, D_0) and (N, D_L), or (N,) int64 indices for the objectives that classify
    labels:   S for each datapoint, (N, S, D_L) or (N, S), as data: the labels of KFAC
    draws:    normals (squared error) or uniforms in [0, 1) that labels are sampled from, the shape of `labels`
    probes:   the arguments of products, projections and solves
    psd:      what stands for an indefinite H_L, "project" or "scalar": that of the mixture is one
    walk:     states of an optimiser to step from, for the problems that ask for steps and nothing else
    dtypes:   those in which it is run; an adapter in another dtype is SKIPPED on it, and the report notes this
    """

    id: str
    layers: tuple[Layer, ...]
    objective: str
    weights: tuple[Array, ...]
    X: Array
    Y: Array
    labels: Array
    draws: Array
    arguments: Arguments
    psd: str = "project"
    trajectory: Trajectory | None = None
    dtypes: tuple[str, ...] = DTYPES
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
        V, U, Z, *dampings = self.arguments
        arguments = Arguments(V, U[:n], Z[:n], *dampings)
        return replace(
            self, X=self.X[:n], Y=self.Y[:n], labels=self.labels[:n], draws=self.draws[:n], arguments=arguments
        )

    def map_reals(self, f: Callable[[Array], Array]) -> "Problem":
        """The problem with f applied to every array of real numbers in it; indices of classes stay as they are."""

        def mapped(x: Array) -> Array:
            return f(x) if x.dtype.kind == "f" else x

        def at(here: Checkpoint) -> Checkpoint:
            def all_mapped(arrays: tuple[Array, ...]) -> tuple[Array, ...]:
                return tuple(map(mapped, arrays))

            return Checkpoint(
                here.t,
                all_mapped(here.weights),
                all_mapped(here.average),
                all_mapped(here.Q),
                all_mapped(here.G),
                all_mapped(here.update),
                mapped(here.tau),
                mapped(here.gamma),
                mapped(here.X),
                mapped(here.Y),
                None if here.draws is None else mapped(here.draws),
            )

        V, *others = self.arguments
        return replace(
            self,
            weights=tuple(mapped(W) for W in self.weights),
            X=mapped(self.X),
            Y=mapped(self.Y),
            labels=mapped(self.labels),
            draws=mapped(self.draws),
            arguments=Arguments(tuple(mapped(V_l) for V_l in V), *(mapped(other) for other in others)),
            trajectory=self.trajectory
            and self.trajectory._replace(checkpoints=tuple(map(at, self.trajectory.checkpoints))),
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
