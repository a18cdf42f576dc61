"""Implementations in other languages: lines of JSON, and a verdict for every misbehaviour."""

import shutil
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from kfgn_conformance import Status, judge
from kfgn_conformance.adapters.isolated import NoAnswerError
from kfgn_conformance.adapters.loading import AdapterError
from kfgn_conformance.adapters.program import Program
from kfgn_conformance.cases import cases
from kfgn_conformance.cli import main
from kfgn_conformance.quantities import QUANTITIES
from kfgn_conformance.real import autoencoder
from kfgn_conformance.walks import WALKS, walk

TANH = next(p for p in cases() if p.id == "case-squared_error-tanh")
RELU = next(p for p in cases() if p.id == "case-squared_error-relu")
TOY = f"exec:node {Path(__file__).parent / 'small_gradient.js'}"
with_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@with_node
def test_a_program_in_another_language_passes():
    program = Program(TOY, "float64", 20.0)
    for _ in range(2):
        assert judge(program, TANH, QUANTITIES["gradient"], twice=True).status is Status.PASS
        assert judge(program, RELU, QUANTITIES["gradient"]).detail == "only the squared error, and no kinks"
        program.close()  # it is started anew


@with_node
def test_the_command_takes_programs(capsys):
    assert main(("--adapter", TOY, "--dtype", "float64", "--examples", "0")) == 0
    assert "small: 1.0" in capsys.readouterr().out
    assert main(("--adapter", TOY, "--dtype", "float32", "--examples", "0")) == 2
    assert "numbers are float64 here" in " ".join(capsys.readouterr().err.split())


PROGRAM = """
import json, os, sys, time
for line in sys.stdin:
    question = json.loads(line)
    if question["ask"] == "describe":
        {describe}
    else:
        {compute}
    sys.stdout.flush()
"""
DESCRIBE = 'print(json.dumps({"name": "p", "version": "1", "quantities": ["gradient", "labels"]}))'


@pytest.fixture
def program(tmp_path):
    opened = []

    def make(compute="pass", describe=DESCRIBE):
        (tmp_path / "program.py").write_text(PROGRAM.format(describe=describe, compute=compute))
        opened.append(Program(f"exec:{sys.executable} {tmp_path / 'program.py'}", "float64", 2.0))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.mark.parametrize(
    ("compute", "status", "detail"),
    [
        ("time.sleep(3600)", Status.ERROR, "no answer within 2 s"),
        ("os._exit(7)", Status.ERROR, "its process ended with exit status 7"),
        ("os.kill(os.getpid(), 9)", Status.ERROR, "its process was ended by signal 9"),
        ("print('{hello')", Status.ERROR, "expected an object of JSON on a line, got '{hello'"),
        ("print('{}')", Status.ERROR, "expected arrays, unsupported or error in its answer, got nothing"),
        ('print(\'{"error": "no such\\\\nlayer"}\')', Status.ERROR, "no such layer"),
        ("print('{\"arrays\": [[[1], [2, 3]]]}')", Status.ERROR, "expected arrays of numbers as nested lists"),
        ("print('{\"arrays\": [[1]]}')", Status.FAIL, "expected 3 arrays, got 1"),
        ('print(\'{"arrays": [["1"]]}\')', Status.ERROR, "expected arrays of numbers as nested lists: got <U1"),
        ("os.close(1); time.sleep(3600)", Status.ERROR, "it has closed its output"),
        ("os.write(1, bytes([255, 10]))", Status.ERROR, "expected an object of JSON on a line"),
        ('print(\'{"unsupported": "not yet"}\')', Status.UNIMPLEMENTED, "not yet"),
    ],
)
def test_every_misbehaviour_has_a_verdict_of_its_own(compute, status, detail, program):
    adapter = program(compute)
    for _ in range(2):  # the run goes on
        verdict = judge(adapter, TANH, QUANTITIES["gradient"])
        assert verdict.status is status, verdict
        assert detail in verdict.detail


def test_what_is_sent_is_the_problem_and_classes_come_back_as_integers(program):
    adapter = program('print(json.dumps({"arrays": [question["problem"]["labels"]]}))')
    for problem in (TANH, next(p for p in cases() if p.objective == "categorical")):
        (labels,) = adapter.compute(problem, "labels")
        np.testing.assert_array_equal(labels, problem.labels)
        assert labels.dtype == problem.labels.dtype


