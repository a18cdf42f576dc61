"""Each call raises the documented error, in one line with the name of the argument and the expected value."""

import atexit
import contextlib
import fnmatch
import functools
import inspect
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kfgn
import kfgn.lab
from kfgn.backends import BackendUnavailableError
from kfgn.lab import Options, train

from .accepted import ACCEPTED
from .calls import PROTOCOL, Call, calls, public
from .libraries import Library
from .values import Bad

pytestmark = pytest.mark.usefixtures("unrendered")

LEAST = {"numpy": 5000, "torch": 5000, "jax": 1000}
"""The number of calls on each library from which the test is complete."""

SECONDS = 20
"""The time limit of a call, including compilation by JAX."""

MEGABYTES = 1500
"""The limit of the growth of the process's memory over all calls of a function."""


@functools.cache
def folders() -> tuple[str, str]:
    """The folder of a run of one update, and a folder that does not exist."""
    place = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    train(Options("digits", updates=1), f"{place}/run")
    return f"{place}/run", f"{place}/new"


@functools.cache
def library(name: str) -> Library:
    try:
        return Library(name)
    except BackendUnavailableError as error:
        pytest.skip(str(error))


@functools.cache
def of(name: str) -> dict[str, list[Call]]:
    """The calls on a library, by the function."""
    found: dict[str, list[Call]] = {}
    with library(name).scope():
        for call in calls(library(name), *folders()):
            found.setdefault(call.name, []).append(call)
    return found


@functools.cache
def kinds(backend: str) -> list[tuple[str, str, str]]:
    """The function, the argument and the kind of its bad value, of each call on a library."""
    with library(backend).scope():
        return [
            (name, argument, bad.kind)
            for name, found in of(backend).items()
            for call in found
            for argument, bad in call.bad(library(backend))
        ]


def is_accepted(name: str, argument: str, kind: str) -> bool:
    return any(
        fnmatch.fnmatchcase(name, a) and fnmatch.fnmatchcase(argument, b) and fnmatch.fnmatchcase(kind, c)
        for a, b, c, _ in ACCEPTED
    )


def fault(call: Call, argument: str, bad: Bad) -> str | None:
    """The fault of the error or result of the call, or None."""
    try:
        with limited():
            call.function(**call.given(**{argument: bad.value}))
    except BaseException as error:
        message = str(error)
        if type(error) is not bad.error and not (isinstance(error, bad.error) and _is_ours(error)):
            return f"expected {bad.error.__name__}, got {type(error).__name__}: {message[:300]}"
        if not _names(message, argument, call):
            return f"expected a message that names {argument} and what was expected, got {message[:300]!r}"
        if "\n" in message or len(message) > 600:
            return f"expected one line, got {len(message)} characters: {message[:300]!r}"
        return None
    return f"expected {bad.error.__name__}, and it was accepted"


def _is_ours(error: BaseException) -> bool:
    return type(error).__module__.startswith("kfgn")


def _names(message: str, argument: str, call: Call) -> bool:
    """True if a message begins with the argument, or one of its parts, and states what was expected.

    If two arguments do not fit each other, the message may begin with the other one and mention this one.
    """
    names = {argument, *PARTS.get(argument, ())}
    others = {part for name in call.arguments for part in (name, *PARTS.get(name, ()))}

    def begins(names: set[str]) -> bool:
        known = "|".join(names)
        return re.match(rf"(\w+: )?({known})(_\d+)?(\.\w+)*: ", message) is not None

    mentions = any(re.search(rf"\b{name}(_\d+)?\b", message) for name in names)
    return "expected" in message and (begins(names) or (begins(others) and mentions))


