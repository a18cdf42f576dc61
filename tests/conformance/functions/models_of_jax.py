"""The transformer block and the recurrent network as functions of JAX, written without the layers of a library."""

import jax
import jax.numpy as jnp
import numpy as np

from .models_of_torch import HEADS


def linear(layer, a):
    return a @ layer["weight"].T + layer["bias"]


def normalised(a, scale):
    centred = a - a.mean(axis=-1, keepdims=True)
    return centred / jnp.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) * scale["weight"] + scale["bias"]


def heads(a):
    """(N, T, D) as (N, heads, T, D / heads)."""
    N, T, D = a.shape
    return a.reshape(N, T, HEADS, D // HEADS).transpose(0, 2, 1, 3)


def attention(params, a):
    N, T, D = a.shape
    h = jnp.einsum("oi,nti->nto", params["in_proj_weight"], a) + params["in_proj_bias"]
    q, k, v = (heads(part) for part in jnp.split(h, 3, axis=-1))
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(D // HEADS)
    causal = jnp.arange(T)[:, None] >= jnp.arange(T)[None, :]
    mixed = jax.nn.softmax(jnp.where(causal, scores, -jnp.inf), axis=-1) @ v
    return linear(params["out_proj"], mixed.transpose(0, 2, 1, 3).reshape(N, T, D))


def transformer(params, X):
    """The same function as `models_of_torch.Transformer`, with the same names of parameters."""
    table = params["embedding"]["weight"]
    h = table[X] + params["position"]
    h = h + attention(params["attention"], normalised(h, params["norm_1"]))
    up = linear(params["up"], normalised(h, params["norm_2"]))
    h = h + jax.checkpoint(linear)(params["down"], up * jax.scipy.stats.norm.cdf(up))
    return h @ table.T


def recurrent(params, X):
    """The same function as `models_of_torch.Recurrent`, for one sequence, with a loop that is compiled."""

    @jax.jit
    def step(state, x):
        h = params["inputs"]["weight"] @ x + (params["state"]["weight"] @ state + params["state"]["bias"])
        return jnp.tanh(h), None

    def of_one(x):
        state, _ = jax.lax.scan(step, jnp.zeros(3), x)
        return linear(params["head"], state)

    return jax.vmap(of_one)(X)


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
