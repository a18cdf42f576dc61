"""Every product of PyTorch that is seen: its inputs, its matrix and its positions."""

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
import torch
from kfgn_conformance.functions import torch_oracle
from torch import nn
from torch.nn import functional

from .agreement import close, parts
from .models_of_torch import drawn


class Product(nn.Module):
    """The outputs are the pre-activations of a product with the parameters `weight` and, if given, `bias`."""

    def __init__(self, function, weight, bias=None):
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.empty(weight))
        self.bias = nn.Parameter(torch.empty(bias)) if bias else None

    def forward(self, x):
        arguments = (x, self.weight) if self.bias is None else (x, self.weight, self.bias)
        return self.function(*arguments)


class OutputsLast(nn.Module):
    """The outputs (N, ..., O) of a module whose outputs are (N, O, ...)."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x).movedim(1, -1)


PRODUCTS = {
    "linear": (Product(functional.linear, (3, 4), 3), (2, 4)),
    "linear of a sequence without bias": (Product(functional.linear, (3, 4)), (2, 5, 4)),
    "linear by keywords": (Product(lambda x, W: functional.linear(input=x, weight=W), (3, 4)), (2, 4)),
    "linear of a transpose": (Product(lambda x, W, b: functional.linear(x, W.T, b), (4, 3), 3), (2, 4)),
    "@ of a sequence": (Product(lambda x, W: x @ W, (4, 3)), (2, 5, 4)),
    "@ from the left": (Product(lambda x, W: (W @ x).transpose(1, 2), (3, 4)), (2, 4, 5)),
    "matmul": (Product(torch.matmul, (4, 3)), (2, 4)),
    "mm by keywords": (Product(lambda x, W: torch.mm(x, mat2=W), (4, 3)), (2, 4)),
    "@ of a vector": (Product(lambda x, w: (x @ w)[..., None], (4,)), (2, 5, 4)),
    "a vector @": (Product(lambda x, w: (w @ x)[..., None], (4,)), (2, 4, 5)),
    "mv": (Product(lambda x, W: torch.stack([torch.mv(W, row) for row in x]), (3, 4)), (1, 4)),
    "addmm": (Product(lambda x, W, b: torch.addmm(b, x, W), (4, 3), 3), (2, 4)),
    "conv1d": (OutputsLast(nn.Conv1d(2, 3, 4, stride=2, padding=3, dilation=2)), (2, 2, 11)),
    "conv1d, circular": (OutputsLast(nn.Conv1d(2, 3, 4, padding=2, padding_mode="circular")), (2, 2, 7)),
    "conv1d, same": (OutputsLast(nn.Conv1d(2, 3, 4, padding="same", dilation=3)), (2, 2, 9)),
    "conv1d, groups": (OutputsLast(nn.Conv1d(4, 6, 3, groups=2)), (2, 4, 5)),
    "conv2d": (OutputsLast(nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2))), (2, 2, 5, 7)),
    "conv2d, same": (OutputsLast(nn.Conv2d(2, 3, (4, 2), padding="same", bias=False)), (2, 2, 5, 3)),
    "conv2d, depthwise": (OutputsLast(nn.Conv2d(3, 3, 2, groups=3, padding="valid")), (2, 3, 4, 3)),
}


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("name", PRODUCTS)
def test_a_product(name):
    """The inputs times the transposed matrix are the outputs, so the order of both is that of the blocks."""
    model, shape = PRODUCTS[name]
    X = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    outputs = drawn(model)(X).detach().numpy()
    oracle = torch_oracle(model, X, np.zeros(outputs.shape), "squared_error")
    (whole,) = oracle.names
    groups = [oracle.pairs(whole, part) for _, part in parts(oracle)]
    weights = np.split(oracle.matrix(whole), len(groups))
    for n, expected in enumerate(oracle.outputs):
        products = [group[n].a @ W.T for group, W in zip(groups, weights, strict=True)]
        close(np.concatenate(products, axis=1), expected)
    block = oracle.gauss_newton_block(whole)
    close(sum(shared.exact_block(group).trace() for group in groups), block.trace())
    if len(groups) == 1:
        close(shared.exact_block(groups[0]), block)


BIASES = {
    "@": (lambda x, W, b: x @ W + b, ("weight, bias",)),
    "the bias first": (lambda x, W, b: torch.add(b, torch.matmul(x, W)), ("weight, bias",)),
    "a sum": (lambda x, W, b: (x @ W + x[:, :1]) + b, ("weight, bias",)),
    "a module and a parameter": (lambda x, W, b: functional.linear(x, W.T, b) + b, ("weight, bias",)),
    "a second use": (lambda x, W, b: (h := x @ W) + b + torch.tanh(h), ("weight", "bias")),
    "a second use in a list": (lambda x, W, b: (h := x @ W) + b + torch.stack([h, h])[0], ("weight", "bias")),
    "a product": (lambda x, W, b: (x @ W) * b, ("weight", "bias")),
}


@pytest.mark.parametrize("name", BIASES)
def test_a_bias(name):
    """A bias that is added to a product is the last column, unless the product has another use."""
    function, names = BIASES[name]
    X = torch.randn(3, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    model = drawn(Product(function, (2, 3), 3))
    oracle = torch_oracle(model, X, np.zeros(model(X).shape), "squared_error")
    assert oracle.names == names
    if name == "a module and a parameter":
        with pytest.raises(ValueError, match="weight, bias: expected products that account for the Jacobian"):
            oracle.pairs("weight, bias")
    else:
        close(shared.exact_block(oracle.pairs(names[0])), oracle.gauss_newton_block(names[0]))


class TwoHeads(nn.Module):
    """One product whose matrix has the rows of two parameters."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Parameter(torch.empty(2, 3)), nn.Parameter(torch.empty(1, 3))

    def forward(self, x):
        return torch.tanh(functional.linear(x, torch.cat([self.first, self.second])))


