"""Cholesky factors and their equations by NumPy alone, and the number of threads of its BLAS."""

import os
import subprocess
import sys

import numpy as np
import pytest

from kfgn.backends import numpy_equations
from kfgn.backends.numpy_equations import factor_in_blocks, solve_in_blocks


@pytest.fixture(params=[(3, 2), (8, 2), (numpy_equations.BLOCK, numpy_equations.LEAF)], ids=["3", "8", "default"])
def block(request, monkeypatch):
    """The largest number of columns of a block: a few, and the number of the module."""
    for name, number in zip(("BLOCK", "LEAF"), request.param, strict=True):
        monkeypatch.setattr(numpy_equations, name, number)


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("D", [1, 2, 7, 24, 300])
def test_factor_and_equations(D, dtype):
    rng, accuracy = np.random.default_rng(0), 100 * D * np.finfo(dtype).eps
    M = rng.standard_normal((D, 2 * D)).astype(dtype)
    A = M @ M.T + np.eye(D, dtype=dtype)
    given = A.copy()
    L = factor_in_blocks(A)
    np.testing.assert_array_equal(A, given)
    assert L.dtype == A.dtype
    np.testing.assert_array_equal(L, np.tril(L))
    np.testing.assert_allclose(L @ L.T, A, rtol=0, atol=accuracy * np.abs(A).max())
    for B in (rng.standard_normal((5, D)).astype(dtype), rng.standard_normal((D, 5)).astype(dtype).T):
        X = solve_in_blocks(L, B)
        assert X.dtype == B.dtype
        np.testing.assert_allclose(X @ A, B, rtol=0, atol=accuracy * np.abs(X).max() * np.abs(A).max())


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("row", [0, 5, 11])
def test_a_matrix_without_a_factor(row):
    A = np.eye(12)
    A[row, row] = -1
    with pytest.raises(np.linalg.LinAlgError):
        factor_in_blocks(A)


def test_no_warning_and_no_error_of_numpy():
    """LAPACK gives no warning for huge and tiny numbers, and these functions give none even if NumPy raises errors."""
    A = np.eye(300)
    A[290, 3] = A[3, 290] = 1e200
    with np.errstate(all="raise"):
        with pytest.raises(np.linalg.LinAlgError):
            factor_in_blocks(A)
        tiny = factor_in_blocks(1e-320 * np.eye(300))
        assert np.all(np.isfinite(solve_in_blocks(tiny, 1e-320 * np.eye(300))))


def test_an_inverse_without_elimination():
    """The inverse is as exact as by substitution. An elimination with rounding would find that L is singular."""
    L = np.array([[1e-20, 0, 0], [1, 1e-20, 0], [1, 1, 1e-20]])
    right = np.array([[1e20, 0, 0], [-1e40, 1e20, 0], [1e60, -1e40, 1e20]])
    np.testing.assert_allclose(numpy_equations._inverse(L), right, rtol=1e-14)


@pytest.mark.parametrize(
    ("variables", "processors", "expected"),
    [
        ({}, 1, True),
        ({}, 2, False),
        ({"OPENBLAS_NUM_THREADS": "1"}, 8, True),
        ({"OMP_NUM_THREADS": "1"}, 8, True),
        ({"OPENBLAS_NUM_THREADS": "4", "OMP_NUM_THREADS": "1"}, 8, False),
        ({"OPENBLAS_NUM_THREADS": "0", "OMP_NUM_THREADS": "1"}, 8, True),
        ({"OMP_NUM_THREADS": "1,2"}, 8, True),
        ({"OMP_NUM_THREADS": " +1"}, 8, True),
        ({"GOTO_NUM_THREADS": "2", "OPENBLAS_DEFAULT_NUM_THREADS": "1"}, 8, True),
        ({"GOTO_NUM_THREADS": "1", "OMP_NUM_THREADS": "2"}, 8, True),
        ({"OPENBLAS_DEFAULT_NUM_THREADS": "1", "OMP_NUM_THREADS": "2"}, 8, True),
        ({"OPENBLAS_NUM_THREADS": "many"}, 8, False),
    ],
)
def test_one_thread(monkeypatch, variables, processors, expected):
    monkeypatch.setattr(numpy_equations, "ENVIRONMENT", dict.fromkeys(numpy_equations.LIMITS, "") | variables)
    monkeypatch.setattr(numpy_equations, "_processors", lambda: processors)
    assert numpy_equations.has_one_thread.__wrapped__() is expected


@pytest.mark.parametrize(
    "variables",
    [
        {"GOTO_NUM_THREADS": "2", "OPENBLAS_DEFAULT_NUM_THREADS": "1"},
        {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "1"},
        {"OPENBLAS_NUM_THREADS": "0", "GOTO_NUM_THREADS": "1"},
        {"OMP_NUM_THREADS": " +1"},
    ],
)
def test_openblas_reads_the_variables_as_this_module(variables):
    """The answer is that of NumPy's own BLAS, in a new process."""
    pytest.importorskip("threadpoolctl", reason="threadpoolctl tells how many threads the BLAS has")
    program = """
import numpy, threadpoolctl
from kfgn.backends.numpy_equations import has_one_thread
(blas,) = (pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas")
print(has_one_thread(), blas["num_threads"] == 1, blas["internal_api"])
"""
    env = {name: value for name, value in os.environ.items() if name not in numpy_equations.LIMITS} | variables
    said = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True).stdout
    ours, right, blas = said.split()
    if blas != "openblas":
        pytest.skip(f"expected OpenBLAS, got {blas}")
    assert ours == right


def test_the_processors_of_this_process(monkeypatch):
    assert numpy_equations._processors() >= 1
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    assert numpy_equations._processors() >= 1
