"""Messages of the kit, in which the right value follows `expected` and the given value follows `got`."""

import numpy as np
import pytest
from kfgn_conformance.golden.checking import faults_of_arrays, faults_of_header, faults_of_names
from kfgn_conformance.golden.form import FOLDER, decoded
from kfgn_conformance.golden.making import header, mistakes
from kfgn_conformance.golden.vector import read
from kfgn_conformance.judging import compare
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problems.cases import case
from kfgn_conformance.quantities import QUANTITIES
from kfgn_conformance.tolerances import longest_sum

CASE = case("bernoulli", "project", ("tanh", "softplus"))
GRADIENT = QUANTITIES["gradient"]


def order(message, expected, got):
    """True if the right value follows `expected` and the wrong one follows `got`."""
    after = message.partition("expected ")[2]
    right, _, given = after.partition(", got ")
    return expected in right and got in given


@pytest.mark.parametrize(
    ("spoil", "expected", "got"),
    [
        (lambda a: a[:2], "3 arrays", "2"),
        (lambda a: [*a], "a tuple", "list"),
        (lambda a: (a[0].T, *a[1:]), "(7, 6)", "(6, 7)"),
        (lambda a: (a[0].astype("float32"), *a[1:]), "float64", "float32"),
        (lambda a: (a[0] * np.nan, *a[1:]), "finite", "NaN"),
    ],
)
def test_of_an_answer(spoil, expected, got):
    oracle = Oracle(CASE, GRADIENT)
    verdict = compare(spoil(oracle.arrays), oracle, "float64").verdict
    assert order(verdict.detail, expected, got), verdict.detail


def test_of_the_head_of_a_file_of_golden_vectors():
    right = header(GRADIENT)
    written = {**right, "description": "another", "notes": {}, "mistakes": {"kflr-for-kfra": "Another."}}
    of_head, of_mistakes = faults_of_header(written)
    assert order(of_head, repr(right["description"]), "'another'")
    assert order(of_mistakes, repr(mistakes(GRADIENT)["kflr-for-kfra"]), "'Another.'")


def test_of_a_golden_vector():
    file = FOLDER / "gradient.json"
    vector = next(v for v in read(decoded(file, file), file) if v.flags and v.problem.N > 1)
    n, oracle = longest_sum(vector.problem), Oracle(vector.problem, GRADIENT)
    assert order(next(faults_of_arrays(vector, oracle, n + 1)), str(n), str(n + 1))
    short = vector._replace(expected=(vector.expected[0]._replace(float64=np.ones((2, 9))),))
    shapes = str([W.shape for W in vector.problem.weights])
    assert order(next(faults_of_arrays(short, oracle, n)), shapes, "[(2, 9)]")
    other = vector._replace(flags=("Steps",))
    assert order(next(faults_of_names(other, {"notes": {}, "mistakes": {}})), ", ".join(vector.flags), "Steps")
