"""The program that runs other libraries on the transformer block, with small libraries whose blocks are known."""

import ast
import re
from pathlib import Path

import kfgn_conformance.adapters.peers as peers
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
import torch
from kfgn_conformance.adapters import UnsupportedError
from kfgn_conformance.adapters.peers import transformer
from kfgn_conformance.adapters.peers.module_runs import given_gradients, gradients_of_sum, linear_layers
from kfgn_conformance.functions import transformer_block
from torch import nn

FOLDER = Path(peers.__file__).parent
LINEARS = ["query", "key", "value", "projection", "up", "down", "head"]


@pytest.fixture(scope="module", params=["tokens", "datapoint"])
def case(request):
    problem = transformer_block(request.param, divisor=7 if request.param == "tokens" else 1)
    return problem, problem.oracle()


class Frozen:
    """A problem whose oracle was computed before."""

    def __init__(self, problem, oracle):
        self.module, self.X, self.Y, self.objective, self.divisor = problem
        self.oracle = lambda: oracle

    def _replace(self, module):
        return transformer.ModuleProblem(module, self.X, self.Y, self.objective, self.divisor)


def rows(case, run):
    problem, oracle = case
    return list(transformer.rows({"method": run}, {"title": Frozen(problem, oracle)}))


def by_rows(block, outputs):
    """A block for stacked columns as the same block for stacked rows."""
    inputs = len(block) // outputs
    return block.reshape(inputs, outputs, inputs, outputs).transpose(1, 0, 3, 2).reshape(block.shape)


def test_a_factor_and_stacked_rows(case):
    """A library with 7 times expand for the layers over tokens, and half of it for the head."""
    problem, oracle = case

    def library(_):
        factors = {name: 0.5 if name == "head" else 7 for name in LINEARS}
        outputs = {name: layer.out_features for name, layer in linear_layers(problem).items()}
        return {n: by_rows(f * oracle.approximations(n)["expand"], outputs[n]) for n, f in factors.items()}

    first, second = rows(case, library)
    assert first == ("method", "title", "query, key, value, projection, up, down", "expand x 7", "rows")
    same = "expand" if problem.Y.ndim > 1 else "expand = reduce"
    assert second == ("method", "title", "head", f"{same} x 0.5", "rows")


def test_one_row_for_equal_layers(case):
    _, oracle = case
    (row,) = rows(case, lambda _: {name: oracle.gauss_newton_block(name) for name in ("query", "key")})
    assert row.layers == "all"
    assert row.block == "gauss_newton_block x 1"
    assert row.vec == "columns"


def test_a_wrong_block_has_the_nearest_definition(case):
    _, oracle = case

    def library(_):
        block = oracle.approximations("value")["expand"]
        return {"value": 2 * block + 0.01 * np.abs(block).max() * np.eye(len(block))}

    (row,) = rows(case, library)
    assert re.fullmatch(r"none; nearest is expand x 2\.\d+ with error 0\.0\d+", row.block)


def test_a_factor_is_the_nearest_to_one(case):
    """The roots of the bias of `down` are equal at all positions for one output, so reduce is 7 times expand."""
    problem, oracle = case
    (row,) = rows(case, lambda _: {"down.bias": oracle.approximations("down.bias")["expand"]})
    assert row.block.startswith("expand")
    assert row.block.endswith(" x 1")
    assert row.vec == ""
    if problem.Y.ndim == 1:
        roots = oracle.pairs("down.bias")
        assert np.allclose(shared.reduce(roots).block, 7 * shared.expand(roots).block)


def test_zeros_and_nan(case):
    (row,) = rows(case, lambda _: {"key": np.zeros((42, 42))})
    assert row.block == "0"
    (row,) = rows(case, lambda _: {"key": np.full((42, 42), np.nan)})
    assert row.block == "not finite"


def test_an_error_of_a_library_is_a_row(case):
    def library(_):
        raise RuntimeError("no attention\nhere")

    (row,) = rows(case, library)
    assert row == ("method", "title", "all", "RuntimeError: no attention", "")


def test_a_library_cannot_change_the_problem(case):
    problem, _ = case

    def library(given):
        assert given.module is not problem.module
        nn.init.zeros_(given.module.head.weight)
        return {}

    assert rows(case, library) == []
    assert problem.module.head.weight.abs().max() > 0


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # of torch.func.hessian
def test_given_gradients_have_the_exact_expectation(case):
    """The mean of outer products is the Hessian of the summed loss in the outputs, by PyTorch, for every datapoint."""
    problem, _ = case
    gradients = torch.stack(given_gradients(problem)).flatten(2)
    outputs = problem.module(problem.X).detach()
    assert gradients.shape[0] == outputs[0].numel()

    def loss(h, y):
        return nn.functional.cross_entropy(h.reshape(-1, 5), y.reshape(-1), reduction="sum")

    for n in range(len(outputs)):
        expected = torch.func.hessian(lambda h, n=n: loss(h, problem.Y[n]))(outputs[n])
        found = gradients[:, n].T @ gradients[:, n] / len(gradients)
        torch.testing.assert_close(found, expected.reshape(found.shape), rtol=1e-12, atol=1e-14)


def test_a_divisor_is_refused():
    """Libraries without an argument for it would have a wrong scale."""
    with pytest.raises(UnsupportedError, match="no divisor of the loss"):
        gradients_of_sum(transformer_block(divisor=7))
    assert len(gradients_of_sum(transformer_block())) == 35


def test_given_gradients_need_classes():
    with pytest.raises(UnsupportedError, match="no squared_error objective"):
        given_gradients(transformer_block(objective="squared_error"))


def tables():
    """The modules of adapters with a table `RUNS`, found without importing their libraries."""
    for path in FOLDER.glob("*.py"):
        nodes = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.AnnAssign)]
        if any(node.target.id == "RUNS" for node in nodes):
            yield path.stem


def test_every_table_belongs_to_a_library():
    assert sorted(tables()) == sorted(transformer.LIBRARIES)


def test_the_session_runs_every_library():
    """The session `peers` runs the program on all its libraries except those without K-FAC."""
    source = (FOLDER.parents[3] / "noxfile.py").read_text(encoding="utf-8")
    names = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("PEERS", "WITHOUT_KFAC")
    }
    assert set(names["PEERS"]) - set(names["WITHOUT_KFAC"]) == set(transformer.LIBRARIES)


def test_an_unknown_library(capsys):
    with pytest.raises(SystemExit):
        transformer.main(["laplace"])
    assert "invalid choice: 'laplace'" in capsys.readouterr().err
