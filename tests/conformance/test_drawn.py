"""The random problems of a run: all shapes differ, and the same seed gives the same problems."""

from collections import Counter
from itertools import islice

from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.drawn import DATAPOINTS, LABELS, WIDTHS, distinct_shapes, drawn_problems
from kfgn_conformance.problems.cases import SPLITS
from kfgn_conformance.problems.dyadic import Shape
from kfgn_conformance.quantities import QUANTITIES


def shape_of(problem):
    """The sizes and functions of a problem."""
    p = problem
    return Shape(p.objective, p.widths, p.transfers, p.N, p.labels.shape[1], p.psd)


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, 6 if metafunc.config.getoption("--thorough") else 2))


def test_no_two_drawn_problems_have_one_shape(seed, thorough):
    count = 15 if thorough else 7
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
    first, second = (drawn_problems(3, 7) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert a.id == b.id
        assert (a.X == b.X).all()
        assert all((V == W).all() for V, W in zip(a.weights, b.weights, strict=True))
