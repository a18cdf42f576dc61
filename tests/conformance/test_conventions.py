"""Conventions of external implementations: their translation, the notes on it, and unknown conventions."""

import numpy as np
import pytest
from kfgn_conformance.adapters import Conventions, Description
from kfgn_conformance.adapters.conventions import ConventionError, compared, translated
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.fixed import fixed
from kfgn_conformance.problems.shared_weights.fixed import shared_problems
from kfgn_conformance.quantities import QUANTITIES, ROWS

CASE = next(p for p in cases() if p.id == "case-squared_error-tanh")


SEPARATE = "biases are separate: the arrays for W_l and for b_l are compared"
WITHOUT_UNIT = "biases are separate: the factors have no row and no column for the input 1 of the bias"


@pytest.mark.parametrize(
    ("name", "bias", "notes"),
    [
        ("gradient", "separate", [SEPARATE]),
        ("gauss_newton_blocks", "separate", [SEPARATE]),
        ("q", "separate", [WITHOUT_UNIT]),
        ("expand_q", "separate", [WITHOUT_UNIT]),
        ("reduce_q", "separate", [WITHOUT_UNIT]),
        ("loss", "separate", []),
        ("q", "first", ["bias moved from the first input to the last input"]),
    ],
)
def test_a_note_on_the_biases_is_about_the_arrays_of_the_quantity(name, bias, notes):
    row = ROWS[name]
    problem = shared_problems()[0] if row.of_shared_weights else CASE
    answer = compared(row, Conventions(bias=bias)).value(problem)
    assert list(translated(answer, problem, row, Conventions(bias=bias))[1]) == notes


@pytest.mark.parametrize("bias", ["first", "separate"])
def test_a_network_without_biases_has_no_note_on_them(bias):
    (problem,) = (each for each in fixed() if each.id == "shape-without-biases-categorical")
    for name in ("gradient", "q"):
        assert translated(QUANTITIES[name].value(problem), problem, QUANTITIES[name], Conventions(bias=bias))[1] == ()


@pytest.mark.parametrize(
    ("loss", "note"),
    [
        ("2", "divided by 2, as the loss is 2 times the kit's loss"),
        ("2/D", "divided by 2/D, as the loss is 2/D times the kit's loss, where D is the number of outputs"),
    ],
)
def test_a_note_on_the_loss_explains_the_symbols_of_its_ratio_alone(loss, note):
    conventions = Conventions(loss={CASE.objective: loss})
    assert translated(QUANTITIES["loss"].value(CASE), CASE, QUANTITIES["loss"], conventions)[1] == (note,)


COMPARED = (
    *("gradient", "gauss_newton_blocks", "q", "kfac", "kronecker_matvec", "kronecker_trace"),
    *("preactivation_hessians", "jacobian_product", "transposed_jacobian_product"),
)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("loss", ["1", "2/D"])
@pytest.mark.parametrize("layout", ["out_in", "in_out"])
@pytest.mark.parametrize("stacking", ["columns", "rows"])
@pytest.mark.parametrize("bias", ["last", "first", "separate"])
@pytest.mark.parametrize("name", COMPARED)
def test_every_convention_is_translated_back(reduction, loss, layout, stacking, bias, name):
    """An answer is written in each convention element by element, by definition, and translated back."""
    conventions = Conventions(reduction, {CASE.objective: loss}, layout, stacking, bias)
    quantity = QUANTITIES[name]
    D_L = CASE.widths[-1]
    factor = {"1": 1, "2/D": 2 / D_L}[loss] ** (quantity.degree or 0)
    factor *= CASE.N if reduction == "sum" and quantity.mean else 1
    answer = []
    for W, right in zip(CASE.weights, quantity.oracle(CASE), strict=name != "jacobian_product"):
        D, P = W.shape
        parts = {"last": [range(P)], "first": [[P - 1, *range(P - 1)]], "separate": [range(P - 1), [P - 1]]}[bias]
        for inputs in parts:
            shape = (D, len(inputs)) if layout == "out_in" else (len(inputs), D)
            order = list(np.ndindex(*shape)) if stacking == "rows" else [ij[::-1] for ij in np.ndindex(*shape[::-1])]
            indices = [(i, inputs[j]) if layout == "out_in" else (j, inputs[i]) for i, j in order]  # (output, input)
            if quantity.array_kind == "weights":
                array = np.array([right[i, p] for i, p in indices])
                array = array.reshape(shape, order="C" if stacking == "rows" else "F")
                array = array.reshape(D) if bias == "separate" and len(inputs) == 1 else array
            elif name == "gauss_newton_blocks":
                at = [p * D + i for i, p in indices]
                array = right[np.ix_(at, at)]
            elif name == "q":
                if bias == "separate" and len(inputs) == 1:
                    continue
                array = right[np.ix_(inputs, inputs)]
            elif inputs is not parts[0]:
                continue
            else:
                array = right
            answer.append(factor * array)
    kept, notes = translated(tuple(answer), CASE, quantity, conventions)
    expected = compared(quantity, conventions).value(CASE)
    assert len(kept) == len(expected)
    for a, b in zip(kept, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)
    changed = any(a.shape != b.shape or np.any(a != b) for a, b in zip(answer, expected, strict=True))
    assert not changed or notes


