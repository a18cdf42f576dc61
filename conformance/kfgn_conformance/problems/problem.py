"""The record of a problem: a network, its weights and a batch, whose numbers float32 holds exactly."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from kfgn_reference import Network

from .arrays import Array as Array, mapped_arrays, named_arrays
from .layers import Layer, Shape, Transfer, Weighted, activation_shapes

DTYPES = ("float32", "float64")
"""The default dtypes in which a problem is run."""

CLASSIFIERS = ("categorical", "mixture")
"""The objectives whose labels are indices of classes."""


class Arguments(NamedTuple):
    """The arguments of products, projections, solves and steps, in addition to the network and the batch.

    direction:   V_l, shaped like W_l: the vector in a product, the update in a step, or the right-hand side of a solve
    cotangents:  (N, D_L), the vectors u_n of the products J_n^T u_n, where J_n is the Jacobian of h_L with respect to
                 the weights at datapoint n
    projections: (N, S, K), S random vectors per datapoint, where K is the number of columns of the square root of H_L
    tau:         the damping of the full matrix, as a 0-d array
    gamma:       the damping of the block-diagonal matrix, as a 0-d array
    eta:         the weight of the L2 term, as a 0-d array

    In a problem with shared weights, `cotangents` and `projections` have further axes, which `Problem` describes.
    """

    direction: tuple[Array, ...]
    cotangents: Array
    projections: Array
    tau: Array
    gamma: Array
    eta: Array


class Checkpoint(NamedTuple):
    """The state of an optimiser after t steps, and the batch of its next step.

    t:          the number of steps before the checkpoint
    weights:    W_l
    average:    the moving average of the weights, shaped like W_l
    Q, G:       the moving averages of the factors; if no average exists, arrays of ones that must have no effect
    update:     the update of the last step, shaped like W_l
    tau, gamma: the dampings, as 0-d arrays
    X:          the inputs of the batch
    Y:          the labels of the batch
    draws:      the random numbers from which KFAC or RP samples, or None for a method that does not sample
    U_Q, U_G:   the eigenbases of EKFAC, orthogonal up to rounding, or no arrays for a different method
    S:          the moving averages of the eigenvalues of EKFAC, shaped like W_l, or no arrays for a different method
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
    U_Q: tuple[Array, ...] = ()
    U_G: tuple[Array, ...] = ()
    S: tuple[Array, ...] = ()


