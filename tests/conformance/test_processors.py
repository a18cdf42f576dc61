"""Tolerances, golden vectors and their checks are the same with other vector instructions, BLAS kernels and threads.

A setting that the machine ignores would prove nothing. So each setting is checked where it takes effect: the features
that NumPy found in `numpy.show_config`, and the kernel of OpenBLAS and its threads by threadpoolctl.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from kfgn_conformance import golden
from kfgn_conformance.golden.form import FORMAT, sha256
from kfgn_conformance.quantities import ROWS

threadpoolctl = pytest.importorskip("threadpoolctl", reason="threadpoolctl tells which BLAS kernel is in use")

FOUND = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
BLAS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

SETTINGS = {
    "no vector instructions": {**BLAS, "NPY_DISABLE_CPU_FEATURES": " ".join(FOUND), "OPENBLAS_CORETYPE": "Prescott"},
    "two threads": {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "Haswell"},
    "fewer vector instructions": {**BLAS, "NPY_DISABLE_CPU_FEATURES": " ".join(FOUND[1:])},
    "Prescott": {**BLAS, "OPENBLAS_CORETYPE": "Prescott"},
    "Haswell": {**BLAS, "OPENBLAS_CORETYPE": "Haswell"},
    "SkylakeX": {**BLAS, "OPENBLAS_CORETYPE": "SkylakeX"},
    "Zen": {**BLAS, "OPENBLAS_CORETYPE": "Zen"},
}
ALSO = {"Prescott": "Katmai"}
"""The name that OpenBLAS gives to the kernels of another processor, which it uses in the place of those asked for."""

IN_CI = ("no vector instructions", "two threads")

IN_FORCE = """
import json
import numpy as np
import threadpoolctl
(blas,) = (pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas")
simd = np.show_config(mode="dicts")["SIMD Extensions"]
print(json.dumps({"found": simd.get("found", []), "kernel": blas.get("architecture"), "threads": blas["num_threads"]}))
"""

CHOSEN_AGAIN = """
from kfgn_conformance.golden.problems import every_question
questions = every_question()
"""
READ = """
import sys
from kfgn_conformance.golden.form import FOLDER, decoded
from kfgn_conformance.golden.problems import Question
from kfgn_conformance.golden.vector import read
files = [FOLDER / f"{name}.json" for name in sys.argv[1:]]
vectors = [vector for file in files for vector in read(decoded(file, file, shipped_is_right=True), file)]
questions = [Question(vector.problem, vector.description, (vector.quantity,)) for vector in vectors]
"""
"""Choosing the problems again takes most of the time, so they are read from the files, unless every setting is run."""

MADE = """
import json, sys
from kfgn_conformance.golden.making import file_of
from kfgn_conformance.quantities import ROWS
for name in sys.argv[1:]:
    print(json.dumps(file_of(ROWS[name], [one for one in questions if name in one.quantities])))
"""

STEPS_OF_EKFAC = """
import dataclasses
import numpy as np
from kfgn_conformance.golden.problems import STEPS, steps
made = steps("ekfac", *STEPS["ekfac"]).problem.trajectory.checkpoints
(there,) = (one.problem.trajectory.checkpoints for one in questions if one.problem.trajectory.method == "ekfac")
for one, other in zip(made, there, strict=True):
    for field, a, b in zip(one._fields, one, other, strict=True):
        np.testing.assert_equal(a, b, field)
print(len(made), "checkpoints")
"""

IN_CI_MADE = {
    "no vector instructions": ("kfra", "solve_exact", "conjugate_gradients", "quadratic_model", "labels"),
    "two threads": ("kfra", "solve_exact"),
}
"""The quantities made again in CI: a recursion, eigenvalues, an elimination, a difference of large terms, classes.

Threads concern products of matrices alone, which the recursion and the eigenvalues have.
"""


def run(setting, *command):
    done = subprocess.run(
        [sys.executable, *command],
        env=os.environ | SETTINGS[setting],
        capture_output=True,
        text=True,
        check=False,
        timeout=3000,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def skip_unless_in_force(setting):
    """Skip, with the reason, where the machine ignores the setting."""
    wanted, seen = SETTINGS[setting], json.loads(run(setting, "-W", "ignore", "-c", IN_FORCE))
    disabled = wanted.get("NPY_DISABLE_CPU_FEATURES", "").split()
    if "NPY_DISABLE_CPU_FEATURES" in wanted and not disabled:
        pytest.skip("NumPy found no optional features here, so none can be switched off")
    assert not set(disabled) & set(seen["found"]), f"not switched off: {disabled}, still found: {seen['found']}"
    kernel = wanted.get("OPENBLAS_CORETYPE", seen["kernel"])
    if seen["kernel"] not in (kernel, ALSO.get(kernel)):
        pytest.skip(f"OpenBLAS has no kernel {kernel} here: it uses {seen['kernel']}")
    if seen["threads"] != int(wanted["OPENBLAS_NUM_THREADS"]):
        pytest.skip(f"expected {wanted['OPENBLAS_NUM_THREADS']} threads of OpenBLAS, got {seen['threads']}")


def pytest_generate_tests(metafunc):
    if "setting" in metafunc.fixturenames:
        metafunc.parametrize("setting", SETTINGS if metafunc.config.getoption("--all-processors") else IN_CI)


def test_vectors_are_made_byte_for_byte(setting, pytestconfig):
    skip_unless_in_force(setting)
    whole = pytestconfig.getoption("--all-processors")
    names = list(ROWS) if whole else IN_CI_MADE[setting]
    program = (CHOSEN_AGAIN if whole else READ) + MADE
    made = run(setting, "-W", "ignore", "-c", program, *names).splitlines()
    for name, line in zip(names, made, strict=True):
        there = json.loads((golden.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        here = json.loads(line)
        assert here.pop("provenance")["arithmetic"] == there.pop("provenance")["arithmetic"]
        assert here == there, name


def test_the_steps_of_ekfac_are_made_again(setting):
    """LAPACK computes their eigenvectors, and its rounding errors depend on the processor."""
    skip_unless_in_force(setting)
    assert run(setting, "-W", "ignore", "-c", READ + STEPS_OF_EKFAC, "optimiser_step") == "3 checkpoints\n"


def test_vectors_are_verified(setting, pytestconfig, tmp_path):
    skip_unless_in_force(setting)
    folder = (
        golden.FOLDER if pytestconfig.getoption("--all-processors") else some_vectors(tmp_path, IN_CI_MADE[setting])
    )
    assert "no faults" in run(setting, "-W", "ignore", "-m", "kfgn_conformance", "vectors", "verify", str(folder))


def some_vectors(folder, names):
    """A folder with the files of a few quantities alone, and with every fourth vector of a file."""
    files = {}
    for name in (f"{quantity}.json" for quantity in names):
        written = json.loads((golden.FOLDER / name).read_text(encoding="utf-8"))
        files[name] = json.dumps(written | {"vectors": written["vectors"][::4]}).encode()
        (folder / name).write_bytes(files[name])
    manifest = {"format": FORMAT, "files": {name: {"sha256": sha256(content)} for name, content in files.items()}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder
