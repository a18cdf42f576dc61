"""Golden vectors of a network in which only the second layer has a bias, and the mistakes that they show."""

import numpy as np
import pytest
from kfgn_conformance import golden
from kfgn_conformance.diagnosis.textbook import Textbook
from kfgn_conformance.golden.problems import TRAPS, trap

NAME = "some-biases"
VECTORS = [vector for vector in golden.load(golden.FOLDER) if vector.id.endswith(f"-trap-{NAME}")]


class LastColumnTakenForTheBias(Textbook):
    """No derivative is propagated through the last column of a matrix, also if the layer has no bias."""

    def kernel(self, l):
        W = super().kernel(l)
        return W if self.has_bias(l) else np.hstack([W[:, :-1], 0 * W[:, -1:]])


class LastInputTakenForTheUnit(Textbook):
    """The last input of a layer without a bias is replaced by the unit of a bias in Q."""

    def moments(self, l):
        a = self.a[l] if self.has_bias(l) else np.hstack([self.a[l][:, :-1], np.ones((self.N, 1))])
        return a[:, :, None] * a[:, None, :]


def errors(textbook, vector):
    """The error of each array of an answer, divided by its tolerance in float64."""
    made = textbook(trap(NAME, TRAPS[NAME]).problem).answer(vector.quantity)
    return [
        np.max(np.abs(a - np.array(array.float64))) / array.tolerances["float64"]
        for a, array in zip(made, vector.expected, strict=True)
    ]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.quantity)
def test_the_textbook_is_right(vector):
    assert max(errors(Textbook, vector)) <= 1


@pytest.mark.parametrize(
    ("quantity", "textbook"),
    [
        ("gradient", LastColumnTakenForTheBias),
        ("kfra", LastColumnTakenForTheBias),
        ("kflr_blocks", LastColumnTakenForTheBias),
        ("q", LastInputTakenForTheUnit),
        ("kfac_blocks", LastInputTakenForTheUnit),
    ],
)
def test_a_bias_where_the_layer_has_none_is_caught(quantity, textbook):
    (vector,) = (vector for vector in VECTORS if vector.quantity == quantity)
    assert max(errors(textbook, vector)) > 1e3


def test_the_flag_and_the_shapes():
    assert {vector.quantity for vector in VECTORS} == set(TRAPS[NAME].quantities)
    assert all("NoBias" in vector.flags for vector in VECTORS)
    (of_gradient,) = (vector for vector in VECTORS if vector.quantity == "gradient")
    assert [np.shape(array.float64) for array in of_gradient.expected] == [(3, 2), (4, 4), (3, 4)]
