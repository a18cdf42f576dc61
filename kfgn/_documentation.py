"""Documentation of dataclasses by `help`: fields and methods, without the special methods that Python generates."""

GENERATED = frozenset(
    {
        "__annotate_func__",
        "__annotations__",
        "__annotations_cache__",
        "__dataclass_fields__",
        "__dataclass_params__",
        "__delattr__",
        "__dict__",
        "__eq__",
        "__firstlineno__",
        "__hash__",
        "__init__",
        "__match_args__",
        "__post_init__",
        "__replace__",
        "__repr__",
        "__setattr__",
        "__static_attributes__",
        "__weakref__",
    }
)
"""The names that `@dataclass(frozen=True)` adds to a class, and those that every class has."""


class Documented(type):
    """A metaclass for dataclasses, under which `help` leaves out the generated special methods.

    `help` lists the names that `dir` returns for a class. `dir` of an instance is not changed.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from kfgn._documentation import Documented
    >>> @dataclass(frozen=True)
    ... class Point(metaclass=Documented):
    ...     x: float
    ...     y: float = 0.0
    >>> [name for name in dir(Point) if name in ("x", "y", "__eq__")], Point(1.0) == Point(1.0)
    (['y'], True)
    """

    def __dir__(cls) -> list[str]:
        return [name for name in super().__dir__() if name not in GENERATED]
