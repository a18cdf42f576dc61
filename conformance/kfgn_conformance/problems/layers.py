"""The records of layers, and the shapes of their weights. Only this module computes weight shapes from layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from kfgn_reference import TRANSFERS

Transfer = str | tuple[str, float]
"""A transfer function: a name, or a name with its parameter, such as ("leaky_relu", 0.01)."""

PARAMETERS = {"leaky_relu": "slope", "elu": "alpha"}
"""The name of the parameter of each transfer function that has one."""

RANGES = {"slope": (1.0, "between 0 and 1"), "alpha": (2.0**64, "between 0 and 2^64")}
"""For each parameter, by its name, the upper bound and the range in words. The lower bound is 0."""


@dataclass(frozen=True)
class Dense:
    """A dense layer, h_l = W_l a_{l-1} and a_l = f_l(h_l).

    Parameters
    ----------
    units : int
        D_l.
    transfer : str or tuple of str and float, default "identity"
        The transfer function f_l: a name, or a name with its parameter. The transfer function of the last layer is the
        identity.
    bias : bool, default True
        True if a 1 is appended to a_{l-1}. This 1 multiplies the last column of W_l.

    Notes
    -----
    Each kind of layer has a separate class. The class attribute `kind` is the name of the kind in JSON.

    Examples
    --------
    >>> from kfgn_conformance import Dense
    >>> Dense(5, "tanh").weight_shape(3), Dense(5, ("leaky_relu", 0.01), bias=False).weight_shape(3)
    ((5, 4), (5, 3))
    """

    units: int
    transfer: Transfer = "identity"
    bias: bool = True

    kind: ClassVar[str] = "dense"

    def weight_shape(self, inputs: int) -> tuple[int, int]:
        """The shape of W_l: (D_l, D_{l-1} + 1), or (D_l, D_{l-1}) without a bias, where `inputs` is D_{l-1}."""
        return self.units, inputs + self.bias


def dense_layers(widths: Sequence[int], transfers: Sequence[Transfer]) -> tuple[Dense, ...]:
    """Make dense layers with biases from `widths` D_0, ..., D_L and `transfers` f_1, ..., f_{L-1}."""
    return tuple(Dense(D, f) for D, f in zip(widths[1:], (*transfers, "identity"), strict=True))


def weight_shapes(inputs: int, layers: Sequence[Dense]) -> list[tuple[int, int]]:
    """The shape of each W_l of a network with these layers, where `inputs` is D_0."""
    below = (inputs, *(layer.units for layer in layers))
    return [layer.weight_shape(D) for layer, D in zip(layers, below, strict=False)]


def name_of(transfer: Transfer) -> str:
    """The name of a transfer function without its parameter."""
    return transfer if isinstance(transfer, str) else transfer[0]


def layer_as_json(layer: Dense) -> dict[str, Any]:
    """Convert the record of a layer to an object of JSON."""
    transfer: Any = layer.transfer
    if not isinstance(transfer, str):
        name, parameter = transfer
        transfer = {"name": name, PARAMETERS[name]: parameter}
    return {"kind": layer.kind, "units": layer.units, "transfer": transfer, "bias": layer.bias}


def layers_from_json(written: Any) -> tuple[Dense, ...]:
    """Read the records of all layers from JSON. Raises `ValueError` with one line that names the wrong field."""
    if not isinstance(written, list) or not written:
        raise ValueError(f"layers: expected a list of records, got {shown(written)}")
    layers = tuple(_layer(record, f"layers[{i}]") for i, record in enumerate(written))
    if layers[-1].transfer != "identity":
        last = f"layers[{len(layers) - 1}]"
        raise ValueError(f"{last}.transfer: expected 'identity' for the last layer, got {shown(layers[-1].transfer)}")
    return layers


def _layer(written: Any, path: str) -> Dense:
    fields = {"kind", "units", "transfer", "bias"}
    if not isinstance(written, Mapping):
        raise ValueError(f"{path}: expected an object, got {shown(written)}")
    if missing := sorted(fields - set(written)):
        raise ValueError(f"{path}: expected a field {missing[0]}")
    if unknown := sorted(set(written) - fields):
        raise ValueError(f"{path}: expected no field {shown(unknown[0])}")
    kind, units, bias = written["kind"], written["units"], written["bias"]
    if kind != Dense.kind:
        raise ValueError(f"{path}.kind: expected {Dense.kind!r}, got {shown(kind)}")
    if not is_integer(units) or units < 1:
        raise ValueError(f"{path}.units: expected a positive integer, got {shown(units)}")
    if not isinstance(bias, bool):
        raise ValueError(f"{path}.bias: expected true or false, got {shown(bias)}")
    return Dense(int(units), _transfer(written["transfer"], f"{path}.transfer"), bias)


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


def is_integer(written: Any) -> bool:
    """True for an integer of JSON, which may be written as 3.0."""
    return type(written) is int or (isinstance(written, float) and written.is_integer())


def shown(value: Any) -> str:
    """The text of a value in an error message, cut to 80 characters."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
