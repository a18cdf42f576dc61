"""A hash of the code on which the oracles depend: the reference, the quantities and the arithmetic of 24 bits.

The hash is computed from the statements of the code. Comments, docstrings, annotations, error messages and the layout
of the source do not change the hash. The words of a string that contains a space do not change the hash either, since
such a string is a text for readers. The subscripts of `einsum`, which contain "->", always change the hash. The hash is
the same in every version of Python.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import kfgn_reference

HERE = Path(__file__).parent

WITHOUT_EFFECT = frozenset({"annotation", "returns", "type_comment", "type_params", "kind", "ctx"})
"""The fields of a statement on which no number depends, or that some versions of Python do not have."""

TEXT = ("_statements.py",)
"""The files that contain only text for readers, and are left out of the hash."""


def sources() -> list[Path]:
    """Return the files on which the numbers depend."""
    folders = (Path(kfgn_reference.__file__).parent, HERE / "quantities", HERE / "arithmetic")
    files = [file for folder in folders for file in sorted(folder.glob("*.py")) if file.name not in TEXT]
    return [*files, HERE / "changes.py"]


@cache
def numerics() -> str:
    """Compute the hash of the installed code. Later calls return the stored hash."""
    return hash_of((file.name, file.read_text(encoding="utf-8")) for file in sources())


def hash_of(files: Iterable[tuple[str, str]]) -> str:
    """Compute the hash of files, each with its name and its text."""
    found = hashlib.sha256()
    for name, text in files:
        found.update(name.encode())
        for part in statements(ast.parse(text)):
            found.update(part.encode() + b"\0")
    return found.hexdigest()


def statements(node: ast.AST) -> Iterator[str]:
    """Yield the names and values in a syntax tree on which the results of the code depend."""
    yield type(node).__name__
    for name, value in ast.iter_fields(node):
        if name in WITHOUT_EFFECT:
            continue
        yield name
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, ast.AST):
                yield "a sentence" if _is_sentence(part) else repr(part)
            elif not _is_text(part):
                yield from statements(part)


def _is_sentence(value: object) -> bool:
    """True for a string that is a text for readers. The subscripts of `einsum` may contain spaces too."""
    return isinstance(value, str) and " " in value and "->" not in value


def _is_text(node: ast.AST) -> bool:
    """True for a `raise` statement, and for a statement that is only a string, such as a docstring."""
    return isinstance(node, ast.Raise) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )
