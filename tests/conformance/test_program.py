"""Implementations in other languages: lines of JSON, and a verdict for every misbehaviour."""

import os
import select
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kfgn_conformance import Status, judge
from kfgn_conformance.adapters.isolated import NoAnswerError
from kfgn_conformance.adapters.loading import AdapterError
from kfgn_conformance.adapters.program import Program
from kfgn_conformance.cli import main
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.real import autoencoder
from kfgn_conformance.problems.trajectories import TRAJECTORIES, trajectory_problem
from kfgn_conformance.quantities import QUANTITIES
from safetensors.numpy import save_file

from .processes import LONG

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
import json, os, subprocess, sys, time
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

    def make(compute="pass", describe=DESCRIBE, limit=LONG):
        (tmp_path / "program.py").write_text(PROGRAM.format(describe=describe, compute=compute))
        opened.append(Program(f"exec:{sys.executable} {tmp_path / 'program.py'}", "float64", limit))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


HOLDS = "subprocess.Popen(['sleep', '3600'])"


@pytest.mark.parametrize(
    ("compute", "status", "detail"),
    [
        ("time.sleep(3600)", Status.ERROR, "no answer within 0.5 s"),
        (f"{HOLDS}; time.sleep(3600)", Status.ERROR, "no answer within 0.5 s"),
        ("os.write(1, b'{'); time.sleep(3600)", Status.ERROR, "no answer within 0.5 s"),
        (f"{HOLDS}; os._exit(7)", Status.ERROR, "its process ended with exit status 7"),
        ("sys.exit('no licence')", Status.ERROR, "its process ended with exit status 1: no licence"),
        ("os.kill(os.getpid(), 9)", Status.ERROR, "its process was ended by signal 9"),
        ("print('{hello')", Status.ERROR, "expected an object of JSON on a line, got '{hello'"),
        ("print(end='x' * 10**8)", Status.ERROR, "expected a line of at most"),
        ("print('[' * 10**5)", Status.ERROR, "expected an object of JSON on a line, got '[[["),
        ("print('{}')", Status.ERROR, "expected arrays, unsupported or error in its answer, got nothing"),
        ("print('[]')", Status.ERROR, "expected an object of JSON on a line, got '[]'"),
        ("print('7' * 10**5)", Status.ERROR, "expected an object of JSON on a line, got '777"),
        ("print(json.dumps({'x' * 10**5: 1}))", Status.ERROR, "expected arrays, unsupported or error in its answer"),
        ("print(json.dumps({'arrays': {'1': 2}}))", Status.ERROR, "expected arrays, unsupported or error"),
        ('print(\'{"error": "no such\\\\nlayer"}\')', Status.ERROR, "no such layer"),
        ("print(json.dumps({'error': ''}))", Status.ERROR, "an error without a message"),
        ("print(json.dumps({'error': ['x' * 10**5]}))", Status.ERROR, "['xxx"),
        ("print(json.dumps({'unsupported': {'why': None}}))", Status.UNIMPLEMENTED, "{'why': None}"),
        ('print(\'{"unsupported": "not yet"}\')', Status.UNIMPLEMENTED, "not yet"),
        ("os.write(1, bytes([255, 10]))", Status.ERROR, "expected an object of JSON on a line"),
        ("[os.write(2, b'x' * 2**20) for _ in range(50)]; print('{}')", Status.ERROR, "got nothing"),
    ],
)
def test_every_misbehaviour_has_a_verdict_of_its_own(compute, status, detail, program):
    adapter = program(compute, limit=0.5 if "within" in detail else LONG)
    for _ in range(2):  # the run goes on
        verdict = judge(adapter, TANH, QUANTITIES["gradient"])
        assert verdict.status is status, verdict
        assert detail in verdict.detail
        assert len(verdict.detail) < 3000


NESTED = "expected arrays of numbers as nested lists"


