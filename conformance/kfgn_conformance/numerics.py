"""Hashes of the code on which the oracles depend, one for each quantity and one for the optimiser trajectories.

The hash of a quantity covers its row in the tables of `quantities`, and every definition that the row or `RULE`
reaches in the sense of `definitions`. Among these definitions are functions of the reference, its transfer functions
and objectives, and the 24-bit arithmetic. A change of one definition therefore changes only the hashes that cover this
definition.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import kfgn_reference

from .definitions import EVERYTHING, Code, Key, Source, digest

KIT = __name__.rpartition(".")[0]

FOLDERS = {KIT: Path(__file__).parent, kfgn_reference.__name__: Path(kfgn_reference.__file__).parent}
"""The packages whose code is hashed. A library such as NumPy is not hashed."""

RULE = (
    Key(f"{KIT}.changes", "changes"),
    Key(f"{KIT}.problems.problem", "Problem"),
    Key(f"{KIT}.quantities.quantity", "Quantity"),
)
"""The definitions that every oracle needs, in addition to those that its row reaches.

The function `changes` computes the term d of the tolerance rule.
"""

TRAJECTORIES = f"{KIT}.problem_sets.trajectories"


@cache
def source(name: str) -> Source | None:
    """Read a module. Return None for a module outside `FOLDERS`, and for a name that is no module."""
    package, *path = name.split(".")
    if package not in FOLDERS:
        return None
    place = FOLDERS[package].joinpath(*path)
    if (file := place / "__init__.py").is_file():
        return Source(file.read_text(encoding="utf-8"), name)
    if path and (file := place.with_suffix(".py")).is_file():
        return Source(file.read_text(encoding="utf-8"), name.rpartition(".")[0])
    return None


INSTALLED = Code(source)
"""The installed code."""


@cache
def code_of(quantity: str) -> str:
    """Return the hash of the code that computes the oracle of a quantity."""
    return hash_for(INSTALLED, quantity)


@cache
def code_of_trajectories() -> str:
    """Return the hash of the code that computes the checkpoints of trajectories from their starts."""
    return hash_of_trajectories(INSTALLED)


def hash_of_trajectories(code: Code) -> str:
    """Compute the hash of the code that computes the checkpoints of trajectories."""
    roots = [Key(TRAJECTORIES, name) for name in ("with_trajectory", "STEPS")]
    return code.hash_of_all(code.reached(roots))


def hash_for(code: Code, quantity: str) -> str:
    """Compute the hash of the code that computes the oracle of a quantity."""
    rows = list(rows_of(code, quantity))
    own = (code.hash_of_nodes([node], code.uses(node, module)) for module, node in rows)
    return digest(*own, code.hash_of_all(reached(code, quantity)))


def reached(code: Code, quantity: str) -> set[Key]:
    """Return the definitions that the oracle of a quantity can reach."""
    own = [to for module, node in rows_of(code, quantity) for _, to in code.uses(node, module)]
    return code.reached([*RULE, *own])


def rows_of(code: Code, quantity: str) -> list[tuple[str, ast.AST]]:
    """Return the row of a quantity in the tables of `quantities`, with its module.

    Some rows have a computed name, such as f"solve_{norm}". If no row has the name of the quantity as a constant, the
    function returns all rows with a computed name.
    """
    rows = list(_rows(code))
    return [(module, node) for name, module, node in rows if name == quantity] or [
        (module, node) for name, module, node in rows if name is None
    ]


def _rows(code: Code) -> Iterator[tuple[str | None, str, ast.AST]]:
    """Yield the name, the module and the syntax tree of every row. A computed name is None.

    A table that is not written as a tuple counts as one row.
    """
    tables = code.module(f"{KIT}.quantities")
    assert tables is not None
    for table in sorted({key for key in tables.imports.values() if key.name != EVERYTHING}):
        module = code.module(table.module)
        for node in module.nodes.get(table.name, []) if module else []:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
                yield from ((_constant_name(row), table.module, row) for row in node.value.elts)
            else:
                yield None, table.module, node


def _constant_name(row: ast.expr) -> str | None:
    """The name of a row that is written as a function call: the argument `name` of the call, or its first argument.

    Returns None for a row in any other form, and for a name that is not a constant.
    """
    if not isinstance(row, ast.Call):
        return None
    names = [keyword.value for keyword in row.keywords if keyword.arg == "name"] or row.args[:1]
    name = names[0] if names else None
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None
