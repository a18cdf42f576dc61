"""The networks as functions of JAX: the convolution and the windows of XLA, with arrays (N, C, T) and (N, C, H, W)."""

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
    C, axes = len(a) // layer.groups, a.ndim - 1
    width, stride, dilation = (np.broadcast_to(x, axes).tolist() for x in (layer.width, layer.stride, layer.dilation))
    padding = np.broadcast_to(layer.padding, (axes, 2)).tolist()
    kernel = jnp.moveaxis(W[:, : C * np.prod(width)].reshape(len(W), *width, C), -1, 1)
    if layer.circular:
        a = jnp.pad(a, [(0, 0), *padding], mode="wrap")
    h = lax.conv_general_dilated(
        a[None],
        kernel,
        window_strides=stride,
        padding=[(0, 0)] * axes if layer.circular else padding,
        rhs_dilation=dilation,
        dimension_numbers=("NCHW", "OIHW", "NCHW") if axes == 2 else ("NCH", "OIH", "NCH"),
        feature_group_count=layer.groups,
    )[0]
    return h + W[:, -1].reshape(-1, *[1] * axes) if layer.bias else h


def pooling(layer, a):
    width, stride = (tuple(np.broadcast_to(x, a.ndim - 1).tolist()) for x in (layer.width, layer.stride))
    total = lax.reduce_window(a, 0.0, lax.add, (1, *width), (1, *stride), "valid")
    return total / np.prod(width) if layer.kind == "mean" else total


def applied(layer, W, a):
    match layer:
        case shared.Dense():
            h = jnp.moveaxis(a, 0, -1) @ W[:, : len(a)].T
            return jnp.moveaxis(h + W[:, -1] if layer.bias else h, -1, 0)
        case shared.Embedding():
            return jnp.moveaxis(W.T[a], -1, 0)
        case shared.Normalisation():
            return jax.nn.standardize(a, axis=0, epsilon=layer.epsilon)
        case shared.ScaleShift():
            h = jnp.moveaxis(a, 0, -1) * W[:, 0]
            return jnp.moveaxis(h + W[:, 1] if layer.bias else h, -1, 0)
        case shared.Convolution():
            return convolution(layer, W, a)
        case shared.Pooling():
            return pooling(layer, a)
        case shared.Flatten():
            return jnp.moveaxis(a, 0, -1).reshape(-1, 1)
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
    return a.reshape(len(a), -1).T


def loss(net, h, y):
    y = y.flatten() if net.objective == "categorical" else y.reshape(h.shape)
    return LOSSES[net.objective](h, y) / net.divisor
