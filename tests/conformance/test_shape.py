"""The description of an error that no known mistake explains: true, bounded, and with the size it is relative to."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from kfgn_conformance.adapters import Description
from kfgn_conformance.diagnosis import Answered, diagnose, explain
from kfgn_conformance.diagnosis.shape import shape_of_error
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, trajectory_problem
from kfgn_conformance.problems.cases import case
from kfgn_conformance.problems.dyadic import Shape, clear
from kfgn_conformance.quantities import QUANTITIES, ROWS
from kfgn_conformance.runner import run

CASE = case("bernoulli", "project", ("tanh", "softplus"))
KFLR = QUANTITIES["kflr"]
SINGLE = "as if a part of the computation were in float32"
DTYPES = ("float32", "float64")


oracle = cache(Oracle)


def right(quantity=KFLR, problem=CASE):
    return [array.copy() for array in oracle(problem, quantity).arrays]


def said(arrays, dtype="float64", quantity=KFLR, problem=CASE):
    """The sentences, one for each wrong array."""
    arrays = tuple(a if a.dtype.kind == "i" else a.astype(dtype) for a in arrays)
    head, *sentences = shape_of_error(oracle(problem, quantity), arrays, dtype).split("; array ")
    assert head.startswith(f"on {problem.id} {len(arrays) - len(sentences)} of {len(arrays)} arrays ")
    return [f"array {sentence}" for sentence in sentences]


@pytest.mark.parametrize("excess", [1e-13, 1e-12, 1e-10, -3e-9, 2.5e-8, 6e-8, -1e-7, 1e-5])
@pytest.mark.parametrize("quantity", ["kflr", "gradient", "hessian_blocks", "solve_exact"])
def test_a_constant_factor_near_one_is_told_as_such(quantity, excess):
    """In float64; also where the error is as large as float32's rounding."""
    arrays = [(1 + excess) * a for a in right(QUANTITIES[quantity])]
    sentences = said(arrays, quantity=QUANTITIES[quantity])
    assert sentences or excess == 1e-13  # which is within the tolerance of some
    for sentence in sentences:
        assert f" is 1 {'+' if excess > 0 else '-'} " in sentence
        assert sentence.endswith(" times the right array")
        assert float(sentence.split(" is 1 ")[1][2:].split(" ")[0]) == pytest.approx(abs(excess), rel=0.1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_factor_that_is_a_count_is_named(dtype):
    for factor, name in ((13, "N"), (1 / 17, "1/(S)"), (11, "D_L"), (121, "D_L^2")):
        for sentence in said([factor * a for a in right()], dtype):
            assert f"is {factor:.6g} times the right array, and this factor is {name}" in sentence
    for factor in (2, 12.999, 13.005, -1):
        for sentence in said([factor * a for a in right()], dtype):
            assert sentence.endswith(f"is {factor:.6g} times the right array")


@pytest.mark.parametrize("level", [1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("relative", [False, True])
def test_noise_far_below_the_rounding_of_float32_is_noise(level, seed, relative):
    rng = np.random.default_rng(seed)
    arrays = [a + level * (a if relative else np.max(np.abs(a))) * rng.uniform(-1, 1, a.shape) for a in right()]
    sentences = said(arrays)
    assert len(sentences) == 3 or level < 1e-13
    for sentence in sentences:
        assert SINGLE not in sentence
        assert " times the right array" not in sentence
        assert " elements " in sentence
        assert "of the largest element, " in sentence


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("in_tolerances", [1.5, 20, 1e3, 1e5])
def test_one_wrong_element_is_counted_and_found(dtype, in_tolerances):
    """Also where it is off by what float32's rounding would be."""
    arrays = right()
    arrays[0][3, 2] += in_tolerances * oracle(CASE, KFLR).tolerances(dtype)[0]
    (sentence,) = said(arrays, dtype)
    assert sentence.startswith("array 1: 1 of 49 elements is wrong: [3, 2], by ")
    assert "of the largest element, " in sentence


@pytest.mark.parametrize("error", [1e-8, 6e-8, 1e-7])
def test_one_wrong_element_is_not_float32(error):
    arrays = right()
    arrays[0][3, 2] += error * np.max(np.abs(arrays[0]))
    (sentence,) = said(arrays)
    assert SINGLE not in sentence
    assert "1 of 49 elements is wrong: [3, 2]" in sentence


def test_a_few_wrong_elements_are_listed():
    arrays = right()
    arrays[0][2, :4] *= 1.5
    (sentence,) = said(arrays)
    assert "array 1: 4 of 49 elements are wrong: [2, 0], [2, 1], [2, 2], [2, 3], by " in sentence
    arrays[0][2] *= 1.5
    assert "array 1: 7 of 49 elements are wrong: [2, 0], [2, 1], [2, 2], [2, 3], ..., by " in said(arrays)[0]


@pytest.mark.parametrize("quantity", ["kflr", "kfra", "gradient", "gauss_newton_blocks", "solve_exact", "loss"])
def test_a_computation_in_float32_is_named(quantity):
    """The reference in float32, its answer as float64."""
    single = CASE.map_reals(lambda x: x.astype(np.float32))
    sentences = said([np.asarray(a) for a in QUANTITIES[quantity].value(single)], quantity=QUANTITIES[quantity])
    assert sum(SINGLE in sentence for sentence in sentences) > len(sentences) / 2
    for sentence in sentences:
        assert "of the largest element, " in sentence


def test_a_part_in_float32_is_named():
    """The last array rounded to float32, and the middle one a product with a factor that was."""
    arrays = right()
    arrays[2] = arrays[2].astype(np.float32).astype(np.float64)
    arrays[1] = arrays[1] + 0.1 * (arrays[1].astype(np.float32) - arrays[1]) * 8
    sentences = said(arrays)
    assert [SINGLE in sentence for sentence in sentences] == [True, True]


def test_float32_is_no_explanation_in_float32():
    rng = np.random.default_rng(0)
    arrays = [a + 1e-4 * np.max(np.abs(a)) * rng.uniform(-1, 1, a.shape) for a in right()]
    for sentence in said(arrays, "float32"):
        assert SINGLE not in sentence
        assert "elements are wrong by " in sentence


def test_what_float32_does_not_explain_is_not_said_to_be_float32():
    rng = np.random.default_rng(0)
    for level in (1e-4, 1e-2):
        arrays = [a + level * np.max(np.abs(a)) * rng.uniform(-1, 1, a.shape) for a in right()]
        assert not any(SINGLE in sentence for sentence in said(arrays))


@pytest.mark.parametrize("dtype", DTYPES)
def test_zeros_and_transposes_and_lost_symmetry_have_their_scale(dtype):
    arrays = right()
    arrays[0][:] = 0
    skew = np.triu(np.ones((3, 3)), 1) - np.tril(np.ones((3, 3)), -1)
    arrays[1] = arrays[1] + 0.1 * skew + 0.01
    first, second = said(arrays, dtype)
    assert first.startswith("array 1 is zero, where the largest element should be ")
    assert "9 of 9 elements are wrong by " in second
    assert "the array is not symmetric, by 0.2, which is " in second


def test_a_transpose_is_named():
    square = clear("square", Shape("bernoulli", (3, 4, 3), ("tanh",), 5, 2))
    first, second = right(QUANTITIES["gradient"], square)
    (sentence,) = said([first.T, second], quantity=QUANTITIES["gradient"], problem=square)
    assert sentence == "array 1 is the transpose of the right array"


def test_classes_are_counted():
    problem = case("categorical", "project", ("tanh", "softplus"))
    (labels,) = right(QUANTITIES["labels"], problem)
    labels = labels.astype(np.int64)
    labels[4, 2] += 1
    (sentence,) = said([labels], quantity=QUANTITIES["labels"], problem=problem)
    assert sentence.startswith("array 1: 1 of 221 elements is wrong: [4, 2], by 1, ")
    (sentence,) = said([2 * labels], quantity=QUANTITIES["labels"], problem=problem)
    assert "elements are wrong by " in sentence


def test_a_zero_array_has_nothing_to_be_relative_to():
    dead = replace(CASE, weights=(*CASE.weights[:2], 0 * CASE.weights[2]), Y=np.full_like(CASE.Y, 0.5))
    arrays = right(QUANTITIES["gradient"], dead)
    assert not np.any(arrays[0])
    arrays[0][0, 0] = 0.5
    (sentence,) = said(arrays, quantity=QUANTITIES["gradient"], problem=dead)
    assert sentence == "array 1 should be zero, and its largest element is 0.5"


class Noisy:
    """A little noise in every answer and more on the case that is given."""

    def __init__(self, worst):
        self.worst = worst

    def describe(self):
        return Description("noisy", "1", "float64", frozenset({"kflr"}))

    def compute(self, problem, _quantity):
        level = 1e-3 if problem.id == self.worst else 1e-6
        rng = np.random.default_rng(0)
        return tuple(a + level * np.max(np.abs(a)) * rng.uniform(-1, 1, a.shape) for a in right(problem=problem))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_detail_and_the_diagnosis_are_of_one_problem(place):
    problems = [case(objective, "project", ("tanh", "softplus")) for objective in ("bernoulli", "categorical")]
    problems.append(case("squared_error", "project", ("softplus", "tanh")))
    worst = problems[place].id
    (cell,) = run([Implementation("noisy", Noisy(worst))], problems).rows["kflr"]
    assert cell.worst.problem == worst
    assert cell.diagnosis.shape.startswith(f"on {worst} 0 of 3 arrays are right; array 1: ")


def test_what_is_too_large_for_the_catalogue_is_described_all_the_same(monkeypatch):
    monkeypatch.setattr(explain, "LARGE", 1)
    made = tuple(a + 0.25 for a in right())
    why = diagnose([Answered(oracle(CASE, KFLR), made)], "float64")
    assert not why.tried
    assert str(why).startswith(f"no known mistake was tried: on {CASE.id} 0 of 3 arrays are right; array 1: 49 of 49")


def test_an_answer_of_many_wrong_arrays_has_a_short_description():
    problem = trajectory_problem("kfra", *TRAJECTORIES["kfra"])
    of_steps = Oracle(problem, ROWS["optimiser_step"])
    arrays = tuple(1 + array for array in of_steps.arrays)
    text = shape_of_error(of_steps, arrays, "float64")
    assert text.startswith(f"on {problem.id} 0 of {len(arrays)} arrays are right; array 1")
    assert text.endswith(f"; {len(arrays) - 20} more are wrong")
    assert text.count("array ") == 20
