"""Conversion of answers: convertible arrays are accepted, others are errors, and nothing in them is executed."""

import json
import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from kfgn_conformance import Status, judge
from kfgn_conformance.adapters.answers import BYTES_PER_NUMBER, NoAnswerError, max_bytes, one_line
from kfgn_conformance.adapters.array_bytes import headers, read_arrays
from kfgn_conformance.adapters.isolated import Isolated
from kfgn_conformance.adapters.loading import load
from kfgn_conformance.opening import open_implementations
from kfgn_conformance.parallel import run_in_processes
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, trajectory_problem
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.quantities import QUANTITIES, ROWS

sys.path.insert(0, str(Path(__file__).parent))
from strange_answers import ERRORS, FAILS, PASSES, UNSUPPORTED

CASE = next(p for p in cases() if p.id == "case-squared_error-tanh")
GRADIENT = QUANTITIES["gradient"]
TABLE = [
    *((name, Status.PASS, "error") for name in PASSES),
    *((name, Status.FAIL, detail) for name, (_, detail) in FAILS.items()),
    *((name, Status.ERROR, detail) for name, (_, detail) in ERRORS.items()),
    *((name, Status.UNIMPLEMENTED, detail) for name, (_, detail) in UNSUPPORTED.items()),
]
NEEDS = {"torch": "torch", "bfloat16": "torch", "jax": "jax"}


@pytest.fixture(scope="module")
def touched(tmp_path_factory):
    """The file that a command in an answer would create."""
    file = tmp_path_factory.mktemp("touched") / "file"
    os.environ["KFGN_TEST_TOUCHED"] = str(file)
    yield file
    del os.environ["KFGN_TEST_TOUCHED"]


@pytest.fixture(scope="module", params=["isolated", "in process"])
def adapter(request, touched):  # noqa: ARG001  (set before the worker copies the environment)
    made = Isolated("strange_answers:Answers", "float64", 60.0) if request.param == "isolated" else None
    yield made or load("strange_answers:Answers", "float64")
    if made:
        made.close()


@pytest.mark.parametrize(("name", "status", "detail"), TABLE, ids=[name for name, *_ in TABLE])
def test_every_answer_has_the_same_verdict_in_both_modes(name, status, detail, adapter, touched):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], exc_type=ImportError)
    verdict = judge(adapter, replace(CASE, id=name), GRADIENT)
    assert verdict.status is status, verdict
    assert detail in verdict.detail
    assert type(verdict.detail) is str
    assert len(verdict.detail) < 3000
    assert not touched.exists()


def test_one_worker_gives_all_these_answers(touched):  # noqa: ARG001
    """No answer ends the worker, so an implementation is not loaded again."""
    adapter = Isolated("strange_answers:Answers", "float64", 60.0)
    try:
        first = adapter.child
        for name in ("list", "exit", "huge", "object", "no exception", "command in an interrupt", "many"):
            judge(adapter, replace(CASE, id=name), GRADIENT)
        assert adapter.child is first
        assert first.running
    finally:
        adapter.close()


@pytest.mark.parametrize("name", ["subclass", "command in an error", "command in an interrupt", "command in a refusal"])
def test_no_object_of_an_adapter_is_pickled_between_processes_of_the_kit(name, touched):
    problems = [replace(CASE, id=name)]
    opening = partial(open_implementations, (), "float64", ("strange_answers:Answers",), None)
    report = run_in_processes(1, [each.column for each in opening()], opening, problems)
    (verdict,) = report.rows["gradient"][0].verdicts
    assert verdict.status in (Status.PASS, Status.ERROR, Status.UNIMPLEMENTED)
    assert not touched.exists()


@pytest.mark.parametrize(
    "header",
    [
        ["<f8", [-1]],
        ["<f8", [2.0]],
        ["<f8", [True]],
        ["<f8", [10**30]],
        ["<f8", [1] * 65],
        ["<f8", [2**40, 2**40, 0]],
        ["<f8", 7],
        ["|O", [7]],
        ["|V8", [7]],
        ["f8,f8", [7]],
        ["float64", [7]],
        [["<f8"], [7]],
        ["<f8", [7], "more"],
        "<f8",
        7,
        None,
        {},
    ],
)
def test_a_wrong_header_is_an_error_before_any_byte_is_read(header):
    with pytest.raises(NoAnswerError, match="array 2: expected a dtype and a shape, got "):
        read_arrays([["<f8", [7]], header], 10**6, lambda _count: pytest.fail("it was read"))


@pytest.mark.parametrize("written", [[["<f8", [2**20]]] * 2, [["<f8", [2**40, 2**40]]]])
def test_more_bytes_than_the_limit_are_not_read(written):
    with pytest.raises(NoAnswerError, match="expected at most 10000000 bytes in all arrays, got "):
        read_arrays(written, 10**7, lambda _count: pytest.fail("it was read"))
    with pytest.raises(NoAnswerError, match="expected a list of at most 10000 arrays"):
        read_arrays([["<f8", [0]]] * 10**5, 10**7, lambda _count: pytest.fail("it was read"))


def test_arrays_arrive_bit_by_bit():
    rng = np.random.default_rng(0)
    for dtype in ("?", "i1", "u8", "f2", "f4", "f8", "g", "F", "D", "G"):
        for shape in ((), (0, 3), (5,), (2, 3, 4)):
            sent = np.frombuffer(rng.bytes(np.dtype(dtype).itemsize * int(np.prod(shape))), dtype).reshape(shape)
            if dtype in "?gG":  # not every bit pattern is a valid value
                sent = np.ones(shape, dtype)
            sent = np.moveaxis(sent, 0, -1) if sent.ndim else sent
            written = json.loads(json.dumps(headers((sent, sent))))
            bytes_ = iter([sent.tobytes(), sent.tobytes()])
            for array in read_arrays(written, 10**6, lambda _count, bytes_=bytes_: next(bytes_)):
                assert (array.dtype, array.shape) == (sent.dtype, sent.shape)
                assert array.tobytes() == sent.tobytes()  # also the payload of NaN
                assert array.flags.writeable


def test_the_size_limit_admits_every_right_answer():
    """The limit is above `BYTES_PER_NUMBER` bytes per element of the right answer."""
    for problem in (CASE, trajectory_problem("kfac", *TRAJECTORIES["kfac"])):
        for name, quantity in ROWS.items():
            if quantity.applies_to(problem):
                elements = sum(array.size for array in quantity.value(problem))
                assert elements * BYTES_PER_NUMBER < max_bytes(problem, quantity), name


def test_text_is_cut_to_one_plain_line():
    assert one_line("a\nb\t c\x1b[0m\x00") == r"a b c\x1b[0m\x00"
    assert len(one_line("x" * 10**7)) < 3000
    assert one_line(" " * 10**6 + "x", 5).endswith("...")
    assert one_line("12345", 5) == "12345"
