"""Properties of arrays, and weighted means, on every library."""

import numpy as np
import pytest

from kfgn.backends import in_host_memory, weighted_mean


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weighted_mean(backend, dtype, weight):
    x, y = np.random.default_rng(0).standard_normal((2, 5, 7)).astype(dtype)
    with backend.scope(dtype):
        mean = weighted_mean(*map(backend.asarray, (x, y, np.asarray(weight, dtype))))
        assert mean.dtype == backend.asarray(x).dtype
    expected = weight * x.astype("float64") + (1 - weight) * y
    np.testing.assert_allclose(backend.to_numpy(mean), expected, rtol=0, atol=1e-6 if dtype == "float32" else 1e-15)
    if weight in (0, 1):
        np.testing.assert_array_equal(backend.to_numpy(mean), x if weight else y)


def test_only_arrays_of_numpy_and_tensors_on_the_processor_are_in_host_memory(backend):
    assert in_host_memory(backend.asarray(np.ones(3))) is (backend.name in ("numpy", "torch"))


@pytest.mark.filterwarnings("ignore:Dynamo detected a call:UserWarning")
@pytest.mark.filterwarnings("ignore:`torch.jit.trace` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("backend", ["torch"], indirect=True)
def test_a_tensor_that_is_traced_cannot_be_read(backend):
    import torch

    x, read = backend.asarray(np.ones(3)), []

    def f(x):
        read.append(in_host_memory(x))
        return 2 * x

    torch.jit.trace(f, (x,), check_trace=False)
    torch.compile(f, backend="eager")(x)
    assert read == [False, False]
    assert not in_host_memory(x.to("meta"))
    assert not in_host_memory(torch.nn.Parameter(x))
