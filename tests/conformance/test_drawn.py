"""The random problems of a run: all shapes differ, and the same seed gives the same problems."""

from collections import Counter
from itertools import islice

import pytest
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets import drawn as drawn_module
from kfgn_conformance.problem_sets.drawn import (
    DATAPOINTS,
    LABELS,
    WIDTHS,
    distinct_shapes,
    drawn_problems,
    drawn_shared_problems,
)
from kfgn_conformance.problem_sets.drawn_layers import distinct_recipes
from kfgn_conformance.problem_sets.standard import check_patterns, problem_set, random_ids
from kfgn_conformance.problems.cases import SPLITS
from kfgn_conformance.problems.dyadic import Shape
from kfgn_conformance.problems.layers import Convolution, Flatten, Pooling, activation_shapes, positions_of
from kfgn_conformance.quantities import QUANTITIES, SHARED_WEIGHTS


def shape_of(problem):
    """The sizes and functions of a problem."""
    p = problem
    return Shape(p.objective, p.widths, p.transfers, p.N, p.labels.shape[1], p.psd)


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, 6 if metafunc.config.getoption("--thorough") else 2))


def test_no_two_drawn_problems_have_one_shape(seed, thorough):
    count = 15 if thorough else len(SPLITS)
    problems = drawn_problems(count, seed)
    assert len(problems) == count
    assert Counter(map(shape_of, problems)).most_common(1)[0][1] == 1
    assert {p.objective for p in problems} == {objective for objective, _ in SPLITS}
    for p in problems:
        assert all(Oracle(p, quantity).is_conclusive for quantity in QUANTITIES.values())


def test_sizes_are_few_since_jax_compiles_for_each():
    for shape in islice(distinct_shapes(0), 200):
        assert {*shape.widths} <= {*WIDTHS, 3}
        assert shape.N in DATAPOINTS
        assert shape.S in LABELS


def test_objectives_alternate_and_every_seed_has_different_shapes():
    shapes = list(islice(distinct_shapes(1), 300))
    assert len(set(shapes)) == 300
    assert [(s.objective, s.psd) for s in shapes[:10]] == 2 * SPLITS
    assert shapes != list(islice(distinct_shapes(2), 300))
    assert shapes == list(islice(distinct_shapes(1), 300))


def test_a_seed_gives_the_same_problems_every_time():
    first, second = (drawn_problems(3, 1) for _ in range(2))  # the tolerances of these problems are already computed
    for a, b in zip(first, second, strict=True):
        assert a.id == b.id
        assert (a.X == b.X).all()
        assert all((V == W).all() for V, W in zip(a.weights, b.weights, strict=True))


def recipe_of(problem):
    """The layers and the sizes of a problem with shared weights."""
    p = problem
    return p.objective, p.psd, p.inputs, p.layers, p.N, p.labels.shape[1], p.divisor


def test_drawn_problems_with_shared_weights_differ_and_are_conclusive(seed, thorough):
    problems = drawn_shared_problems(10 if thorough else 2, seed)
    assert len(set(map(recipe_of, problems))) == len(problems)
    assert [p.id for p in problems] == [f"drawn-shared-{i}" for i in range(1, len(problems) + 1)]
    for p in problems:
        rows = [row for row in SHARED_WEIGHTS.values() if row.applies_to(p)]
        assert all(Oracle(p, row).is_conclusive for row in rows)
        assert len(p.bases) == sum(layer.groups for layer in p.weighted)


def test_recipes_have_every_option():
    """All shapes are valid, and 300 recipes have every kind of layer and each option, along one axis and along two."""
    recipes = list(islice(distinct_recipes(0), 300))
    assert len(set(recipes)) == 300
    assert [(r.objective, r.psd) for r in recipes[:10]] == 2 * SPLITS
    layers = [layer for r in recipes for layer in r.layers]
    assert any(isinstance(layer, Flatten) for layer in layers)
    for axes in (1, 2):
        along = [layer for layer in layers if isinstance(layer, Convolution) and len(layer.windows) == axes]
        assert {layer.circular for layer in along} == {True, False}
        assert {layer.groups for layer in along} >= {1, 2}
        assert {w.stride for layer in along for w in layer.windows} == {1, 2}
        assert {w.dilation for layer in along for w in layer.windows} == {1, 2}
        pooled = [layer for layer in layers if isinstance(layer, Pooling) and len(layer.windows) == axes]
        assert {layer.kind for layer in pooled} == {"mean", "sum"}
    for r in recipes:
        assert all(min(shape) > 0 for shape in activation_shapes(r.inputs, r.layers))
    assert {positions_of(activation_shapes(r.inputs, r.layers)[-1]) > 1 for r in recipes} == {True, False}
    assert recipes != list(islice(distinct_recipes(1), 300))


def test_a_third_of_the_examples_have_shared_weights_in_addition(monkeypatch):
    """Their number does not depend on the problems, so that no tolerance is computed."""
    monkeypatch.setattr(drawn_module, "is_conclusive", lambda problem: True)
    assert random_ids(4) == ["drawn-1", "drawn-2", "drawn-3", "drawn-4", "drawn-shared-1"]
    drawn = [p.id for p in problem_set(3, 0, offered={"expand_q"}) if p.id.startswith("drawn")]
    assert drawn == random_ids(3)
    without = [p.id for p in problem_set(3, 0, offered={"kfra"}) if p.id.startswith("drawn")]
    assert without == ["drawn-1", "drawn-2", "drawn-3"]
    check_patterns(["drawn-shared-1"], 3)
    with pytest.raises(ValueError, match=r"got drawn-shared-2.*, drawn-1 to drawn-5, and drawn-shared-1 to d"):
        check_patterns(["drawn-shared-2"], 5)
