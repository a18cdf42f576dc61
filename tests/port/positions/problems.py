"""Networks with positions, their arguments, and the same networks in the reference.

Numbers of channels and positions are different within a network, and strides do not divide the positions.
"""

from typing import Any, NamedTuple

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

import kfgn

Conv, Dense, Pool, Flatten = kfgn.Convolution, kfgn.Dense, kfgn.Pooling, kfgn.Flatten

NETWORKS = {
    "strided": kfgn.Network(
        (2, 11),
        (Conv(3, 4, "tanh", stride=2, padding=(1, 2)), Conv(5, 3, "softplus"), Flatten(), Dense(4)),
        "categorical",
    ),
    "circular": kfgn.Network(
        (2, 7),
        (
            Conv(4, 3, "tanh", dilation=2, padding=(3, 1), circular=True),
            Conv(3, 2, "logistic", bias=False, stride=2, padding=(1, 0)),
            Pool(2, 1, "mean"),
            Dense(2),
        ),
        "bernoulli",
        divisor=3,
    ),
    "circular above": kfgn.Network(
        (2, 9),
        (
            Conv(3, 3, "tanh", stride=2),
            Conv(4, 3, "softplus", padding=(1, 2), circular=True),
            Conv(3, 2, "tanh", stride=2, padding=(0, 1), circular=True),
            Dense(2),
        ),
        "squared_error",
    ),
    "tokens": kfgn.Network(
        (3, 5), (Dense(4, "tanh"), Conv(2, 2, "silu", padding=(1, 0)), Dense(6)), "categorical", divisor=5
    ),
    "tokens alone": kfgn.Network((3, 5), (Dense(4, "tanh"), Dense(2, "elu", bias=False), Dense(3)), "squared_error"),
    "sums": kfgn.Network(
        (2, 14),
        (Conv(3, 3, "softplus", stride=2, dilation=2, padding=(0, 1)), Pool(3, 2, "sum"), Dense(5, bias=False)),
        "squared_error",
    ),
    "pooled first": kfgn.Network((2, 9), (Pool(2, 2, "mean"), Conv(3, 3, "gelu"), Pool(2, 2, "sum")), "mixture"),
    "rank one": kfgn.Network((1, 5), (Conv(2, 2, "tanh"), Flatten(), Dense(3)), "mixture", psd="scalar", divisor=2),
}
"""Networks without groups, over one axis of positions."""

GROUPED = {
    "grouped": kfgn.Network(
        (4, 7),
        (
            Conv(4, 3, "tanh", groups=4, dilation=2, padding=(3, 1), circular=True),
            Conv(6, 2, "logistic", bias=False, groups=2, stride=2, padding=(1, 0)),
            Pool(3, 1, "mean"),
            Flatten(),
            Dense(3),
        ),
        "bernoulli",
    ),
}

PLANES = {
    "plane": kfgn.Network(
        (2, 6, 7),
        (
            Conv(3, (2, 3), "tanh", stride=(2, 1), padding=((1, 0), (0, 2)), dilation=(1, 2)),
            Pool((2, 2), (1, 2), "mean"),
            Conv(4, (2, 1), "softplus", bias=False),
            Dense(2, "silu"),
            Flatten(),
            Dense(3),
        ),
        "categorical",
    ),
    "planes of outputs": kfgn.Network(
        (4, 5, 3),
        (
            Conv(6, (3, 2), "tanh", groups=2, padding=((2, 1), (1, 0)), circular=True),
            Conv(2, (1, 3)),
        ),
        "squared_error",
        divisor=4,
    ),
}
"""Networks over two axes of positions."""

Norm, Scale = kfgn.Normalisation, kfgn.ScaleShift

NORMALISED = {
    "token-wise block": kfgn.Network(
        (3, 5),
        (Dense(4, "tanh"), Norm(0.1), Scale(), Dense(6, "gelu"), Scale("softplus", bias=False), Dense(2)),
        "categorical",
        divisor=5,
    ),
    "mixed and normalised": kfgn.Network(
        (4, 7),
        (
            Norm(0.5),
            Conv(6, 3, "tanh", groups=2, padding=(1, 0)),
            Norm(),
            Scale(),
            Pool(2, 2, "mean"),
            Conv(5, 2),
            Norm(0.2),
            Flatten(),
            Dense(3),
        ),
        "bernoulli",
    ),
    "normalised plane": kfgn.Network(
        (2, 3, 4),
        (Conv(4, (2, 2), "silu"), Scale("tanh"), Norm(), Conv(3, (1, 3)), Scale()),
        "squared_error",
        divisor=2,
    ),
    "normalised vectors": kfgn.Network((4, 1), (Dense(5, "tanh"), Norm(), Scale("elu"), Dense(3)), "mixture"),
}
"""Networks with normalisations, scales and shifts."""

Embed = kfgn.Embedding

TOKENS = {
    "embedded tokens": kfgn.Network(
        (5, 4), (Embed(3), Norm(0.1), Scale(), Dense(6, "gelu"), Dense(2)), "categorical", divisor=4
    ),
    "embedded and mixed": kfgn.Network(
        (3, 6), (Embed(4, "tanh"), Conv(2, 3, "softplus", padding=(1, 0)), Flatten(), Dense(3)), "squared_error"
    ),
    "embedded plane": kfgn.Network((4, 2, 3), (Embed(3), Scale("silu"), Pool((2, 2), 1, "sum"), Dense(2)), "bernoulli"),
}
"""Networks of tokens."""

