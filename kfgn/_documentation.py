"""Documentation of dataclasses by `help`: their fields and methods, without special methods."""


class Documented(type):
    """A metaclass for dataclasses, under which `help` leaves out special methods such as `__eq__`.

    `help` lists the names that `dir` returns for the class. `dir` of an instance is not changed.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from kfgn._documentation import Documented
    >>> @dataclass(frozen=True)
    ... class Point(metaclass=Documented):
    ...     x: float
    ...     y: float = 0.0
    >>> dir(Point), Point(1.0) == Point(1.0)
    (['y'], True)
    """

    def __dir__(cls) -> list[str]:
        return [name for name in super().__dir__() if not (name.startswith("__") and name.endswith("__"))]
