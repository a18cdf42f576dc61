"""A good call of a public function, from which calls with one bad argument are made."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..libraries import Library
from ..values import Bad

Role = Callable[[Library, Any], Iterator[Bad]]


class Call(NamedTuple):
    """A public function or method, with a good value and the role of each argument.

    error:  the error that its docstring names instead of TypeError and ValueError; None if it names no other
    checks: False if the call is made with `check=False`
    """

    name: str
    of: Callable[..., Any]
    function: Callable[..., Any]
    arguments: dict[str, tuple[Any, Role]]
    error: type[Exception] | None = None
    checks: bool = True

    def given(self, **changes: Any) -> dict[str, Any]:
        """The good arguments, some of them replaced."""
        return {name: value for name, (value, _) in self.arguments.items()} | changes

    def bad(self, library: Library) -> Iterator[tuple[str, Bad]]:
        """Each bad value with the name of its argument."""
        for name, (good, role) in self.arguments.items():
            for bad in role(library, good):
                if self.checks or not bad.by_value:
                    yield name, bad if self.error is None else bad._replace(error=self.error)
