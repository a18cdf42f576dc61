"""Implementations in other languages: their start, their description, and the problems that they receive."""

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
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, trajectory_problem
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.real import autoencoder
from kfgn_conformance.quantities import QUANTITIES

from .processes import LONG
from .programs import DESCRIBE, PROGRAM

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
        program.close()  # it is started again


@with_node
def test_the_command_accepts_programs(capsys):
    assert main(("--adapter", TOY, "--dtype", "float64", "--examples", "0")) == 0
    assert "small: 1.0" in capsys.readouterr().out
    assert main(("--adapter", TOY, "--dtype", "float32", "--examples", "0")) == 2
    assert "numbers are float64 here" in " ".join(capsys.readouterr().err.split())


def test_the_program_receives_the_problem_and_classes_return_as_integers(program):
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


def test_a_large_problem_and_its_answer_are_sent_in_files(program):
    problem = autoencoder()
    answer = program(IN_A_FILE.strip().replace("MORE", "[]")).compute(problem, "gradient")
    assert len(answer) == len(problem.weights)
    for array, W in zip(answer, problem.weights, strict=True):
        np.testing.assert_array_equal(array, W)
        assert array.dtype == np.float32  # unchanged, so the verdict can report the wrong dtype
    verdict = judge(program(IN_A_FILE.strip().replace("MORE", '["9"]')), problem, QUANTITIES["gradient"])
    assert verdict.status is Status.ERROR
    assert "expected a tensor '9' in" in verdict.detail


def test_a_program_that_does_not_read_its_input_has_a_time_limit(tmp_path):
    """A question of several megabytes fills the pipe."""
    (tmp_path / "deaf.py").write_text(f"import json, time\ninput()\n{DESCRIBE[:-1]}, flush=True)\ntime.sleep(3600)")
    adapter = Program(f"exec:{sys.executable} {tmp_path / 'deaf.py'}", "float64", 0.5)
    with pytest.raises(NoAnswerError, match=r"no answer within 0\.5 s"):
        adapter.compute(replace(TANH, X=np.zeros((20000, 5))), "gradient")
    assert not adapter.child.running


def test_the_time_limit_of_an_answer_does_not_include_a_start(program):
    """Imports may take longer than the limit on a busy machine."""
    adapter = program("print(json.dumps({'arrays': [1]}))")
    for _ in range(2):
        assert len(adapter.compute(TANH, "gradient")) == 1
        adapter.close()
    adapter.start = 0.0
    with pytest.raises(NoAnswerError, match="no answer within 0 s"):
        adapter.compute(TANH, "gradient")


@pytest.mark.parametrize("quote", ["", "'"])
def test_the_path_of_a_program_may_contain_spaces(quote, tmp_path):
    file = tmp_path / "my program"
    file.write_text(f"#!{sys.executable}\n" + PROGRAM.format(describe=DESCRIBE, compute="print('{}')"))
    file.chmod(0o700)
    adapter = Program(f"exec:{quote}{file}{quote}", "float64", LONG)
    assert adapter.describe().name == "p"
    adapter.close()


def test_an_optimiser_trajectory_is_sent(program, monkeypatch):
    monkeypatch.setattr("kfgn_conformance.problem_sets.trajectories.STEPS", 2)
    problem = trajectory_problem("kfra", *TRAJECTORIES["kfra"])
    echo = 'print(json.dumps({"arrays": [here["tau"] for here in question["problem"]["trajectory"]["checkpoints"]]}))'
    answer = program(echo).compute(problem, "optimiser_step")
    assert [float(tau) for tau in answer] == [float(here.tau) for here in problem.trajectory.checkpoints]


@pytest.mark.parametrize(
    ("describe", "message"),
    [
        ("print('{}')", "expected a field 'name' in the description, got none"),
        ("os._exit(3)", "the process ended with exit status 3"),
        (
            DESCRIBE.replace('"1",', '"1", "conventions": {"bias": "middle"},'),
            "bias: expected last or first or separate",
        ),
        (
            DESCRIBE.replace('"gradient"', '"gradients"'),
            "expected names of quantities, got 'gradients'",
        ),
        (DESCRIBE.replace('"1",', '"1", "conventions": {"biases": "last"},'), "unexpected keyword argument 'biases'"),
        (
            DESCRIBE.replace('"1",', '"1", "conventions": ["last"],'),
            "conventions: expected an object of JSON, got list",
        ),
        (
            DESCRIBE.replace('"1",', '"1", "conventions": {"loss": "2"},'),
            "loss: expected a dict with objectives as keys, got str",
        ),
        (
            DESCRIBE.replace('"1",', '"1", "conventions": {"loss": {"bernoulli": []}},'),
            "loss: expected a ratio such as '2', '1/2' or '2/D' for bernoulli",
        ),
        (DESCRIBE.replace('"p"', "7"), "name: expected text, got int"),
        (DESCRIBE.replace('"1"', "None"), "version: expected text, got NoneType"),
        (DESCRIBE.replace('["gradient", "labels"]', '"gradient"'), "quantities: expected a set of names, got str"),
        (DESCRIBE.replace('"gradient"', "[[1]]"), "quantities: expected a set of names, got"),
        ("print('[' * 10**5)", "expected an object of JSON on a line"),
        ("print(end='x' * 10**8)", "expected a line of at most 1048576 bytes"),
    ],
)
def test_a_program_without_a_right_description_is_an_error(describe, message, program):
    with pytest.raises(AdapterError, match=message):
        program(describe=describe)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-program", "the command cannot be started: .*No such file or directory: 'no-such-program'"),
        ("", "expected a command after exec:, got nothing"),
        ("'", 'expected a command after exec:, got "\'": No closing quotation'),
        (f"{sys.executable} -c 'import time; time.sleep(3600)'", "no answer within 0.5 s"),
    ],
)
def test_a_command_that_cannot_be_started_is_an_error(command, message):
    with pytest.raises(AdapterError, match=message):
        Program(f"exec:{command}", "float64", LONG, start=0.5 if "within" in message else LONG)