class Trajectory(NamedTuple):
    """The settings of an optimiser, and the checkpoints. The optimiser makes one step from each checkpoint.

    eta is one of the arguments of the problem. Constants that are not settings have the values of the paper.

    method:        kflr, kfra, kfac or rp for Kronecker factors, ekfac for eigenvalues in the eigenbases of KFLR's
                   factors, hessian_free for the full Gauss-Newton matrix of the batch, or hessian_free_blocks for the
                   diagonal blocks of this matrix
    inversion:     the name of the norm in (38), or "exact" for the inverse of (35)
    thresholds:    two numbers n / d, each as a pair (n, d): tau grows if rho is below the first number, and shrinks if
                   rho is above the second number
    tau_bounds:    the lower and the upper bound of tau, or None
    gamma_bounds:  the lower and the upper bound of gamma, or None
    max_step_size: the upper bound of |alpha|, or None
    momentum:      a pair (n, d): the fraction n / d of the last update is added to the next update
    refresh:       the number of steps from one update of the factors' averages to the next. With EKFAC, these updates
                   also change the bases, and no checkpoint is before such a step
    checkpoints:   the states and the batches from which the steps are made
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

    In a network with shared weights, an activation is (C, T), with C channels at each of T positions, and `inputs` is
    the shape (C_0, T_0) of a datapoint. The arrays of a problem with shared weights have further axes. X has the
    channels before the positions. Y, labels, draws, cotangents and projections have the positions of the outputs after
    the axes of datapoints and samples. For images, (H, W) replaces T everywhere. If the first layer is an embedding,
    C_0 is the size V of the vocabulary, and X (N, T_0) has tokens from 0 to V - 1 as int64.

    Parameters
    ----------
    id : str
        A stable id, unique within a run.
    objective : str
        The name of the loss E(h_L, y): squared_error, bernoulli, categorical or mixture.
    psd : str, default "project"
        The replacement for an indefinite H_L: H_L with its negative eigenvalues set to zero ("project"), or
        dE/dh_L dE/dh_L^T ("scalar"). Only the H_L of the mixture can be indefinite.
    inputs : int or tuple of int
        D_0, or (C_0, T_0) for a network with shared weights.
    layers : tuple of layers
        The layers l = 1, ..., L: `Dense` alone, or any kinds in a network with shared weights.
    weights : tuple of arrays
        The weights W_l of each layer with weights. The shape is (D_l, D_{l-1} + 1) with the bias in the last column, or
        (D_l, D_{l-1}) for a layer without a bias. The records `Convolution`, `Embedding` and `ScaleShift` describe
        the weights of their layers.
    X : array, shape (N, D_0) or (N, C_0, T_0)
        The inputs of the batch.
    Y : array, shape (N, D_L) or (N,), or (N, T_L, D_L) or (N, T_L)
        The targets of the batch. The targets of the categorical and mixture objectives are class indices in int64, in
        an array without the axis of outputs.
    labels : array, shape (N, S, D_L) or (N, S), or (N, S, T_L, D_L) or (N, S, T_L)
        The labels of KFAC, already sampled.
    draws : array, shaped like labels
        The random numbers from which labels are sampled: normals for the squared error, else uniforms in [0, 1).
    arguments : Arguments
        The arguments of products, projections, solves and steps.
    trajectory : Trajectory or None, default None
        The settings and the checkpoints of an optimiser, or None for a problem without optimiser steps.
    divisor : int, default 1
        The loss of a datapoint is the sum of E over the positions of the outputs, divided by this number.
    bases : tuple of pairs of arrays, default ()
        Orthogonal matrices (U_Q, U_G) for each group of each layer with weights, in which `ekfac_diagonal` is computed.
        The tuple is empty for a problem without shared weights.
    dtypes : tuple of str
        The dtypes in which the problem is run. The problem is SKIPPED for an adapter with a different dtype.

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
    inputs: int | tuple[int, ...]
    layers: tuple[Layer, ...]
    weights: tuple[Array, ...]
    X: Array
    Y: Array
    labels: Array
    draws: Array
    arguments: Arguments
    trajectory: Trajectory | None = None
    divisor: int = 1
    bases: tuple[tuple[Array, Array], ...] = ()
    dtypes: tuple[str, ...] = DTYPES

    @property
    def is_shared(self) -> bool:
        """True for a network with shared weights, whose activations have positions."""
        return not isinstance(self.inputs, int)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of a_0, ..., a_L: (D_l,), or (C_l, T_l) for a network with shared weights."""
        return tuple(activation_shapes(self.inputs, self.layers))

    @property
    def widths(self) -> tuple[int, ...]:
        """D_0, ..., D_L, or the channels C_0, ..., C_L of a network with shared weights."""
        return tuple(shape[0] for shape in self.shapes)

    @property
    def weighted(self) -> tuple[Weighted, ...]:
        """The layers with weights, one for each of `weights`."""
        return tuple(layer for layer in self.layers if isinstance(layer, Weighted))

    @property
    def transfers(self) -> tuple[Transfer, ...]:
        """f_1, ..., f_{L-1}: the transfer functions of the layers with weights, except that of the last layer L."""
        return tuple(layer.transfer for layer in self.layers[:-1] if isinstance(layer, Weighted))

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
        """The network as the reference represents it. Raises `ValueError` for a network with shared weights."""
        if self.is_shared:
            raise ValueError(f"problem {self.id}: expected a network without shared weights")
        network = Network(self.weights, self.transfers, self.objective, self.psd)
        biases = tuple(layer.bias for layer in self.weighted)
        return network if all(biases) else network._replace(biases=biases)

    def head(self, n: int) -> "Problem":
        """The problem with only the first n datapoints of its batch."""
        V, U, Z, *dampings = self.arguments
        arguments = Arguments(V, U[:n], Z[:n], *dampings)
        return replace(
            self, X=self.X[:n], Y=self.Y[:n], labels=self.labels[:n], draws=self.draws[:n], arguments=arguments
        )

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """Yield every array of the problem with its path, such as `arguments.direction[0]`."""
        for field in fields(self):
            yield from named_arrays(getattr(self, field.name, None), field.name)

    def map_arrays(self, f: Callable[[str, Array], Any]) -> "Problem":
        """Replace every array of the problem by f(path, array)."""
        return replace(self, **{x.name: mapped_arrays(f, getattr(self, x.name), x.name) for x in fields(self)})

    def map_reals(self, f: Callable[[Array], Any]) -> "Problem":
        """Replace every array of real numbers by f(array), and keep all arrays of class indices, tokens and bools."""
        return self.map_arrays(lambda _path, array: f(array) if array.dtype.kind == "f" else array)


def exact(problem: Problem) -> Problem:
    """Return the problem, or raise `ValueError` if float32 does not hold the numbers of an array exactly."""
    for path, array in problem.arrays():
        if not np.array_equal(array, array.astype(np.float32)):
            raise ValueError(f"problem {problem.id}: {path}: expected values that float32 holds exactly")
    return problem


def root_columns(objective: str, psd: str, outputs: int) -> int:
    """K, the number of columns of the reference's square root of H_L."""
    return 1 if objective == "mixture" and psd == "scalar" else outputs


def classes(objective: str, outputs: int) -> int:
    """The number of classes of the categorical or mixture objective."""
    return 2 if objective == "mixture" else outputs


def label_shape(objective: str, leading: tuple[int, ...], outputs: int) -> tuple[int, ...]:
    """The shape of labels and of their draws: `leading`, and then an axis of outputs unless labels are classes."""
    return leading if objective in CLASSIFIERS else (*leading, outputs)
