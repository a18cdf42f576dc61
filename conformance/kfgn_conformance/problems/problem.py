"""A problem: a network, its weights and a batch. Its numbers are exact in float32, so every library has the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from kfgn_reference import Network

from .arrays import Array as Array, mapped_arrays, named_arrays
from .layers import Dense, Transfer

DTYPES = ("float32", "float64")
"""The dtypes in which a problem is run, unless it names its own."""

CLASSIFIERS = ("categorical", "mixture")
"""The objectives whose labels are indices of classes."""


class Arguments(NamedTuple):
    """The arguments of products, projections, solves and steps, besides the network and the batch.

    direction:       V_l, shaped like W_l: a direction in parameter space, a step, and the right-hand side of solves
    cotangents:      (N, D_L), the vectors u_n of the products J_n^T u_n
    projections:     (N, S, K), the random vectors that multiply the square root of H_L; K is `root_columns`
    tau, gamma, eta: the damping of the full and of the block-diagonal matrix, and the weight of L2; each 0-d
    """

    direction: tuple[Array, ...]
    cotangents: Array
    projections: Array
    tau: Array
    gamma: Array
    eta: Array


class Checkpoint(NamedTuple):
    """The state of an optimiser after t steps, and the batch of its next step.

    weights, average, update: W_l, the average of the parameters, and the last update, each shaped like W_l
    Q, G:                     the averages of the factors; ones if there is no average, and they must have no effect
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
    """The settings of an optimiser, and the checkpoints from which it makes one step each.

    eta is that of the problem's arguments. Every other constant is the paper's.

    method:       kflr, kfra, kfac or rp, or the exact Gauss-Newton matrix of the batch: hessian_free uses the full
                  matrix and hessian_free_blocks its diagonal blocks
    inversion:    the norm in (38), or exact for the inverse of (35)
    thresholds:   tau grows if rho is below the first and shrinks if rho is above the second; (n, d) is n / d
    tau_bounds, gamma_bounds: the lower and the upper bound of each, if it is bounded
    max_step_size: the upper bound of |alpha|
    momentum:     the part of the last update that is added to the next update; (n, d) is n / d
    refresh:      the number of steps from one update of the factors' averages to the next
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


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """A network, its weights and a batch.

    Parameters
    ----------
    id : str
        A stable id, unique within a run.
    objective : str
        The name of the loss E(h_L, y): squared_error, bernoulli, categorical or mixture.
    psd : str, default "project"
        The replacement for an indefinite H_L, "project" or "scalar". Only the H_L of the mixture is indefinite.
    inputs : int
        D_0.
    layers : tuple of Dense
        The layers l = 1, ..., L.
    weights : tuple of arrays
        W_l (D_l, D_{l-1} + 1) with the bias in the last column, or (D_l, D_{l-1}) for a layer without a bias.
    X : array, shape (N, D_0)
        The inputs of the batch.
    Y : array, shape (N, D_L) or (N,)
        The targets of the batch. Categorical and mixture have (N,) class indices in int64.
    labels : array, shape (N, S, D_L) or (N, S)
        The labels of KFAC, already sampled.
    draws : array, shape (N, S, D_L) or (N, S)
        The random numbers from which labels are sampled: normals for the squared error, else uniforms in [0, 1).
    arguments : Arguments
        The arguments of products, projections, solves and steps.
    trajectory : Trajectory or None, default None
        The optimiser and its checkpoints for a problem of optimiser steps. None for all other problems.
    dtypes : tuple of str
        The dtypes in which the problem is run. An adapter in another dtype is SKIPPED, and the report notes this.

    Notes
    -----
    Real arrays are float64, and float32 holds their values exactly.

    Examples
    --------
    >>> from kfgn_conformance.problems.cases import cases
    >>> problem = cases()[0]
    >>> problem.widths, problem.X.shape, problem.labels.shape[:2]
    ((5, 7, 3, 11), (13, 5), (13, 17))
    """

    id: str
    objective: str
    psd: str = "project"
    inputs: int
    layers: tuple[Dense, ...]
    weights: tuple[Array, ...]
    X: Array
    Y: Array
    labels: Array
    draws: Array
    arguments: Arguments
    trajectory: Trajectory | None = None
    dtypes: tuple[str, ...] = DTYPES

    @property
    def widths(self) -> tuple[int, ...]:
        """D_0, ..., D_L."""
        return (self.inputs, *(layer.units for layer in self.layers))

    @property
    def transfers(self) -> tuple[Transfer, ...]:
        """f_1, ..., f_{L-1}."""
        return tuple(layer.transfer for layer in self.layers[:-1])

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
        """The network as the reference represents it."""
        network = Network(self.weights, self.transfers, self.objective, self.psd)
        biases = tuple(layer.bias for layer in self.layers)
        return network if all(biases) else network._replace(biases=biases)

    def head(self, n: int) -> "Problem":
        """The same problem on its first n datapoints."""
        V, U, Z, *dampings = self.arguments
        arguments = Arguments(V, U[:n], Z[:n], *dampings)
        return replace(
            self, X=self.X[:n], Y=self.Y[:n], labels=self.labels[:n], draws=self.draws[:n], arguments=arguments
        )

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """Every array with its path, such as `arguments.direction[0]`."""
        for field in fields(self):
            yield from named_arrays(getattr(self, field.name, None), field.name)

    def map_arrays(self, f: Callable[[str, Array], Any]) -> "Problem":
        """The problem with f(path, array) instead of every array."""
        return replace(self, **{x.name: mapped_arrays(f, getattr(self, x.name), x.name) for x in fields(self)})

    def map_reals(self, f: Callable[[Array], Any]) -> "Problem":
        """The problem with f(array) instead of every array of real numbers; indices of classes stay."""
        return self.map_arrays(lambda _path, array: f(array) if array.dtype.kind == "f" else array)


def exact(problem: Problem) -> Problem:
    """The same problem, if float32 holds all its numbers exactly; raises `ValueError` otherwise."""
    for path, array in problem.arrays():
        if not np.array_equal(array, array.astype(np.float32)):
            raise ValueError(f"problem {problem.id}: {path}: expected values that float32 holds exactly")
    return problem


def root_columns(objective: str, psd: str, outputs: int) -> int:
    """K, the number of columns of the reference's square root of H_L."""
    return 1 if objective == "mixture" and psd == "scalar" else outputs


def classes(objective: str, outputs: int) -> int:
    """The number of classes of an objective that classifies."""
    return 2 if objective == "mixture" else outputs


def label_shape(objective: str, leading: tuple[int, ...], outputs: int) -> tuple[int, ...]:
    """The shape of labels and of their draws: one number per label, or one per label and output."""
    return leading if objective in CLASSIFIERS else (*leading, outputs)
