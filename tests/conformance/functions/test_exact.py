"""Exact blocks of models of PyTorch, against derivatives of the whole loss that are computed by `torch.func`."""

from collections import Counter

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
import torch
from kfgn_conformance.functions import torch_oracle
from torch import nn
from torch.func import functional_call, hessian, jacrev
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from .agreement import close, parts
from .models_of_torch import LENGTH, TOKENS, Recurrent, Transformer, drawn


def categorical(h, y):
    return functional.cross_entropy(h.reshape(-1, h.shape[-1]), y.reshape(-1), reduction="sum")


def pseudo_huber(h, y):
    """A loss without a name, which couples the outputs and has a positive definite Hessian."""
    return torch.sqrt(1 + ((h - y) ** 2).sum())


def transformer():
    X, Y = torch.randint(TOKENS, (2, 3, LENGTH), generator=torch.Generator().manual_seed(4))
    return drawn(Transformer()), X, Y, "categorical", categorical


def recurrent(model, objective=pseudo_huber):
    numbers = torch.randn(4, 8, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    return drawn(model, 6), numbers[:, :6].reshape(4, 3, 2), numbers[:, 6:] / 4, objective, pseudo_huber


pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # of torch.func.hessian


class LibraryRecurrent(nn.Module):
    """The recurrent network of the library, whose products are not seen."""

    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.RNN(2, 3, batch_first=True), nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


CASES = {
    "transformer": transformer,
    "recurrent": lambda: recurrent(Recurrent()),
    "nn.RNN": lambda: recurrent(LibraryRecurrent()),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    model, X, Y, objective, loss = CASES[request.param]()
    return model, X, Y, loss, torch_oracle(model, X, Y, objective)


def places(model, oracle, name):
    """The place of vec(W) in all parameters of a model, by the values of the entries, which are different."""
    theta = torch.cat([p.reshape(-1) for p in model.parameters()]).detach().numpy()
    return [int(np.flatnonzero(theta == value)[0]) for value in oracle.matrix(name).ravel(order="F")]


def applied(model, theta, X):
    """The outputs for other parameters, with the attention for which PyTorch has second derivatives."""
    with sdpa_kernel(SDPBackend.MATH):
        return functional_call(model, unravelled(model, theta), (X,))


def unravelled(model, theta):
    named = dict(model.named_parameters())
    parts = torch.split(theta, [p.numel() for p in named.values()])
    return {name: part.reshape(p.shape) for (name, p), part in zip(named.items(), parts, strict=True)}


def at(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def test_hessian_blocks(case):
    """The Hessian of the mean loss of the whole batch, computed in one piece."""
    model, X, Y, loss, oracle = case

    def mean_loss(theta):
        h = applied(model, theta, X)
        return sum(loss(h_n, y_n) for h_n, y_n in zip(h, Y, strict=True)) / len(X)

    expected = hessian(mean_loss)(at(model)).numpy()
    close(oracle.loss, mean_loss(at(model)))
    for name in oracle.names:
        rows = places(model, oracle, name)
        close(oracle.hessian_block(name), expected[np.ix_(rows, rows)])
        close(oracle.gradient(name).ravel(order="F"), jacrev(mean_loss)(at(model))[rows])
    first, *_, last = oracle.names
    columns = places(model, oracle, last)
    close(oracle.hessian_block(first, last), expected[np.ix_(places(model, oracle, first), columns)])


def test_gauss_newton_blocks(case):
    """The mean of J^T H J, with the Jacobian and the Hessian in the outputs of each datapoint."""
    model, X, Y, loss, oracle = case

    def outputs(theta, x):
        return applied(model, theta, x[None])[0]

    expected = 0
    for x, y in zip(X, Y, strict=True):
        h = outputs(at(model), x).detach()
        J = jacrev(outputs)(at(model), x).reshape(h.numel(), -1)
        H = hessian(loss)(h, y).reshape(h.numel(), -1)
        expected = expected + J.T @ H @ J / len(X)
    for name in oracle.names:
        rows = places(model, oracle, name)
        close(oracle.gauss_newton_block(name), expected[rows][:, rows])
        columns = places(model, oracle, oracle.names[-1])
        close(oracle.gauss_newton_block(name, oracle.names[-1]), expected[rows][:, columns])


def test_the_hessian_has_more_than_the_gauss_newton_matrix(case):
    """The difference, which the models with second derivatives have, is no rounding."""
    *_, oracle = case
    for name in oracle.names[:-1]:
        difference = np.abs(oracle.hessian_block(name) - oracle.gauss_newton_block(name)).max()
        assert difference > 1e-3 * np.abs(oracle.gauss_newton_block(name)).max()


def test_pairs_of_all_uses(case):
    """The pairs of all uses of a matrix have its exact block, and three steps of a recurrent network are three uses."""
    model, *_, oracle = case
    found = list(parts(oracle))
    counts = Counter(name for name, _ in found)
    assert len(counts) == {Transformer: 5, Recurrent: 3, LibraryRecurrent: 1}[type(model)]
    for name in (name for name, count in counts.items() if count == 1):
        batch = oracle.pairs(name)
        close(shared.exact_block(batch), oracle.gauss_newton_block(name))
        if name in ("inputs.weight", "state"):
            assert [len(pair.a) for pair in batch] == [3] * 4


def test_two_recurrent_networks():
    """The network of the library equals the one that is written with linear layers."""
    seen, X, Y, *_ = recurrent(Recurrent())
    hidden = LibraryRecurrent().double()
    names = {"rnn.weight_ih_l0": "inputs.weight", "rnn.weight_hh_l0": "state.weight", "rnn.bias_hh_l0": "state.bias"}
    own = dict(seen.named_parameters())
    values = {theirs: own[ours].detach() for theirs, ours in names.items()}
    zero = torch.zeros(3, dtype=torch.float64)
    hidden.load_state_dict(
        values | {"rnn.bias_ih_l0": zero} | {f"head.{n}": own[f"head.{n}"] for n in ("weight", "bias")}
    )
    one, other = (torch_oracle(model, X, Y, "squared_error") for model in (seen, hidden))
    for theirs, ours in names.items():
        close(other.gauss_newton_block(theirs), one.gauss_newton_block(ours))
        close(other.hessian_block(theirs), one.hessian_block(ours))


def test_an_indefinite_objective():
    """The mixture has a replacement of its indefinite Hessian, which the Hessian blocks do not have."""
    model = drawn(nn.Linear(2, 3), 7)
    oracle = torch_oracle(model, torch.tensor([[1.0, 2.0], [0.5, -1.0]]), np.array([0, 1]), "mixture")
    block, (name,) = oracle.gauss_newton_block(*oracle.names), oracle.names
    assert np.linalg.eigvalsh(block)[0] > -1e-12
    assert np.linalg.eigvalsh(oracle.hessian_block(name))[0] < -1e-3
    close(shared.exact_block(oracle.pairs(name)), block)
