"""The peer kfac-jax: one jitted update of its factors, without the gradient."""

from typing import Any

import jax
import jax.numpy as jnp
import kfac_jax

import kfgn

from ..batch import Batch
from ..timing import Call


def call(b: Batch, mode: str) -> Call:
    """A call that updates the factors, in which new factors have weight 1 and old factors weight 0."""
    estimator = kfac_jax.BlockDiagonalCurvature(_loss(b))
    key = jax.random.PRNGKey(0)
    arguments = _weights(b), (_channels_last(b.X), b.Y)
    start = estimator.init(
        rng=key,
        func_args=arguments,
        exact_powers_to_cache=None,
        approx_powers_to_cache=None,
        cache_eigenvalues=False,
    )

    def update(state: Any, arguments: Any, key: Any) -> Any:
        return estimator.update_curvature_matrix_estimate(
            state=state,
            ema_old=0.0,
            ema_new=1.0,
            identity_weight=0.0,
            batch_size=b.N,
            rng=key,
            func_args=arguments,
            estimation_mode=mode,
        )

    compiled = jax.jit(update)
    return b.library.waiting(lambda: compiled(start, arguments, key))


def _channels_last(X: Any) -> Any:
    """X with its channels in the last axis."""
    return jnp.moveaxis(X, 1, -1)


def _weights(b: Batch) -> list[Any]:
    """The kernel of each layer, with the outputs in its last axis, and the bias."""
    layers = b.network.of_weighted(b.network.layers)
    widths = [layer.width if isinstance(layer, kfgn.Convolution) else () for layer in layers]
    return [
        (jnp.array(W[:, :-1].T).reshape(*width, -1, len(W)) if width else jnp.array(W[:, :-1].T), jnp.array(W[:, -1]))
        for W, width in zip(b.weights, widths, strict=True)
    ]


def _loss(b: Batch) -> Any:
    """The mean loss as a function of kernels and biases, and of the datapoints with the channels in the last axis."""
    network = b.network
    categorical = network.objective == "categorical"
    register = kfac_jax.register_softmax_cross_entropy_loss if categorical else kfac_jax.register_squared_error_loss

    def loss(weights: Any, batch: Any) -> Any:
        a, Y = batch
        remaining = iter(weights)
        for layer in network.layers:
            a = _forward(layer, a, remaining)
        Y = Y.reshape(a.shape[:-1]) if categorical else Y
        register(a, Y)
        if categorical:
            return -jnp.sum(jnp.take_along_axis(jax.nn.log_softmax(a), Y[..., None], axis=-1)) / b.N
        return 0.5 * jnp.mean(jnp.sum((a - Y) ** 2, axis=1))

    return loss


def _forward(layer: Any, a: Any, weights: Any) -> Any:
    """The outputs of a layer."""
    match layer:
        case kfgn.Flatten():
            return a.reshape(len(a), -1)
        case kfgn.Pooling():
            (H, W), (_, height, width, C) = layer.width, a.shape
            return a.reshape(-1, height // H, H, width // W, W, C).mean(axis=(2, 4))
    kernel, bias = next(weights)
    if isinstance(layer, kfgn.Convolution):
        numbers = ("NHWC", "HWIO", "NHWC")
        h = jax.lax.conv_general_dilated(a, kernel, layer.stride, layer.padding, dimension_numbers=numbers) + bias
    else:
        h = a @ kernel + bias
    return jnp.tanh(h) if layer.transfer == "tanh" else h


WORKS = {"KFLR": lambda b: call(b, "ggn_exact"), "KFAC, 1 sample": lambda b: call(b, "fisher_gradients")}
