"""Adapters in separate processes: every misbehaviour has a verdict, and no process is left running."""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from kfgn_conformance import Status, judge
from kfgn_conformance.adapters.isolated import Isolated
from kfgn_conformance.adapters.loading import AdapterError, load
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.quantities import QUANTITIES

from .processes import LONG, with_proc

CASE = next(p for p in cases() if p.id == "case-squared_error-tanh")

CHANGED = "the adapter changed these arrays of its problem: "

CHANGES = ["MutatesAndRefuses", "ReplacesAnArray", "ReshapesAnArray", "ConvertsAnArray", "DeletesAnArray"]


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.mark.parametrize(
    ("name", "status", "detail"),
    [
        ("Right", Status.PASS, "error"),
        ("Dies", Status.ERROR, "the process was ended by signal 11"),
        ("Exits", Status.ERROR, "the process ended with exit status 7: no licence"),
        ("ClosesEverything", Status.ERROR, "the process ended with exit status"),
        ("Interrupts", Status.ERROR, "KeyboardInterrupt"),
        ("Mutates", Status.ERROR, CHANGED),
        *(pytest.param(name, Status.ERROR, CHANGED, marks=pytest.mark.thorough) for name in CHANGES),
        ("Refuses", Status.UNIMPLEMENTED, "no tanh here"),
        ("Transposed", Status.FAIL, "array 1: expected shape (7, 6), got (6, 7)"),
        (
            "NotInItsLayout",
            Status.FAIL,
            "got (6, 7), after translation of the answer: transposed from (inputs, outputs)",
        ),
        ("AnswersInAWrongDtype", Status.FAIL, "expected dtype float64, got float16"),
        ("DescribesByAGenerator", Status.PASS, "error"),
        ("Accumulates", Status.FAIL, "when the question was repeated: array"),
        ("Prints", Status.PASS, "error"),
        ("FloodsErrors", Status.PASS, "error"),
        ("ClosesItsOutput", Status.PASS, "error"),
        ("SharesWork", Status.PASS, "error"),
        ("ReadsItsInput", Status.PASS, "error"),
        ("ForksAndReturns", Status.PASS, "error"),
    ],
)
def test_every_misbehaviour_has_a_verdict(name, status, detail):
    adapter = Isolated(f"misbehaving:{name}", "float64", LONG)
    try:
        for _ in range(2):  # the run continues
            verdict = judge(adapter, CASE, QUANTITIES["gradient"], twice=True)
            assert verdict.status is status, verdict
            assert detail in verdict.detail
    finally:
        adapter.close()
    assert np.all(CASE.weights[1][0, 0] == next(p for p in cases() if p.id == CASE.id).weights[1][0, 0])


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_problem_is_also_an_error_in_process(name):
    for _ in range(2):
        verdict = judge(load(f"misbehaving:{name}", "float64"), CASE, QUANTITIES["gradient"])
        assert verdict.status is Status.ERROR
        assert verdict.detail.startswith(CHANGED)


@pytest.mark.parametrize("start", [load, partial(Isolated, limit=LONG)])
def test_a_change_before_an_exception_does_not_reach_the_next_question(start):
    adapter = start("misbehaving:MutatesAndRaisesOnce", "float64")
    first, second = (judge(adapter, CASE, QUANTITIES["gradient"]) for _ in range(2))
    if isinstance(adapter, Isolated):
        adapter.close()
    assert first.status is Status.ERROR
    assert first.detail.startswith("RuntimeError: no memory (misbehaving.py:")
    assert second.status is Status.PASS, second


def test_after_a_timeout_the_next_question_has_a_new_worker():
    """The time limit of an answer does not include a start, because imports may take longer than 0.5 s."""
    adapter = Isolated("misbehaving:Hangs", "float64", 0.5)
    try:
        for _ in range(2):
            assert judge(adapter, CASE, QUANTITIES["gradient"]).detail == "no answer within 0.5 s"
            assert not adapter.child.running
    finally:
        adapter.close()


