"""The catalogue of mistakes. The textbook without a mistake is right, and each mistake is found and named."""

from functools import cache

import numpy as np
import pytest
from kfgn_conformance import Status
from kfgn_conformance.diagnosis import Answered, diagnose, mistakes_of
from kfgn_conformance.diagnosis.answers import answer_of
from kfgn_conformance.diagnosis.textbook import ANSWERS, Textbook
from kfgn_conformance.judging import compare
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.few_states import with_few_states
from kfgn_conformance.problem_sets.trajectories import trajectory_problems
from kfgn_conformance.problems.cases import SPLITS, case, cases, shape
from kfgn_conformance.problems.discontinuities import clear_of_kinks, near_border
from kfgn_conformance.problems.dyadic import dyadic_problem
from kfgn_conformance.problems.fixed import SHAPES, fixed
from kfgn_conformance.problems.problem import exact
from kfgn_conformance.quantities import QUANTITIES, STEPS
from kfgn_conformance.verdicts import WRONG

from ..pairs import each_value

ROWS = QUANTITIES | {quantity.name: quantity for quantity in STEPS}
"""The quantities of the paper. `shared_weights/test_mistakes.py` has the others."""

MISTAKES = mistakes_of(ROWS["loss"])

SMOOTH = (("tanh", "logistic"), ("softplus", "tanh"), ("logistic", "softplus"))


SQUARE = "shape-square-layers-categorical"


@cache
def drawn(seed):
    """Draw a problem of each objective, with the sizes of the cases and nonlinear smooth transfer functions.

    A last problem has layers of equal widths, since only these show an array of a wrong layer.

    Seed 0 gives the cases with such functions, since their d of the tolerance rule ships with the kit.
    """
    if seed == 0:
        square = [problem for problem in fixed() if problem.id == SQUARE]
        return (*(case(objective, psd, ("softplus", "tanh")) for objective, psd in SPLITS), *square)
    problems = []
    shapes = [shape(objective, psd, SMOOTH[(seed + i) % len(SMOOTH)]) for i, (objective, psd) in enumerate(SPLITS)]
    for i, of in enumerate((*shapes, SHAPES[SQUARE].shape)):
        for salt in range(100):
            rng = np.random.Generator(np.random.Philox([seed, i, salt]))
            problem = dyadic_problem(f"seed-{seed}-{i}", of, rng)
            if clear_of_kinks(problem) and not near_border(problem).any():
                break
        problems.append(exact(problem))
    return tuple(problems)


TELLING = (1, 2, 3, 5, 20, 40)
"""Steps of a walk at which something begins: averages, the refreshed factors, tau, gamma."""

ALONE = {
    "walk-momentum": (10, 15),  # steps at which rho is below 3/4, and not without its momentum, or the reverse
    "walk-rejected": (28,),
    "walk-saturated": (2,),
    "walk-converged": (5,),
}
"""Steps of walks that are about these steps."""

TRAJECTORIES = {
    **dict.fromkeys(("walk-kfra", "walk-kfac", "walk-ekfac", "walk-whole", "walk-options"), TELLING),
    **ALONE,
}
"""The steps of each walk at which the textbook is compared with the reference."""

NAMING = {
    "walk-kfra": (20,),
    "walk-kfac": (1,),
    "walk-ekfac": (3, 20),  # the weights of averages differ in the first steps alone
    "walk-whole": (1,),
    "walk-options": (20,),
    **ALONE,
}
"""The steps of each walk at which a mistake is named, and with --thorough at all steps of `TRAJECTORIES`.

The other steps show no further mistake, and separate none.
"""


@pytest.fixture(scope="session", autouse=True)
def all_steps(thorough):
    """Name every mistake at all steps with --thorough."""
    if thorough:
        NAMING.update(TRAJECTORIES)


oracle = cache(Oracle)


def walks(asked):
    """The step on some walks, at a few of their states."""
    return tuple(
        with_few_states(
            Oracle(problem, ROWS["optimiser_step"]), lambda here, steps=asked[problem.id]: here.t + 1 in steps
        )
        for problem in trajectory_problems()
        if problem.id in asked
    )


@cache
def walks_that_name():
    return walks(NAMING)


def oracles_for(quantity, seed):
    """The questions of a quantity on the problems of a seed. Walks have no seed."""
    if ROWS[quantity].of_trajectories:
        return walks_that_name()
    return [oracle(problem, ROWS[quantity]) for problem in drawn(seed)]


@cache
def wrong_answer(name, right):
    """Compute the answer of a mistake in float64. The oracle has computed it already, if it is finite."""
    textbook = MISTAKES[name].textbook
    arrays = answer_of(textbook, right)
    if arrays is None:
        with np.errstate(all="ignore"):
            arrays = textbook(right.problem).answer(right.quantity.name)
    return arrays


def answered(right, judged):
    """Return the answer in the form for a diagnosis, if it passed or has the right form."""
    usable = judged.verdict.status is Status.PASS or judged.wrong is not None
    return [Answered(right, judged.wrong)] if usable else []


