"""The table of docs/methods.md: the formulas of multiplications are those of the matrix products of each method."""

import re
from pathlib import Path

import array_api_compat.numpy
import numpy as np
import pytest

from kfgn._curvature import ekfac, kfoc, pairs, tkfac, tnt

PAGE = Path(__file__).parents[2] / "docs" / "methods.md"
ROW = re.compile(r"^\| `kfgn\.(\w+)` \| .* \| (.*) \| (.*) \|$", re.MULTILINE)
TABLE = {name: cells for name, *cells in ROW.findall(PAGE.read_text(encoding="utf-8"))}
"""The cells for one position and for T positions, by method."""

SIZES = {"N": 3, "K": 5, "T": 4, "D": 2, "P": 7}


def formula(method, position):
    """The value of the only formula in a cell. Letters next to each other are multiplied."""
    (text,) = re.findall(r"\$(.*?)\$", TABLE[method][position])
    return eval(re.sub(r"(?<=[\w)]) (?=[\w(])", " * ", text.replace("^", "**")), {}, SIZES)


@pytest.fixture
def count(monkeypatch):
    """A function that counts the multiplications of the matrix products in a call."""
    done = []

    def counting(module, name, multiplications):
        function = getattr(module, name)

        def counted(*arguments, **options):
            result = function(*arguments, **options)
            done.append(multiplications(result, *arguments, **options))
            return result

        monkeypatch.setattr(module, name, counted)

    for module in (ekfac, kfoc, pairs):
        counting(module, "matmul", lambda result, A, _B: result.size * A.shape[-1])
    counting(kfoc, "symmetric_product", lambda result, A, _B: result.size * A.shape[-2])
    for module in (tkfac, tnt):
        counting(module, "gram", lambda result, A: result.size * A.shape[-2])
    counting(
        array_api_compat.numpy,
        "tensordot",
        lambda result, A, _B, axes: result.size * np.prod([A.shape[axis] for axis in axes[0]]),
    )

    def of_call(function, *arguments):
        done.clear()
        function(*arguments)
        return sum(done)

    return of_call


def of_batch(T):
    N, K, _, D, P = SIZES.values()
    rng = np.random.default_rng(0)
    return pairs.Pairs(rng.normal(size=(N, T, P)), rng.normal(size=(K, N, T, D)))


Q, G = np.eye(SIZES["P"]), np.eye(SIZES["D"])


@pytest.mark.parametrize("position", [0, 1], ids=["one position", "T positions"])
def test_the_formulas_count_the_products(position, count):
    batch = of_batch((1, SIZES["T"])[position])
    assert count(ekfac._sum_of_squares, batch, Q, G) == formula("ekfac", position)
    for each, factor in ((kfoc._first_sum, G), (kfoc._second_sum, Q)):
        assert count(each, batch, factor) == formula("kfoc", position)
    assert count(tkfac.weighted_sums, batch) == formula("tkfac", 0) * (1, SIZES["T"])[position]
    assert count(tnt._sums, batch) == (formula("tnt", 1) if position else formula("tkfac", 0))


def test_cells_without_a_formula_refer_to_another_cell():
    assert TABLE["tkfac"][1] == TABLE["foof"][1] == "the same for each position"
    assert TABLE["tnt"][0] == "those of TKFAC"
    assert formula("foof", 0) == SIZES["N"] * SIZES["P"] ** 2
