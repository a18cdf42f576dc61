"""The definition that a block computed elsewhere satisfies, up to a factor and the order of vec."""

import re

import numpy as np
import pytest
from kfgn_conformance.functions import torch_oracle
from torch import nn

from .models_of_torch import drawn

N, T = 3, 5


class Cumulative(nn.Module):
    """Sums over the positions up to each one, so that positions mix."""

    def forward(self, a):
        return a.cumsum(dim=1)


@pytest.fixture(scope="module")
def oracle():
    model = drawn(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.LayerNorm(3), Cumulative(), nn.Linear(3, 2)))
    rng = np.random.default_rng(8)
    return torch_oracle(model, rng.normal(size=(N, T, 2)), rng.integers(2, size=(N, T)), "categorical")


DEFINITIONS = ("expand", "reduce", "kfoc", "tkfac", "tnt", "ekfac", "foof", "gauss_newton_block", "hessian_block")


@pytest.mark.parametrize("factor", [1, T, 1 / T, N * T])
@pytest.mark.parametrize("definition", DEFINITIONS)
def test_the_definition_and_the_factor_are_found(oracle, definition, factor):
    exact = {name: getattr(oracle, name)("0") for name in ("gauss_newton_block", "hessian_block")}
    block = (exact | oracle.approximations("0"))[definition]
    first, second, *others = oracle.matches("0", block / factor)
    assert (first.definition, first.vec) == (definition, "columns")
    assert first.factor == pytest.approx(factor, rel=1e-9)
    assert first.error < 1e-12
    assert second.error > 0.01
    assert {one.definition for one in (first, second, *others)} == set(DEFINITIONS)


def test_the_order_of_vec_is_found(oracle):
    """A block for the rows of W, (O, I) = (3, 3): the factors have changed places."""
    block = oracle.approximations("0")["expand"].reshape(3, 3, 3, 3).transpose(1, 0, 3, 2).reshape(9, 9)
    first, *_ = oracle.matches("0", block)
    assert (first.definition, first.vec) == ("expand", "rows")
    assert first.error < 1e-12


def test_a_parameter_without_products(oracle):
    """The two exact blocks are the definitions of a scale."""
    found = oracle.matches("2.weight", 2 * oracle.gauss_newton_block("2.weight"))
    assert [one.definition for one in found] == ["gauss_newton_block", "hessian_block"]
    assert found[0].factor == pytest.approx(0.5)


def test_zeros(oracle):
    assert {(one.factor, one.error) for one in oracle.matches("0", np.zeros((9, 9)))} == {(0.0, 1.0)}


def test_a_block_of_a_wrong_size(oracle):
    with pytest.raises(ValueError, match=re.escape("block: expected shape (9, 9) for 0, got (8, 8)")):
        oracle.matches("0", np.eye(8))
