"""Good calls of networks and optimisers: their constructors and their methods."""

from collections.abc import Callable, Iterator
from typing import Any

import kfgn

from .. import roles as v
from ..libraries import Library
from ..values import Bad
from .call import Call, Role
from .of_functions import N, Problem, S


def constructors() -> Iterator[Call]:
    """The constructors of networks, of optimisers and of their parts, which take no arrays."""
    network = kfgn.Network.dense((2, 4, 3), ("tanh",), "categorical")
    names: dict[str, tuple[Any, Role]] = {"objective": ("categorical", v.name), "psd": ("project", v.name)}
    shape = {"widths": ((2, 4, 3), v.widths), "transfers": (("tanh",), v.transfers)}
    yield Call("kfgn.Network.dense", kfgn.Network.dense, kfgn.Network.dense, shape | names)
    each: dict[Callable[..., Any], dict[str, tuple[Any, Role]]] = {
        kfgn.Dense: {"units": (3, v.count), "transfer": ("tanh", v.transfer), "bias": (True, v.flag)},
        kfgn.Network: {
            "inputs": (2, v.inputs),
            "layers": (network.layers, v.layers),
            **names,
            "divisor": (1, v.count),
        },
        kfgn.Pooling: {"width": (2, v.optional(v.per_axis)), "stride": (2, v.count), "kind": ("mean", v.name)},
        kfgn.Damping: {
            "initial": (1.0, v.number),
            "period": (5, v.optional(v.count)),
            "decay": (0.95, v.rate),
            "lower": (0.0, v.number),
            "upper": (10.0, v.number),
        },
        kfgn.KroneckerFactored: {
            "method": ("kfra", v.name),
            "samples": (1, v.optional(v.count)),
            "inversion": ("trace", v.name),
            "average": (0.9, v.part),
            "refresh": (1, v.count),
            "sharing": ("expand", v.name),
        },
        kfgn.EigenvalueCorrected: {
            "samples": (1, v.optional(v.count)),
            "average": (0.9, v.part),
            "refresh": (1, v.count),
            "sharing": ("expand", v.name),
        },
        kfgn.HessianFree: {"blocks": (False, v.flag), "iterations": (2, v.count), "tolerance": (0.1, v.number)},
        kfgn.GaussNewton: {
            "network": (network, v.network),
            "curvature": (kfgn.KroneckerFactored(), _curvature),
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
    each[kfgn.Convolution] = {
        "units": (3, v.count),
        "width": (2, v.per_axis),
        "transfer": ("tanh", v.transfer),
        "bias": (True, v.flag),
        "stride": (2, v.count),
        "padding": ((1, 0), v.padding),
        "circular": (True, v.flag),
        "dilation": (2, v.count),
        "groups": (3, v.count),
    }
    each[kfgn.ScaleShift] = {"transfer": ("tanh", v.transfer), "bias": (True, v.flag)}
    each[kfgn.Embedding] = {"units": (3, v.count), "transfer": ("tanh", v.transfer)}
    each[kfgn.Normalisation] = {"epsilon": (0.1, v.positive)}
    plane = dict.fromkeys(("width", "stride", "dilation"), ((2, 3), v.counts))
    line = {name: value for name, value in each[kfgn.Convolution].items() if name != "padding"}
    padding = {"padding": (((0, 0), (1, 0)), v.padding_of_plane)}
    yield Call("kfgn.Convolution", kfgn.Convolution, kfgn.Convolution, line | plane | padding)
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
            draws = (p.draws, v.optional(_draws)) if optimiser is kfac else (None, v.nothing)
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


def _curvature(library: Library, good: Any) -> Iterator[Bad]:
    """A curvature, which may also be a name."""
    for bad in v.record(library, good):
        if bad.kind != "name":
            yield bad._replace(error=ValueError) if isinstance(bad.value, str) else bad


def _draws(library: Library, good: Any) -> Iterator[Bad]:
    """Random numbers. Those of NumPy, and float32 of NumPy or JAX, are converted."""
    converted = ("NumPy", "float32") if library.name in ("numpy", "jax") else ("NumPy",)
    yield from (bad for bad in v.unread(v.samples(v.array))(library, good) if bad.kind not in converted)


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
