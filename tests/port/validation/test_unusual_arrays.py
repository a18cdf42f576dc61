"""Arrays that are nearly right: subclasses, other byte orders, memory maps, and labels of every integer dtype."""

import collections

import numpy as np
import pytest

import kfgn
from kfgn.backends import BACKENDS

from ...pairs import few_on_jax

INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


def assert_equal(backend, a, b):
    if isinstance(a, tuple):
        for x, y in zip(a, b, strict=True):
            assert_equal(backend, x, y)
    else:
        np.testing.assert_array_equal(backend.to_numpy(a), backend.to_numpy(b))


@few_on_jax(BACKENDS, ["uint8", "int32"], dtype=INTEGERS)
def test_labels_of_any_integer_dtype(backend, shallow, functions, dtype):
    p = shallow(backend, "categorical")
    q = p._replace(**{n: backend.asarray(backend.to_numpy(getattr(p, n)).astype(dtype)) for n in ("Y", "labels")})
    for function in functions("Y"):
        assert_equal(backend, function(p), function(q))


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(("dtype", "classes"), [("int8", 200), ("uint8", 300)])
def test_more_classes_than_the_dtype_of_the_labels_counts(backend, problem, dtype, classes, check):
    # in uint8 a count of 300 classes wraps around at 256, and a label would belong to two classes
    p = problem(backend, "categorical", widths=(1, classes))
    small = backend.to_numpy(p.Y) % 100
    p, q = (p._replace(Y=backend.asarray(small.astype(d))) for d in ("int64", dtype))
    assert_equal(backend, kfgn.loss(*p[:4], check=check), kfgn.loss(*q[:4], check=check))


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_out_of_range_in_a_narrow_dtype(backend, problem, functions, refuses, dtype):
    p = problem(backend, "categorical")
    bad = p._replace(Y=backend.asarray(np.full(7, 120, dtype)))
    for function in functions("Y"):
        refuses(backend, function, bad, ValueError, "Y", "class indices from 0 to 2", "120")


@pytest.mark.parametrize("dtype", [">f8", ">f4", "longdouble", "complex64", "object", "M8[s]", "U3"])
@pytest.mark.parametrize("name", ["X", "W_2", "Y"])
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_dtypes_that_only_numpy_has(backend, problem, functions, refuses, name, dtype):
    p = problem(backend, "squared_error")
    bad = p.having(name, p.argument(name).astype("float64" if "f" in dtype else "int64").astype(dtype))
    for function in functions(name):
        refuses(backend, function, bad, TypeError, name, str(np.dtype(dtype)))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("make", [np.asmatrix, np.ma.masked_array])
@pytest.mark.parametrize("name", ["X", "W_1", "Y"])
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_subclasses_that_compute_otherwise(backend, problem, functions, refuses, name, make):
    # `*` of a matrix is a product of matrices, and masks of two shapes do not combine in a product
    p = problem(backend, "squared_error")
    bad = p.having(name, make(p.argument(name)))
    for function in functions(name):
        refuses(backend, function, bad, TypeError, name, "expected an array", type(bad.argument(name)).__name__)


@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_masked_labels(backend, problem, functions, refuses):
    # the mask would be ignored, and the masked label would count in the loss
    p = problem(backend, "categorical")
    bad = p._replace(Y=np.ma.masked_array(p.Y, mask=np.arange(7) == 2))
    for function in functions("Y"):
        refuses(backend, function, bad, TypeError, "Y", "expected an array", "MaskedArray")


@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_files_mapped_to_memory(backend, problem, functions, tmp_path):
    p = problem(backend, "squared_error")
    np.save(tmp_path / "X.npy", p.X)
    q = p._replace(X=np.load(tmp_path / "X.npy", mmap_mode="r"))
    for function in functions():
        assert_equal(backend, function(p), function(q))


@pytest.mark.parametrize("name", ["X", "W_1", "Y", "labels", "draws"])
@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_numpy_scalars(backend, problem, functions, refuses, name):
    # the standard treats a NumPy scalar as an array without axes
    bad = problem(backend, "squared_error").having(name, np.float64(1.0))
    for function in functions(name):
        refuses(backend, function, bad, ValueError, name, "expected shape", "()")


def test_weights_in_a_named_tuple(backend, shallow, functions):
    p = shallow(backend, "bernoulli")
    q = p._replace(weights=collections.namedtuple("Layers", ["first", "second"][: len(p.weights)])(*p.weights))
    for function in functions():
        assert_equal(backend, function(p), function(q))


def test_one_array_in_two_places(backend, problem):
    # both layers share one array of weights, and the labels are those of the data
    p = problem(backend, "squared_error", widths=(3, 3, 3), S=1)
    tied = p._replace(weights=(p.weights[0],) * 2, Y=p.X, labels=p.X[:, None, :])
    assert_equal(backend, kfgn.kfra(*tied[:4]).Q[0], kfgn.kfac(*tied[:5]).Q[0])
