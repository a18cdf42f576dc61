"""Arrays whose elements the host can read without waiting."""

import numpy as np
import pytest

from kfgn.backends import in_host_memory


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
    with torch.utils.flop_counter.FlopCounterMode(display=False):
        f(x)
    assert read == [False, False, False]
    assert not in_host_memory(x.to("meta"))
    assert not in_host_memory(torch.nn.Parameter(x))


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("backend", ["torch"], indirect=True)
def test_a_tensor_inside_a_transform_cannot_be_read(backend):
    """For such a tensor, NumPy, oneDNN and writing in place would fail or lose the derivative."""
    import torch

    x, read = backend.asarray(np.ones((2, 3))), []

    def f(x):
        read.append(in_host_memory(x))
        return x.sum()

    torch.vmap(f)(x)
    torch.func.grad(f)(x)
    torch.func.functionalize(f)(x)
    with torch.autograd.forward_ad.dual_level():
        f(torch.autograd.forward_ad.make_dual(x, x))
    assert read == [False] * 4
