"""The problems on which each backend runs: what a run contains, and what it leaves to a thorough one."""

import fnmatch
import sys
from dataclasses import MISSING, fields, replace
from pathlib import Path

import numpy as np
import pytest
from kfgn_conformance import Status
from kfgn_conformance.adapters.kfgn_port import KfgnPort, open_target
from kfgn_conformance.adapters.loading import load
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.opening import open_implementations
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.parallel import Part, parts
from kfgn_conformance.problem_sets.few_states import is_kept_for_calls, with_few_states
from kfgn_conformance.problem_sets.selection import EAGER, EVERYTHING, SELECTIONS, TRAJECTORIES as OF_STRICT, Selection
from kfgn_conformance.problem_sets.standard import problem_set
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, trajectory_problem
from kfgn_conformance.problems.cases import SPLITS, case, cases
from kfgn_conformance.problems.fixed import FIXED
from kfgn_conformance.problems.layers import name_of
from kfgn_conformance.problems.problem import DTYPES
from kfgn_conformance.quantities import ROWS
from kfgn_conformance.questions import small_problems
from kfgn_conformance.results import Again, Column
from kfgn_conformance.runner import in_other_orders, run
from kfgn_reference import TRANSFERS

STEP = ROWS["optimiser_step"]
SQUARE = FIXED[EAGER].problem(EAGER)
TANH = [p for p in cases() if p.id in ("case-bernoulli-tanh", "case-squared_error-tanh")]


@pytest.fixture(scope="module")
def problems():
    return problem_set(0, 0)


@pytest.mark.parametrize("quantity", ROWS.values(), ids=lambda q: q.name)
def test_jax_has_a_problem_for_each_quantity_in_each_dtype_and_two_in_all(quantity, problems):
    single, double = (
        [p for p in problems if quantity.applies_to(p) and SELECTIONS["jax"].contains(p, quantity, dtype)]
        for dtype in ("float32", "float64")
    )
    assert len(single) == 1
    assert len(double) == (2 if quantity.of_shared_weights and quantity.name != "kfra_over_tokens" else 1)
    # the problem with images has a layer that mixes positions
    assert len({p.id for p in single + double}) == (1 if quantity.name == "kfra_over_tokens" else 2)


@pytest.mark.parametrize("backend", ["jax", "strict"])
def test_a_backend_has_every_objective_and_transfer_function_and_layers_without_a_bias(backend, problems):
    chosen = [
        p
        for p in problems
        if any(
            quantity.applies_to(p) and SELECTIONS[backend].contains(p, quantity, dtype)
            for quantity in ROWS.values()
            for dtype in DTYPES
        )
    ]
    assert {(p.objective, p.psd) for p in chosen} >= set(SPLITS)
    assert {name_of(transfer) for p in chosen for transfer in p.transfers} >= set(TRANSFERS)
    assert {layer.bias for p in chosen for layer in p.weighted} == {True, False}


def test_strict_has_every_kind_of_layer_with_shared_weights_and_every_option(problems):
    row = ROWS["shared_gradient"]
    chosen, all_ = (
        [p for p in problems if row.applies_to(p) and selection.contains(p, row, "float64")]
        for selection in (SELECTIONS["strict"], EVERYTHING)
    )

    def occurring(found):
        layers = [layer for p in found for layer in p.layers]
        options = {
            (type(layer).__name__, field.name)
            for layer in layers
            for field in fields(layer)
            if field.default is not MISSING and getattr(layer, field.name) != field.default
        }
        axes = {(type(layer).__name__, len(p.inputs)) for p in found for layer in p.layers}
        return options | axes | {(p.objective, p.psd) for p in found}

    assert len(chosen) < len(all_)
    assert occurring(chosen) == occurring(all_)


@pytest.mark.parametrize("backend", SELECTIONS)
def test_every_pattern_matches_a_problem(backend, problems):
    ids = [*(p.id for p in problems), "drawn-1", "drawn-shared-1"]
    patterns = {pattern for of_group in SELECTIONS[backend].problems.values() for pattern in of_group}
    assert [pattern for pattern in patterns if not fnmatch.filter(ids, pattern)] == []