def test_a_quantity_that_is_not_a_power_of_the_loss_is_not_rescaled():
    for conventions in (Conventions(reduction="sum"), Conventions(loss={CASE.objective: "2"})):
        (kept,), notes = translated((np.ones(1),), CASE, QUANTITIES["solve_trace"], conventions)
        np.testing.assert_array_equal(kept, np.ones(1))
        assert notes == ("compared without rescaling, as the quantity is not proportional to a power of the loss",)


def test_a_sum_over_datapoints_by_its_definition():
    """Per-datapoint quantities are not summed. J^T u is summed, although it is not a derivative of the loss."""
    factors = {"preactivation_hessians": 1, "jacobian_product": 1, "q": 1, "gradient": CASE.N, "kfac": CASE.N}
    for name, factor in {**factors, "transposed_jacobian_product": CASE.N}.items():
        answer = (np.ones(2),)
        kept, _ = translated(answer, CASE, QUANTITIES[name], Conventions(reduction="sum"))
        np.testing.assert_array_equal(kept[0] * factor, answer[0])


def test_a_misspelt_quantity_is_an_error():
    with pytest.raises(ValueError, match="expected names of quantities, got 'kfac_block'"):
        Description("mine", "1", "float64", frozenset({"kfac_block", "gradient"}))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"reduction": "none"}, "reduction: expected mean or sum, got 'none'"),
        ({"bias": "middle"}, "bias: expected last or first or separate"),
        ({"loss": {"softmax": "2"}}, "loss: expected objectives among .*, got 'softmax'"),
        *(
            ({"loss": {"bernoulli": ratio}}, "loss: expected a ratio such as '2', '1/2' or '2/D' for bernoulli, got ")
            for ratio in ("0", "-2", "1/0", "0.5", "D", "1/D/D", " 2", "", 2, ["2"])
        ),
        ({"reduction": "none", "bias": "middle"}, "reduction: .*; bias: expected last or first or separate"),
    ],
)
def test_unknown_conventions_are_errors(wrong, message):
    """Every wrong field is reported."""
    with pytest.raises(ConventionError, match=message):
        Conventions(**wrong)


@pytest.mark.parametrize(("ratio", "factor"), [("3", 3), ("1/2", 1 / 2), ("3/4/D", 3 / 44), ("2/D", 2 / 11)])
def test_the_ratio_of_a_loss_is_any_fraction(ratio, factor):
    assert CASE.widths[-1] == 11
    conventions = Conventions(loss={CASE.objective: ratio})
    kept, _ = translated((np.full(2, factor),), CASE, QUANTITIES["gradient"], conventions)
    np.testing.assert_allclose(kept[0], 1)


def test_conventions_in_the_place_of_the_flags():
    with pytest.raises(TypeError, match=r"flags: .* got Conventions; write conventions=Conventions\(\.\.\.\)"):
        Description("mine", "1", "float64", {"q"}, Conventions(reduction="sum"))
