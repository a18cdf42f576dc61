"""Functions of JAX: the marks of products, names, losses that are functions, errors, and settings of the caller."""

import re

import jax
import jax.numpy as jnp
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
import torch
from kfgn_conformance.functions import jax_oracle, linear, torch_oracle
from torch import nn

from .agreement import close
from .models_of_torch import drawn

rng = np.random.default_rng(3)
X, Y = rng.normal(size=(3, 2)), rng.normal(size=(3, 2)) / 4
PARAMS = {"layers": [{"kernel": rng.normal(size=(2, 2)), "bias": rng.normal(size=2)}]}
NAME = "layers.0"


def dense(params, X):
    """A layer with a kernel (I, O)."""
    return linear(X, params["layers"][0]["kernel"].T, params["layers"][0]["bias"])


def oracle(f=dense, X=X, Y=Y, objective="squared_error", **options):
    return jax_oracle(f, PARAMS, X, Y, objective, **options)


def raises(message):
    return pytest.raises(ValueError, match=re.escape(message))


def test_a_kernel_is_a_transposed_matrix():
    """The matrix of a product is (O, I) with the bias last. A parameter that is used alone has its own order."""
    found = oracle()
    assert found.names == (NAME,)
    kernel, bias = PARAMS["layers"][0]["kernel"], PARAMS["layers"][0]["bias"]
    close(found.matrix(NAME), np.column_stack([kernel.T, bias]))
    close(oracle(lambda p, X: X @ p["layers"][0]["kernel"]).matrix("layers.0.kernel"), kernel)
    inputs = np.column_stack([X, np.ones(3)])
    close(found.gauss_newton_block(NAME), np.kron(inputs.T @ inputs / 3, np.eye(2)))
    close(shared.expand(found.pairs(NAME)).block, found.gauss_newton_block(NAME))


def test_a_loss_that_is_a_function():
    """The same loss in both libraries, with derivatives by each."""
    model = drawn(nn.Linear(2, 2))
    params = {"weight": model.weight.detach().numpy(), "bias": model.bias.detach().numpy()}
    ours = torch_oracle(model, X, Y, lambda h, y: torch.sqrt(1 + (h - y).square().sum()), divisor=3)
    theirs = jax_oracle(
        lambda p, X: linear(X, p["weight"], p["bias"]),
        params,
        X,
        Y,
        lambda h, y: jnp.sqrt(1 + ((h - y) ** 2).sum()),
        divisor=3,
    )
    close(theirs.loss, ours.loss)
    for method in ("gradient", "gauss_newton_block", "hessian_block"):
        close(getattr(theirs, method)("weight, bias"), getattr(ours, method)("weight, bias"))
    with raises("labels: expected an objective with a name for sampled labels, got a function"):
        theirs.pairs("weight, bias", labels=np.zeros((3, 1, 1, 2)))


def test_a_batch_of_several_arrays():
    """X may be a pytree, and integers and bools keep their kind."""
    batch = {"x": X, "mask": np.array([True, False, True])}
    masked = oracle(lambda p, X: jnp.where(X["mask"][:, None], dense(p, X["x"]), 0.0), batch)
    close(masked.outputs[1], np.zeros((1, 2)))
    inputs = np.column_stack([X, np.ones(3)])[[0, 2]]
    close(masked.gauss_newton_block(NAME), np.kron(inputs.T @ inputs / 3, np.eye(2)))


FUNCTIONS = {
    "vmap": (jax.vmap(dense, in_axes=(None, 0)), "linear: expected a call outside of jax.vmap, jax.grad and"),
    "scaled": (
        lambda p, X: linear(X, 2 * p["layers"][0]["kernel"]),
        "linear: expected entries of the parameters as W and b, each at most once, got other numbers, for a matrix of"
        " shape (2, 2)",
    ),
    "twice": (
        lambda p, X: linear(X, jnp.stack([p["layers"][0]["bias"]] * 2)),
        "linear: expected entries of the parameters as W and b, each at most once",
    ),
    "constant": (lambda p, X: linear(X, np.eye(2)), "linear: expected entries of the parameters as W and b"),
    "coupled": (lambda p, X: dense(p, X) - dense(p, X).mean(axis=0), "model: expected outputs of datapoint 0 that"),
    "one axis": (lambda p, X: dense(p, X)[:, 0], "model: expected outputs of shape (3, O) or (3, T, O), got (3,)"),
    "float32": (lambda p, X: dense(p, X).astype("float32"), "model: expected outputs of float64, got float32"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_that_are_refused(name):
    function, message = FUNCTIONS[name]
    with raises(message):
        oracle(function)


def test_a_product_without_a_mark():
    """The exact block is right, and pairs are refused."""

    def twice(params, X):
        return dense(params, X) + X @ params["layers"][0]["kernel"]

    found = oracle(twice)
    with raises("or with kfgn_conformance.functions.linear in JAX"):
        found.pairs(NAME)
    inputs = np.column_stack([2 * X, np.ones(3)])
    close(found.gauss_newton_block(NAME), np.kron(inputs.T @ inputs / 3, np.eye(2)))


def test_settings_are_those_of_the_caller():
    """The oracle computes in float64, and JAX has its settings again after each call."""
    found = oracle(lambda params, X: dense(params, X.astype(float)))
    found.hessian_block(NAME)
    assert found.outputs.dtype == np.float64
    assert jnp.ones(1).dtype == np.float32
    assert not jax.config.jax_disable_jit


def test_linear_outside_an_oracle():
    a, W, b = rng.normal(size=(4, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)
    close(linear(a, W, b), a @ W.T + b)
    close(linear(a, W), a @ W.T)
