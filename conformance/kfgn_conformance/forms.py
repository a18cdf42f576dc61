"""The form of an answer: the number of its arrays, their shapes and dtypes, and finite values."""

from collections.abc import Sequence

import numpy as np

from .oracle import Oracle
from .problems.problem import Problem
from .quantities import ROWS, Arrays, Quantity

Shapes = Sequence[tuple[int, ...]]

SEPARATE = 'Conventions(bias="separate")'
EXPECTED_PARTS = {
    "weights": "W_1, b_1, W_2, b_2 and so on, without b_l for a layer without a bias",
    "blocks": "the block of W_1, the block of b_1, the block of W_2 and so on, without the block of b_l for a layer "
    "without a bias",
    "inputs": "Q_1, Q_2 and so on, without the row and the column of the appended 1",
}
"""The arrays that the kit expects of an implementation with separate biases, by the kind of the arrays."""


def well_formed(answer: object, oracle: Oracle, dtype: str) -> tuple[Arrays, str]:
    """Return the arrays of an answer and "" if its form is right, and otherwise no arrays and the fault of the form."""
    if not isinstance(answer, tuple) or not all(isinstance(a, (np.ndarray, np.generic)) for a in answer):
        return (), f"expected a tuple of NumPy arrays, got {type(answer).__qualname__}"
    arrays, right = tuple(np.asarray(a) for a in answer), oracle.value
    if len(arrays) != len(right.arrays):
        return (), f"expected {len(right.arrays)} arrays, got {len(arrays)}"
    for i, (a, q) in enumerate(zip(arrays, right.arrays, strict=True), start=1):
        if a.shape != q.shape:
            return (), f"array {i}: expected shape {q.shape}, got {a.shape}"
        if right.integer and a.dtype.kind not in "iu":
            return (), f"array {i}: expected an integer dtype, got {a.dtype}"
        if not right.integer and a.dtype != dtype:
            return (), f"array {i}: expected dtype {dtype}, got {a.dtype}"
        if not np.all(np.isfinite(a)):
            return (), f"array {i}: expected finite values, got NaN or infinity"
    return arrays, ""


def hint(oracle: Oracle, answer: object, translations: Sequence[str]) -> str:
    """The likely reason for wrong shapes, as a text that begins with a semicolon.

    Returns "" if the shapes are right, or if no reason is known.

    translations: the translations that brought the answer into the kit's conventions
    """
    quantity, right = oracle.quantity, [q.shape for q in oracle.arrays]
    got = [np.shape(a) for a in answer] if isinstance(answer, tuple) else right
    if got == right:
        return ""
    if quantity.array_kind and ROWS.get(quantity.name) is not quantity:  # the biases are declared to be separate
        return f"; with {SEPARATE}, the kit expects {EXPECTED_PARTS[quantity.array_kind]}"
    if translations:
        return ""
    if len(got) > 1 and got == right[::-1]:
        return "; the shapes are those of the layers in reversed order"
    if quantity.array_kind == "weights" and got == [shape[::-1] for shape in right]:
        return '; the shapes are (inputs, outputs), which Conventions(layout="in_out") declares'
    if quantity.array_kind and got in _without_biases(oracle.problem, quantity, right):
        return f"; is the appended 1 of the bias missing? {SEPARATE} declares separate biases"
    return ""


def _without_biases(problem: Problem, quantity: Quantity, right: Shapes) -> list[Shapes]:
    """The shapes of an answer without biases, and the shapes of an answer with separate arrays for the biases."""
    alone, parts = list[tuple[int, ...]](), list[tuple[int, ...]]()
    kind = quantity.array_kind
    for (layer, (D, P)), shape in zip(quantity.weights_of(problem), right, strict=True):
        weights = {"weights": (D, P - 1), "blocks": (D * (P - 1),) * 2, "inputs": (P - 1, P - 1)}[kind]
        biases: dict[str, Shapes] = {"weights": [(D,)], "blocks": [(D, D)], "inputs": []}
        alone.append(weights if layer.bias else shape)
        parts += [weights, *biases[kind]] if layer.bias else [shape]
    return [alone, parts]
