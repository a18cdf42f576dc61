"""The trajectory of EKFAC: its bases come from the state, and a step is a formula in the given arrays."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from kfgn_conformance import Status
from kfgn_conformance.adapters.kfgn_port import KfgnPort, open_target
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.diagnosis.textbook import Textbook
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.judging import compare, judged
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.few_states import is_kept_for_calls, with_few_states
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, scenario_of, trajectory_problem, with_trajectory
from kfgn_conformance.quantities import ROWS

STEP = ROWS["optimiser_step"]
PROBLEM = trajectory_problem("ekfac", *TRAJECTORIES["ekfac"])
FAMILY = [name for name, mistake in MISTAKES.items() if mistake.family == "eigenbases"]


@cache
def few_states():
    """The question on three states. The steps from the last two adapt tau, and the last one adapts gamma."""
    return with_few_states(Oracle(PROBLEM, STEP), is_kept_for_calls)


def with_checkpoints(change):
    """The trajectory from a few states, each of which is changed."""
    kept = [here for here in PROBLEM.trajectory.checkpoints if is_kept_for_calls(here)]
    return replace(PROBLEM, trajectory=PROBLEM.trajectory._replace(checkpoints=tuple(map(change, kept))))


def per_step(arrays):
    """The arrays of each step: 3 weights, 3 averages, 3 S, tau, gamma, f and alpha."""
    return [arrays[i : i + 13] for i in range(0, len(arrays), 13)]


def test_every_state_is_before_a_step_that_keeps_the_bases():
    moments = [here.t for here in PROBLEM.trajectory.checkpoints]
    assert PROBLEM.trajectory.refresh == 10
    assert moments == [t for t in range(50) if t % 10]


def test_the_bases_change_between_the_states_and_are_orthogonal_to_rounding():
    bases = {here.t: here.U_Q for here in PROBLEM.trajectory.checkpoints}
    for U_Q, U_G in ((here.U_Q, here.U_G) for here in PROBLEM.trajectory.checkpoints):
        for U in (*U_Q, *U_G):
            assert np.max(np.abs(U.T @ U - np.eye(len(U)))) < 2.0**-21
    for before, after in ((9, 11), (19, 21), (29, 31), (39, 41)):
        assert all(np.array_equal(U, V) for U, V in zip(bases[before], bases[before - 1], strict=True))
        assert all(np.max(np.abs(U - V)) > 1e-3 for U, V in zip(bases[before], bases[after], strict=True))


def test_the_heuristics_take_several_branches():
    tau, gamma = ([float(getattr(here, name)) for here in PROBLEM.trajectory.checkpoints] for name in ("tau", "gamma"))
    for damping in (tau, gamma):
        assert {np.sign(b - a) for a, b in pairwise(damping)} == {-1, 0, 1}


def turned(here):
    """The same curvature in bases with their vectors in another order and with other signs."""
    U_Q = tuple(-U[:, ::-1] for U in here.U_Q)
    U_G = tuple(U * (-1.0) ** np.arange(len(U)) for U in here.U_G)
    return here._replace(U_Q=U_Q, U_G=U_G, S=tuple(S[:, ::-1] for S in here.S))


def test_the_step_follows_the_bases_of_the_state():
    """Right bases in another order, with other signs, give the same step, with S in the order of the bases."""
    before, after = (STEP.value(problem) for problem in (with_checkpoints(lambda here: here), with_checkpoints(turned)))
    for a, b in zip(per_step(before), per_step(after), strict=True):
        b = (*b[:6], *(S[:, ::-1] for S in b[6:9]), *b[9:])
        assert all(np.allclose(x, y, rtol=1e-9, atol=1e-12) for x, y in zip(a, b, strict=True))


def skewed(here):
    """Bases that are far from orthogonal."""
    rng = np.random.default_rng(here.t)
    U_Q, U_G = ([U + rng.integers(-8, 9, U.shape) / 64 for U in bases] for bases in (here.U_Q, here.U_G))
    return here._replace(U_Q=tuple(U_Q), U_G=tuple(U_G))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_port_and_the_textbook_compute_the_formula_of_the_reference_in_any_matrices(dtype):
    """So float32 bases need no further rule: all implementations compute with the numbers that are given."""
    question = Oracle(with_checkpoints(skewed), STEP)
    assert judged(Implementation("", KfgnPort(open_target("numpy"), dtype)), question).verdict.status is Status.PASS
    assert compare(Textbook(question.problem).answer(STEP.name), question, "float64").verdict.status is Status.PASS


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", ["numpy", "strict", "torch", "jax"])
def test_every_backend_makes_the_steps(target, dtype):
    """JAX with `jax.jit`, like a run of the kit."""
    backend = open_target(target)
    if isinstance(backend, str):
        pytest.skip(backend)
    port = KfgnPort(backend, dtype, eager_on=())
    assert judged(Implementation("", port), few_states()).verdict.status is Status.PASS


@pytest.mark.parametrize("name", FAMILY)
def test_a_mistake_of_ekfac_fails_here_and_on_no_other_trajectory(name):
    assert len(FAMILY) >= 4
    textbook, question = MISTAKES[name].textbook, few_states()
    for dtype in ("float32", "float64"):
        answer = tuple(array.astype(dtype) for array in textbook(question.problem).answer(STEP.name))
        assert compare(answer, question, dtype).verdict.status is Status.FAIL
    others = trajectory_problem("kflr", *TRAJECTORIES["kflr"])
    few = replace(others, trajectory=others.trajectory._replace(checkpoints=others.trajectory.checkpoints[3:5]))
    right, same = Textbook(few).answer(STEP.name), textbook(few).answer(STEP.name)
    assert all(map(np.array_equal, right, same))


def test_the_generator_continues_through_the_steps_that_compute_bases():
    start = replace(PROBLEM, trajectory=PROBLEM.trajectory._replace(checkpoints=(), refresh=2))
    made = with_trajectory(start, start.trajectory, scenario_of(start), 6).trajectory.checkpoints
    assert [here.t for here in made] == [1, 3, 5]
    assert np.max(np.abs(made[0].U_Q[0] - made[1].U_Q[0])) > 1e-3
