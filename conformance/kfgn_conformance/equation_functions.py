"""The functions of the reference, the public names of the port and the quantities of the kit for each equation.

>>> from kfgn_conformance.equation_functions import name, port_names, quantity_names, reference_functions
>>> [name(f) for f in reference_functions(38)]
['_damping.omega', '_damping.omega_squared']
>>> port_names(26), quantity_names(26)
(['kfgn.KroneckerFactored', 'kfgn.kfra'], ['kfra'])
"""

import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import kfgn_reference
from kfgn_reference import EQUATIONS

from .adapters.kfgn_problem import PUBLIC
from .quantities import ROWS

Function = Callable[..., Any]

CITED = re.compile(r"\((\d+)\)(?:-\((\d+)\))?")


def cited(text: str) -> set[int]:
    """Return the numbers of the equations that a text cites: (7) cites 7, and (23)-(25) cites 23, 24 and 25."""
    ranges = [range(int(first), int(last or first) + 1) for first, last in CITED.findall(text)]
    return set().union(*ranges) & set(EQUATIONS)


def reference_functions(number: int) -> list[Function]:
    """Return the functions of the reference that belong to an equation.

    The functions in the registry `EQUATIONS` come first. A public function that is not in the registry belongs to the
    equations that the first line of its docstring cites.
    """
    return [*EQUATIONS[number].functions, *(f for f, numbers in _further().items() if number in numbers)]


@cache
def _further() -> dict[Function, set[int]]:
    """The public functions outside of the registry, each with the equations that its docstring's first line cites."""
    registered = {f for equation in EQUATIONS.values() for f in equation.functions}
    values = [getattr(kfgn_reference, name) for name in kfgn_reference.__all__]
    functions = [f for f in dict.fromkeys(filter(inspect.isfunction, values)) if f not in registered]
    return {f: cited((inspect.getdoc(f) or "").partition("\n")[0]) for f in functions}


def port_names(number: int) -> list[str]:
    """Return the names of the public functions, classes and methods of the port whose docstrings cite an equation."""
    return [name for name, numbers in _port().items() if number in numbers]


@cache
def _port() -> dict[str, set[int]]:
    """The public names of the port with the equations that their docstrings cite outside of the examples."""
    found = {}
    for name, value in PUBLIC.items():
        for dotted, part in ((f"kfgn.{name}", value), *_methods(f"kfgn.{name}", value)):
            found[dotted] = cited((inspect.getdoc(part) or "").partition("Examples\n--")[0])
    return found


def _methods(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the public methods of a class, with their names."""
    if inspect.isclass(value):
        yield from ((f"{prefix}.{name}", f) for name, f in vars(value).items() if callable(f) and name[0] != "_")


def quantity_names(number: int) -> list[str]:
    """Return the names of the kit's quantities that an equation of the paper defines."""
    paper = {name: quantity for name, quantity in ROWS.items() if not quantity.of_shared_weights}
    return [name for name, quantity in paper.items() if number in cited(quantity.equation)]


def name(f: Function) -> str:
    """Return the name of a function with the name of its module, without the package."""
    return f"{f.__module__.rpartition('.')[2]}.{f.__name__}"
