"""Networks with masked batches, and the same batches without their masked positions for the reference."""

import functools
from fractions import Fraction
from typing import Any, NamedTuple

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

import kfgn

from ..positions import problems

Conv, Dense, Embed, Flatten = kfgn.Convolution, kfgn.Dense, kfgn.Embedding, kfgn.Flatten
Norm, Pool, Scale = kfgn.Normalisation, kfgn.Pooling, kfgn.ScaleShift

GAPS = np.array([[1, 0, 1, 1, 0], [0, 1, 0, 0, 0], [1, 1, 1, 1, 1]], dtype=bool)
"""A mask for layers that act on each position alone."""


def lengths(*numbers, T):
    """The mask of the first positions of each datapoint."""
    return np.arange(T) < np.array(numbers)[:, None]


POSITION_WISE = {
    "tokens": (
        kfgn.Network(
            (5, 5),
            (Embed(3), Norm(0.1), Scale(), Dense(6, "gelu"), Scale("softplus", bias=False), Dense(4)),
            "categorical",
            divisor="positions",
        ),
        GAPS,
    ),
    "dense": (
        kfgn.Network((3, 5), (Dense(4, "logistic"), Dense(2, "elu", bias=False), Dense(3)), "squared_error"),
        GAPS,
    ),
    "normalised": (
        kfgn.Network((3, 5), (Dense(4, "tanh"), Norm(), Scale(), Dense(2)), "bernoulli", divisor=5),
        lengths(5, 1, 3, T=5),
    ),
    "mixture": (kfgn.Network((2, 5), (Dense(4, "softplus"), Dense(3)), "mixture"), GAPS),
    "rank one": (kfgn.Network((2, 5), (Dense(3),), "mixture", psd="scalar", divisor="positions"), GAPS),
    "pooled": (
        kfgn.Network((2, 5), (Dense(4, "tanh"), Pool(None, 1, "mean"), Flatten(), Dense(3)), "categorical"),
        GAPS,
    ),
}
"""Networks whose layers take any mask, with a mask of three datapoints."""

WITH_WINDOWS = {
    "strided": (
        kfgn.Network(
            (2, 11),
            (Conv(3, 4, "tanh", stride=2, padding=(1, 2)), Conv(5, 3, "softplus", padding=(0, 1)), Dense(4)),
            "categorical",
            divisor="positions",
        ),
        lengths(11, 6, 3, T=11),
    ),
    "grouped": (
        kfgn.Network(
            (4, 7),
            (
                Dense(4, "softplus"),
                Conv(6, 3, "logistic", groups=2, dilation=2, padding=(3, 2)),
                Norm(0.2),
                Pool(2, 1, "mean"),
                Conv(4, 2, bias=False, groups=2),
            ),
            "bernoulli",
            divisor=3,
        ),
        lengths(4, 7, 5, T=7),
    ),
    "embedded and pooled": (
        kfgn.Network(
            (5, 8),
            (Embed(3, "tanh"), Conv(4, 3, "gelu", padding=(1, 1)), Pool(2, 2, "sum"), Scale(), Pool(None, 1, "sum")),
            "squared_error",
        ),
        lengths(3, 8, 4, T=8),
    ),
    "plane": (
        kfgn.Network(
            (2, 5, 6),
            (
                Conv(3, (2, 3), "tanh", stride=(2, 1), padding=((1, 1), (0, 2)), dilation=(1, 2)),
                Scale("silu"),
                Conv(3, (2, 1), padding=((0, 0), (0, 1))),
            ),
            "mixture",
            divisor="positions",
        ),
        lengths(5, 3, 4, T=5)[:, :, None] & lengths(3, 6, 4, T=6)[:, None, :],
    ),
    "pooled plane": (
        kfgn.Network(
            (2, 4, 5),
            (Conv(4, (2, 2), "silu"), Pool((1, 2), (1, 2), "mean"), Pool(None, 1, "mean"), Dense(3)),
            "mixture",
        ),
        lengths(4, 2, 3, T=4)[:, :, None] & lengths(3, 5, 4, T=5)[:, None, :],
    ),
}
"""Networks with windows, with a mask of the first positions."""