@with_proc
@pytest.mark.parametrize("name", ["StartsChildren", "StartsChildrenAndHangs", "StartsChildrenAndEnds", "ForksAndHangs"])
def test_no_process_of_an_adapter_is_left(name, tmp_path, monkeypatch):
    noted = tmp_path / "pids"
    monkeypatch.setenv("KFGN_TEST_PIDS", str(noted))
    adapter = Isolated(f"misbehaving:{name}", "float64", 5.0 if name.endswith("AndHangs") else LONG)
    judge(adapter, CASE, QUANTITIES["gradient"])
    adapter.close()
    assert not [pid for pid in noted.read_text().split() if Path(f"/proc/{pid}").exists()]


UNTRUSTED = """
import json, os, sys, time
description = {"name": "it", "version": "1", "quantities": ["gradient"]}
for line in sys.stdin.buffer:
    question = json.loads(line)
    if question["ask"] == "describe":
        print(json.dumps(description), flush=True)
        continue
    sys.stdin.buffer.read(question["bytes"])
    WRITE
    sys.stdout.flush()
"""


@pytest.mark.parametrize(
    ("write", "detail"),
    [
        (
            "import pickle; os.write(1, pickle.dumps(('answered', print)) + b'\\n')",
            "expected an object of JSON on a line",
        ),
        ("os.write(1, b'{')", "no answer within 0.5 s: got only 1 bytes of an answer"),
        (
            "print(json.dumps({'arrays': [['<f8', [7]]]})); print(end='1234')",
            "no answer within 0.5 s: got only 4 bytes",
        ),
        ("print(json.dumps({'arrays': [['<f8', [10**9]]]}))", "bytes in all arrays, got [['<f8', [1000000000]]]"),
        ("print(json.dumps({'arrays': [['|O', [1]]]}) + '\\n' + 8 * 'x')", "array 1: expected a dtype and a shape"),
        ("print(json.dumps({'arrays': 7}))", "expected a field arrays, unsupported or error in the answer, got arrays"),
        ("print('[' * 10**5)", "expected an object of JSON on a line, got '[[["),
        ("print(json.dumps({'error': [['x' * 10**6]]}))", "[['xxx"),
        ("print(end='x' * 10**8)", "expected a line of at most"),
        ("description['name'] = 'other'; os._exit(1)", "the process ended with exit status 1"),
    ],
)
def test_the_output_of_a_worker_is_not_trusted(write, detail, tmp_path):
    """Workers whose adapter writes to the pipe of the answers itself."""
    (tmp_path / "untrusted.py").write_text(UNTRUSTED.replace("WRITE", write))

    class Untrusted(Isolated):
        def _command(self):
            return [sys.executable, str(tmp_path / "untrusted.py")]

    adapter = Untrusted("untrusted", "float64", 0.5 if "within" in detail else LONG)
    try:
        verdict = judge(adapter, CASE, QUANTITIES["gradient"])
    finally:
        adapter.close()
    assert verdict.status is Status.ERROR
    assert detail in verdict.detail
    assert len(verdict.detail) < 3000


def test_a_worker_with_a_different_description_after_a_restart_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "changing.py").write_text(
        "import os, pathlib\nfrom misbehaving import Exits\n"
        "name = 'second' if pathlib.Path(__file__).with_name('seen').exists() else 'first'\n"
        "pathlib.Path(__file__).with_name('seen').touch()\nChanging = type(name, (Exits,), {})\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    adapter = Isolated("changing:Changing", "float64", LONG)
    details = [judge(adapter, CASE, QUANTITIES["gradient"]).detail for _ in range(2)]
    assert details == [
        "the process ended with exit status 7: no licence",
        "expected the same description after a restart, got a different description",
    ]
    assert not adapter.child.running


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("import time; time.sleep(3600)", "starting:Mine: no answer within 1 s"),
        ("import os; os.kill(os.getpid(), 9)", "starting:Mine: the process was ended by signal 9"),
        ("raise KeyboardInterrupt", "starting:Mine: KeyboardInterrupt"),
        ("from misbehaving import DescribesAndHangs as Mine", "starting:Mine: no answer within 1 s"),
    ],
)
def test_a_start_that_hangs_or_crashes_is_an_error(module, message, tmp_path, monkeypatch):
    (tmp_path / "starting.py").write_text(module)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(AdapterError) as caught:
        Isolated("starting:Mine", "float64", LONG, start=1.0 if "within" in message else LONG)
    assert str(caught.value) == message