def test_rows_of_two_parameters():
    """Each parameter is a part of the rows of the matrix."""
    X = torch.randn(2, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    oracle = torch_oracle(drawn(TwoHeads()), X, np.zeros((2, 3)), "squared_error")
    assert oracle.names == ("first, second",)
    for name in ("first", "second", "first, second"):
        close(shared.exact_block(oracle.pairs(name)), oracle.gauss_newton_block(name))


def test_positions_are_no_bias():
    """Parameters that are added with different values at the positions of a product."""
    model = drawn(Product(lambda x, W, b: x @ W + b, (2, 4), (3, 4)))
    X = torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    oracle = torch_oracle(model, X, np.zeros((2, 3, 4)), "squared_error")
    assert oracle.names == ("weight", "bias")
    close(shared.exact_block(oracle.pairs("weight")), oracle.gauss_newton_block("weight"))


def test_a_table_that_becomes_activations():
    """The rows of a table are activations after they are read, and their product is no use of the table."""
    model = drawn(nn.Embedding(5, 3))
    scores = Attended(model)
    oracle = torch_oracle(scores, torch.tensor([[0, 3], [4, 1]]), np.zeros((2, 2, 2)), "squared_error")
    (name,) = oracle.names
    assert [pair.a.shape for pair in oracle.pairs(name)] == [(2, 5)] * 2
    close(shared.exact_block(oracle.pairs(name)), oracle.gauss_newton_block(name))


class Attended(nn.Module):
    """The products of the rows of a table with each other, for each datapoint."""

    def __init__(self, table):
        super().__init__()
        self.table = table

    def forward(self, x):
        return torch.stack([rows @ rows.T for rows in self.table(x)])


def test_parts_of_a_parameter():
    """Products with different rows of a parameter are its parts."""

    def product(x, W):
        return torch.cat([functional.linear(x, W[1:]), x @ W[:1].T], dim=-1)

    model, X = drawn(Product(product, (3, 4))), torch.tensor([[1.0, 2.0, 0.5, -1.0]])
    oracle = torch_oracle(model, X, np.zeros((1, 3)), "squared_error")
    assert [oracle.pairs("weight", part)[0].C.shape for part in (1, 2)] == [(1, 2, 3), (1, 1, 3)]
    close(oracle.matrix("weight"), model.weight.detach()[[1, 2, 0]])
    close(oracle.gauss_newton_block("weight"), np.kron(np.outer(X[0], X[0]), np.eye(3)))


def test_embedding():
    """The inputs are one-hot vectors, and 0 for the index of padding, which has no derivative."""
    model = drawn(nn.Embedding(5, 3, padding_idx=2))
    X = torch.tensor([[1, 2, 4], [2, 1, 1]])
    oracle = torch_oracle(model, X, np.zeros((2, 3, 3)), "squared_error")
    first = oracle.pairs("weight")[0].a
    assert first.tolist() == [[0, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1]]
    assert oracle.matrix("weight").T.tolist() == model.weight.tolist()
    close(shared.exact_block(oracle.pairs("weight")), oracle.gauss_newton_block("weight"))


class Attention(nn.Module):
    """Attention between a sequence and itself, or between two sequences with different channels."""

    def __init__(self, channels, need_weights):
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, kdim=channels, vdim=channels, batch_first=True)
        self.need_weights = need_weights

    def forward(self, x, other):
        return self.attention(x, other, other, need_weights=self.need_weights)[0]


@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("channels", [4, 3])
def test_projections_of_attention(channels, need_weights):
    generator = torch.Generator().manual_seed(2)
    X = tuple(torch.randn(2, T, C, generator=generator, dtype=torch.float64) for T, C in ((3, 4), (5, channels)))
    oracle = torch_oracle(drawn(Attention(channels, need_weights)), X, np.zeros((2, 3, 4)), "squared_error")
    found = {}
    for name, part in parts(oracle):
        found.setdefault(name, []).append(shared.exact_block(oracle.pairs(name, part)))
    assert set(found) == set(oracle.names)
    for name, exact in found.items():
        close(sum(np.trace(block) for block in exact), np.trace(oracle.gauss_newton_block(name)))


def test_a_weight_without_its_bias():
    """The name of a parameter is the part of the matrix with its entries."""
    model, X = drawn(nn.Linear(2, 3)), torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    oracle = torch_oracle(model, X, np.zeros((2, 3)), "squared_error")
    block = oracle.gauss_newton_block("weight, bias")
    close(oracle.gauss_newton_block("weight"), block[:6, :6])
    close(oracle.gauss_newton_block("bias"), block[6:, 6:])
    close(oracle.gauss_newton_block("weight", "bias"), block[:6, 6:])
    assert oracle.pairs("weight")[0].a.tolist() == [[1, 2]]
    assert oracle.pairs("bias")[0].a.tolist() == [[1]]
    close(shared.exact_block(oracle.pairs("weight")), block[:6, :6])
