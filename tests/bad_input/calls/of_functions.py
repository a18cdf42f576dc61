"""Good calls of the functions of kfgn that take a batch, and of those of Kronecker-factored blocks."""

import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import kfgn

from .. import roles as v
from ..libraries import Library
from .call import Call, Role

SHAPES = ((4, 3), (3, 5))

N, S = 7, 6

ROLES: dict[str, Role] = {
    "network": v.network,
    "weights": v.arrays,
    "X": v.batch,
    "projections": v.array,
    "U": v.array,
    "V": v.arrays,
    "delta": v.arrays,
    "b": v.arrays,
    "U_Q": v.squares,
    "U_G": v.squares,
    "tau": v.scalar,
    "eta": v.scalar,
    "tolerance": v.scalar,
    "damping": v.damping,
    "iterations": v.count,
    "memory": v.optional(v.count),
    "sharing": v.name,
    "N": v.count,
    "S": v.count,
    "check": v.flag,
}
"""The roles of the arguments of functions, by name."""


class Problem:
    """The arguments of the public functions on a library, by name."""

    def __init__(self, library: Library, objective: str) -> None:
        rng = np.random.default_rng(14)

        def normal(*shape: int) -> Any:
            return library(rng.standard_normal(shape))

        self.library, self.objective = library, objective
        self.network = kfgn.Network.dense((2, 4, 3), ("tanh",), objective)
        self.weights, self.V, self.delta, self.b = (tuple(normal(*shape) for shape in SHAPES) for _ in range(4))
        self.X, self.U, self.projections = normal(N, 2), normal(N, 3), normal(N, S, 3)
        classes = objective == "categorical"
        self.Y = library(rng.integers(0, 3, N)) if classes else normal(N, 3)
        self.labels = library(rng.integers(0, 3, (N, S))) if classes else normal(N, S, 3)
        self.draws = library(rng.random((N, S))) if classes else normal(N, S, 3)
        self.tau = self.eta = self.damping = self.tolerance = 0.25
        self.iterations, self.memory, self.N, self.S = 2, 1000, N, S
        self.check, self.sharing = True, "expand"
        self.U_Q, self.U_G = (tuple(library(np.eye(shape[i])) for shape in SHAPES) for i in (1, 0))

    def role(self, name: str, optional: bool = False) -> Role:
        if optional:
            return v.optional(self.role(name))
        if name in ("Y", "labels"):
            role = v.indices if self.objective == "categorical" else v.array
            return v.samples(role) if name == "labels" else role
        return v.samples(v.array) if name == "draws" else ROLES[name]

    def calls(self, *, check: bool = True) -> Iterator[Call]:
        """Every function of kfgn except those of Kronecker blocks."""
        for name in kfgn.__all__:
            function = getattr(kfgn, name)
            if inspect.isfunction(function) and "network" in (names := inspect.signature(function).parameters):
                arguments = {n: (getattr(self, n), self.role(n, p.default is None)) for n, p in names.items()}
                if not check and "check" in arguments:
                    arguments["check"] = (False, v.flag)
                elif not check:
                    continue
                for given in self.alternatives(arguments):
                    yield Call(f"kfgn.{name}", function, function, given, checks=check)

    def alternatives(self, arguments: dict[str, tuple[Any, Role]]) -> Iterator[dict[str, tuple[Any, Role]]]:
        """The arguments of the good calls. A function that takes either labels or draws has one call with each."""
        either = ("labels", "draws")
        if not set(either) <= set(arguments):
            yield arguments
            return
        for given, left_out in itertools.permutations(either):
            yield arguments | {given: (getattr(self, given), self.role(given)), left_out: (None, v.excluded)}


def kronecker(library: Library) -> Iterator[Call]:
    """The functions of Kronecker blocks."""
    rng = np.random.default_rng(14)
    Q, G = (library(A @ A.T) for A in (rng.standard_normal((4, 5)), rng.standard_normal((3, 5))))
    V = library(rng.standard_normal((3, 4)))
    block = kfgn.KroneckerBlock
    factors: dict[str, tuple[Any, Role]] = {"Q": (Q, v.square), "G": (G, v.square)}
    unread = {name: (A, v.unread(v.square)) for name, (A, _) in factors.items()}
    check = {"check": (True, v.flag)}
    solved = {"damping": (0.25, v.damping), "inversion": ("trace", v.name), **check}
    for method, arguments in {
        "dense": unread,
        "trace": unread,
        "matvec": {**factors, "V": (V, v.array), **check},
        "solve": {**factors, "V": (V, v.array), **solved},
        "logdet": {**factors, **solved},
    }.items():
        name = f"kfgn.KroneckerBlock.{method}"
        yield Call(name, getattr(block, method), _method(block, method, ("Q", "G")), arguments)
    yield Call("kfgn.KroneckerBlock", block, lambda Q, G: block(Q, G).trace(), unread)
    yield Call("kfgn.omega", kfgn.omega, kfgn.omega, {**factors, "norm": ("trace", v.name), **check})
    yield from _eigen(library, V)
    pairs = {"Q": ((Q, Q), v.squares), "G": ((G, G), v.squares), **check}
    yield Call("kfgn.kronecker_blocks", kfgn.kronecker_blocks, kfgn.kronecker_blocks, pairs)


def _eigen(library: Library, V: Any) -> Iterator[Call]:
    """The methods of a block with given eigenvectors."""
    fields: dict[str, tuple[Any, Role]] = {
        "U_Q": (library(np.eye(4)), v.square),
        "U_G": (library(np.eye(3)), v.square),
        "S": (library(np.ones((3, 4))), v.array),
    }
    unread = {name: (A, v.unread(role)) for name, (A, role) in fields.items()}
    check = {"check": (True, v.flag)}
    block = kfgn.EigenBlock
    for method, arguments in {
        "dense": unread,
        "trace": unread,
        "matvec": {**fields, "V": (V, v.array), **check},
        "solve": {**fields, "V": (V, v.array), "damping": (0.25, v.damping), **check},
        "logdet": {**fields, "damping": (0.25, v.damping), **check},
    }.items():
        name = f"kfgn.EigenBlock.{method}"
        yield Call(name, getattr(block, method), _method(block, method, ("U_Q", "U_G", "S")), arguments)
    yield Call("kfgn.EigenBlock", block, lambda U_Q, U_G, S: block(U_Q, U_G, S).trace(), unread)


def _method(kind: Callable[..., Any], method: str, fields: tuple[str, ...]) -> Callable[..., Any]:
    """The method as a function of the fields of its object, and of its arguments."""

    def call(**given: Any) -> Any:
        return getattr(kind(*(given.pop(field) for field in fields)), method)(**given)

    return call
