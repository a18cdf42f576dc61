"""Problems with a mask: their masks and sizes, their JSON, and the faults of a mask."""

import json
import re
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from kfgn_conformance import (
    SHARED_WEIGHTS,
    Dense,
    Flatten,
    Pooling,
)
from kfgn_conformance.golden.form import FOLDER, SCHEMA, fault_of_arrays
from kfgn_conformance.known_oracles import digest
from kfgn_conformance.problems.layers import Convolution
from kfgn_conformance.problems.masked import check_mask, fault_of_mask, first_positions, lengths_of
from kfgn_conformance.problems.problem import exact
from kfgn_conformance.problems.serialisation import as_json, from_json
from kfgn_conformance.problems.shared_weights.dyadic import far_from_discontinuities, has_gradient
from kfgn_conformance.problems.shared_weights.fixed import shared_problems
from kfgn_conformance.problems.shared_weights.masked_sequences import masked_problems
from kfgn_conformance.quantities.shared_weights.factors import is_token_wise
from kfgn_conformance.relatives import PARTS, relatives

from .sizes import check_sizes

TOKENS, EMBEDDING, CONVOLUTIONS = masked_problems()

problems = pytest.mark.parametrize("problem", masked_problems(), ids=[problem.id for problem in masked_problems()])

ROWS = ("shared_gradient", "expand_q", "reduce_blocks")


def with_noise(problem, seed):
    """The problem with other values at masked positions."""
    rng = np.random.default_rng(seed)
    donor = rng.permutation(problem.N)

    def mixed(array, mask, axis):
        shape = (len(mask), *(1,) * (axis - 1), mask.shape[1], *(1,) * (array.ndim - axis - 1))
        return np.where(mask.reshape(shape), array, np.flip(array[donor], axis=axis))

    X, outputs = problem.X, problem.masks[-1]
    return replace(
        problem,
        X=mixed(X, problem.mask, X.ndim - 1),
        Y=mixed(problem.Y, outputs, 1),
        labels=mixed(problem.labels, outputs, 2),
    )


@problems
def test_the_sizes_of_a_problem_differ(problem):
    check_sizes(problem)
    for mask in problem.masks:
        counts = mask.sum(axis=1)
        assert mask.shape[1] == 1 or len(set(counts)) == problem.N
        assert mask.shape[1] == 1 or counts.max() == mask.shape[1]


@problems
def test_a_problem_is_suitable(problem):
    assert far_from_discontinuities(problem)
    assert has_gradient(problem)
    assert exact(problem) is problem
    assert fault_of_mask(problem) == ""


def test_gaps_and_padding_and_both_kinds_of_sums_occur():
    gaps = [not np.array_equal(first_positions(lengths_of(p.mask), p.shapes[0][1:]), p.mask) for p in masked_problems()]
    assert gaps == [is_token_wise(p) for p in masked_problems()] == [True, True, False]
    means = [p.masks[-1].sum() / p.N for p in masked_problems()]
    assert [p.divisor for p in masked_problems()] == [1, means[1], 1]


@problems
@pytest.mark.parametrize("quantity", ROWS)
def test_values_at_masked_positions_have_no_influence(problem, quantity):
    row, other = SHARED_WEIGHTS[quantity], with_noise(problem, 1)
    assert not np.array_equal(other.X, problem.X)
    for a, b in zip(row.value(problem), row.value(other), strict=True):
        np.testing.assert_array_equal(a, b)


@problems
def test_a_problem_is_read_from_its_json(problem):
    written = json.loads(json.dumps(as_json(problem)))
    schema = json.loads((FOLDER / SCHEMA).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator({"$ref": "#/$defs/problem", "$defs": schema["$defs"]}).validate(written)
    read = from_json(written)
    assert fault_of_arrays(read) == ""
    np.testing.assert_array_equal(read.mask, problem.mask)
    assert digest(read) == digest(problem)
    assert digest(replace(problem, mask=~problem.mask)) != digest(problem)


def test_the_first_datapoints_keep_their_masks():
    part = TOKENS.head(2)
    np.testing.assert_array_equal(part.mask, TOKENS.mask[:2])
    assert [len(mask) for mask in part.masks] == [2] * 4


def test_a_relative_keeps_the_mask():
    found = relatives(CONVOLUTIONS)
    assert len(found) == len(PARTS)
    assert all(np.array_equal(other.mask, CONVOLUTIONS.mask) for other in found)


MALFORMED = {
    "of numbers": (lambda mask: mask.astype(int).tolist(), "lists that are nested 2 deep"),
    "of a wrong depth": (lambda mask: mask[0].tolist(), "lists that are nested 2 deep"),
    "ragged": (lambda mask: [[True], [True, False]], "nested lists of equal lengths"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_mask_is_named(name):
    change, message = MALFORMED[name]
    with pytest.raises(ValueError, match=f"mask: expected true and false in {message}"):
        from_json(as_json(TOKENS) | {"mask": change(TOKENS.mask)})


def test_a_network_of_the_paper_has_no_mask():
    written = as_json(TOKENS) | {"inputs": 3, "layers": as_json(replace(TOKENS, layers=(Dense(2),)))["layers"]}
    with pytest.raises(ValueError, match="mask: expected no mask for a network without positions, got a mask"):
        from_json(written)


FAULTS = {
    "shape": (replace(TOKENS, mask=TOKENS.mask[:, :3]), r"mask: expected shape \(5, 7\), got \(5, 3\)"),
    "none counted": (replace(TOKENS, mask=TOKENS.mask & False), "expected a counted position in datapoint 0, got none"),
    "gaps": (replace(CONVOLUTIONS, mask=CONVOLUTIONS.mask[:, ::-1]), "expected the counted positions first for a Conv"),
    "flatten": (replace(TOKENS, layers=(*TOKENS.layers[:2], Flatten())), "expected one position before a Flatten"),
    "circular": (
        replace(CONVOLUTIONS, layers=(Convolution(4, 3, padding=(1, 1), circular=True), *CONVOLUTIONS.layers[1:])),
        "expected no circular padding",
    ),
    "too short": (
        replace(CONVOLUTIONS, layers=(Pooling(3, 1, "sum"),), weights=(), bases=()),
        "expected an output of the Pooling in each datapoint",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_mask_that_does_not_fit_is_named(name):
    problem, message = FAULTS[name]
    fault = fault_of_arrays(problem) if name == "shape" else fault_of_mask(problem)
    assert re.search(message, fault)


@pytest.mark.parametrize("problem", [*masked_problems(), shared_problems()[0]], ids=lambda problem: problem.id)
def test_a_problem_of_the_kit_has_no_fault(problem):
    check_mask(problem)