ALL = POSITION_WISE | WITH_WINDOWS

SOME = ["tokens", "grouped", "pooled plane"]
"""Networks that together have each kind of layer, each objective except the mixture of rank one, and both shapes."""


def few_elsewhere(names=ALL, some=SOME):
    """Parametrise a test with each backend without a compiler and each network.

    The default run has all networks on NumPy, and some of them on the other backends. The other cases have the mark
    `thorough`.
    """
    params = [
        pytest.param(backend, name, marks=() if backend == "numpy" or name in some else pytest.mark.thorough)
        for backend in problems.WITHOUT_JAX
        for name in names
    ]
    return pytest.mark.parametrize(("backend", "name"), params, indirect=["backend"])


class Ragged(NamedTuple):
    """A masked problem for the reference: datapoints without their masked positions."""

    net: Any
    X: Any
    Y: Any
    labels: Any
    draws: Any
    masks: Any


def garbage(array, mask, seed=0):
    """The array with other values where the mask is False: of labels and tokens, also values out of range."""
    noise = np.random.default_rng(seed).integers(-100, 100, array.shape).astype(array.dtype)
    return np.where(mask, array, noise)


def shaped(mask, array, first):
    """A mask (N, *positions) for an array whose positions begin at an axis."""
    N, *positions = mask.shape
    trailing = array.ndim - first - len(positions)
    return mask.reshape(N, *(1,) * (first - 1), *positions, *(1,) * trailing)


@functools.cache
def problem(name, noise=0):
    """The problem of the port, with noise at masked positions, and the problem of the reference."""
    return masked_problem(*ALL[name], noise)


def masked_problem(network, mask, noise=0):
    """Both problems of a network with a mask."""
    p = problems.problem(network)
    net = problems.reference(p)
    first = p.X.ndim - (mask.ndim - 1)
    X = garbage(p.X, shaped(mask, p.X, first), noise)
    ragged_X = [without(x, of_x, first - 1) for x, of_x in zip(p.X, mask, strict=True)]
    shapes = [shared.forward(net, x)[net.L].shape[1:] for x in ragged_X]
    largest = network.shapes[-1][1:] or (1,)
    if mask.shape[1:] == largest:
        of_outputs = mask
    else:
        of_outputs = np.zeros((len(mask), *largest), dtype=bool)
        for n, shape in enumerate(shapes):
            of_outputs[(n, *map(slice, shape))] = True
    names, after_flatten = ("Y", "labels", "draws", "projections", "U"), not network.shapes[-1][1:]
    first_axes = {"Y": 1, "labels": 2, "draws": 2, "projections": 2, "U": 1}
    changed = {"X": kfgn.Padded(X, mask)}
    if not after_flatten:
        for field in names:
            value = getattr(p, field)
            changed[field] = garbage(value, shaped(of_outputs, value, first_axes[field]), noise)
    if network.divisor == "positions":
        net = net._replace(divisor=Fraction(int(of_outputs.sum()), len(mask)))
    r = p.of_reference
    parts = {
        field: [without(x, m, first_axes[field] - 1) for x, m in zip(getattr(r, field), of_outputs, strict=True)]
        for field in ("Y", "labels", "draws")
    }
    return p._replace(**changed), Ragged(net, ragged_X, **parts, masks=of_outputs)


def without(array, mask, first):
    """A datapoint without its masked positions, which begin at axis `first`."""
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        side = np.any(mask, axis=others)
        array = np.compress(side, array, axis=first + axis)
    return array


def on(backend, p):
    """The problem with the arrays of a backend."""
    fields = {name: problems.converted(backend, getattr(p, name)) for name in p._fields[1:] if name != "X"}
    return p._replace(X=kfgn.Padded(*map(backend.asarray, p.X)), **fields)
