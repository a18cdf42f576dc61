"""A dictionary by name, such as that of the objectives, whose error for an unknown name lists the known names.

>>> from kfgn_reference import OBJECTIVES
>>> OBJECTIVES["mse"]
Traceback (most recent call last):
ValueError: objective: expected one of squared_error, bernoulli, categorical, mixture, got 'mse'
"""

from collections.abc import Mapping
from typing import Any, TypeVar

V = TypeVar("V")


class Named(dict[str, V]):
    """A dictionary of the values of an argument. `what` is the name of the argument in messages."""

    def __init__(self, what: str, values: Mapping[str, V]) -> None:
        super().__init__(values)
        self.what = what

    def __missing__(self, name: Any) -> V:
        raise ValueError(f"{self.what}: expected one of {', '.join(self)}, got {name!r}")
