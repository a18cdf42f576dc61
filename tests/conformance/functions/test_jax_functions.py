"""Functions of JAX: the products that are seen, losses that are functions, errors, and settings of the caller."""

import re

import jax
import jax.numpy as jnp
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
import torch
from jax import lax
from kfgn_conformance.functions import jax_oracle, torch_oracle
from torch import nn

from .agreement import close, parts
from .models_of_torch import drawn

rng = np.random.default_rng(3)
X, Y = rng.normal(size=(3, 2)), rng.normal(size=(3, 2)) / 4
PARAMS = {"layers": [{"kernel": rng.normal(size=(2, 2)), "bias": rng.normal(size=2)}]}
NAME = "layers.0"


def dense(params, X):
    """A layer with a kernel (I, O)."""
    return X @ params["layers"][0]["kernel"] + params["layers"][0]["bias"]


def oracle(f=dense, X=X, Y=Y, objective="squared_error", **options):
    return jax_oracle(f, PARAMS, X, Y, objective, **options)


def raises(message):
    return pytest.raises(ValueError, match=re.escape(message))


def test_a_kernel_is_a_transposed_matrix():
    """The matrix of a product is (O, I) with the bias last. A parameter that is in no product has its own order."""
    found = oracle()
    assert found.names == (NAME,)
    kernel, bias = PARAMS["layers"][0]["kernel"], PARAMS["layers"][0]["bias"]
    close(found.matrix(NAME), np.column_stack([kernel.T, bias]))
    alone = oracle(lambda p, X: (X[:, :, None] * p["layers"][0]["kernel"]).sum(axis=1))
    close(alone.matrix("layers.0.kernel"), kernel)
    inputs = np.column_stack([X, np.ones(3)])
    close(found.gauss_newton_block(NAME), np.kron(inputs.T @ inputs / 3, np.eye(2)))
    close(shared.expand(found.pairs(NAME)).block, found.gauss_newton_block(NAME))


def convolution(numbers, groups):
    """A convolution with strides, dilations and zeros on two sides, in two orders of the axes."""

    def apply(p, X):
        return lax.conv_general_dilated(
            X,
            p["W"],
            window_strides=(2, 1),
            padding=[(1, 0), (0, 2)],
            rhs_dilation=(1, 2),
            dimension_numbers=numbers,
            feature_group_count=groups,
        )

    return apply


FUNCTIONS = {
    "a transpose": (lambda p, X: X @ p["W"].T, (3, 4), (2, 5, 4)),
    "from the left": (lambda p, X: (p["W"] @ X).swapaxes(1, 2), (3, 4), (2, 4, 5)),
    "vmap over two axes": (jax.vmap(jax.vmap(lambda p, x: p["W"] @ x, (None, 0)), (None, 0)), (3, 4), (2, 5, 4)),
    "two axes of outputs": (lambda p, X: jnp.einsum("ntd,dhk->nthk", X, p["W"]), (4, 3, 2), (2, 5, 4)),
    "two axes of inputs": (lambda p, X: jnp.einsum("nthk,hkd->ntd", X, p["W"]), (2, 3, 4), (2, 5, 2, 3)),
    "a product for each head": (lambda p, X: jnp.einsum("nhd,hdk->nhk", X, p["W"]), (2, 3, 4), (2, 2, 3)),
    "a part": (lambda p, X: X @ jnp.concatenate([p["W"][:, 2:], p["W"][:, :1]], axis=1)[::-1], (4, 5), (2, 4)),
    "compiled and checkpointed": (jax.jit(jax.checkpoint(lambda p, X: jnp.tanh(X @ p["W"]))), (4, 3), (2, 4)),
    "rows of a table": (lambda p, X: p["W"][X.astype(int)], (5, 3), (2, 4)),
    "rows that may be outside": (lambda p, X: jnp.take(p["W"], X.astype(int), axis=0, fill_value=0), (3, 4), (2, 4)),
    "convolution": (convolution(("NCHW", "OIHW", "NCHW"), 1), (3, 2, 3, 2), (2, 2, 5, 6)),
    "convolution, channels last": (convolution(("NHWC", "HWIO", "NHWC"), 2), (3, 2, 2, 6), (2, 5, 6, 4)),
    "weights of a loop": (
        lambda p, X: lax.scan(lambda a, W: (jnp.tanh(a @ W), a), X, p["W"], reverse=True)[0],
        (3, 4, 4),
        (2, 4),
    ),
}


