"""Networks with shared weights in JAX. kfac-jax recognises the convolutions and the dense layers over tokens."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import kfac_jax
import numpy as np

from ...problems.layers import Convolution, Dense, Flatten, Pooling
from ...problems.problem import Array, Problem
from .. import UnsupportedError
from .sequences import Kind, layers_over_sequences

Weights = list[tuple[Any, ...]]
"""For each layer with weights, the kernel, and the bias if there is one. The outputs are the last axis of a kernel."""


def squared_error(h: Any, y: Any, divisor: int) -> Any:
    """The sum of |h - y|^2 / (2 divisor) over the batch. The argument `weight` of kfac-jax contains the factor 1/2."""
    kfac_jax.register_squared_error_loss(h, y, weight=0.5 / divisor)
    return 0.5 * jnp.sum((h - y) ** 2) / divisor


def categorical(h: Any, y: Any, divisor: int) -> Any:
    """The cross-entropies of softmax(h) (N, ..., D) and the classes y (N, ...), summed, and divided by the divisor."""
    kfac_jax.register_softmax_cross_entropy_loss(h, y, weight=1 / divisor)
    return -jnp.sum(jnp.take_along_axis(jax.nn.log_softmax(h), y[..., None], axis=-1)) / divisor


def bernoulli(h: Any, y: Any, divisor: int) -> Any:
    """The cross-entropies of sigmoid(h) and y, both (N, ..., D), summed, and divided by the divisor."""
    kfac_jax.register_sigmoid_cross_entropy_loss(h, y, weight=1 / divisor)
    return jnp.sum(jax.nn.softplus(h) - y * h) / divisor


LOSSES: dict[str, Any] = {"squared_error": squared_error, "categorical": categorical, "bernoulli": bernoulli}


def shared_loss(problem: Problem, transfers: dict[str, Any]) -> Callable[[Weights, Any], Any]:
    """The mean loss as a function of the weights and the batch. Activations are tokens (N, T, C).

    The inputs and outputs of a dense layer at one position are (N, C) instead.

    Raises `UnsupportedError` for a network that kfac-jax or this adapter does not support.
    """
    if problem.objective not in LOSSES:
        raise UnsupportedError(f"no {problem.objective} objective")
    layers = layers_over_sequences(problem)
    if any(layer.groups > 1 for layer in problem.weighted):
        raise UnsupportedError("no pair of factors for each group of a grouped convolution")
    if any(not isinstance(layer.transfer, str) for layer in problem.weighted):
        raise UnsupportedError("no support for transfer functions with a parameter")

    def loss(weights: Weights, batch: Any) -> Any:
        a, y = batch
        rest = iter(weights)
        for layer, (_, T) in zip(layers, problem.shapes, strict=False):
            a = _forward(layer, a.reshape(len(a), -1) if T == 1 and isinstance(layer, Dense) else a, rest, transfers)
        if problem.shapes[-1][1] == 1:
            a, y = a.reshape(len(a), -1), y[:, 0]
        return LOSSES[problem.objective](a, y, problem.divisor) / len(a)

    return loss


def shared_arguments(problem: Problem, array: Callable[[Array], Any]) -> tuple[Weights, tuple[Any, Any]]:
    """The weights and the batch of a problem, for `shared_loss`."""
    weights = []
    for layer, W in zip(problem.weighted, problem.weights, strict=True):
        kernel = W[:, :-1].T if layer.bias else W.T
        if isinstance(layer, Convolution):
            kernel = kernel.reshape(1, layer.taps, -1, layer.units)
        weights.append((array(kernel), array(W[:, -1])) if layer.bias else (array(kernel),))
    return weights, (array(np.ascontiguousarray(problem.X.transpose(0, 2, 1))), array(problem.Y))


def _forward(layer: Kind, a: Any, weights: Any, transfers: dict[str, Any]) -> Any:
    """The outputs of one layer, for inputs a (N, T, C), or (N, C) of a dense layer at one position."""
    if isinstance(layer, Flatten):
        return a.reshape(len(a), 1, -1)
    if isinstance(layer, Pooling):
        (window,) = layer.windows
        starts = range(0, a.shape[1] - window.width + 1, window.stride)
        windows = [a[:, start : start + window.width] for start in starts]
        pooled = [jnp.mean(w, axis=1) if layer.kind == "mean" else jnp.sum(w, axis=1) for w in windows]
        return jnp.stack(pooled, axis=1)
    kernel, *bias = next(weights)
    h = a @ kernel if isinstance(layer, Dense) else _convolution(layer, a, kernel)
    if bias:
        h = h + bias[0]
    h = h[:, 0] if isinstance(layer, Convolution) else h
    return transfers[str(layer.transfer)](h)


def _convolution(layer: Convolution, a: Any, kernel: Any) -> Any:
    """A convolution of tokens a (N, T, C) as images of one row. The result is (N, 1, positions, units)."""
    (window,) = layer.windows
    padding = window.padding
    if layer.circular:
        a, padding = jnp.pad(a, ((0, 0), padding, (0, 0)), mode="wrap"), (0, 0)
    return jax.lax.conv_general_dilated(
        a[:, None],
        kernel,
        (1, window.stride),
        ((0, 0), padding),
        rhs_dilation=(1, window.dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
