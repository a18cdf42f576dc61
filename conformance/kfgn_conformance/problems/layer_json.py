"""The records of layers as objects of JSON. `docs/vectors.md` describes the format.

Each kind of layer has a name in the field `kind`: dense, convolution, mean_pooling, sum_pooling or flatten. The other
fields are those of the record.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kfgn_reference import TRANSFERS

from .layers import Convolution, Dense, Flatten, Layer, Pooling, Transfer

PARAMETERS = {"leaky_relu": "slope", "elu": "alpha"}
"""The name of the parameter of each transfer function that has one."""

RANGES = {"slope": (1.0, "between 0 and 1"), "alpha": (2.0**64, "between 0 and 2^64")}
"""For each parameter, by its name, the upper bound and the range in words. The lower bound is 0."""

Read = Callable[[Any, str], Any]
"""A function of a value of JSON and its path that returns a field of a record, or raises `ValueError`."""


def layer_as_json(layer: Layer) -> dict[str, Any]:
    """Convert the record of a layer to an object of JSON."""
    if isinstance(layer, Pooling):
        return {"kind": f"{layer.kind}_pooling", "width": layer.width, "stride": layer.stride}
    if isinstance(layer, Flatten):
        return {"kind": "flatten"}
    transfer: Any = layer.transfer
    if not isinstance(transfer, str):
        name, parameter = transfer
        transfer = {"name": name, PARAMETERS[name]: parameter}
    if isinstance(layer, Dense):
        return {"kind": "dense", "units": layer.units, "transfer": transfer, "bias": layer.bias}
    return {
        "kind": "convolution",
        "units": layer.units,
        "width": layer.width,
        "transfer": transfer,
        "bias": layer.bias,
        "stride": layer.stride,
        "padding": list(layer.padding),
        "circular": layer.circular,
        "dilation": layer.dilation,
        "groups": layer.groups,
    }


def layers_from_json(written: Any, *, shared: bool) -> tuple[Layer, ...]:
    """Read the records of all layers from JSON. Raises `ValueError` with one line that names the wrong field.

    shared: True for a network with shared weights. A network of the paper has dense layers alone.
    """
    if not isinstance(written, list) or not written:
        raise ValueError(f"layers: expected a list of records, got {shown(written)}")
    layers = tuple(_layer(record, f"layers[{i}]", shared) for i, record in enumerate(written))
    last = f"layers[{len(layers) - 1}]"
    transfer = getattr(layers[-1], "transfer", "identity")
    if transfer != "identity":
        raise ValueError(f"{last}.transfer: expected 'identity' for the last layer, got {shown(transfer)}")
    return layers


def _layer(written: Any, path: str, shared: bool) -> Layer:
    if not isinstance(written, Mapping):
        raise ValueError(f"{path}: expected an object, got {shown(written)}")
    if "kind" not in written:
        raise ValueError(f"{path}: expected a field kind")
    kind = written["kind"]
    known = KINDS if shared else {"dense": KINDS["dense"]}
    if not isinstance(kind, str) or kind not in known:
        names = " or ".join(map(repr, known))
        raise ValueError(f"{path}.kind: expected {names}, got {shown(kind)}")
    make, fields = known[kind]
    if missing := sorted(set(fields) - set(written)):
        raise ValueError(f"{path}: expected a field {missing[0]}")
    if unknown := sorted(set(written) - {"kind", *fields}):
        raise ValueError(f"{path}: expected no field {shown(unknown[0])}")
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


def _padding(written: Any, path: str) -> tuple[int, int]:
    match written:
        case [left, right] if is_integer(left) and is_integer(right) and left >= 0 and right >= 0:
            return int(left), int(right)
    raise ValueError(f"{path}: expected two integers of at least 0, got {shown(written)}")


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
            if isinstance(value, int | float) and 0 < value < below:
                return str(name), float(value)
            raise ValueError(f"{path}.{parameter}: expected a number {words}, got {shown(value)}")
    objects = " or ".join(f'{{"name": "{name}", "{parameter}": a number}}' for name, parameter in PARAMETERS.items())
    raise ValueError(f"{path}: expected a name or {objects}, got {shown(written)}")


WEIGHTED: dict[str, Read] = {"units": _positive, "transfer": _transfer, "bias": _boolean}
WINDOW: dict[str, Read] = {"width": _positive, "stride": _positive}

KINDS: dict[str, tuple[Callable[..., Layer], dict[str, Read]]] = {
    "dense": (Dense, WEIGHTED),
    "convolution": (
        Convolution,
        WEIGHTED | WINDOW | {"padding": _padding, "circular": _boolean, "dilation": _positive, "groups": _positive},
    ),
    "mean_pooling": (lambda width, stride: Pooling(width, stride, "mean"), WINDOW),
    "sum_pooling": (lambda width, stride: Pooling(width, stride, "sum"), WINDOW),
    "flatten": (Flatten, {}),
}
"""For each kind of layer, the function that makes its record, and the function that reads each field."""


def is_integer(written: Any) -> bool:
    """True for an integer of JSON, which may be written as 3.0."""
    return type(written) is int or (isinstance(written, float) and written.is_integer())


def shown(value: Any) -> str:
    """The text of a value in an error message, cut to 80 characters."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
