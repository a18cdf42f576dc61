"""Adapter of kfac-jax: KFLR ("ggn_exact", also with shared weights), and Gauss-Newton and Hessian products."""

from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import kfac_jax
import numpy as np

from ...functions import ModuleProblem
from ...problems.problem import Array, Problem
from .. import Description, UnsupportedError
from . import transfer_names
from .kfac_jax_shared import categorical as categorical_at_positions, shared_arguments, shared_loss
from .kfac_jax_transformer import DENSE, parameters, transformer
from .runs import Blocks, Runs

TRANSFERS: dict[str, Any] = {
    "identity": lambda h: h,
    "relu": jax.nn.relu,
    "leaky_relu": lambda h: jax.nn.leaky_relu(h, 0.1),
    "tanh": jnp.tanh,
    "logistic": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "elu": jax.nn.elu,
    "silu": jax.nn.silu,
    "gelu": lambda h: jax.nn.gelu(h, approximate=False),
    "gelu_tanh": jax.nn.gelu,
}


def squared_error(h: Any, y: Any) -> Any:
    """The squared error |h - y|^2 / 2 per datapoint, (N,). The argument `weight` of kfac-jax is the factor 1/2."""
    kfac_jax.register_squared_error_loss(h, y, weight=0.5)
    return 0.5 * jnp.sum((h - y) ** 2, axis=1)


def categorical(h: Any, y: Any) -> Any:
    """The cross-entropy per datapoint, (N,), of the softmax of logits h (N, D_L) with classes y (N,)."""
    kfac_jax.register_softmax_cross_entropy_loss(h, y)
    return -jnp.take_along_axis(jax.nn.log_softmax(h), y[:, None], axis=1)[:, 0]


def bernoulli(h: Any, y: Any) -> Any:
    """The cross-entropies of sigmoid(h) and y, both (N, D_L), summed over the outputs: (N,)."""
    kfac_jax.register_sigmoid_cross_entropy_loss(h, y)
    return jnp.sum(jax.nn.softplus(h) - y * h, axis=1)


LOSSES: dict[str, Any] = {"squared_error": squared_error, "categorical": categorical, "bernoulli": bernoulli}

PRODUCTS = {"gauss_newton_product": "multiply_ggn", "hessian_product": "multiply_hessian"}


class KfacJax:
    """Adapter of kfac-jax, which forms blocks A kron G from the factor A of the inputs and the factor G of a layer.

    The inputs of a layer with a bias end with a constant 1, which multiplies the bias.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def describe(self) -> Description:
        """The description of kfac-jax, with the kit's own conventions."""
        return Description(
            "kfac_jax",
            f"kfac-jax {version('kfac-jax')} on jax {version('jax')}",
            self.dtype,
            frozenset({"kflr_blocks", "expand_blocks", *PRODUCTS}),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute the quantity with kernels that have the outputs on the last axis, as in flax and haiku."""
        if problem.objective not in LOSSES:
            raise UnsupportedError(f"no {problem.objective} objective")
        with jax.enable_x64(self.dtype == "float64"), jax.default_matmul_precision("float32"):
            if problem.is_shared:
                shared = shared_loss(problem, TRANSFERS)
                blocks, _ = _dense_blocks(problem.N, shared, shared_arguments(problem, self._array))
                return tuple(np.asarray(block) for block in blocks)
            weights, direction = (
                [(self._array(W[:, :-1].T), self._array(W[:, -1])) for W in arrays]
                for arrays in (problem.weights, problem.arguments.direction)
            )
            arguments = (weights, (self._array(problem.X), self._array(problem.Y)))
            if quantity in PRODUCTS:
                estimator = kfac_jax.ImplicitExactCurvature(_loss(problem))
                product = getattr(estimator, PRODUCTS[quantity])(arguments, direction)
                return tuple(np.column_stack([np.asarray(w).T, np.asarray(b)]) for w, b in product)
            blocks, _ = _dense_blocks(problem.N, _loss(problem), arguments)
            return tuple(np.asarray(block) for block in blocks)

    def _array(self, x: Array) -> Any:
        return jnp.asarray(x.astype(self.dtype) if x.dtype.kind == "f" else x)


def _loss(problem: Problem) -> Any:
    """The mean loss as a function of the weights and the batch, with dense layers that kfac-jax recognises."""
    names = transfer_names(problem)

    def loss(weights: Any, batch: Any) -> Any:
        a, y = batch
        for l, (w, b) in enumerate(weights):
            h = a @ w + b
            a = TRANSFERS[names[l]](h) if l < len(names) else h
        return jnp.mean(LOSSES[problem.objective](a, y))

    return loss


def _dense_blocks(N: int, loss: Any, arguments: Any) -> tuple[Any, Any]:
    """The undamped blocks of kfac-jax after one update, which replaces the initial factors by those of the batch.

    The second result has the structure of the parameters, with the number of the block of each parameter.
    """
    estimator = kfac_jax.BlockDiagonalCurvature(loss)
    key = jax.random.PRNGKey(0)
    state = estimator.init(
        rng=key,
        func_args=arguments,
        exact_powers_to_cache=None,
        approx_powers_to_cache=None,
        cache_eigenvalues=False,
    )
    state = estimator.update_curvature_matrix_estimate(
        state=state,
        ema_old=0.0,
        ema_new=1.0,
        identity_weight=0.0,
        batch_size=N,
        rng=key,
        func_args=arguments,
        estimation_mode="ggn_exact",
    )
    return estimator.to_diagonal_block_dense_matrix(state), estimator.params_block_index


def _of_module(problem: ModuleProblem) -> Blocks:
    """The blocks of the dense layers of the transformer block, written in JAX."""
    with jax.enable_x64(True):
        module, divisor = problem.module, int(problem.divisor)

        def loss(params: Any, batch: Any) -> Any:
            X, Y = batch
            h = transformer(params, X, heads=module.heads, pooled=module.pooled)
            return categorical_at_positions(h, Y, divisor) / len(X)

        arguments = (parameters(problem), (jnp.asarray(problem.X.numpy()), jnp.asarray(problem.Y.numpy())))
        blocks, places = _dense_blocks(len(problem.X), loss, arguments)
        return {name: np.asarray(blocks[places[name][0]]) for name in DENSE}


RUNS: Runs = {"ggn_exact": _of_module}