@cache
def verdicts_on(name, quantity, seed, dtype):
    """Return the verdicts on the answers of a mistake in a dtype, and their diagnosis."""
    answers, verdicts = [], []
    for right in oracles_for(quantity, seed):
        arrays = tuple(a if a.dtype.kind in "iu" else a.astype(dtype) for a in wrong_answer(name, right))
        judged = compare(arrays, right, dtype)
        verdicts.append(judged.verdict)
        answers += answered(right, judged)
    return verdicts, diagnose(answers, dtype)


@pytest.mark.parametrize("quantity", ROWS)
def test_the_textbook_is_right(quantity):
    """The textbook passes on every fixed problem, and from every state of the optimiser trajectories."""
    fixed_ones = (oracle(problem, ROWS[quantity]) for problem in (*cases(), *fixed()))
    for right in walks(TRAJECTORIES) if ROWS[quantity].of_trajectories else fixed_ones:
        verdict = compare(Textbook(right.problem).answer(quantity), right, "float64").verdict
        assert verdict.status is Status.PASS, verdict


LIKELY = sorted(
    ROWS, key=lambda name: (ROWS[name].of_trajectories, name not in ("gradient", "kflr", "kfra", "solve_trace"))
)
"""The quantities, those first in which the most mistakes show."""


def test_every_quantity_has_an_answer():
    assert set(ANSWERS) == set(ROWS)


def test_the_catalogue():
    assert len(MISTAKES) >= 40
    for mistake in MISTAKES.values():
        assert mistake.description.endswith(".")
        assert mistake.name not in ("", "textbook")


def classes(quantity, seed, dtype):
    """Return the mistakes that the diagnosis names, for each mistake with a wrong answer of the right form."""
    wrong = {name for name in MISTAKES if any(v.status in WRONG for v in verdicts_on(name, quantity, seed, dtype)[0])}
    diagnoses = {name: verdicts_on(name, quantity, seed, dtype)[1] for name in wrong}
    return {name: {m.name for m in why.mistakes} for name, why in diagnoses.items() if why is not None}


FLOAT32 = ("gradient", "kfra", "kflr_blocks", "hessian_product", "solve_exact")
"""The rows that are asked in float32 too, since the dtype changes the tolerances alone."""

JOINED = ("kfac_blocks", "kfra_blocks", "hessian_block_product", "solve_frobenius", "solve_spectral")
"""Rows whose formulas are those of two other rows together. A mistake that shows in such a row shows in another too."""


def each_in_dtypes():
    """Each quantity with each dtype, of which some are for --thorough."""
    for name in ROWS:
        for dtype, by_default in (("float64", name not in JOINED), ("float32", name in FLOAT32)):
            yield pytest.param(name, dtype, marks=() if by_default else pytest.mark.thorough)


@pytest.mark.parametrize(("quantity", "dtype"), list(each_in_dtypes()))
def test_every_mistake_that_shows_is_named_and_with_it_its_class_alone(quantity, dtype, pytestconfig):
    """The class of a mistake are the mistakes that no problem can tell apart from it. It is the same for every seed."""
    first = classes(quantity, 0, dtype)
    seeds = 1 if ROWS[quantity].of_trajectories else pytestconfig.getoption("seeds")  # walks are not drawn
    for seed in range(seeds):
        named = classes(quantity, seed, dtype)
        for name, members in named.items():
            assert name in members, (seed, name)
            for other in members:
                assert named[other] == members, (seed, name, other)
        assert named == first, seed


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_is_caught(name):
    """The mistake fails in at least one quantity, in both dtypes."""
    for dtype in ("float32", "float64"):
        assert any(v.status in WRONG for q in LIKELY for v in verdicts_on(name, q, 0, dtype)[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["bias-forgotten", "slope-forgotten"])
def test_a_mistake_is_named_where_the_right_array_is_zero(name, dtype):
    """The oracle has no rounding there and no tolerance, and the mistake has both."""
    (problem,) = (p for p in fixed() if p.id == "shape-dead-layer-categorical")
    arrays = tuple(a.astype(dtype) for a in MISTAKES[name].textbook(problem).answer("gradient"))
    right = oracle(problem, ROWS["gradient"])
    assert not np.any(right.arrays[0])
    assert name in {m.name for m in diagnose([Answered(right, arrays)], dtype).mistakes}


@each_value(quantity=("gradient", "kfra"), dtype=("float32", "float64"))
def test_every_mistake_that_shows_on_the_fixed_problems_is_named(quantity, dtype):
    """On all problems together, the answers of a mistake are explained by that mistake."""
    small = [p for p in fixed() if p.N < 100 and dtype in p.dtypes]
    for name in MISTAKES:
        answers = []
        for problem in small:
            with np.errstate(all="ignore"):
                arrays = tuple(a.astype(dtype) for a in MISTAKES[name].textbook(problem).answer(quantity))
            right = oracle(problem, ROWS[quantity])
            answers += answered(right, compare(arrays, right, dtype))
        if any(answer.arrays is not None for answer in answers):
            assert name in {m.name for m in diagnose(answers, dtype).mistakes}, name
