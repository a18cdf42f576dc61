"""Validation of the arguments of public functions.

Each function `checked_...` returns its argument outside any autograd graph, or raises `TypeError` or `ValueError` as
the docstring of `kfgn` describes. `kfgn._validation.arrays` contains the checks of a single array. The shapes in the
docstrings are those for a network without positions.
"""

from collections.abc import Mapping
from typing import Any

from array_api_compat import array_namespace

from .._network.network import Network
from .._network.objectives import OBJECTIVES, GaussNewtonSplit
from .._network.padded import Padded, values_of
from .._types import Array, Arrays, Namespace, Weights
from .._validation.arrays import check_finite, check_floating_dtype, check_values, one_library_and_device
from .._validation.scalars import checked_flag
from .._words import type_of
from ..backends import detached, index_dtype
from .counted import kept_outputs, mask_allowed
from .inputs import check_types, checked_inputs, with_dtype

JOINED = "; put each bias into the last column of its W_l, as kfgn.interop.torch.network_and_weights does"
"""The end of the message about a wrong number of arrays, if an array has one axis and so may be a separate bias."""

OF_MODULE = "; kfgn.interop.torch.network_and_weights reads the network and the weights of a module"
"""The end of the message about a module of PyTorch instead of a network."""


def checked(network: Network, weights: Weights, X: Any, *, check: bool) -> tuple[Arrays, Any]:
    """Check the weights and the inputs X (N, D_0) of a batch. The returned X has the dtype of the weights.

    X: an array or a `Padded`, which has zeros at masked positions when it is returned
    """
    check = checked_flag("check", check)
    check_network(network)
    layers = _by_layer(network, "weights", "W", weights)
    xp = check_types(network, X, layers)
    _check_layer_shapes(network, layers)
    X = checked_inputs(xp, network, X, layers["W_1"], check=check)
    if check:
        check_finite(xp, layers)
    X = Padded(*map(detached, X)) if isinstance(X, Padded) else detached(X)
    return tuple(detached(W) for W in weights), X


def checked_weights(network: Network, weights: Weights) -> Arrays:
    """Check the weights and their values."""
    check_network(network)
    layers = _by_layer(network, "weights", "W", weights)
    xp = one_library_and_device(layers)
    check_floating_dtype(xp, layers)
    _check_layer_shapes(network, layers)
    check_finite(xp, layers)
    return tuple(detached(W) for W in weights)


def checked_layers(network: Network, X: Array, name: str, arrays: Weights, *, check: bool, letter: str = "") -> Arrays:
    """Check a vector in the space of the weights. X must have been validated by `checked`.

    letter: the letter by which messages name the arrays, such as V in V_1; by default, the name of the argument
    """
    layers = _by_layer(network, name, letter or name, arrays)
    named = with_dtype(network, X) | layers
    xp = one_library_and_device(named)
    check_floating_dtype(xp, named)
    _check_layer_shapes(network, layers)
    if check:
        check_finite(xp, layers)
    return tuple(detached(array) for array in arrays)


def checked_outputs(network: Network, X: Array, name: str, U: Array, *, check: bool) -> Array:
    """Check a vector (N, D_L) in the space of the outputs. X must have been validated by `checked`."""
    shape = values_of(X).shape[0], *network.shapes[-1][1:], network.widths[-1]
    return _real(network, X, name, U, shape, samples=0, check=check)


def checked_projections(network: Network, X: Array, projections: Array, *, check: bool) -> Array:
    """Check projections (N, S, K), the coefficients of S combinations of the K columns of a root of H_L.

    X must have been validated by `checked`.
    """
    (S,) = _samples(X, "projections", projections)
    K = gauss_newton_split(network).root_size(network.widths[-1])
    shape = values_of(X).shape[0], S, *network.shapes[-1][1:], K
    return _real(network, X, "projections", projections, shape, samples=1, check=check)


