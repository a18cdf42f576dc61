"""The oracle of a module equals `kfgn_reference.shared_weights`, which knows the layers."""

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
import torch
from kfgn_conformance.functions import torch_oracle
from kfgn_conformance.functions.function_oracle import APPROXIMATIONS

from tests.reference.shared_weights.problems import FLOATS

from .agreement import close, same_approximations
from .chains import module

LAYERS = (shared.Dense, shared.Convolution, shared.Pooling, shared.Flatten, shared.Elementwise)
"""The kinds of layers whose module has one matrix, the same as the reference's. The others are in a transformer."""

PROBLEMS = [name for name, made in FLOATS.items() if all(isinstance(layer, LAYERS) for layer in made()[0].layers)]


@pytest.fixture(scope="module", params=PROBLEMS)
def both(request):
    """A problem of the reference, the oracle of its module, and the name of each layer with weights."""
    net, X, Y = FLOATS[request.param]()
    model, names = module(net, X.shape[1])
    oracle = torch_oracle(model, torch.as_tensor(X), Y, net.objective, divisor=net.divisor)
    return (net, X, Y), oracle, names


def names_of(oracle, name):
    """The name of a matrix with or without a bias."""
    return name if name in oracle.names else f"{name}.weight"


def test_loss_and_gradient(both):
    problem, oracle, names = both
    close(oracle.loss, shared.loss(*problem))
    for l, gradient in shared.gradient(*problem).items():
        close(oracle.matrix(names_of(oracle, names[l])), problem[0].layers[l - 1].weight)
        close(oracle.gradient(names_of(oracle, names[l])), gradient)


def test_exact_blocks(both):
    problem, oracle, names = both
    exact, hessian = shared.gauss_newton_blocks(*problem), shared.hessian_blocks(*problem)
    assert exact.keys() == names.keys()
    for l, name in names.items():
        close(oracle.gauss_newton_block(names_of(oracle, name)), exact[l])
        close(oracle.hessian_block(names_of(oracle, name)), hessian[l])


def test_pairs(both):
    problem, oracle, names = both
    for (l, group), batch in shared.pairs(*problem).items():
        for one, expected in zip(oracle.pairs(names_of(oracle, names[l]), group), batch, strict=True):
            close(one.a, expected.a)
            close(one.C, expected.C)


def test_sampled_pairs(both):
    (net, X, Y), oracle, names = both
    rng = np.random.default_rng(5)
    labels = rng.integers(2, size=(len(X), 3, *np.shape(Y)[1:]))
    for (l, group), batch in shared.sampled_pairs(net, X, labels).items():
        found = oracle.pairs(names_of(oracle, names[l]), group, labels)
        for one, expected in zip(found, batch, strict=True):
            close(one.C, expected.C)


def test_approximations(both):
    problem, oracle, names = both
    compared = set()
    for (l, group), batch in shared.pairs(*problem).items():
        results = {method: getattr(shared, method)(batch) for method in APPROXIMATIONS}
        expected = {m: r.block if isinstance(r, shared.Factors) else r for m, r in results.items()}
        compared |= set(same_approximations(oracle.approximations(names_of(oracle, names[l]), group), expected, batch))
    assert compared == set(APPROXIMATIONS)
