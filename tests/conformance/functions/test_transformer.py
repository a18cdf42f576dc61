"""The transformer block that ships with the kit: exact blocks against `torch.func`, pairs, and fixed weights."""

import hashlib
import itertools
from math import gcd

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
import torch
from kfgn_conformance.functions import transformer, transformer_block
from torch import nn
from torch.func import functional_call, hessian, jacrev
from torch.nn import functional

from .agreement import close

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # of torch.func.hessian

LINEARS = ["query", "key", "value", "projection", "up", "down", "head"]
CASES = {
    "tokens": lambda: transformer_block(),
    "mean over tokens": lambda: transformer_block(divisor=transformer.T),
    "datapoint": lambda: transformer_block("datapoint"),
    "squared error": lambda: transformer_block(objective="squared_error"),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    problem = CASES[request.param]()
    return problem, problem.oracle()


def loss(problem, h, y):
    """The loss of one datapoint, written without the kit."""
    if problem.objective == "squared_error":
        return ((h - y) ** 2).sum() / 2
    rows = h.reshape(-1, h.shape[-1])
    total = functional.cross_entropy(rows, y.reshape(-1), reduction="sum")
    return total / (7 if problem.divisor != 1 else 1)


def outputs(problem, parameters, X):
    return functional_call(problem.module, parameters, (X,))


def with_columns(problem, name):
    """The parameters of a matrix W, and W as a function of them: the bias is the last column, a table is transposed."""
    layer = problem.module.get_submodule(name.removesuffix(".weight"))
    if isinstance(layer, nn.Embedding):
        return {name: layer.weight}, lambda parts: parts[name].transpose(-1, -2)
    names = [f"{name}.{part}" for part in ("weight", "bias")]
    return {n: layer.get_parameter(n.rpartition(".")[2]) for n in names}, lambda parts: torch.cat(
        [parts[names[0]], parts[names[1]][..., None]], dim=-1
    )


def vec(matrix, lead):
    """Stack the columns of matrices (..., O, I), behind `lead` axes."""
    return matrix.transpose(-1, -2).reshape(*matrix.shape[:lead], -1)


@pytest.mark.parametrize("name", [*LINEARS, "embedding.weight"])
def test_gauss_newton_blocks(case, name):
    """The mean of J^T H J by torch.func, with all columns of W stacked."""
    problem, oracle = case
    parts, joined = with_columns(problem, name)
    expected = 0
    for x, y in zip(problem.X, problem.Y, strict=True):
        h = outputs(problem, {}, x[None])[0].detach()
        J = jacrev(lambda p, x=x: outputs(problem, p, x[None])[0].reshape(-1))(parts)
        J = vec(joined(J), 1)
        H = hessian(lambda h, y=y: loss(problem, h, y))(h).reshape(h.numel(), -1)
        expected = expected + J.T @ H @ J / len(problem.X)
    close(oracle.gauss_newton_block(name), expected.detach().numpy())


@pytest.mark.parametrize("name", ["key", "down"])
def test_hessian_blocks(case, name):
    """The Hessian of the mean loss of the whole batch."""
    problem, oracle = case
    parts, joined = with_columns(problem, name)

    def mean_loss(step):
        moved = {n: parts[n] + (step[:, -1] if n.endswith("bias") else step[:, :-1]) for n in parts}
        h = outputs(problem, moved, problem.X)
        return sum(loss(problem, *one) for one in zip(h, problem.Y, strict=True)) / len(h)

    zero = torch.zeros_like(joined(parts))
    O, I = zero.shape
    expected = hessian(mean_loss)(zero).permute(1, 0, 3, 2).reshape(O * I, O * I)
    close(oracle.hessian_block(name), expected.detach().numpy())
    close(oracle.gradient(name), jacrev(mean_loss)(zero).detach().numpy())


def test_every_product_is_seen(case):
    """The sum of a_t kron C_t over the pairs is the root of the exact block, for every layer that has products."""
    problem, oracle = case
    seen = [name for name, module in problem.module.named_modules() if isinstance(module, nn.Linear)]
    assert seen == LINEARS
    for name in [*seen, "embedding.weight"]:
        close(shared.exact_block(oracle.pairs(name)), oracle.gauss_newton_block(name))
        T = 1 if name == "head" and problem.module.pooled else transformer.T
        assert [len(pair.a) for pair in oracle.pairs(name)] == [T] * transformer.N
    assert set(oracle.names) == {*LINEARS, "embedding.weight"} | {
        f"norm_{i}.{part}" for i in (1, 2) for part in ("weight", "bias")
    }


def test_a_shift_of_the_keys(case):
    """The bias of the keys has no influence, so the block of reduce is 0, unlike that of expand."""
    _, oracle = case
    found = oracle.approximations("key")
    assert np.abs(found["reduce"]).max() < 1e-20
    assert np.abs(found["expand"]).max() > 1e-3
    assert np.abs(oracle.gauss_newton_block("key.bias")).max() < 1e-20


def test_pairs_of_a_bias_without_influence(case):
    """The sum of the roots of the keys cancels to a rounding error, and every use of the bias was seen."""
    _, oracle = case
    roots = [pair.C for pair in oracle.pairs("key.bias")]
    assert all(np.abs(C.sum(axis=0)).max() < 1e-14 < 1e-3 < np.abs(C).max() for C in roots)
    found = {one.definition: one for one in oracle.matches("key.bias", 3 * oracle.approximations("key.bias")["expand"])}
    assert found["expand"].error < 1e-12
    assert found["expand"].factor == pytest.approx(1 / 3)


def test_approximations_differ(case):
    """Expand and reduce are far from each other, except in the head of one output per datapoint."""
    problem, oracle = case
    for name in LINEARS:
        blocks = oracle.approximations(name)
        same = name == "head" and problem.module.pooled
        assert np.allclose(blocks["expand"], blocks["reduce"], rtol=1e-12, atol=0) == same


def test_sizes_have_no_common_divisor():
    names = ("N", "T", "VOCABULARY", "WIDTH", "HEADS", "HIDDEN", "CLASSES")
    sizes = {name: getattr(transformer, name) for name in names}
    shared_by = {pair for pair in itertools.combinations(names, 2) if gcd(*map(sizes.get, pair)) > 1}
    assert shared_by == {("WIDTH", "HEADS")}
    assert len(set(sizes.values())) == len(names)


@pytest.mark.parametrize("t", range(transformer.T))
def test_attention_is_causal(t):
    """A token changes the outputs of itself and of all later tokens, and no earlier ones."""
    problem = transformer_block()
    X = problem.X.clone()
    X[:, t] = (X[:, t] + 1) % transformer.VOCABULARY
    with torch.no_grad():
        changed = (problem.module(X) - problem.module(problem.X)).abs().amax(dim=(0, 2))
    assert changed[:t].sum() == 0
    assert changed[t:].min() > 1e-3


def test_the_output_of_a_datapoint():
    """The head is affine, so the output of a datapoint is the mean of the outputs of its tokens."""
    tokens, pooled = transformer_block(), transformer_block("datapoint")
    close(pooled.module(pooled.X).detach(), tokens.module(tokens.X).mean(dim=1).detach())


def digest(problem):
    """A hash of all numbers of a problem."""
    every = [*problem.module.parameters(), problem.X, problem.Y]
    return hashlib.sha256(b"".join(x.detach().numpy().astype("<f8").tobytes() for x in every)).hexdigest()[:16]


def test_the_numbers_are_the_same_everywhere():
    """The hashes change only with the problem. The state of PyTorch's generator has no influence."""
    torch.manual_seed(1)
    first = {name: digest(make()) for name, make in CASES.items()}
    torch.manual_seed(2)
    assert {name: digest(make()) for name, make in CASES.items()} == first
    assert first == HASHES
    problem = transformer_block()
    for parameter in problem.module.parameters():
        assert parameter.dtype == torch.float64
        assert torch.equal(parameter.float().double(), parameter)


HASHES = {
    "tokens": "0fb7ddc3ccd28d6d",
    "mean over tokens": "0fb7ddc3ccd28d6d",
    "datapoint": "38eedcb396582958",
    "squared error": "b0a19790f54a9356",
}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"outputs": "mean"}, "outputs: expected tokens or datapoint, got 'mean'"),
        ({"objective": "mixture"}, "objective: expected categorical or squared_error, got 'mixture'"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        transformer_block(**arguments)