@pytest.mark.parametrize(
    ("arrays", "status", "detail"),
    [
        ("[[1]]", Status.FAIL, "expected 3 arrays, got 1"),
        ("[1, 2, 3]", Status.FAIL, "array 1: expected shape (7, 6), got ()"),
        ("[[[1], [2, 3]]]", Status.ERROR, f"array 1 of 1: {NESTED}, got lists of different lengths"),
        ("[[1, [2]]]", Status.ERROR, f"array 1 of 1: {NESTED}, got lists of different lengths"),
        ('[[1], ["1"]]', Status.ERROR, f"array 2 of 2: {NESTED}, got str"),
        ("[[true, 1.0]]", Status.ERROR, f"array 1 of 1: {NESTED}, got bool"),
        ('[null, {"a": 1}]', Status.ERROR, f"array 1 of 2: {NESTED}, got NoneType"),
        ("[[1e400, NaN]]", Status.FAIL, "expected 3 arrays, got 1"),
        (f"[[{'9' * 400}]]", Status.ERROR, f"{NESTED}: OverflowError"),
        (f"[{'[' * 60}1{']' * 60}]", Status.ERROR, NESTED),
        (f"[{'[' * 900}1{']' * 900}]", Status.ERROR, NESTED),
    ],
)
def test_arrays_of_every_form_have_a_verdict(arrays, status, detail, program):
    written = f'{{"arrays": {arrays}}}'
    verdict = judge(program(f"print({written!r})"), TANH, QUANTITIES["gradient"])
    assert verdict.status is status, verdict
    assert detail in verdict.detail


@pytest.mark.parametrize("number", ["NaN", "1e400", "-Infinity", "1e300"])
def test_a_number_that_is_not_finite_in_the_dtype_fails(number, tmp_path):
    shapes = [(7, 6), (3, 8), (11, 4)]
    arrays = ", ".join(str([[0.5] * b] * a) for a, b in shapes).replace("0.5", number, 1)
    written = f'{{"arrays": [{arrays}]}}'
    compute = f"print({written!r})"
    (tmp_path / "program.py").write_text(PROGRAM.format(describe=DESCRIBE, compute=compute))
    adapter = Program(f"exec:{sys.executable} {tmp_path / 'program.py'}", "float32", LONG)
    assert judge(adapter, TANH, QUANTITIES["gradient"]).detail == "array 1: expected finite values, got NaN or infinity"
    adapter.close()


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


def test_a_program_that_does_not_read_is_not_waited_for(tmp_path):
    """A question of megabytes fills the pipe."""
    (tmp_path / "deaf.py").write_text(f"import json, time\ninput()\n{DESCRIBE[:-1]}, flush=True)\ntime.sleep(3600)")
    adapter = Program(f"exec:{sys.executable} {tmp_path / 'deaf.py'}", "float64", 0.5)
    with pytest.raises(NoAnswerError, match=r"no answer within 0\.5 s"):
        adapter.compute(replace(TANH, X=np.zeros((20000, 5))), "gradient")
    assert not adapter.child.running


def test_a_program_that_is_started_again_has_its_own_time_to_start(program):
    """The limit is not for the start, since a busy machine may need more than 0.5 s for its imports."""
    adapter = program("print(json.dumps({'arrays': [1]}))")
    for _ in range(2):
        assert len(adapter.compute(TANH, "gradient")) == 1
        adapter.close()
    adapter.start = 0.0
    with pytest.raises(NoAnswerError, match="no answer within 0 s"):
        adapter.compute(TANH, "gradient")


@pytest.mark.parametrize("quote", ["", "'"])
def test_a_path_with_spaces_is_a_program(quote, tmp_path):
    file = tmp_path / "my program"
    file.write_text(f"#!{sys.executable}\n" + PROGRAM.format(describe=DESCRIBE, compute="print('{}')"))
    file.chmod(0o700)
    adapter = Program(f"exec:{quote}{file}{quote}", "float64", LONG)
    assert adapter.describe().name == "p"
    adapter.close()


def test_a_line_too_many_is_an_error_and_not_the_next_answer(program):
    adapter = program('print("hello"); print(json.dumps({"arrays": [0]}))')
    told = [judge(adapter, TANH, QUANTITIES["gradient"]).detail]
    if not adapter.child._written:  # the second line has not come with the first
        assert select.select([adapter.child._stdout], [], [], LONG)[0]
    told += [judge(adapter, TANH, QUANTITIES["gradient"]).detail for _ in range(2)]
    assert told[0] == told[2] == "expected an object of JSON on a line, got 'hello'"
    assert told[1].startswith("expected one line for each question, got another: '{")


