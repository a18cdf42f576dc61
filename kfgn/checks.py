"""What every public function asks of its arguments, and the errors that answer what it does not get.

Libraries, dtypes, devices and shapes are always checked, since that reads no data. Values are checked
where there are any: not while a function is traced, and not on a device that holds none.
"""

import operator
from collections.abc import Mapping
from typing import Any

from array_api_compat import array_namespace, is_array_api_obj

from ._types import Array, Arrays, Namespace, Weights
from .backends import detached, device, has_values, is_plain
from .network import Network
from .objectives import OBJECTIVES


def checked(network: Network, weights: Weights, X: Array, *, check: bool) -> tuple[Namespace, Arrays, Array]:
    """The namespace of the arrays, and weights and batch outside any autograd graph, once they are in order.

    Raises `TypeError` or `ValueError` as the docstring of the package says.
    """
    checked_network(network)
    if not isinstance(weights, (tuple, list)):
        raise TypeError(f"weights: expected a tuple or list of arrays W_1, ..., W_L, got {_type(weights)}")
    if len(weights) != network.depth:
        raise ValueError(f"weights: expected {network.depth} arrays W_1, ..., W_L, got {len(weights)}")
    named = {"X": X} | {f"W_{l}": W for l, W in enumerate(weights, start=1)}
    xp = _one_library_and_device(named)
    _floating(xp, named)
    for l, shape in enumerate(network.weight_shapes, start=1):
        if (came := tuple(named[f"W_{l}"].shape)) != shape:
            raise ValueError(f"W_{l}: expected shape {shape}, bias in the last column, got {came}")
    if X.ndim != 2 or X.shape[1] != network.widths[0]:
        raise ValueError(f"X: expected shape (N, {network.widths[0]}), got {tuple(X.shape)}")
    if X.shape[0] == 0:
        raise ValueError(f"X: expected at least one datapoint, got shape {tuple(X.shape)}")
    if check:
        _finite(xp, named)
    return xp, tuple(detached(W) for W in weights), detached(X)


def checked_targets(network: Network, X: Array, Y: Array, *, check: bool) -> Array:
    """The targets Y of a batch X that has been checked, (N, D_L) or (N,), once they are in order too."""
    return _labels(network, X, "Y", Y, samples=(), check=check)


def checked_labels(network: Network, X: Array, labels: Array, *, check: bool) -> Array:
    """Sampled labels, (N, S, D_L) or (N, S), likewise."""
    return _labels(network, X, "labels", labels, samples=_samples(X, "labels", labels), check=check)


def checked_draws(network: Network, X: Array, draws: Array, *, check: bool) -> Array:
    """The random numbers that labels are sampled from, (N, S, D_L) or (N, S), likewise."""
    samples = _samples(X, "draws", draws)
    xp = array_namespace(X)
    _floating(xp, {"X": X, "draws": draws})
    _shape(network, X, "draws", draws, samples)
    if check:
        _finite(xp, {"draws": draws})
        if network.objective != "squared_error":
            _values(xp, "draws", draws, (draws >= 0) & (draws < 1), "uniforms in [0, 1)")
    return detached(draws)


def checked_network(network: Network) -> None:
    """`TypeError` for anything but a network."""
    if not isinstance(network, Network):
        raise TypeError(f"network: expected a kfgn.Network, got {_type(network)}")


def checked_count(name: str, n: Any) -> int:
    """A positive integer: `TypeError` for what is no integer, `ValueError` for what is not positive."""
    try:
        count = operator.index(n)
    except TypeError:
        raise TypeError(f"{name}: expected a positive integer, got {n!r}") from None
    if count < 1:
        raise ValueError(f"{name}: expected a positive integer, got {n!r}")
    return count


def _type(value: Any) -> str:
    layout = f" of layout {value.layout}" if hasattr(value, "layout") else ""
    return f"{type(value).__module__}.{type(value).__qualname__}{layout}"