LEFT_OUT = ("a transpose", "from the left", "two axes of inputs", "rows of a table", "convolution")
"""Functions whose operations are those of another function. JAX compiles each function for a second."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.thorough if name in LEFT_OUT else ()) for name in FUNCTIONS]
)
def test_a_product(name):
    """All parts together account for the parameter, as `pairs` checks, and for the trace of its exact block."""
    function, weight, shape = FUNCTIONS[name]
    numbers = np.random.default_rng(4)
    params, X = {"W": numbers.normal(size=weight)}, numbers.normal(size=shape)
    X = 1.5 + X if "rows" in name else X  # indices from 0 to 3 or 4
    outputs = function(params, X)
    found = jax_oracle(function, params, X, np.zeros(outputs.shape), "squared_error")
    batches = [found.pairs("W", part) for _, part in parts(found, 8)]
    block = found.gauss_newton_block("W")
    assert np.abs(block).max() > 0
    close(sum(shared.exact_block(batch).trace() for batch in batches), block.trace())
    if len(batches) == 1 and name != "a part":
        close(shared.exact_block(batches[0]), block)


def test_a_convolution_equals_that_of_pytorch():
    """The same blocks and pairs, tap by tap, with a bias and groups."""
    model = drawn(nn.Conv1d(4, 6, 3, groups=2, padding=1, stride=2))
    X = np.random.default_rng(5).normal(size=(2, 4, 7))

    def function(p, X):
        h = lax.conv_general_dilated(
            X, p["weight"], (2,), [(1, 1)], dimension_numbers=("NCH", "OIH", "NCH"), feature_group_count=2
        )
        return (h + p["bias"][None, :, None]).swapaxes(1, 2)

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.bias = model.weight, model.bias

        def forward(self, x):
            return nn.functional.conv1d(x, self.weight, self.bias, 2, 1, 1, 2).transpose(1, 2)

    ours = torch_oracle(Last(), X, np.zeros((2, 4, 6)), "squared_error")
    params = {name: value.detach().numpy() for name, value in model.named_parameters()}
    theirs = jax_oracle(function, params, X, np.zeros((2, 4, 6)), "squared_error")
    assert theirs.names == ours.names == ("weight, bias",)
    close(theirs.gauss_newton_block("weight, bias"), ours.gauss_newton_block("weight, bias"))
    for part in (1, 2):
        for one, other in zip(theirs.pairs("weight, bias", part), ours.pairs("weight, bias", part), strict=True):
            close(one.a, other.a)
            close(one.C, other.C)


BIASES = {
    "added last": lambda p, X: X @ p["W"] + p["b"],
    "added first": lambda p, X: p["b"] + jnp.matmul(X, p["W"]),
    "added to a sum": lambda p, X: (X @ p["W"] + 2 * X[:, :1]) + p["b"],
    "added after a reshape": lambda p, X: (X[:, None] @ p["W"])[:, 0] + p["b"],
}


@pytest.mark.parametrize("name", BIASES)
def test_a_bias(name):
    found = jax_oracle(BIASES[name], {"W": np.ones((2, 3)), "b": np.ones(3)}, X, np.zeros((3, 3)), "squared_error")
    assert found.names == ("W, b",)
    assert [pair.a.shape for pair in found.pairs("W, b")] == [(1, 3)] * 3
    close(shared.exact_block(found.pairs("W, b")), found.gauss_newton_block("W, b"))


NO_BIASES = {
    "after a second use": lambda p, X: (lambda h: (h + p["b"]) * jnp.tanh(h))(X @ p["W"]),
    "multiplied": lambda p, X: (X @ p["W"]) * p["b"],
    "added to a part": lambda p, X: (X @ p["W"])[:, :2] + p["b"][:2],
    "added at each step": lambda p, X: (
        lambda h: lax.scan(lambda s, k: (jnp.tanh(s + (h + p["b"])), None), 0 * h, jnp.arange(2))[0]
    )(X @ p["W"]),
    "a different one at each position": lambda p, X: jnp.stack([X] * 2, axis=1) @ p["W"] + p["b"].reshape(2, 3),
}


@pytest.mark.parametrize("name", NO_BIASES)
def test_no_bias(name):
    function, params = NO_BIASES[name], {"W": np.ones((2, 3)), "b": np.arange(6.0 if "position" in name else 3.0)}
    outputs = function(params, X)
    found = jax_oracle(function, params, X, np.zeros(outputs.shape), "squared_error")
    assert found.names == ("W", "b")
    close(shared.exact_block(found.pairs("W")), found.gauss_newton_block("W"))


def test_a_loss_that_is_a_function():
    """The same loss in both libraries, with derivatives by each."""
    model = drawn(nn.Linear(2, 2))
    params = {"weight": model.weight.detach().numpy(), "bias": model.bias.detach().numpy()}
    ours = torch_oracle(model, X, Y, lambda h, y: torch.sqrt(1 + (h - y).square().sum()), divisor=3)
    theirs = jax_oracle(
        lambda p, X: X @ p["weight"].T + p["bias"],
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


REFUSED = {
    "coupled": (lambda p, X: dense(p, X) - dense(p, X).mean(axis=0), "model: expected outputs of datapoint 0 that"),
    "one axis": (lambda p, X: dense(p, X)[:, 0], "model: expected outputs of shape (3, ..., O), got (3,)"),
    "float32": (lambda p, X: dense(p, X).astype("float32"), "model: expected outputs of float64, got float32"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_functions_that_are_refused(name):
    function, message = REFUSED[name]
    with raises(message):
        oracle(function)


UNSEEN = {
    "elementwise": lambda p, X: dense(p, X) + (X[:, :, None] * p["layers"][0]["kernel"]).sum(axis=1),
    "scaled": lambda p, X: dense(p, X) + X @ (2 * p["layers"][0]["kernel"]),
    "in a while loop": lambda p, X: (
        dense(p, X) + lax.cond(X[0, 0] < 9, lambda k: X @ k, lambda k: X, p["layers"][0]["kernel"])
    ),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_a_product_that_is_not_seen(name):
    """The exact block is right, and pairs are refused."""
    found = oracle(UNSEEN[name])
    with raises("layers.0: expected products that account for the Jacobian of the outputs, got a difference of"):
        found.pairs(NAME)
    kernel = 3 if name == "scaled" else 2
    inputs = np.column_stack([kernel * X, np.ones(3)])
    close(found.gauss_newton_block(NAME), np.kron(inputs.T @ inputs / 3, np.eye(2)))


def test_settings_are_those_of_the_caller():
    """The oracle computes in float64, and JAX has its settings again after each call."""
    found = oracle(lambda params, X: dense(params, X.astype(float)))
    found.hessian_block(NAME)
    assert found.outputs.dtype == np.float64
    assert jnp.ones(1).dtype == np.float32
