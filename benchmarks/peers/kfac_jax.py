"""The peer kfac-jax: one jitted update of its factors, without the gradient."""

from typing import Any

import jax
import jax.numpy as jnp
import kfac_jax

from ..batch import Batch
from ..timing import Call


def call(b: Batch, mode: str) -> Call:
    """A call that updates the factors, in which new factors have weight 1 and old factors weight 0."""
    estimator = kfac_jax.BlockDiagonalCurvature(_loss(b))
    key = jax.random.PRNGKey(0)
    arguments = [(jnp.array(W[:, :-1].T), jnp.array(W[:, -1])) for W in b.weights], (b.X, b.Y)
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
            batch_size=b.sizes.N,
            rng=key,
            func_args=arguments,
            estimation_mode=mode,
        )

    compiled = jax.jit(update)
    return b.library.waiting(lambda: compiled(start, arguments, key))


def _loss(b: Batch) -> Any:
    """The mean loss as a function of kernels (inputs, outputs) and biases, and of the datapoints."""
    categorical = b.sizes.objective == "categorical"
    register = kfac_jax.register_softmax_cross_entropy_loss if categorical else kfac_jax.register_squared_error_loss

    def loss(weights: Any, batch: Any) -> Any:
        a, Y = batch
        for l, (w, bias) in enumerate(weights):
            a = (jnp.tanh(a) if l else a) @ w + bias
        register(a, Y)
        if categorical:
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(a), Y[:, None], axis=1))
        return 0.5 * jnp.mean(jnp.sum((a - Y) ** 2, axis=1))

    return loss


WORKS = {"KFLR": lambda b: call(b, "ggn_exact"), "KFAC, 1 sample": lambda b: call(b, "fisher_gradients")}