def test_numpy_and_adapters_and_thorough_runs_leave_nothing_out(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    opened = open_implementations(("numpy",), "float64", ("stateful:CachesRightly",), None, thorough=False)
    opened += open_implementations(("strict",), "float64", thorough=True)
    assert [each.selection for each in opened] == [EVERYTHING] * 3
    (strict,) = open_implementations(("strict",), "float64", thorough=False)
    assert strict.selection is SELECTIONS["strict"]


def test_few_states_are_a_part_of_the_whole_question():
    """The states before the first two steps and before the steps that adapt tau or gamma, with their own values."""
    problem = trajectory_problem("kfra", *TRAJECTORIES["kfra"])
    whole = Oracle(problem, STEP)
    few = with_few_states(whole)
    moments = [here.t for here in few.problem.trajectory.checkpoints]
    assert moments == [0, 1, *range(4, 50, 5)]
    each = len(whole.arrays) // 50
    assert few.changes == tuple(d for t in moments for d in whole.changes[each * t : each * (t + 1)])
    few = with_few_states(whole, lambda here: here.t in (1, 4, 39))
    alone = Oracle(few.problem, STEP)
    assert len(few.arrays) == len(alone.arrays)
    allowed = alone.tolerances("float64")
    assert all(np.max(np.abs(a - b)) <= t for a, b, t in zip(few.arrays, alone.arrays, allowed, strict=True))
    assert few.sizes == pytest.approx(alone.sizes, rel=1e-12)


@pytest.mark.parametrize(
    "name",
    ["kfac", *(pytest.param(name, marks=pytest.mark.thorough) for name in OF_STRICT if name != "kfac")],
)
def test_few_states_of_strict_make_every_call(name):
    """The functions of array-api-strict that are called from these states are those that any state needs."""
    whole = Oracle(trajectory_problem(name, *TRAJECTORIES[name]), STEP)
    port = KfgnPort(open_target("strict"), "float64")

    def called(problem):
        found = set()

        def note(frame, event, _):
            if event == "call" and "array_api_strict" in frame.f_code.co_filename:
                found.add((frame.f_code.co_filename, frame.f_code.co_qualname))

        before = sys.getprofile()
        sys.setprofile(note)
        try:
            port.compute(problem, STEP.name)
        finally:
            sys.setprofile(before)
        return found

    few = with_few_states(whole, is_kept_for_calls).problem
    assert len(few.trajectory.checkpoints) == (3 if name == "ekfac" else 4)
    port.compute(few, STEP.name)  # imports the modules that are used
    assert called(few) == called(whole.problem)


def test_a_mistake_in_a_step_that_adapts_is_found_from_few_states(monkeypatch):
    """gamma is adapted by every twentieth step alone. The wrong answer is not diagnosed."""
    monkeypatch.setattr("kfgn_conformance.runner.diagnosis_of", lambda *_: None)
    port = KfgnPort(open_target("numpy"), "float64")

    class WrongGamma:
        def describe(self):
            return port.describe()

        def compute(self, problem, quantity):
            arrays = list(port.compute(problem, quantity))
            each = len(arrays) // len(problem.trajectory.checkpoints)
            for i, here in enumerate(problem.trajectory.checkpoints):
                if here.t == 39:
                    arrays[each * (i + 1) - 3] = arrays[each * (i + 1) - 3] * 1.01
            return tuple(arrays)

    problem = trajectory_problem("kfra", *TRAJECTORIES["kfra"])
    (cell,) = run([Implementation("", WrongGamma(), selection=SELECTIONS["torch"])], [problem], repeat=False).cells
    assert cell.status is Status.FAIL


def test_a_problem_that_is_left_out_is_not_computed_and_not_counted(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    only = replace(EVERYTHING, sentence="mine: one case.", problems={"derivatives": (TANH[1].id,)})
    mine = Implementation("mine", load("stateful:CachesRightly", "float64"), selection=only)
    whole = Implementation("whole", load("stateful:CachesRightly", "float64"))
    report = run([mine, whole], TANH, quantities=["gradient"], repeat=False)
    (of_mine, of_whole) = report.rows["gradient"]
    assert [(v.problem, v.status) for v in of_mine.verdicts] == [
        (TANH[0].id, Status.SKIPPED),
        (TANH[1].id, Status.PASS),
    ]
    assert (of_mine.supported, of_mine.total, of_whole.supported) == (1, 1, 2)
    assert report.passed
    assert report.selections[0] == "mine: one case."


def test_in_other_orders_jax_has_the_problem_without_jit_alone():
    """The adapter of JAX computes the questions of that problem eagerly, and all others by `jax.jit`."""
    found = []

    class Notes:
        def describe(self):
            return KfgnPort(open_target("numpy"), "float32").describe()

        def compute(self, problem, quantity):
            found.append(problem.id)
            return KfgnPort(open_target("numpy"), "float32").compute(problem, quantity)

    notes = Implementation("", Notes(), short=True, selection=SELECTIONS["jax"])
    again = in_other_orders(notes, small_problems([*TANH, SQUARE]), ["gradient", "q"], {})
    assert again.questions == 2
    assert set(found) == {EAGER}


def test_a_column_that_compiles_runs_a_group_in_one_process():
    columns = [Column("numpy"), Column("jax", compiles=True), Column("strict")]
    names = ["loss", "gradient", "omega", "optimiser_step"]
    found = parts(names, columns)
    assert Part(("loss", "gradient"), (1,)) in found
    assert Part(("gradient",), (0, 2)) in found
    assert sorted((name, i) for part in found for name in part.names for i in part.columns) == sorted(
        (name, i) for name in names for i in range(3)
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_jitted_answers_are_right(dtype):
    """A case with every quantity would compile for half a minute, so that this is left to the session `check`."""
    backend = open_target("jax")
    if isinstance(backend, str):
        pytest.skip(backend)
    jax = Implementation("jax", KfgnPort(backend, dtype, eager_on=(EAGER,)))
    problem = case("squared_error", "project", ("tanh", "tanh"))
    report = run([jax], [problem], quantities=["gradient", "kronecker_matvec", "step_size"], repeat=False)
    assert {cell.status for cell in report.cells} == {Status.PASS}


def test_one_program_serves_every_problem_of_a_network():
    """A second problem with the same network and the same shapes compiles nothing."""
    backend = open_target("jax")
    if isinstance(backend, str):
        pytest.skip(backend)
    import jax

    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append(event) if event.endswith("backend_compile_duration") else None
    )
    port = KfgnPort(backend, "float64", eager_on=(EAGER,))
    backend.forget()
    problem = case("squared_error", "project", ("tanh", "tanh"))
    port.compute(problem, "gradient")
    assert compiled
    compiled.clear()
    port.compute(replace(problem, id="another", X=problem.X / 2), "gradient")
    assert compiled == []
    port.compute(replace(problem, id=EAGER), "gradient")
    assert compiled


def test_questions_in_other_orders_are_left_out_in_a_dtype():
    selection = Selection(dtypes_in_orders=("float32",))
    (opened,) = open_implementations(("numpy",), "float64")
    small = small_problems(cases()[:1])
    assert in_other_orders(opened, small, ["loss"], {}).questions > 0
    assert in_other_orders(replace(opened, selection=selection), small, ["loss"], {}) == Again(0, {})
