"""What the tests of the port share: every library, a problem on it, every public function, and how a refusal reads."""

import contextlib
import functools
import inspect
import re
from typing import Any, NamedTuple

import numpy as np
import pytest
from array_api_compat import is_array_api_obj

import kfgn
from kfgn.backends import BACKENDS, BackendUnavailableError, open_backend

DEVICES = {name: (name, None) for name in BACKENDS} | {"torch-cuda": ("torch", "cuda")}


@functools.cache
def _opened(label):
    try:
        return open_backend(*DEVICES[label])
    except BackendUnavailableError as error:
        return f"{label}: {error}"


@pytest.fixture(params=DEVICES)
def backend(request):
    found = _opened(request.param)
    if isinstance(found, str):
        pytest.skip(found)
    return found


class Problem(NamedTuple):
    """The arguments of the public functions, by name."""

    network: Any
    weights: Any
    X: Any
    Y: Any
    labels: Any
    draws: Any

    def having(self, name, value):
        """This problem with another argument, where W_l is one of the weights."""
        if not name.startswith("W_"):
            return self._replace(**{name: value})
        l = int(name[2:])
        return self._replace(weights=(*self.weights[: l - 1], value, *self.weights[l:]))

    def argument(self, name):
        return self.weights[int(name[2:]) - 1] if name.startswith("W_") else getattr(self, name)


class Function(NamedTuple):
    """A public function, called with those arguments of a problem that it takes."""

    name: str
    takes: tuple[str, ...]

    def __call__(self, problem, **options):
        return getattr(kfgn, self.name)(**{name: getattr(problem, name) for name in self.takes}, **options)


def _functions():
    for name in kfgn.__all__:
        takes = inspect.signature(getattr(kfgn, name)).parameters
        if "X" in takes:
            yield Function(name, tuple(argument for argument in Problem._fields if argument in takes))


@pytest.fixture
def functions():
    """The public functions that take an argument: functions("Y"). Every one of them takes weights and X."""
    return lambda name="X": [f for f in _functions() if name in f.takes or name.startswith("W_")]


@pytest.fixture
def problem():
    """Makes a problem, and holds the backend's scope for its dtype open until the test ends."""
    with contextlib.ExitStack() as scopes:

        def make(backend, objective, dtype="float64", widths=(2, 4, 3), N=7, S=6, asarray=None):
            scopes.enter_context(backend.scope(dtype))
            asarray = asarray or backend.asarray
            rng = np.random.default_rng([N, S, *widths])
            transfers = ("tanh", "softplus", "leaky_relu", "logistic")[: len(widths) - 2]
            network = kfgn.Network(widths, transfers, objective)
            D = widths[-1]
            samples = {
                "squared_error": lambda *shape: rng.standard_normal((*shape, D)),
                "bernoulli": lambda *shape: rng.integers(0, 2, (*shape, D)),
                "categorical": lambda *shape: rng.integers(0, D, shape),
            }[objective]
            target = "int64" if objective == "categorical" else dtype
            draw = rng.standard_normal if objective == "squared_error" else rng.random
            return Problem(
                network=network,
                weights=tuple(asarray(rng.standard_normal(s).astype(dtype)) for s in network.weight_shapes),
                X=asarray(rng.standard_normal((N, widths[0])).astype(dtype)),
                Y=asarray(samples(N).astype(target)),
                labels=asarray(samples(N, S).astype(target)),
                draws=asarray(draw(kfgn.draw_shape(network, N, S)).astype(dtype)),
            )

        yield make


def _bits(backend, value):
    if isinstance(value, (tuple, list)):
        return [_bits(backend, v) for v in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tobytes()
    if is_array_api_obj(value):
        with contextlib.suppress(NotImplementedError, RuntimeError, TypeError):  # no values, or not as NumPy has them
            return backend.to_numpy(value).tobytes()
    return repr(value)


@pytest.fixture
def refuses():
    """Calls a function that must raise exactly this error, naming the argument and saying each of the fragments.

    A tuple among the fragments is a shape. The arguments must be what they were, bit for bit.
    """

    def refuses(backend, function, problem, error, name, *fragments, **options):
        before = _bits(backend, problem)
        with pytest.raises((TypeError, ValueError)) as caught:
            function(problem, **options)
        message = str(caught.value)
        assert caught.type is error, message
        assert message.startswith(f"{name}: "), message
        for fragment in fragments:
            pattern = re.escape(fragment) if isinstance(fragment, str) else _shown(fragment)
            assert re.search(pattern, message), f"{message!r} does not say {fragment!r}"
        assert _bits(backend, problem) == before

    return refuses


def _shown(shape):
    """A tuple, or what PyTorch makes of it."""
    return rf"[(\[]{', '.join(map(str, shape))},?[)\]]"