PARTS = {
    "weights": ("W",),
    "state": ("weights", "W"),
    "module": (r"\d+",),
    "changes": ("updates", "seconds", "method", "eta"),
    "methods": ("learning_rate",),
}
"""The names by which an error refers to parts of an argument."""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """A context that ends a call after `SECONDS`, in a test with the fixture `alarm`."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.fixture(autouse=True, scope="module")
def alarm() -> Iterator[None]:
    """Set what a signal does at the limit of `limited`. Setting it for every call would take a tenth of the time."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_number: int, _frame: Any) -> None:
        raise TimeoutError(f"not done after {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    yield
    signal.signal(signal.SIGALRM, before)


def surroundings() -> list[Any]:
    """The state that no call may change: settings, random numbers and folders."""
    settings = [np.geterr(), os.environ.copy(), np.random.get_state()[1].tobytes()]
    if torch := sys.modules.get("torch"):
        settings += [torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_rng_state().numpy().tobytes()]
    run, new = map(Path, folders())
    return [*settings, Path.cwd(), *(sorted(place.iterdir()) for place in (Path.cwd(), run)), new.exists()]


NAMES = sorted(public())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("backend", LEAST)
def test_bad_calls(backend, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = of(backend).get(name, [])
    if not found:
        pytest.skip("it takes no array of this library")
    before, memory = surroundings(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    faults = []
    with library(backend).scope():
        for call in found:
            for argument, bad in call.bad(library(backend)):
                said = fault(call, argument, bad)
                expected = is_accepted(name, argument, bad.kind)
                if (said is not None) is not expected:
                    faults.append(f"{name}({argument}={bad.kind}), check={call.given().get('check')}: {said}")
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)
    assert surroundings() == before
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MEGABYTES * 1024


def test_everything_public_has_a_call():
    known = {name for backend in ("numpy", "torch") for name in of(backend)}
    assert known == set(NAMES)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_every_argument_has_a_role(backend):
    for name, found in of(backend).items():
        for call in found:
            parameters = [p for p in inspect.signature(call.of).parameters if p != "self"]
            assert set(parameters) <= set(call.arguments), name


def test_the_methods_that_are_left_out_exist():
    """A stale name in the list would hide a later public method of the same name."""
    for name, methods in PROTOCOL.items():
        kind = getattr(kfgn, name, None) or getattr(kfgn.lab, name)
        assert [method for method in methods if not hasattr(kind, method)] == [], name


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_the_good_calls_are_good(backend):
    """The calls with bad values prove nothing unless the good calls succeed. JAX would compile each call."""
    with library(backend).scope():
        for name, found in of(backend).items():
            if name not in ("kfgn.lab.train", "kfgn.lab.compare", "kfgn.lab.resume"):
                call = found[0]
                call.function(**call.given())


@pytest.mark.parametrize("backend", LEAST)
def test_there_are_enough_calls(backend):
    assert len(kinds(backend)) >= LEAST[backend]


def test_what_is_accepted():
    assert len(ACCEPTED) <= 40
    called = set().union(*map(kinds, LEAST))
    for *patterns, reason in ACCEPTED:
        assert reason
        assert any(all(map(fnmatch.fnmatchcase, kind, patterns)) for kind in called), (
            f"nothing is accepted for: {reason}"
        )


def test_a_call_that_should_fail_is_noticed():
    """The harness finds each fault: an error of Python's own, an error without a name, and no error."""

    def made(function):
        return Call("f", function, function, {"eta": (1.0, lambda *_: iter(()))})

    assert "and it was accepted" in fault(made(lambda eta: None), "eta", Bad("", 1, ValueError))
    assert "expected TypeError, got ValueError" in fault(made(_raising("eta: expected")), "eta", Bad("", 1, TypeError))
    assert "names eta" in fault(made(_raising("expected a number")), "eta", Bad("", 1, ValueError))
    assert "names eta" in fault(made(_raising("eta: wrong")), "eta", Bad("", 1, ValueError))
    assert "one line" in fault(made(_raising("eta: expected\na number")), "eta", Bad("", 1, ValueError))
    assert fault(made(_raising("eta: expected a number")), "eta", Bad("", 1, ValueError)) is None


def _raising(message):
    def call(**_given):
        raise ValueError(message)

    return call