ALL = NETWORKS | GROUPED | PLANES | NORMALISED | TOKENS
"""All networks with positions."""

REPRESENTATIVES = ["grouped", "plane", "mixed and normalised", "embedded and mixed", "pooled first", "rank one"]
"""Networks that together have each kind of layer with each of its options, and each objective."""

SMALL = {
    "small and grouped": kfgn.Network(
        (2, 4),
        (Conv(2, 2, "tanh", groups=2, padding=(1, 0), circular=True), Pool(2, 2, "mean"), Flatten(), Dense(2)),
        "bernoulli",
    ),
    "small, of tokens": kfgn.Network((3, 2), (Embed(2), Norm(), Scale("tanh"), Dense(2)), "categorical", divisor=2),
}
"""Networks for a compiler, which takes seconds for each layer with weights."""


def or_thorough(representatives, names=ALL):
    """The names, of which all but the representatives have the mark `thorough`."""
    return [name if name in representatives else pytest.param(name, marks=pytest.mark.thorough) for name in names]


WITHOUT_JAX = ["numpy", "strict", "torch", "torch-cuda", "cupy"]
without_jax = pytest.mark.parametrize("backend", WITHOUT_JAX, indirect=True)
only_numpy = pytest.mark.parametrize("backend", ["numpy"], indirect=True)


class Problem(NamedTuple):
    """A network and the arguments of the public functions."""

    network: Any
    weights: Any
    X: Any
    Y: Any
    labels: Any
    draws: Any
    projections: Any
    U: Any
    V: Any

    def on(self, backend):
        """The same problem with the arrays of a backend."""
        return self._replace(**{name: converted(backend, getattr(self, name)) for name in self._fields[1:]})

    @property
    def of_reference(self):
        """The same problem with an axis for the only position of the outputs after `Flatten`, which the port omits."""
        if self.network.shapes[-1][1:]:
            return self
        return self._replace(Y=self.Y[:, None], labels=self.labels[:, :, None], draws=self.draws[:, :, None])


def converted(backend, value):
    return tuple(map(backend.asarray, value)) if isinstance(value, tuple) else backend.asarray(value)


def inputs(rng, network, N):
    """The inputs X. The last token of an embedding is missing, since a token that does not occur is a separate case."""
    if isinstance(network.layers[0], kfgn.Embedding):
        return rng.integers(0, network.inputs[0] - 1, (N, *network.inputs[1:]))
    return rng.normal(size=(N, *network.inputs))


def problem(network, N=3, S=2):
    """A problem in NumPy's float64."""
    rng = np.random.default_rng([N, *network.widths])
    positions, D = network.shapes[-1][1:], network.widths[-1]

    def weights():
        return tuple(rng.normal(size=shape) * 1.5 / np.sqrt(shape[1]) for shape in network.weight_shapes)

    def labels(*leading):
        if network.classes is not None:
            return rng.integers(0, network.classes, (*leading, *positions))
        return rng.random((*leading, *positions, D))

    draws = rng.normal if network.objective == "squared_error" else rng.random
    return Problem(
        network=network,
        weights=weights(),
        X=inputs(rng, network, N),
        Y=labels(N),
        labels=labels(N, S),
        draws=draws(size=kfgn.label_draws_shape(network, N, S)),
        projections=rng.normal(size=kfgn.projection_shape(network, N, S)),
        U=rng.normal(size=(N, *positions, D)),
        V=weights(),
    )


def reference(p):
    """The network of the reference, with the transfer functions as layers."""
    layers, weights = [], iter(p.weights)
    for layer in p.network.layers:
        match layer:
            case kfgn.Dense():
                layers.append(shared.Dense(next(weights), layer.bias))
            case kfgn.Convolution():
                options = (layer.stride, layer.padding, layer.circular, layer.dilation, layer.groups, layer.bias)
                layers.append(shared.Convolution(next(weights), layer.width, *options))
            case kfgn.Pooling():
                layers.append(shared.Pooling(layer.width, layer.stride, layer.kind))
            case kfgn.Flatten():
                layers.append(shared.Flatten())
            case kfgn.Embedding():
                layers.append(shared.Embedding(next(weights)))
            case kfgn.ScaleShift():
                layers.append(shared.ScaleShift(next(weights), layer.bias))
            case kfgn.Normalisation():
                layers.append(shared.Normalisation(layer.epsilon))
                continue
        if layer.transfer != "identity":
            layers.append(shared.Elementwise(layer.transfer))
    return shared.Network(tuple(layers), p.network.objective, p.network.divisor, p.network.psd)


def in_order(net, per_layer):
    """The arrays of the layers with weights."""
    return [per_layer[l] for l in sorted(net.weighted)]


def close(backend, came, expected, tolerance=1e-13):
    """Each array of a result equals the expected one, up to a part of the largest element."""
    assert len(came) == len(expected)
    for a, b in zip(came, expected, strict=True):
        a, b = backend.to_numpy(a), np.asarray(b, dtype="float64")
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * np.abs(b).max())
