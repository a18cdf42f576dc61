"""The transformer block of `kfgn_conformance.functions` in JAX, written so that kfac-jax recognises its layers."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...functions import ModuleProblem

Parameters = dict[str, tuple[Any, ...]]
"""For each layer the kernel (I, O) and the bias, the scale and the offset, or the table of the embedding.

kfac-jax orders the entries of a block as it orders the parameters, so the kernel comes before the bias.
"""

DENSE = ("query", "key", "value", "projection", "up", "down", "head")
"""The names of the dense layers."""


def parameters(problem: ModuleProblem) -> Parameters:
    """The parameters of the module, with kernels that have the outputs on the last axis, as in flax and haiku."""
    found: Parameters = {}
    for name, value in problem.module.named_parameters():
        layer, array = name.partition(".")[0], value.detach().numpy()
        found[layer] = (*found.get(layer, ()), jnp.asarray(array.T if layer in DENSE else array))
    return found


def transformer(params: Parameters, X: Any, *, heads: int, pooled: bool) -> Any:
    """The logits of a batch of tokens X (N, T), the same function as that of the module."""
    N, T = X.shape
    (table,) = params["embedding"]
    h = table[X]
    a = normalised(params["norm_1"], h)
    q, k, v = (
        dense(params[name], a).reshape(N, T, heads, -1).transpose(0, 2, 1, 3) for name in ("query", "key", "value")
    )
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1])
    mixed = jax.nn.softmax(jnp.where(np.tri(T, dtype=bool), scores, -jnp.inf), axis=-1) @ v
    h = h + dense(params["projection"], mixed.transpose(0, 2, 1, 3).reshape(h.shape))
    up = dense(params["up"], normalised(params["norm_2"], h))
    h = h + dense(params["down"], jax.nn.gelu(up, approximate=False))
    return dense(params["head"], h.mean(axis=1) if pooled else h)


def dense(layer: tuple[Any, ...], a: Any) -> Any:
    """A dense layer at every position."""
    kernel, bias = layer
    return a @ kernel + bias


def normalised(layer: tuple[Any, ...], a: Any) -> Any:
    """Layer normalisation with scale and offset, as haiku writes it."""
    scale, offset = layer
    mean, variance = jnp.mean(a, axis=-1, keepdims=True), jnp.var(a, axis=-1, keepdims=True)
    return scale * jax.lax.rsqrt(variance + 1e-5) * (a - mean) + offset
