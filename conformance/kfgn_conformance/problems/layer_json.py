"""The records of layers as objects of JSON. `docs/vectors.md` describes the format.

Each kind of layer has a name in the field `kind`: dense, convolution, mean_pooling, sum_pooling, flatten, embedding,
normalisation or scale_shift. The other fields are those of the record. For images, a field with a value for each axis
is a list, such as [height, width].
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from kfgn_reference import TRANSFERS

from .layers import (
    Convolution,
    Dense,
    Embedding,
    Flatten,
    Layer,
    Normalisation,
    Pooling,
    ScaleShift,
    Transfer,
)

PARAMETERS = {"leaky_relu": "slope", "elu": "alpha"}
"""The name of the parameter of each transfer function that has one."""

RANGES = {"slope": (1.0, "between 0 and 1"), "alpha": (2.0**64, "between 0 and 2^64")}
"""For each parameter, by its name, the upper bound and the range in words. The lower bound is 0."""

Read = Callable[[Any, str], Any]
"""A function f(value, path) that returns the field of a record for a value of JSON, or raises `ValueError`."""


def layer_as_json(layer: Layer) -> dict[str, Any]:
    """Convert the record of a layer to an object of JSON."""
    if isinstance(layer, Pooling):
        return {"kind": f"{layer.kind}_pooling", "width": listed(layer.width), "stride": listed(layer.stride)}
    if isinstance(layer, Flatten):
        return {"kind": "flatten"}
    if isinstance(layer, Normalisation):
        return {"kind": "normalisation", "epsilon": layer.epsilon}
    if isinstance(layer, Embedding):
        return {"kind": "embedding", "units": layer.units}
    transfer: Any = layer.transfer
    if not isinstance(transfer, str):
        name, parameter = transfer
        transfer = {"name": name, PARAMETERS[name]: parameter}
    if isinstance(layer, ScaleShift):
        return {"kind": "scale_shift", "transfer": transfer, "bias": layer.bias}
    if isinstance(layer, Dense):
        return {"kind": "dense", "units": layer.units, "transfer": transfer, "bias": layer.bias}
    return {
        "kind": "convolution",
        "units": layer.units,
        "width": listed(layer.width),
        "transfer": transfer,
        "bias": layer.bias,
        "stride": listed(layer.stride),
        "padding": listed(layer.padding),
        "circular": layer.circular,
        "dilation": listed(layer.dilation),
        "groups": layer.groups,
    }


def listed(value: Any) -> Any:
    """Convert a tuple to a list, and tuples inside the tuple to lists. Any other value is unchanged."""
    return list(map(listed, value)) if isinstance(value, tuple) else value


def layers_from_json(written: Any, axes: int) -> tuple[Layer, ...]:
    """Read the records of all layers from JSON. Raises `ValueError` with one line that names the wrong field.

    axes: the number of axes of the positions of the inputs: 0 for a network of the paper, which has dense layers alone,
          1 for sequences, and 2 for images
    """
    if not isinstance(written, list) or not written:
        raise ValueError(f"layers: expected a list of records, got {shown(written)}")
    layers: tuple[Layer, ...] = ()
    for i, record in enumerate(written):
        layers = (*layers, _layer(record, f"layers[{i}]", axes))
        axes = 1 if isinstance(layers[-1], Flatten) else axes
        if i > 0 and isinstance(layers[-1], Embedding):
            raise ValueError(f"layers[{i}].kind: expected no embedding after the first layer, got 'embedding'")
    last = f"layers[{len(layers) - 1}]"
    transfer = getattr(layers[-1], "transfer", "identity")
    if transfer != "identity":
        raise ValueError(f"{last}.transfer: expected 'identity' for the last layer, got {shown(transfer)}")
    return layers


def _layer(written: Any, path: str, axes: int) -> Layer:
    if not isinstance(written, Mapping):
        raise ValueError(f"{path}: expected an object, got {shown(written)}")
    if "kind" not in written:
        raise ValueError(f"{path}: expected a field kind, got none")
    kind, known = written["kind"], kinds_of(axes)
    if not isinstance(kind, str) or kind not in known:
        names = " or ".join(map(repr, known))
        raise ValueError(f"{path}.kind: expected {names}, got {shown(kind)}")
    make, fields = known[kind]
    if missing := sorted(set(fields) - set(written)):
        raise ValueError(f"{path}: expected a field {missing[0]}, got none")
    if unknown := sorted(set(written) - {"kind", *fields}):
        raise ValueError(f"{path}: expected no field {shown(unknown[0])}, got one")
    layer: Layer = make(**{name: read(written[name], f"{path}.{name}") for name, read in fields.items()})
    return layer


def _positive(written: Any, path: str) -> int:
    if not is_integer(written) or written < 1:
        raise ValueError(f"{path}: expected a positive integer, got {shown(written)}")
    return int(written)


def _boolean(written: Any, path: str) -> bool:
    if not isinstance(written, bool):
        raise ValueError(f"{path}: expected true or false, got {shown(written)}")
    return written


def _epsilon(written: Any, path: str) -> float:
    if isinstance(written, bool) or not isinstance(written, int | float) or not 0 < written < math.inf:
        raise ValueError(f"{path}: expected a positive number, got {shown(written)}")
    return float(written)


def _side(written: Any, path: str) -> tuple[int, int]:
    match written:
        case [left, right] if is_integer(left) and is_integer(right) and left >= 0 and right >= 0:
            return int(left), int(right)
    raise ValueError(f"{path}: expected two integers of at least 0, got {shown(written)}")


def _for_each(read: Read, written: Any, path: str) -> tuple[Any, ...]:
    """Read a list with one value for each of the two axes of an image."""
    if not isinstance(written, list) or len(written) != 2:
        raise ValueError(f"{path}: expected two values, one for each axis, got {shown(written)}")
    return tuple(read(value, f"{path}[{i}]") for i, value in enumerate(written))


def _per_axis(written: Any, path: str) -> Any:
    """Read one positive integer for both axes of an image, or a list of two positive integers."""
    return _for_each(_positive, written, path) if isinstance(written, list) else _positive(written, path)


def _padding(written: Any, path: str) -> Any:
    """Read the padding of an image: a pair for each axis, or [0, 0] for no padding along either axis."""
    return (0, 0) if written == [0, 0] else _for_each(_side, written, path)


def _transfer(written: Any, path: str) -> Transfer:
    if isinstance(written, str) and written not in TRANSFERS:
        raise ValueError(f"{path}: expected {', '.join(sorted(TRANSFERS))}, got {shown(written)}")
    if isinstance(written, str):
        return written
    if isinstance(written, Mapping):
        name = written.get("name")
        parameter = PARAMETERS.get(name) if isinstance(name, str) else None
        if parameter is not None and set(written) == {"name", parameter}:
            value = written[parameter]
            below, words = RANGES[parameter]
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < below:
                return str(name), float(value)
            raise ValueError(f"{path}.{parameter}: expected a number {words}, got {shown(value)}")
    objects = " or ".join(f'{{"name": "{name}", "{parameter}": a number}}' for name, parameter in PARAMETERS.items())
    raise ValueError(f"{path}: expected a name or {objects}, got {shown(written)}")


WEIGHTED: dict[str, Read] = {"units": _positive, "transfer": _transfer, "bias": _boolean}

ALONG: dict[int, dict[str, Read]] = {
    1: {"width": _positive, "stride": _positive, "padding": _side, "dilation": _positive},
    2: {"width": partial(_for_each, _positive), "stride": _per_axis, "padding": _padding, "dilation": _per_axis},
}
"""For each number of axes of the positions, the functions that read the fields of windows."""


def kinds_of(axes: int) -> dict[str, tuple[Callable[..., Layer], dict[str, Read]]]:
    """For each kind of layer, the function that makes its record, and the functions that read its fields.

    axes: the number of axes of the positions. With 0 axes, dense layers are the only kind.
    """
    dense: dict[str, tuple[Callable[..., Layer], dict[str, Read]]] = {"dense": (Dense, WEIGHTED)}
    if axes == 0:
        return dense
    windows = ALONG[axes]
    of_pooling = {name: windows[name] for name in ("width", "stride")}
    return dense | {
        "convolution": (Convolution, WEIGHTED | windows | {"circular": _boolean, "groups": _positive}),
        "mean_pooling": (partial(Pooling, kind="mean"), of_pooling),
        "sum_pooling": (partial(Pooling, kind="sum"), of_pooling),
        "flatten": (Flatten, {}),
        "embedding": (Embedding, {"units": _positive}),
        "normalisation": (Normalisation, {"epsilon": _epsilon}),
        "scale_shift": (ScaleShift, {"transfer": _transfer, "bias": _boolean}),
    }


def is_integer(written: Any) -> bool:
    """True for an integer of JSON, which may be written as 3.0."""
    return type(written) is int or (isinstance(written, float) and written.is_integer())


def shown(value: Any) -> str:
    """The text of a value in an error message, cut to 80 characters."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
