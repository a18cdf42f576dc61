"""What every public function asks of its arrays, and the errors that answer what it does not get.

Libraries, dtypes, devices and shapes are always checked, since that reads no data. Values are checked
where there are any: not while a function is traced, and not on a device that holds none.
"""

from collections.abc import Mapping
from typing import Any

from array_api_compat import array_namespace, is_array_api_obj

from ._types import Array, Namespace, Weights
from .backends import detached, device, has_values
from .network import Network
from .objectives import OBJECTIVES


def checked(
    network: Network, weights: Weights, X: Array, Y: Array | None, *, check: bool
) -> tuple[Namespace, Weights, Array, Array]:
    """The namespace of the arrays and the arrays themselves, outside any autograd graph, once they are in order.

    Y may be None for what needs no labels. Raises `TypeError` or `ValueError` as the package docstring says.
    """
    if not isinstance(network, Network):
        raise TypeError(f"network: expected a kfgn.Network, got {_type(network)}")
    if not isinstance(weights, (tuple, list)):
        raise TypeError(f"weights: expected a tuple or list of arrays W_1, ..., W_L, got {_type(weights)}")
    if len(weights) != network.depth:
        raise ValueError(f"weights: expected {network.depth} arrays W_1, ..., W_L, got {len(weights)}")
    named = {"X": X} | {f"W_{l}": W for l, W in enumerate(weights, start=1)}
    xp = _one_library_and_device(named if Y is None else named | {"Y": Y})
    _floating(xp, named)
    for l, shape in enumerate(network.weight_shapes, start=1):
        if named[f"W_{l}"].shape != shape:
            raise ValueError(f"W_{l}: expected shape {shape}, bias in the last column, got {named[f'W_{l}'].shape}")
    if X.ndim != 2 or X.shape[1] != network.widths[0]:
        raise ValueError(f"X: expected shape (N, {network.widths[0]}), got {X.shape}")
    if X.shape[0] == 0:
        raise ValueError(f"X: expected at least one datapoint, got shape {X.shape}")
    if check:
        _finite(xp, named)
    if Y is not None:
        _targets(xp, network, X, "Y", Y, samples=(), check=check)
    return xp, tuple(detached(W) for W in weights), detached(X), None if Y is None else detached(Y)


def checked_beside(network: Network, X: Array, *, check: bool, **named: Array) -> Array:
    """Labels or draws (N, S, ...) for a batch X that has been checked, once they are in order too."""
    ((name, array),) = named.items()
    xp = _one_library_and_device({"X": X, name: array})
    if array.ndim < 2 or array.shape[1] == 0:
        raise ValueError(f"{name}: expected shape (N, S, ...) with at least one sample S, got {array.shape}")
    samples = (array.shape[1],)
    if name == "labels":
        _targets(xp, network, X, name, array, samples=samples, check=check)
    else:
        _floating(xp, {"X": X, name: array})
        _shape(network, X, name, array, samples)
        if check:
            _finite(xp, {name: array})
            if network.objective != "squared_error":
                _within(xp, name, array, 0, 1, "uniforms in [0, 1)")
    return detached(array)


def _type(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _one_library_and_device(named: Mapping[str, Array]) -> Namespace:
    """The common namespace; the first array, X, says what is expected of the others."""
    for name, array in named.items():
        if not is_array_api_obj(array):
            raise TypeError(f"{name}: expected an array, got {_type(array)}")
    X = named["X"]
    xp = array_namespace(X)
    for name, array in named.items():
        if array_namespace(array) is not xp:
            raise TypeError(f"{name}: expected an array of the library of X, {_type(X)}, got {_type(array)}")
    for name, array in named.items():
        if device(array) != device(X):
            raise ValueError(f"{name}: expected an array on the device of X, {device(X)}, got one on {device(array)}")
    return xp


def _floating(xp: Namespace, named: Mapping[str, Array]) -> None:
    X = named["X"]
    if X.dtype not in (xp.float32, xp.float64):
        raise TypeError(f"X: expected dtype float32 or float64, got {X.dtype}")
    for name, array in named.items():
        if array.dtype != X.dtype:
            raise TypeError(f"{name}: expected the dtype of X, {X.dtype}, got {array.dtype}")


def _targets(
    xp: Namespace, network: Network, X: Array, name: str, Y: Array, *, samples: tuple[int, ...], check: bool
) -> None:
    objective = OBJECTIVES[network.objective]
    if objective.classes:
        if not xp.isdtype(Y.dtype, "integral"):
            raise TypeError(f"{name}: expected integer class indices for {network.objective}, got dtype {Y.dtype}")
    else:
        _floating(xp, {"X": X, name: Y})
    _shape(network, X, name, Y, samples)
    if check and objective.classes:
        _within(xp, name, Y, 0, network.widths[-1] - 1, "class indices")
    elif check:
        _finite(xp, {name: Y})
        if objective.target_range is not None:
            _within(xp, name, Y, *objective.target_range, f"{network.objective} targets")


def _shape(network: Network, X: Array, name: str, array: Array, samples: tuple[int, ...]) -> None:
    outputs = () if OBJECTIVES[network.objective].classes else (network.widths[-1],)
    expected = (X.shape[0], *samples, *outputs)
    if array.shape != expected:
        raise ValueError(f"{name}: expected shape {expected} for {network.objective}, got {tuple(array.shape)}")


def _finite(xp: Namespace, named: Mapping[str, Array]) -> None:
    for name, array in named.items():
        if has_values(array) and not bool(xp.all(xp.isfinite(array))):
            raise ValueError(f"{name}: expected finite values, got NaN or infinity")


def _within(xp: Namespace, name: str, array: Array, low: float, high: float, what: str) -> None:
    if has_values(array) and not bool(xp.all((array >= low) & (array <= high))):
        least, most = xp.min(array), xp.max(array)
        raise ValueError(f"{name}: expected {what} from {low} to {high}, got values from {least} to {most}")
