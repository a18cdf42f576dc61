"""A good call of every public function, with the role of each argument. `roles` has the bad values of each role.

`public()` finds the public functions by introspection, and `calls` must have an entry for each. A test fails for a new
function or a new argument without an entry.
"""

from collections.abc import Iterator

from ..libraries import Library
from .call import Call
from .introspection import PROTOCOL, public
from .of_functions import Problem, kronecker
from .of_interop import interop
from .of_lab import lab, options
from .of_optimisers import constructors, optimisers

__all__ = ["PROTOCOL", "Call", "calls", "public"]


def calls(library: Library, folder: str, out: str) -> Iterator[Call]:
    """All calls on a library. Calls without an array are made with NumPy alone."""
    objectives = ("categorical",) if library.name == "jax" else ("squared_error", "categorical")
    for objective in objectives:
        yield from Problem(library, objective).calls()
        if library.name != "jax":
            yield from Problem(library, objective).calls(check=False)
    yield from kronecker(library)
    yield from optimisers(library)
    if library.name == "numpy":
        yield from constructors()
        yield from options()
        yield from lab(folder, out)
    if library.name == "torch":
        yield from interop()
