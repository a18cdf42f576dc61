"""Values by products over the batch are those of the reference, and wrong ones are not recognised."""

from dataclasses import replace

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES
from kfgn_conformance.batched import BATCHED, agree, batched, signatures
from kfgn_conformance.changes import LARGE
from kfgn_conformance.known_oracles import Known, known_oracle
from kfgn_conformance.oracle import Oracle, evaluated, tolerances
from kfgn_conformance.problems.cases import case, cases
from kfgn_conformance.problems.fixed import fixed
from kfgn_conformance.problems.real import REAL_PROBLEMS
from kfgn_conformance.quantities import largest

PROBLEMS = [*cases(), *(problem for problem in fixed() if problem.id.startswith(("batch-2-", "shape-")))]
CASE = case("bernoulli", "project", ("tanh", "softplus"))


def without_biases(problem):
    """The same problem without the bias of every layer but the first."""
    layers = (problem.layers[0], *(replace(layer, bias=False) for layer in problem.layers[1:]))
    W, V = ((arrays[0], *(a[:, :-1] for a in arrays[1:])) for arrays in (problem.weights, problem.arguments.direction))
    return replace(problem, layers=layers, weights=W, arguments=problem.arguments._replace(direction=V))


def ratios(problem, name):
    """The error of every array over its tolerance in float64."""
    right = Oracle(problem, QUANTITIES[name])
    pairs = zip(batched(problem, name), right.arrays, right.tolerances("float64"), strict=True)
    return [largest(fast - slow) / tolerance for fast, slow, tolerance in pairs]


@pytest.mark.parametrize("name", BATCHED)
def test_batched_values_are_those_of_the_reference(name):
    for problem in PROBLEMS:
        assert max(ratios(problem, name)) < 1, problem.id


@pytest.mark.parametrize("name", BATCHED)
def test_batched_values_without_biases(name):
    assert max(ratios(without_biases(CASE.head(3)), name)) < 1


@pytest.mark.parametrize("name", BATCHED)
def test_only_large_problems_have_signatures(name):
    for problem in [*PROBLEMS, *(make() for make in REAL_PROBLEMS.values())]:
        known = known_oracle(problem, QUANTITIES[name])
        assert (known.signatures is not None) == (problem.parameters >= LARGE)
        assert known.arrays is None or known.signatures is None


def signed(name="gradient"):
    """An entry of a case with signatures, as that of a large problem."""
    right = Oracle(CASE, QUANTITIES[name])
    return Known(right.changes, right.sizes, None, False, signatures(right.arrays))


def test_an_error_of_100_tolerances_in_any_element_changes_the_signature():
    known = signed()
    allowed = tolerances(CASE, known)
    right = Oracle(CASE, QUANTITIES["gradient"]).arrays
    assert agree(right, known.signatures, allowed)
    for i, array in enumerate(right):
        for where in np.ndindex(array.shape):
            wrong = array.copy()
            wrong[where] += 100 * allowed[i]
            assert not agree((*right[:i], wrong, *right[i + 1 :]), known.signatures, allowed)


def equal(value, other):
    return all(np.array_equal(a, b) for a, b in zip(value.arrays, other.arrays, strict=True))


def test_a_wrong_batched_value_is_not_used():
    known, quantity = signed(), QUANTITIES["gradient"]
    right = evaluated(CASE, quantity)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BATCHED, "gradient", lambda p: dict(enumerate(right.arrays, start=1)))
        patch.setitem(vars(quantity), "oracle", lambda p: 0 / 0)
        assert equal(evaluated(CASE, quantity, known), right)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BATCHED, "gradient", lambda p: {l: 2 * a for l, a in enumerate(right.arrays, start=1)})
        assert equal(evaluated(CASE, quantity, known), right)
