"""tau, eta, damping and tolerance as numbers and as 0-d arrays, and their values that are refused."""

import numpy as np
import pytest

import kfgn


@pytest.mark.parametrize("name", ["tau", "eta", "damping"])
def test_0_d_arrays(backend, problem, functions, name):
    # arrays such as those of a step, which are not read under check=False
    p = problem(backend, "categorical", "float32")
    for function in functions(name):
        number = backend.asarray(np.array(0.5, "float32"))
        a, b = (function(p, **{name: value}) for value in (0.5, number))
        a, b = (r.x[0] if isinstance(r, kfgn.Solution) else r for r in (a, b))
        assert a.dtype == b.dtype == p.X.dtype
        np.testing.assert_allclose(backend.to_numpy(a), backend.to_numpy(b), rtol=1e-6)


BAD_NUMBERS = {
    "negative": (-0.5, ValueError, "-0.5"),
    "NaN": (float("nan"), ValueError, "nan"),
    "infinite": (float("inf"), ValueError, "inf"),
    "a NumPy scalar": (np.float64(-1.0), ValueError, "-1.0"),
    "None": (None, TypeError, "NoneType"),
    "a string": ("0.5", TypeError, "str"),
    "a truth value": (True, TypeError, "bool"),
    "complex": (1j, TypeError, "complex"),
}


@pytest.mark.parametrize("case", BAD_NUMBERS)
@pytest.mark.parametrize("name", ["tau", "eta", "damping", "tolerance"])
def test_bad_number(backend, problem, functions, refuses, name, case):
    value, error, said = BAD_NUMBERS[case]
    p = problem(backend, "bernoulli")
    for function in functions(name):
        refuses(backend, function, p, error, name, "expected a", said, **{name: value}, check=False)


@pytest.mark.parametrize("name", ["tau", "eta", "damping", "tolerance"])
def test_bad_0_d_array(backend, problem, functions, refuses, name):
    p = problem(backend, "bernoulli")
    array = backend.asarray
    for function in functions(name):
        for value, error, said in [
            (array(np.array(0.5, "float32")), TypeError, "dtype"),
            (array(np.array(1)), TypeError, "dtype"),
            (array(np.array([0.5])), ValueError, "shape (1,)"),
            (array(np.array(-0.5)), ValueError, "-0.5"),
            (array(np.array(np.nan)), ValueError, "nan"),
        ]:
            refuses(backend, function, p, error, name, said, **{name: value})


@pytest.mark.parametrize("damping", [0, 0.0, -0.0])
def test_damping_is_positive(backend, problem, functions, refuses, damping):
    p = problem(backend, "bernoulli")
    for function in functions("damping"):
        refuses(backend, function, p, ValueError, "damping", "a finite number above 0", damping=damping, check=False)
        function(p, damping=np.float32(0.5))