def checked_targets(network: Network, X: Array, Y: Array, *, check: bool) -> Array:
    """Check the targets Y, (N, D_L) or (N,). X must have been validated by `checked`."""
    return _labels(network, X, "Y", Y, samples=(), check=check)


def targets_allowed(xp: Namespace, network: Network, X: Any, Y: Array) -> Array:
    """A 0-d boolean, true if the objective is defined for all targets, and if every layer can take the mask of X.

    X and Y must have been validated by `checked` and `checked_targets`.
    """
    allowed, of_mask = xp.all(_allowed(xp, network, Y)), mask_allowed(xp, network, X)
    return allowed if of_mask is None else allowed & of_mask


def draws_allowed(xp: Namespace, network: Network, draws: Array, of_labels: bool) -> Array:
    """A 0-d boolean, true if all draws are valid: uniforms are in [0, 1), and all others are finite.

    of_labels: True if the draws sample labels, and False for projections
    """
    uniforms = of_labels and network.objective != "squared_error"
    return xp.all(_in_unit_interval(draws) if uniforms else xp.isfinite(draws))


def checked_labels(network: Network, X: Array, labels: Array, *, check: bool) -> Array:
    """Check sampled labels, (N, S, D_L) or (N, S). X must have been validated by `checked`."""
    return _labels(network, X, "labels", labels, samples=_samples(X, "labels", labels), check=check)


def checked_draws(network: Network, X: Array, draws: Array, *, check: bool) -> Array:
    """Check the random numbers for sampled labels, (N, S, D_L) or (N, S). X must have been validated by `checked`."""
    samples = _samples(X, "draws", draws)
    xp = array_namespace(values_of(X))
    check_floating_dtype(xp, with_dtype(network, X) | {"draws": draws})
    _check_label_shape(network, X, "draws", draws, samples)
    draws = kept_outputs(network, X, draws, len(samples))
    if check:
        check_finite(xp, {"draws": draws})
        if network.objective != "squared_error":
            check_values(xp, "draws", draws, _in_unit_interval(draws), "uniforms in [0, 1)")
    return detached(draws)


def check_network(network: Network) -> None:
    """Raise `TypeError` for a value that is not a network."""
    if not isinstance(network, Network):
        raise TypeError(f"network: expected a kfgn.Network, got {type_of(network)}{_advice(type(network))}")


def _advice(kind: type) -> str:
    names = [f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__]
    return OF_MODULE if "torch.nn.modules.module.Module" in names else ""


def gauss_newton_split(network: Network) -> GaussNewtonSplit:
    """The `GaussNewtonSplit` that computes M of J^T M J, for the objective and the value of `Network.psd`.

    Raises `ValueError` if H_L is indefinite and `Network.psd` is "raise".
    """
    splits = OBJECTIVES[network.objective].gauss_newton
    if network.psd not in splits:
        known = " or ".join(map(repr, splits))
        raise ValueError(
            f"psd: expected {known} for a Gauss-Newton matrix of the objective {network.objective}, whose H_L is "
            f"indefinite, got {network.psd!r}"
        )
    return splits[network.psd]


def _by_layer(network: Network, name: str, letter: str, arrays: Weights) -> dict[str, Array]:
    """A dictionary from names, such as W_1, ..., W_L, to the arrays of the layers."""
    expected = f"arrays {letter}_1, ..., {letter}_L"
    if not isinstance(arrays, (tuple, list)):
        raise TypeError(f"{name}: expected a tuple or list of {expected}, got {type_of(arrays)}")
    if len(arrays) != network.depth:
        separate = any(getattr(array, "ndim", 2) == 1 for array in arrays)
        raise ValueError(f"{name}: expected {network.depth} {expected}, got {len(arrays)}{JOINED if separate else ''}")
    return {f"{letter}_{l}": array for l, array in enumerate(arrays, start=1)}


