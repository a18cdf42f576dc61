"""The likely reasons for wrong shapes, which the message of a wrong form ends with."""

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, Conventions, check
from kfgn_conformance.problems.cases import cases

PROBLEMS = cases()[:2]
SEPARATE = Conventions(bias="separate")
MISSING = 'is the appended 1 of the bias missing? Conventions(bias="separate") declares separate biases'


def without_bias(quantity, arrays, problem):
    """The arrays without the bias of each layer."""
    for array, W in zip(arrays, problem.weights, strict=True):
        n = W.shape[0] * (W.shape[1] - 1)
        yield {"gradient": array[:, :-1], "q": array[:-1, :-1], "kflr_blocks": array[:n, :n]}[quantity]


def message(quantity, change, conventions=None):
    """The message on the answers change(arrays, problem), as one line."""

    def mine(problem):
        return [np.ascontiguousarray(a) for a in change(QUANTITIES[quantity].value(problem), problem)]

    result = check(quantity, mine, problems=PROBLEMS, conventions=conventions)
    return result.report.cells[0].worst.detail


@pytest.mark.parametrize("quantity", ["gradient", "q", "kflr_blocks"])
def test_a_missing_bias_is_named(quantity):
    assert message(quantity, lambda arrays, p: without_bias(quantity, arrays, p)).endswith(f"; {MISSING}")


def test_separate_arrays_for_the_biases_are_named():
    def parts(arrays, _):
        return [part for array in arrays for part in (array[:, :-1], array[:, -1])]

    assert message("gradient", parts) == f"expected 3 arrays, got 6; {MISSING}"


@pytest.mark.parametrize(
    ("quantity", "form"),
    [
        ("gradient", "W_1, b_1, W_2, b_2 and so on"),
        ("q", "Q_1, Q_2 and so on, without the row and the column of the appended 1"),
        ("kflr_blocks", "the block of W_1, the block of b_1, the block of W_2 and so on"),
    ],
)
def test_the_form_of_separate_biases_is_in_the_message(quantity, form):
    assert f'; with Conventions(bias="separate"), the kit expects {form}' in message(
        quantity, lambda arrays, _: arrays, SEPARATE
    )


def test_reversed_and_transposed_shapes_are_named():
    assert message("kflr", lambda arrays, _: arrays[::-1]).endswith(
        "; the shapes are those of the layers in reversed order"
    )
    assert 'Conventions(layout="in_out")' in message("gradient", lambda arrays, _: [a.T for a in arrays])


def test_any_other_shape_has_no_reason():
    assert message("q", lambda arrays, _: [a[:-2, :-2] for a in arrays]).endswith(", got (4, 4)")
    assert message("kflr", lambda arrays, _: [a[:-1, :-1] for a in arrays]).endswith(", got (6, 6)")
