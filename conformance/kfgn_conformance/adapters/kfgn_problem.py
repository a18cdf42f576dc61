"""A problem of the kit as a network and arrays of the port, and calls of the port with these arguments."""

from collections.abc import Callable, Hashable
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np

import kfgn
from kfgn.backends import Backend, compiled

from ..problems.layers import Layer, Shape
from ..problems.masked import has_all_positions, is_masked
from ..problems.problem import Array, Problem
from . import UnsupportedError

PUBLIC: dict[str, Any] = {name: getattr(kfgn, name) for name in kfgn.__all__}
"""The public functions and classes of the port by their names."""

ITERATIONS = 200
"""The largest number of iterations of conjugate gradients. No problem of the kit needs so many iterations."""

Blocks = tuple[kfgn.KroneckerBlock, ...]


class KfgnProblem:
    """A problem whose arrays are converted to arrays of a backend.

    jitted: True to compile every function with `jax.jit`
    """

    def __init__(self, problem: Problem, backend: Backend, dtype: str, *, jitted: bool = False) -> None:
        def array(_path: str, x: Array) -> Any:
            return backend.asarray(x.astype(dtype) if x.dtype.kind == "f" else x)

        layers = tuple(
            _layer(problem, layer, below) for layer, below in zip(problem.layers, problem.shapes, strict=False)
        )
        self.network = kfgn.Network(problem.inputs, layers, problem.objective, problem.psd, problem.divisor)
        problem = problem.map_arrays(array)
        self.like, self.weights, self.Y = problem.X, problem.weights, problem.Y
        self.X = kfgn.Padded(problem.X, problem.mask) if is_masked(problem) else problem.X
        self.labels, self.draws = problem.labels, problem.draws
        if problem.is_shared and not self.network.shapes[-1][1:]:  # after `Flatten`, the port has no axis of positions
            self.Y, self.labels = problem.Y[:, 0, ...], problem.labels[:, :, 0, ...]
        self.bases = tuple(zip(*problem.bases, strict=True))
        self.V, self.U, self.Z, self.tau, self.gamma, self.eta = problem.arguments
        self.trajectory, self.jitted = problem.trajectory, jitted
        self.roundoff = float(np.finfo(dtype).eps) / 2

    def run(self, f: Callable[..., Any], *static: Hashable) -> Callable[..., Any]:
        """Return the function `partial(f, *static)`, which is compiled if `jitted` is True.

        If `jitted` is True, all problems with the same static arguments and the same shapes of arrays use one compiled
        program, as for a user who calls `jax.jit(partial(f, *static))` once.
        """
        return compiled(f, *static, like=self.like) if self.jitted else partial(f, *static)

    def batch(self, f: Callable[..., Any], *more: Any) -> Any:
        """Return f(network, weights, X, Y, *more), for a function of a network and a batch."""
        return self.run(f, self.network)(self.weights, self.X, self.Y, *more)

    def inputs(self, f: Callable[..., Any], *more: Any) -> Any:
        """Return f(network, weights, X, *more), for a function without targets."""
        return self.run(f, self.network)(self.weights, self.X, *more)

    def blocks(self, f: Callable[..., Any], *more: Any, static: tuple[Hashable, ...] = ()) -> Any:
        """Return f(*static, blocks, *more), where `blocks` are the Kronecker blocks of all layers, computed by KFRA."""
        _, _, Q, G = self.batch(kfgn.kfra)
        return self.run(f, *static)(kfgn.kronecker_blocks(Q, G), *more)

    def dense(self, curvature: kfgn.LossAndFactors) -> Any:
        """The blocks Q_l kron G_l of all layers as matrices."""
        return self.run(_dense)(kfgn.kronecker_blocks(curvature.Q, curvature.G))

    def ekfac(self) -> Any:
        """The blocks of EKFAC as matrices."""
        return self.run(_dense)(self.batch(kfgn.ekfac).blocks)

    def along(self, f: Callable[..., Any]) -> tuple[Any, ...]:
        """Return f(network, weights, X, Y, V, tau=tau, eta=eta) as a tuple of one array, where V is a step."""
        return (self.run(_along, f, self.network)(self.weights, self.X, self.Y, self.V, self.tau, self.eta),)

    def solved(self, f: Callable[..., kfgn.Solution], damping: Any) -> Any:
        """Solve a linear system with right-hand side V by conjugate gradients. The tolerance is the unit roundoff."""
        arrays = (self.weights, self.X, self.Y, self.V, damping)
        return self.run(_solved, f, self.network, self.roundoff)(*arrays)


def _layer(problem: Problem, record: Layer, below: Shape) -> Any:
    """The layer of the port with the name and the fields of a record of the kit, for inputs of the shape `below`.

    If the problem has a mask, a pooling layer over all positions has the width None. Raises `UnsupportedError` for a
    kind of layer that the port does not have.
    """
    name = type(record).__name__
    if name not in PUBLIC:
        raise UnsupportedError(f"kfgn has no {name} layers")
    given = {field.name: getattr(record, field.name) for field in fields(record)}
    if is_masked(problem) and has_all_positions(record, below):
        given["width"] = None
    return PUBLIC[name](**given)


def _dense(blocks: Blocks | tuple[kfgn.EigenBlock, ...]) -> tuple[Any, ...]:
    return tuple(block.dense() for block in blocks)


def _along(f: Callable[..., Any], network: kfgn.Network, *arrays: Any) -> Any:
    weights, X, Y, V, tau, eta = arrays
    return f(network, weights, X, Y, V, tau=tau, eta=eta)


def _solved(f: Callable[..., kfgn.Solution], network: kfgn.Network, tolerance: float, *arrays: Any) -> Any:
    weights, X, Y, b, damping = arrays
    return f(network, weights, X, Y, b, damping=damping, iterations=ITERATIONS, tolerance=tolerance).x
