"""PyTorch and JAX agree on every block of a transformer block and of a recurrent network."""

import numpy as np
import pytest
import torch
from kfgn_conformance.functions import jax_oracle, torch_oracle

from . import models_of_jax
from .agreement import close, parts, same_approximations
from .models_of_torch import LENGTH, TOKENS, Recurrent, Transformer, drawn


def transformers():
    rng = np.random.default_rng(1)
    X, Y = (rng.integers(TOKENS, size=(2, LENGTH)) for _ in range(2))
    return drawn(Transformer()), models_of_jax.transformer, X, Y, "categorical", {"divisor": LENGTH}


def recurrences():
    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(2, 3, 2)), rng.uniform(size=(2, 2))
    return drawn(Recurrent(), 3), models_of_jax.recurrent, X, Y, "bernoulli", {}


@pytest.fixture(scope="module", params=[transformers, recurrences])
def two(request):
    model, function, X, Y, objective, options = request.param()
    of_torch = torch_oracle(model, torch.as_tensor(X), Y, objective, **options)
    return of_torch, jax_oracle(function, models_of_jax.parameters(model), X, Y, objective, **options)


def test_names(two):
    ours, theirs = two
    assert set(ours.names) == set(theirs.names)


def test_loss_and_gradients(two):
    ours, theirs = two
    close(ours.outputs, theirs.outputs)
    close(ours.loss, theirs.loss)
    for name in ours.names:
        close(ours.matrix(name), theirs.matrix(name))
        close(ours.gradient(name), theirs.gradient(name))


def test_exact_blocks(two):
    ours, theirs = two
    for name in ours.names:
        close(ours.gauss_newton_block(name), theirs.gauss_newton_block(name))
    first, *_, last = ours.names
    close(ours.gauss_newton_block(first, last), theirs.gauss_newton_block(first, last))


def test_hessian_blocks(two):
    ours, theirs = two
    for name in ours.names:
        close(ours.hessian_block(name), theirs.hessian_block(name))
    first, *_, last = ours.names
    close(ours.hessian_block(first, last), theirs.hessian_block(first, last))


def test_pairs_and_approximations(two):
    ours, theirs = two
    found = list(parts(ours))
    assert set(found) == set(parts(theirs))
    assert len(found) >= 3
    for name, part in found:
        batch, others = ours.pairs(name, part), theirs.pairs(name, part)
        for one, other in zip(batch, others, strict=True):
            close(one.a, other.a)
            close(one.C, other.C)
        compared = same_approximations(ours.approximations(name, part), theirs.approximations(name, part), batch)
        assert len(compared) >= 5