IN_A_FILE = """
        from pathlib import Path
        from safetensors.numpy import load_file, save_file
        tensors = load_file(question["tensors"])
        assert question["problem"]["X"] == "X" and tensors["X"].shape == (64, 784)
        given = dict(enumerate(tensors[name] for name in question["problem"]["weights"]))
        file = Path(question["tensors"]).with_name("answer.safetensors")
        save_file({str(l): W.astype("float32") for l, W in given.items()}, file)
        print(json.dumps({"arrays": [str(l) for l in given] + MORE, "tensors": str(file)}))
"""


def test_a_large_problem_comes_and_goes_in_files(program):
    problem = autoencoder()
    answer = program(IN_A_FILE.strip().replace("MORE", "[]")).compute(problem, "gradient")
    assert len(answer) == len(problem.weights)
    for array, W in zip(answer, problem.weights, strict=True):
        np.testing.assert_array_equal(array, W)
        assert array.dtype == np.float32  # as it came: what is wrong with it is for the verdict
    verdict = judge(program(IN_A_FILE.strip().replace("MORE", '["9"]')), problem, QUANTITIES["gradient"])
    assert verdict.status is Status.ERROR
    assert "expected a tensor '9' in" in verdict.detail


def test_a_program_that_does_not_read_is_not_waited_for(program):
    """A question of megabytes fills the pipe."""
    adapter = program()
    monster = replace(TANH, X=np.zeros((20000, 5)))
    adapter.compute = partial(adapter.compute, monster)
    adapter.name = f"exec:{sys.executable} -c 'import time; time.sleep(3600)'"
    adapter.close()
    with pytest.raises(NoAnswerError, match="no answer within 2 s"):
        adapter.compute("gradient")


def test_a_line_too_many_is_an_error_and_not_the_next_answer(program):
    adapter = program('print("hello"); print(json.dumps({"arrays": [0]}))')
    told = [judge(adapter, TANH, QUANTITIES["gradient"]).detail]
    time.sleep(0.5)
    told += [judge(adapter, TANH, QUANTITIES["gradient"]).detail for _ in range(2)]
    assert told[0] == told[2] == "expected an object of JSON on a line, got 'hello'"
    assert told[1].startswith("expected one line for each question, got another: '{")


def test_classes_are_whole_numbers(program):
    problem = next(p for p in cases() if p.objective == "categorical")
    verdict = judge(program('print(json.dumps({"arrays": [[[0.7] * 17] * 13]}))'), problem, QUANTITIES["labels"])
    assert verdict.detail == "array 1: expected an integer dtype, got float64"


def test_an_answer_in_a_file_that_is_not_there_is_an_error(program):
    verdict = judge(program('print(\'{"arrays": ["a"], "tensors": "/no/such/file"}\')'), TANH, QUANTITIES["gradient"])
    assert verdict.status is Status.ERROR
    assert "expected a safetensors file: /no/such/file" in verdict.detail


def test_a_walk_is_sent_too(program, monkeypatch):
    monkeypatch.setattr("kfgn_conformance.walks.STEPS", 2)
    problem = walk("kfra", *WALKS["kfra"])
    echo = 'print(json.dumps({"arrays": [here["tau"] for here in question["problem"]["walk"]["waypoints"]]}))'
    answer = program(echo).compute(problem, "optimiser_step")
    assert [float(tau) for tau in answer] == [float(here.tau) for here in problem.walk.waypoints]


@pytest.mark.parametrize(
    ("describe", "message"),
    [
        ("print('{}')", "its description has no 'name'"),
        ("os._exit(3)", "its process ended with exit status 3"),
        (
            DESCRIBE.replace('"1",', '"1", "conventions": {"bias": "middle"},'),
            "bias: expected last or first or separate",
        ),
        (
            DESCRIBE.replace('"gradient"', '"gradients"'),
            "expected names of rows of the table, got 'gradients'",
        ),
        (DESCRIBE.replace('"1",', '"1", "conventions": {"biases": "last"},'), "unexpected keyword argument 'biases'"),
    ],
)
def test_a_program_that_cannot_be_asked_is_an_error(describe, message, program):
    with pytest.raises(AdapterError, match=message):
        program(describe=describe)


def test_a_command_that_is_not_there_is_an_error():
    with pytest.raises(AdapterError, match="it cannot be started"):
        Program("exec:no-such-program", "float64", 2.0)
