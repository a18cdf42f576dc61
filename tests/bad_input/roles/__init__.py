"""Roles of arguments: functions of the library and of a good value that yield a `Bad` for each bad value."""

from .of_arrays import array, arrays, batch, indices, samples, square, squares, unread
from .of_numbers import below_one, count, damping, finite, number, optional, pair, part, positive, rate, scalar, seed
from .of_others import flag, folder, layers, name, network, nothing, path, record, text, transfer, transfers, widths

__all__ = [
    "array",
    "arrays",
    "batch",
    "below_one",
    "count",
    "damping",
    "finite",
    "flag",
    "folder",
    "indices",
    "layers",
    "name",
    "network",
    "nothing",
    "number",
    "optional",
    "pair",
    "part",
    "path",
    "positive",
    "rate",
    "record",
    "samples",
    "scalar",
    "seed",
    "square",
    "squares",
    "text",
    "transfer",
    "transfers",
    "unread",
    "widths",
]