def test_classes_are_whole_numbers(program):
    problem = next(p for p in cases() if p.objective == "categorical")
    verdict = judge(program('print(json.dumps({"arrays": [[[0.7] * 17] * 13]}))'), problem, QUANTITIES["labels"])
    assert verdict.detail == "array 1: expected an integer dtype, got float64"


@pytest.mark.parametrize(
    ("names", "file", "detail"),
    [
        (["a"], "/no/such/file", "expected a safetensors file: /no/such/file: FileNotFoundError"),
        (["a"], "FOLDER", "it is no regular file"),
        (["a"], "FOLDER/fifo", "it is no regular file"),
        (["a"], "/dev/zero", "it is no regular file"),
        (["a"], "FOLDER/large", "expected a safetensors file of at most"),
        (["a"], "FOLDER/garbage", "expected a safetensors file: "),
        (["a"], "a\0b", "expected a safetensors file: "),
        (["b"], "FOLDER/right", "expected a tensor 'b' in "),
        ([["a"]], "FOLDER/right", "expected the path of a file as tensors, and names in it as arrays"),
        (["a"], 7, "expected the path of a file as tensors, and names in it as arrays"),
    ],
)
def test_an_answer_in_a_file_that_cannot_be_read_is_an_error(names, file, detail, program, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "garbage").write_bytes(bytes(range(256)))
    save_file({"a": np.zeros(1)}, tmp_path / "right")
    with (tmp_path / "large").open("wb") as large:
        large.truncate(2**40)  # without a byte on the disk
    answer = {"arrays": names, "tensors": file.replace("FOLDER", str(tmp_path)) if isinstance(file, str) else file}
    verdict = judge(program(f"print(json.dumps({answer!r}))"), TANH, QUANTITIES["gradient"])
    assert verdict.status is Status.ERROR
    assert detail in verdict.detail


def test_a_walk_is_sent_too(program, monkeypatch):
    monkeypatch.setattr("kfgn_conformance.problems.trajectories.STEPS", 2)
    problem = trajectory_problem("kfra", *TRAJECTORIES["kfra"])
    echo = 'print(json.dumps({"arrays": [here["tau"] for here in question["problem"]["trajectory"]["checkpoints"]]}))'
    answer = program(echo).compute(problem, "optimiser_step")
    assert [float(tau) for tau in answer] == [float(here.tau) for here in problem.trajectory.checkpoints]


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
        (DESCRIBE.replace('"1",', '"1", "conventions": ["last"],'), "conventions: expected an object, got list"),
        (DESCRIBE.replace('"1",', '"1", "conventions": {"loss": "2"},'), "loss: expected a dict by objective, got str"),
        (DESCRIBE.replace('"1",', '"1", "conventions": {"loss": {"bernoulli": []}},'), "loss: expected one of 1, 2, "),
        (DESCRIBE.replace('"p"', "7"), "name: expected text, got int"),
        (DESCRIBE.replace('"1"', "None"), "version: expected text, got NoneType"),
        (DESCRIBE.replace('["gradient", "labels"]', '"gradient"'), "quantities: expected a set of names, got str"),
        (DESCRIBE.replace('"gradient"', "[[1]]"), "quantities: expected a set of names, got"),
        ("print('[' * 10**5)", "expected an object of JSON on a line"),
        ("print(end='x' * 10**8)", "expected a line of at most 1048576 bytes"),
    ],
)
def test_a_program_that_cannot_be_asked_is_an_error(describe, message, program):
    with pytest.raises(AdapterError, match=message):
        program(describe=describe)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-program", "it cannot be started: .*No such file or directory: 'no-such-program'"),
        ("", "expected a command after exec:, got nothing"),
        ("'", 'expected a command after exec:, got "\'": No closing quotation'),
        (f"{sys.executable} -c 'import time; time.sleep(3600)'", "no answer within 0.5 s"),
    ],
)
def test_a_command_that_cannot_be_asked_is_an_error(command, message):
    with pytest.raises(AdapterError, match=message):
        Program(f"exec:{command}", "float64", LONG, start=0.5 if "within" in message else LONG)