def _one_library_and_device(named: Mapping[str, Array]) -> Namespace:
    """The common namespace; X says what is expected of the others."""
    for name, array in named.items():
        if not (is_array_api_obj(array) and is_plain(array)):
            raise TypeError(f"{name}: expected an array, got {_type(array)}")
    X = named["X"]
    xp = array_namespace(X)
    for name, array in named.items():
        if array_namespace(array) is not xp:
            raise TypeError(f"{name}: expected an array of the library of X, {_type(X)}, got {_type(array)}")
    places = [(name, device(array)) for name, array in named.items()]
    known = [(name, place) for name, place in places if place is not None]
    for name, place in known:
        first, home = known[0]
        if place != home:
            raise ValueError(f"{name}: expected an array on the device of {first}, {home}, got one on {place}")
    return xp


def _floating(xp: Namespace, named: Mapping[str, Array]) -> None:
    X = named["X"]
    if X.dtype not in (xp.float32, xp.float64):
        raise TypeError(f"X: expected dtype float32 or float64, got {X.dtype}")
    for name, array in named.items():
        if array.dtype != X.dtype:
            raise TypeError(f"{name}: expected the dtype of X, {X.dtype}, got {array.dtype}")


def _samples(X: Array, name: str, array: Array) -> tuple[int]:
    """(S,) of an array (N, S, ...)."""
    _one_library_and_device({"X": X, name: array})
    if array.ndim < 2 or array.shape[1] == 0:
        shape = tuple(array.shape)
        raise ValueError(f"{name}: expected shape (N, S, ...) with at least one sample S, got {shape}")
    return (array.shape[1],)


def _labels(network: Network, X: Array, name: str, y: Array, *, samples: tuple[int, ...], check: bool) -> Array:
    """Labels of the objective's kind."""
    xp = _one_library_and_device({"X": X, name: y})
    kind = _class_labels if OBJECTIVES[network.objective].classes else _real_labels
    return detached(kind(xp, network, X, name, y, samples, check=check))


def _class_labels(
    xp: Namespace, network: Network, X: Array, name: str, y: Array, samples: tuple[int, ...], *, check: bool
) -> Array:
    """Indices in the library's own index dtype, since that of y may not count as far as the classes go."""
    if not xp.isdtype(y.dtype, "integral"):
        raise TypeError(f"{name}: expected integer class indices for {network.objective}, got dtype {y.dtype}")
    _shape(network, X, name, y, samples)
    y = xp.astype(y, xp.arange(1, device=device(y)).dtype)
    last = network.widths[-1] - 1
    if check:
        _values(xp, name, y, (y >= 0) & (y <= last), f"class indices from 0 to {last}")
    return y


def _real_labels(
    xp: Namespace, network: Network, X: Array, name: str, y: Array, samples: tuple[int, ...], *, check: bool
) -> Array:
    _floating(xp, {"X": X, name: y})
    _shape(network, X, name, y, samples)
    bounds = OBJECTIVES[network.objective].target_range
    if check:
        _finite(xp, {name: y})
        if bounds is not None:
            least, most = bounds
            _values(xp, name, y, (y >= least) & (y <= most), f"{network.objective} targets from {least} to {most}")
    return y


def _shape(network: Network, X: Array, name: str, array: Array, samples: tuple[int, ...]) -> None:
    outputs = () if OBJECTIVES[network.objective].classes else (network.widths[-1],)
    expected = (X.shape[0], *samples, *outputs)
    if (came := tuple(array.shape)) != expected:
        raise ValueError(f"{name}: expected shape {expected} for {network.objective}, got {came}")


def _finite(xp: Namespace, named: Mapping[str, Array]) -> None:
    for name, array in named.items():
        if _known_false(xp.all(xp.isfinite(array))):
            raise ValueError(f"{name}: expected finite values, got NaN or infinity")


def _values(xp: Namespace, name: str, array: Array, allowed: Array, expected: str) -> None:
    if _known_false(xp.all(allowed)):
        number = int if xp.isdtype(array.dtype, "integral") else float
        least, most = (number(detached(end(array))) for end in (xp.min, xp.max))
        raise ValueError(f"{name}: expected {expected}, got values from {least} to {most}")


def _known_false(answer: Array) -> bool:
    """Whether the answer is there to be read, and no: an operation on known arrays may be traced all the same."""
    return has_values(answer) and not bool(answer)
