"""The networks as functions of JAX: the convolution and the windows of XLA, with arrays (N, C, T)."""

import jax
import jax.numpy as jnp
import kfgn_reference.shared_weights as shared
import numpy as np
from jax import lax

TRANSFERS = {"tanh": jnp.tanh, "logistic": jax.nn.sigmoid, "softplus": jax.nn.softplus, "silu": jax.nn.silu}
LOSSES = {
    "squared_error": lambda h, y: jnp.sum((h - y) ** 2) / 2,
    "bernoulli": lambda h, y: -jnp.sum(y * jax.nn.log_sigmoid(h) + (1 - y) * jax.nn.log_sigmoid(-h)),
    "categorical": lambda h, y: -jnp.sum(jnp.take_along_axis(jax.nn.log_softmax(h, axis=1), y[:, None], axis=1)),
}


def convolution(layer, W, a):
    C = len(a) // layer.groups
    kernel = W[:, : C * layer.width].reshape(len(W), layer.width, C).transpose(0, 2, 1)
    left, right = layer.padding
    if layer.circular:
        a = jnp.concatenate([a[:, a.shape[1] - left :], a, a[:, :right]], axis=1)
    h = lax.conv_general_dilated(
        a[None],
        kernel,
        window_strides=(layer.stride,),
        padding=[(0, 0) if layer.circular else (left, right)],
        rhs_dilation=(layer.dilation,),
        dimension_numbers=("NCH", "OIH", "NCH"),
        feature_group_count=layer.groups,
    )[0]
    return h + W[:, -1:] if layer.bias else h


def pooling(layer, a):
    total = lax.reduce_window(a, 0.0, lax.add, (1, layer.width), (1, layer.stride), "valid")
    return total / layer.width if layer.kind == "mean" else total


def applied(layer, W, a):
    match layer:
        case shared.Dense():
            h = W[:, : len(a)] @ a
            return h + W[:, -1:] if layer.bias else h
        case shared.Convolution():
            return convolution(layer, W, a)
        case shared.Pooling():
            return pooling(layer, a)
        case shared.Flatten():
            return a.T.reshape(-1, 1)
        case shared.Elementwise():
            return TRANSFERS[layer.transfer](a)


def output(net, theta, x):
    """h_L as rows of positions, (T_L, D_L), for all weights in one vector."""
    ends = np.cumsum([layer.weight.size for layer in net.weighted.values()])
    parts = dict(zip(net.weighted, jnp.split(theta, ends[:-1]), strict=True))
    a = x
    for l, layer in enumerate(net.layers, 1):
        W = parts[l].reshape(layer.weight.shape[::-1]).T if l in parts else None
        a = applied(layer, W, a)
    return a.T


def loss(net, h, y):
    return LOSSES[net.objective](h, y) / net.divisor
