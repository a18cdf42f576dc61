"""The transformer block and the recurrent network as functions of JAX, written without the layers of a library."""

import jax
import jax.numpy as jnp
import numpy as np
from kfgn_conformance.functions import linear

from .models_of_torch import HEADS, WIDTH


def normalised(a, scale):
    centred = a - a.mean(axis=-1, keepdims=True)
    return centred / jnp.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) * scale["weight"] + scale["bias"]


def heads(a):
    """(N, T, D) as (N, heads, T, D / heads)."""
    N, T, D = a.shape
    return a.reshape(N, T, HEADS, D // HEADS).transpose(0, 2, 1, 3)


def attention(params, a):
    N, T, D = a.shape
    h = linear(a, params["in_proj_weight"], params["in_proj_bias"])
    q, k, v = (heads(part) for part in jnp.split(h, 3, axis=-1))
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(D // HEADS)
    causal = jnp.arange(T)[:, None] >= jnp.arange(T)[None, :]
    mixed = jax.nn.softmax(jnp.where(causal, scores, -jnp.inf), axis=-1) @ v
    return linear(mixed.transpose(0, 2, 1, 3).reshape(N, T, D), **named(params["out_proj"]))


def named(layer):
    return {"W": layer["weight"], "b": layer["bias"]}


def transformer(params, X):
    """The same function as `models_of_torch.Transformer`, with the same names of parameters."""
    table = params["embedding"]["weight"]
    h = linear(jax.nn.one_hot(X, len(table)), table.T) + params["position"]
    h = h + attention(params["attention"], normalised(h, params["norm_1"]))
    up = linear(normalised(h, params["norm_2"]), **named(params["up"]))
    h = h + linear(up * jax.scipy.stats.norm.cdf(up), **named(params["down"]))
    assert h.shape[-1] == WIDTH
    return linear(h, table)


def recurrent(params, X):
    """The same function as `models_of_torch.Recurrent`, as a loop of `jax.lax.scan` that is compiled."""

    @jax.jit
    def step(state, x):
        h = linear(x, params["inputs"]["weight"]) + linear(state, **named(params["state"]))
        return jnp.tanh(h), None

    state, _ = jax.lax.scan(step, jnp.zeros((len(X), 3)), X.swapaxes(0, 1))
    return linear(state, **named(params["head"]))


def parameters(model):
    """The parameters of a PyTorch module as nested dictionaries of NumPy arrays."""
    nested = {}
    for name, value in model.named_parameters():
        *folders, last = name.split(".")
        place = nested
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = value.detach().numpy()
    return nested
