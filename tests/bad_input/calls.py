"""A good call of every public function, with the role of each argument. `values.py` has the bad values of each role.

`public()` finds the public functions by introspection, and `calls` must have an entry for each. A new function or a new
argument without an entry fails a test.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import kfgn
import kfgn.interop
import kfgn.lab
from kfgn.lab import Options, Run, UsageError, Watch
from kfgn.lab.data import load

from . import values as v
from .libraries import Library
from .values import Bad

Role = Callable[[Library, Any], Iterator[Bad]]

SHAPES = ((4, 3), (3, 5))
N, S = 7, 6


class Call(NamedTuple):
    """A public function or method, a good value and the role of each argument, and its own error if it has one."""

    name: str
    of: Callable[..., Any]
    function: Callable[..., Any]
    arguments: dict[str, tuple[Any, Role]]
    error: type[Exception] | None = None
    checks: bool = True

    def given(self, **changes: Any) -> dict[str, Any]:
        """The good arguments, with these in place of some."""
        return {name: value for name, (value, _) in self.arguments.items()} | changes

    def bad(self, library: Library) -> Iterator[tuple[str, Bad]]:
        """Each bad value with the argument that it is for."""
        for name, (good, role) in self.arguments.items():
            for bad in role(library, good):
                if self.checks or not bad.by_value:
                    yield name, bad if self.error is None else bad._replace(error=self.error)


PROTOCOL = {
    **dict.fromkeys(
        ("KroneckerFactored", "HessianFree"),
        ("refreshes", "draw", "checked_draws", "check_memory", "start", "completed", "observed", "direction", "ready"),
    ),
    **dict.fromkeys(("SGD", "Adam"), ("updated",)),
    "Watch": ("begins", "goes_on", "warns"),
}
"""Methods that kfgn calls with arguments that it has checked or made: those of parts of an optimiser and of a watch."""

RECORDS = {
    *("Counts", "Factors", "FirstOrderState", "Info", "State"),
    *("LossAndFactors", "Images", "Run", "Solution"),
}
"""Results of functions. kfgn makes them, and their constructors are those of named tuples and dataclasses."""


def public() -> dict[str, Callable[..., Any]]:
    """Every public function, constructor and method of kfgn, kfgn.lab and kfgn.interop, by name."""
    found: dict[str, Callable[..., Any]] = {}
    for module in _modules():
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) and not issubclass(value, Exception):
                if name not in RECORDS:
                    found[f"{module.__name__}.{name}"] = value
                for method, function in inspect.getmembers(value, inspect.isfunction):
                    if not method.startswith("_") and method not in PROTOCOL.get(name, ()):
                        found[f"{module.__name__}.{name}.{method}"] = function
            elif callable(value) and not inspect.isclass(value):
                found[f"{module.__name__}.{name}"] = value
    return found


def _modules() -> Iterator[Any]:
    yield kfgn
    for package in (kfgn.lab, kfgn.interop):
        inside = [found.name for found in pkgutil.iter_modules(package.__path__) if found.name != "__main__"]
        for name in (package.__name__, *(f"{package.__name__}.{name}" for name in inside)):
            if hasattr(module := importlib.import_module(name), "__all__"):
                yield module


ROLES: dict[str, Role] = {
    "network": v.network,
    "weights": v.arrays,
    "X": v.batch,
    "projections": v.array,
    "U": v.array,
    "V": v.arrays,
    "delta": v.arrays,
    "b": v.arrays,
    "tau": v.scalar,
    "eta": v.scalar,
    "tolerance": v.scalar,
    "damping": v.damping,
    "iterations": v.count,
    "memory": v.count,
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
        self.check = True

    def role(self, name: str) -> Role:
        if name in ("Y", "labels"):
            role = v.indices if self.objective == "categorical" else v.array
            return v.samples(role) if name == "labels" else role
        return v.samples(v.array) if name == "draws" else ROLES[name]

    def calls(self, *, check: bool = True) -> Iterator[Call]:
        """Every function of kfgn except those of Kronecker blocks."""
        for name in kfgn.__all__:
            function = getattr(kfgn, name)
            if inspect.isfunction(function) and "network" in (names := inspect.signature(function).parameters):
                arguments = {n: (getattr(self, n), self.role(n)) for n in names}
                if not check and "check" in arguments:
                    arguments["check"] = (False, v.flag)
                elif not check:
                    continue
                yield Call(f"kfgn.{name}", function, function, arguments, checks=check)


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
    pairs = {"Q": ((Q, Q), v.squares), "G": ((G, G), v.squares), **check}
    yield Call("kfgn.kronecker_blocks", kfgn.kronecker_blocks, kfgn.kronecker_blocks, pairs)


def _method(kind: Callable[..., Any], method: str, fields: tuple[str, ...]) -> Callable[..., Any]:
    """The method as a function of the fields of its object, and of its arguments."""

    def call(**given: Any) -> Any:
        return getattr(kind(*(given.pop(field) for field in fields)), method)(**given)

    return call


def constructors() -> Iterator[Call]:
    """The constructors of networks, of optimisers and of their parts, which take no arrays."""
    network = kfgn.Network.dense((2, 4, 3), ("tanh",), "categorical")
    each: dict[Callable[..., Any], dict[str, tuple[Any, Role]]] = {
        kfgn.Network: {
            "widths": ((2, 4, 3), v.widths),
            "transfers": (("tanh",), v.transfers),
            "objective": ("categorical", v.name),
            "psd": ("project", v.name),
        },
        kfgn.Damping: {
            "initial": (1.0, v.number),
            "period": (5, v.optional(v.count)),
            "decay": (0.95, v.rate),
            "lower": (0.0, v.number),
            "upper": (10.0, v.number),
        },
        kfgn.KroneckerFactored: {
            "method": ("kfra", v.name),
            "samples": (1, v.count),
            "inversion": ("trace", v.name),
            "average": (0.9, v.part),
            "refresh": (1, v.count),
        },
        kfgn.HessianFree: {"blocks": (False, v.flag), "iterations": (2, v.count), "tolerance": (0.1, v.number)},
        kfgn.GaussNewton: {
            "network": (network, v.network),
            "curvature": (kfgn.KroneckerFactored(), v.record),
            "eta": (0.1, v.number),
            "tau": (kfgn.Damping(1.0, 5), v.optional(v.record)),
            "gamma": (kfgn.Damping(1.0, 5), v.optional(v.record)),
            "thresholds": ((0.75, 0.75), v.pair),
            "max_step_size": (1.0, v.optional(v.positive)),
            "momentum": (0.5, v.part),
            "parameter_average": (0.5, v.part),
        },
    }
    first_order = {
        "network": (network, v.network),
        "learning_rate": (0.1, v.positive),
        "halving": (3, v.optional(v.count)),
        "eta": (0.1, v.number),
        "parameter_average": (0.5, v.part),
    }
    each[kfgn.SGD] = {**first_order, "momentum": (0.5, v.part), "nesterov": (True, v.flag)}
    betas = dict.fromkeys(("beta_1", "beta_2"), (0.5, v.below_one))
    each[kfgn.Adam] = {**first_order, **betas, "epsilon": (0.1, v.positive)}
    for function, arguments in each.items():
        yield Call(f"kfgn.{function.__name__}", function, function, arguments)


def optimisers(library: Library) -> Iterator[Call]:
    """The methods of optimisers."""
    p = Problem(library, "categorical")
    kfac = kfgn.GaussNewton(p.network, kfgn.KroneckerFactored("kfac", samples=S))
    hessian_free = kfgn.GaussNewton(p.network, kfgn.HessianFree(iterations=2), momentum=0.5)
    kinds = {
        "GaussNewton": (kfgn.GaussNewton(p.network), kfac, hessian_free),
        "SGD": (kfgn.SGD(p.network, 0.1),),
        "Adam": (kfgn.Adam(p.network),),
    }
    for kind, each in kinds.items():
        for optimiser in each:
            draws = (p.draws, v.optional(v.unread(v.samples(v.array)))) if optimiser is kfac else (None, v.nothing)
            methods: dict[str, dict[str, tuple[Any, Role]]] = {
                "init": {"weights": (p.weights, v.arrays)},
                "draw": {"seed": (0, v.seed), "t": (1, v.count), "N": (N, v.count)},
                "step": {
                    "state": (optimiser.init(p.weights), _state),
                    "X": (p.X, v.unread(v.batch)),
                    "Y": (p.Y, v.unread(v.indices)),
                    "draws": draws,
                },
            }
            for method, arguments in methods.items():
                of = getattr(type(optimiser), method)
                yield Call(f"kfgn.{kind}.{method}", of, getattr(optimiser, method), arguments)


def _state(library: Library, good: Any) -> Iterator[Bad]:
    """A state of another optimiser, or one with a field that is bad."""
    yield from v.record(library, good)
    network = kfgn.Network.dense((2, 4, 3), ("tanh",), "categorical")
    weights = good.weights
    for other in (
        kfgn.GaussNewton(network, kfgn.KroneckerFactored(refresh=2)),
        kfgn.SGD(network, 0.1),
        kfgn.Adam(network),
    ):
        state = other.init(weights)
        same = type(state) is type(good)
        if [type(part) for part in state] != [type(part) for part in good] or len(str(state)) != len(str(good)):
            yield Bad(f"of {type(other).__name__}", state, ValueError if same else TypeError)
    yield Bad("as a tuple", tuple(good), TypeError)
    for bad in v.seed(library, 0):
        yield bad._replace(kind=f"t: {bad.kind}", value=good._replace(t=bad.value))
    for field in ("average", "counts"):
        for bad in v.record(library, None):
            wrong_count = isinstance(bad.value, tuple) and len(bad.value) != len(getattr(good, field))
            error = ValueError if wrong_count else bad.error
            yield bad._replace(kind=f"{field}: {bad.kind}", value=good._replace(**{field: bad.value}), error=error)
        yield Bad(f"{field}: empty", good._replace(**{field: ()}), ValueError)
    for bad in v.unread(v.arrays)(library, weights):
        if bad.error is TypeError:
            yield bad._replace(kind=f"weights: {bad.kind}", value=good._replace(weights=bad.value))


def options() -> Iterator[Call]:
    """`kfgn.lab.Options`, which raises `UsageError`."""
    optional = v.optional
    arguments: dict[str, tuple[Any, Role]] = {
        **{name: (value, v.text) for name, value in {"data": "digits", "method": "kfra", "backend": "numpy"}.items()},
        "dtype": ("float32", v.name),
        **{name: (value, optional(v.text)) for name, value in {"device": "cpu", "inversion": "trace"}.items()},
        **{name: (3, optional(v.count)) for name in ("updates", "batch", "samples", "refresh", "halving")},
        **dict.fromkeys(("evaluate_every", "checkpoint_every", "patience"), (3, v.count)),
        **{name: (0.5, optional(v.finite)) for name in ("average", "tau", "gamma", "eta", "learning_rate")},
        "seconds": (0.5, optional(v.positive)),
        "seed": (0, v.seed),
        "data_folder": ("data", optional(v.path)),
    }
    yield Call("kfgn.lab.Options", Options, Options, arguments, UsageError)


def lab(folder: str, out: str) -> Iterator[Call]:
    """The other functions of the lab. `folder` has a run of one update, and `out` does not exist."""
    run = kfgn.lab.read_run(folder)
    good = Options("digits", updates=1)
    watch, task = ((None, v.optional(v.record)) for _ in range(2))
    new: dict[str, tuple[Any, Role]] = {"out": (out, v.path), "watch": watch}
    each: dict[Callable[..., Any], dict[str, tuple[Any, Role]]] = {
        kfgn.lab.train: {"options": (good, v.record), **new, "task": task},
        kfgn.lab.compare: {"options": (good, v.record), "methods": (("kfra",), _methods), **new},
        kfgn.lab.resume: {
            "out": (folder, v.path),
            "changes": (None, v.optional(_changes)),
            "watch": watch,
            "task": task,
        },
        kfgn.lab.read_run: {"folder": (folder, v.path)},
    }
    for function, arguments in each.items():
        yield Call(f"kfgn.lab.{function.__name__}", function, function, arguments, UsageError)
    for method in ("final", "weights"):
        arguments = {"averaged": (False, v.flag)}
        yield Call(f"kfgn.lab.Run.{method}", getattr(Run, method), getattr(run, method), arguments, UsageError)
    yield Call("kfgn.lab.Run.network", Run.network, run.network, {})
    yield Call("kfgn.lab.Watch", Watch, Watch, {})
    yield Call("kfgn.lab.data.load", load, load, {"name": ("digits", v.name), "folder": (None, v.optional(v.folder))})


def _methods(library: Library, _good: Any) -> Iterator[Bad]:
    """The role of the methods that are compared."""
    yield from v.record(library, None)
    for kind, value in {
        "none": (),
        "one name": "kfra",
        "unknown": ("kfra", "lbfgs"),
        "None in it": ("kfra", None),
        "number in it": (3,),
        "no rate": ("adam:",),
        "rate that is none": ("adam:fast",),
        "rate of kfra": ("kfra:0.1",),
        "rate that is not finite": ("adam:nan",),
        "negative rate": ("adam:-1",),
        "huge rate": ("adam:1e999",),
        "two rates": ("adam:1:2",),
    }.items():
        yield Bad(kind, value, ValueError)


def _changes(library: Library, _good: Any) -> Iterator[Bad]:
    """The role of the options that change when a run is resumed."""
    for bad in v.record(library, None):
        if bad.kind != "dict":
            yield bad
    for kind, value in {
        "unknown": {"upddates": 3},
        "no name": {3: 3},
        "number in text": {"updates": "3"},
        "True": {"updates": True},
        "fewer": {"updates": 0},
        "seconds": {"seconds": -1.0},
        "another method": {"method": "kflr"},
        "another rate": {"eta": 0.5},
        "array": {"eta": np.ones(2)},
        "a rate that is none": {"eta": "x"},
        "NaN": {"eta": float("nan")},
    }.items():
        yield Bad(kind, value, ValueError)


def interop() -> Iterator[Call]:
    """The functions for modules of PyTorch."""
    import torch

    from kfgn.interop.torch import network_and_weights, write_back

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(14)
        model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3)).double()
    weights = tuple(torch.ones(shape, dtype=torch.float64) for shape in SHAPES)
    names = {"module": (model, _module), "objective": ("categorical", v.name), "psd": ("project", v.name)}
    yield Call("kfgn.interop.torch.network_and_weights", network_and_weights, network_and_weights, names)
    arguments = {"module": (model, _module), "weights": (weights, v.unread(v.arrays))}
    yield Call("kfgn.interop.torch.write_back", write_back, write_back, arguments)


def _module(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a module. `tests/port/test_interop_torch.py` has modules that are almost right."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        linear, without = nn.Linear(2, 3), nn.Sequential(nn.Linear(2, 3, bias=False)).double()
    modules = {"Linear": linear, "class": nn.Sequential, "ModuleList": nn.ModuleList([linear])}
    yield from v.record(library, good)
    for kind, value in {**modules, "list": [linear], "GELU": nn.Sequential(nn.GELU())}.items():
        yield Bad(kind, value, TypeError)
    yield Bad("no layer", nn.Sequential(), ValueError)
    yield Bad("no bias", without, ValueError)


def calls(library: Library, folder: str, out: str) -> Iterator[Call]:
    """All calls on a library. Calls without an array are made with NumPy alone."""
    objectives = ("categorical",) if library.name == "jax" else ("squared_error", "categorical")
    for objective in objectives:
        yield from Problem(library, objective).calls()
        if library.name != "jax":
            yield from Problem(library, objective).calls(check=False)
    yield from kronecker(library)
    yield from optimisers(library)
    if library.name == "numpy":
        yield from constructors()
        yield from options()
        yield from lab(folder, out)
    if library.name == "torch":
        yield from interop()
