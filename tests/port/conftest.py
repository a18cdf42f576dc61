"""Fixtures of the tests of the port: the libraries, problems on them, the public functions, and a check of errors."""

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


@functools.cache
def _opened(name):
    try:
        return open_backend(name)
    except BackendUnavailableError as error:
        return f"{name}: {error}"


@pytest.fixture(params=BACKENDS)
def backend(request):
    found = _opened(request.param)
    if isinstance(found, str):
        pytest.skip(found)
    return found


LAYERED = {"W": "weights", "V": "V", "delta": "delta", "b": "b", "U_Q": "U_Q", "U_G": "U_G"}
"""The arguments that are a tuple of one array per layer, by the letter that names an array of the tuple."""

OPTIONS = {"damping": 0.5, "tau": 0.25, "eta": 0.125, "iterations": 3}
"""The options of functions, unless a test gives others."""


def split_name(name):
    """("V", 2) for V_2, the array of a layer, and (name, None) for every other argument."""
    letter, _, l = name.rpartition("_")
    return (LAYERED[letter], int(l)) if letter in LAYERED and l.isdigit() else (name, None)


class Problem(NamedTuple):
    """The arguments of the public functions, by name."""

    network: Any
    weights: Any
    X: Any
    Y: Any
    labels: Any
    draws: Any
    projections: Any
    U: Any
    V: Any
    delta: Any
    b: Any
    U_Q: Any
    U_G: Any

    def having(self, name, value):
        """This problem with another value of an argument; `W_2` is one array of the weights, `V_1` one of V."""
        name, l = split_name(name)
        if l is None:
            return self._replace(**{name: value})
        layers = getattr(self, name)
        return self._replace(**{name: (*layers[: l - 1], value, *layers[l:])})

    def argument(self, name):
        name, l = split_name(name)
        return getattr(self, name) if l is None else getattr(self, name)[l - 1]

    def arrays(self):
        """Every array, in order."""
        return [a for part in self[1:] for a in (part if isinstance(part, tuple) else (part,))]

    def map(self, change):
        """This problem with `change` applied to every array."""
        changed = (tuple(map(change, part)) if isinstance(part, tuple) else change(part) for part in self[1:])
        return Problem(self.network, *changed)


class Function(NamedTuple):
    """A public function, which is called with the arguments that it takes from a problem."""

    name: str
    takes: tuple[str, ...]
    options: tuple[str, ...]

    def may_leave_out(self, name):
        """True if None is the default of the argument."""
        return inspect.signature(getattr(kfgn, self.name)).parameters[split_name(name)[0]].default is None

    def __call__(self, problem, **options):
        usual = {name: OPTIONS[name] for name in self.options}
        return getattr(kfgn, self.name)(**{name: getattr(problem, name) for name in self.takes}, **usual | options)


@functools.cache
def _functions():
    return tuple(_found())


def _found():
    for name in kfgn.__all__:
        if not inspect.isfunction(getattr(kfgn, name)):
            continue
        takes = inspect.signature(getattr(kfgn, name)).parameters
        if "X" in takes:
            found = Function(name, *(tuple(n for n in names if n in takes) for names in (Problem._fields, OPTIONS)))
            both = {"labels", "draws"} <= set(takes)  # a function takes one of them in a call
            for without in ("draws", "labels") if both else ("",):
                yield found._replace(takes=tuple(n for n in found.takes if n != without))


@pytest.fixture
def functions():
    """The public functions that take an argument or an option: functions("Y"). All take weights and X."""
    return lambda name="X": [f for f in _functions() if split_name(name)[0] in (*f.takes, *f.options)]


@pytest.fixture
def problem():
    """A function that makes a problem. The scope of the backend for its dtype stays open until the test ends."""
    with contextlib.ExitStack() as scopes:

        def make(backend, objective, dtype="float64", widths=(2, 4, 3), N=7, S=6, asarray=None):
            scopes.enter_context(backend.scope(dtype))
            asarray = asarray or backend.asarray
            rng = np.random.default_rng([N, S, *widths])
            transfers = ("tanh", "softplus", "leaky_relu", "logistic")[: len(widths) - 2]
            objective, _, psd = objective.partition(" ")
            network = kfgn.Network.dense(widths, transfers, objective, psd or "project")
            D = widths[-1]
            samples = {
                "squared_error": lambda *shape: rng.standard_normal((*shape, D)),
                "bernoulli": lambda *shape: rng.integers(0, 2, (*shape, D)),
                "categorical": lambda *shape: rng.integers(0, D, shape),
                "mixture": lambda *shape: rng.integers(0, 2, shape),
            }[objective]
            target = "int64" if network.classes else dtype
            draw = rng.standard_normal if objective == "squared_error" else rng.random

            def normal(*shape):
                return asarray(rng.standard_normal(shape).astype(dtype))

            def identity(n):
                return asarray(np.eye(n, dtype=dtype))

            def layers():
                return tuple(normal(*shape) for shape in network.weight_shapes)

            return Problem(
                network=network,
                weights=layers(),
                X=normal(N, widths[0]),
                Y=asarray(samples(N).astype(target)),
                labels=asarray(samples(N, S).astype(target)),
                draws=asarray(draw(kfgn.label_draws_shape(network, N, S)).astype(dtype)),
                projections=normal(*kfgn.projection_shape(network, N, S)),
                U=normal(N, D),
                V=layers(),
                delta=layers(),
                b=layers(),
                U_Q=tuple(identity(P) for _, P in network.block_shapes),
                U_G=tuple(identity(D) for D, _ in network.block_shapes),
            )

        yield make


@pytest.fixture
def shallow(problem):
    """`problem` with the first and last width alone on JAX, which compiles every operation for every shape."""

    def make(backend, objective, dtype="float64", widths=(2, 4, 3), **options):
        on_jax = backend.library == "jax"
        return problem(backend, objective, dtype, widths=(widths[0], widths[-1]) if on_jax else widths, **options)

    return make


def _bits(backend, value):
    if isinstance(value, (tuple, list)):
        return [_bits(backend, v) for v in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tobytes()
    if is_array_api_obj(value):
        with contextlib.suppress(
            NotImplementedError, RuntimeError, TypeError
        ):  # the array has no values, or no dtype of NumPy
            return backend.to_numpy(value).tobytes()
    return repr(value)


@pytest.fixture
def refuses():
    """An assertion that a call raises exactly this error, with the argument and the fragments in its message.

    A tuple among the fragments is a shape. The call must not change a bit of its arguments.
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
            assert re.search(pattern, message), f"expected {fragment!r} in the message, got {message!r}"
        assert _bits(backend, problem) == before

    return refuses


def _shown(shape):
    """The pattern of a shape, as a tuple or as the list that PyTorch prints."""
    return rf"[(\[]{', '.join(map(str, shape))},?[)\]]"