def _check_layer_shapes(network: Network, layers: Mapping[str, Array]) -> None:
    weighted = network.of_weighted(network.layers)
    for (name, array), layer, shape in zip(layers.items(), weighted, network.weight_shapes, strict=True):
        if (actual := tuple(array.shape)) != shape:
            bias = "bias in the last column" if layer.bias else "without a bias"
            raise ValueError(f"{name}: expected shape {shape}, {bias}, got {actual}")


def _real(
    network: Network, X: Any, name: str, array: Array, shape: tuple[int, ...], *, samples: int, check: bool
) -> Array:
    """Check real numbers of a given shape, and set those at masked positions to zero."""
    xp = one_library_and_device({"X": values_of(X), name: array})
    check_floating_dtype(xp, with_dtype(network, X) | {name: array})
    if (actual := tuple(array.shape)) != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {actual}")
    array = kept_outputs(network, X, array, samples)
    if check:
        check_finite(xp, {name: array})
    return detached(array)


def _samples(X: Array, name: str, array: Array) -> tuple[int]:
    """(S,), from an array (N, S, ...)."""
    one_library_and_device({"X": values_of(X), name: array})
    if array.ndim < 2 or array.shape[1] == 0:
        shape = tuple(array.shape)
        raise ValueError(f"{name}: expected shape (N, S, ...) with S of at least 1, got {shape}")
    return (array.shape[1],)


def _labels(network: Network, X: Array, name: str, y: Array, *, samples: tuple[int, ...], check: bool) -> Array:
    """Check labels: class indices or real numbers, according to the objective."""
    xp = one_library_and_device({"X": values_of(X), name: y})
    if network.classes is None:
        return detached(_real_labels(xp, network, X, name, y, samples, check=check))
    return detached(_class_labels(xp, network, X, name, y, samples, check=check))


def _class_labels(
    xp: Namespace, network: Network, X: Array, name: str, y: Array, samples: tuple[int, ...], *, check: bool
) -> Array:
    """Check class indices and convert them to the index dtype, since the dtype of y may not hold every class."""
    if not xp.isdtype(y.dtype, "integral"):
        raise TypeError(f"{name}: expected integer class indices for {network.objective}, got dtype {y.dtype}")
    _check_label_shape(network, X, name, y, samples)
    y = kept_outputs(network, X, xp.astype(y, index_dtype(y)), len(samples))
    if check and network.classes is not None:
        check_values(xp, name, y, _allowed(xp, network, y), f"class indices from 0 to {network.classes - 1}")
    return y


def _real_labels(
    xp: Namespace, network: Network, X: Array, name: str, y: Array, samples: tuple[int, ...], *, check: bool
) -> Array:
    check_floating_dtype(xp, with_dtype(network, X) | {name: y})
    _check_label_shape(network, X, name, y, samples)
    y = kept_outputs(network, X, y, len(samples))
    bounds = OBJECTIVES[network.objective].target_range
    if check:
        check_finite(xp, {name: y})
        if bounds is not None:
            lower, upper = bounds
            expected = f"{network.objective} targets from {lower} to {upper}"
            check_values(xp, name, y, _allowed(xp, network, y), expected)
    return y


def _in_unit_interval(draws: Array) -> Array:
    return (draws >= 0) & (draws < 1)


def _allowed(xp: Namespace, network: Network, y: Array) -> Array:
    """True where y is a class of the network, or a finite number in the range of the objective."""
    if network.classes is not None:
        return (y >= 0) & (y < network.classes)
    bounds = OBJECTIVES[network.objective].target_range
    if bounds is None:
        return xp.isfinite(y)
    lower, upper = bounds
    return (y >= lower) & (y <= upper)


def _check_label_shape(network: Network, X: Array, name: str, array: Array, samples: tuple[int, ...]) -> None:
    outputs = (network.widths[-1],) if network.classes is None else ()
    expected = (values_of(X).shape[0], *samples, *network.shapes[-1][1:], *outputs)
    if (actual := tuple(array.shape)) != expected:
        raise ValueError(f"{name}: expected shape {expected} for {network.objective}, got {actual}")
