"""Wrong answers of programs in other languages: each has a verdict, and none is read as the next answer."""

import os
import select
import sys

import numpy as np
import pytest
from kfgn_conformance import Status, judge
from kfgn_conformance.adapters.program import Program
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.quantities import QUANTITIES
from safetensors.numpy import save_file

from .processes import LONG
from .programs import DESCRIBE, PROGRAM

TANH = next(p for p in cases() if p.id == "case-squared_error-tanh")

HOLDS = "subprocess.Popen(['sleep', '3600'])"


@pytest.mark.parametrize(
    ("compute", "status", "detail"),
    [
        ("time.sleep(3600)", Status.ERROR, "no answer within 0.5 s"),
        (f"{HOLDS}; time.sleep(3600)", Status.ERROR, "no answer within 0.5 s"),
        ("os.write(1, b'{'); time.sleep(3600)", Status.ERROR, "no answer within 0.5 s"),
        (f"{HOLDS}; os._exit(7)", Status.ERROR, "the process ended with exit status 7"),
        ("sys.exit('no licence')", Status.ERROR, "the process ended with exit status 1: no licence"),
        ("os.kill(os.getpid(), 9)", Status.ERROR, "the process was ended by signal 9"),
        ("print('{hello')", Status.ERROR, "expected an object of JSON on a line, got '{hello'"),
        ("print(end='x' * 10**8)", Status.ERROR, "expected a line of at most"),
        ("print('[' * 10**5)", Status.ERROR, "expected an object of JSON on a line, got '[[["),
        ("print('{}')", Status.ERROR, "expected a field arrays, unsupported or error in the answer, got nothing"),
        ("print('[]')", Status.ERROR, "expected an object of JSON on a line, got '[]'"),
        ("print('7' * 10**5)", Status.ERROR, "expected an object of JSON on a line, got '777"),
        (
            "print(json.dumps({'x' * 10**5: 1}))",
            Status.ERROR,
            "expected a field arrays, unsupported or error in the answer",
        ),
        ("print(json.dumps({'arrays': {'1': 2}}))", Status.ERROR, "expected a field arrays, unsupported or error"),
        ('print(\'{"error": "no such\\\\nlayer"}\')', Status.ERROR, "no such layer"),
        ("print(json.dumps({'error': ''}))", Status.ERROR, "an error without a message"),
        ("print(json.dumps({'error': ['x' * 10**5]}))", Status.ERROR, "['xxx"),
        ("print(json.dumps({'unsupported': {'why': None}}))", Status.UNIMPLEMENTED, "{'why': None}"),
        ('print(\'{"unsupported": "not yet"}\')', Status.UNIMPLEMENTED, "not yet"),
        ("os.write(1, bytes([255, 10]))", Status.ERROR, "expected an object of JSON on a line"),
        ("[os.write(2, b'x' * 2**20) for _ in range(50)]; print('{}')", Status.ERROR, "got nothing"),
    ],
)
def test_every_misbehaviour_has_a_verdict(compute, status, detail, program):
    adapter = program(compute, limit=0.5 if "within" in detail else LONG)
    for _ in range(2):  # the run continues
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
def test_malformed_arrays_have_a_verdict(arrays, status, detail, program):
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


def test_a_surplus_line_is_an_error_and_not_the_next_answer(program):
    adapter = program('print("hello"); print(json.dumps({"arrays": [0]}))')
    details = [judge(adapter, TANH, QUANTITIES["gradient"]).detail]
    if not adapter.child._written:  # the second line has not arrived with the first
        assert select.select([adapter.child._stdout], [], [], LONG)[0]
    details += [judge(adapter, TANH, QUANTITIES["gradient"]).detail for _ in range(2)]
    assert details[0] == details[2] == "expected an object of JSON on a line, got 'hello'"
    assert details[1].startswith("expected one line per question, got a further line: '{")


def test_classes_are_whole_numbers(program):
    problem = next(p for p in cases() if p.objective == "categorical")
    verdict = judge(program('print(json.dumps({"arrays": [[[0.7] * 17] * 13]}))'), problem, QUANTITIES["labels"])
    assert verdict.detail == "array 1: expected an integer dtype, got float64"


@pytest.mark.parametrize(
    ("names", "file", "detail"),
    [
        (["a"], "/no/such/file", "/no/such/file: expected a safetensors file: FileNotFoundError"),
        (["a"], "FOLDER", "expected a safetensors file, got a file that is not regular"),
        (["a"], "FOLDER/fifo", "expected a safetensors file, got a file that is not regular"),
        (["a"], "/dev/zero", "expected a safetensors file, got a file that is not regular"),
        (["a"], "FOLDER/large", "large: expected a file of at most"),
        (["a"], "FOLDER/garbage", "expected a safetensors file: "),
        (["a"], "a\0b", "expected a safetensors file: "),
        (["b"], "FOLDER/right", "expected a tensor 'b' in "),
        (
            [["a"]],
            "FOLDER/right",
            "/right and [['a']]",
        ),
        (["a"], 7, 'expected the path of a safetensors file as the field "tensors", and the names of arrays'),
    ],
)
def test_an_answer_in_a_file_that_cannot_be_read_is_an_error(names, file, detail, program, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "garbage").write_bytes(bytes(range(256)))
    save_file({"a": np.zeros(1)}, tmp_path / "right")
    with (tmp_path / "large").open("wb") as large:
        large.truncate(2**40)  # a sparse file
    answer = {"arrays": names, "tensors": file.replace("FOLDER", str(tmp_path)) if isinstance(file, str) else file}
    verdict = judge(program(f"print(json.dumps({answer!r}))"), TANH, QUANTITIES["gradient"])
    assert verdict.status is Status.ERROR
    assert detail in verdict.detail
