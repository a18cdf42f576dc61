"""The statements of source code on which the results of the code depend.

Comments, docstrings, annotations, error messages and the layout of the source are left out. The words of a string that
contains a space are left out too, since such a string is a text for readers. The subscripts of `einsum`, which contain
"->", are kept. The result is the same in every version of Python.
"""

import ast
from collections.abc import Iterator

WITHOUT_EFFECT = frozenset({"annotation", "returns", "type_comment", "type_params", "kind", "ctx"})
"""The fields of syntax trees that are left out.

Either no result depends on such a field, or some versions of Python do not have the field.
"""


def statements(node: ast.AST) -> Iterator[str]:
    """Yield the names and values in a syntax tree on which the results of the code depend."""
    yield type(node).__name__
    if isinstance(node, ast.Raise):
        yield from _raised(node)
        return
    for name, value in ast.iter_fields(node):
        if name in WITHOUT_EFFECT:
            continue
        yield name
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, ast.AST):
                yield "a sentence" if _is_sentence(part) else repr(part)
            elif not is_docstring(part):
                yield from statements(part)


def _raised(node: ast.Raise) -> Iterator[str]:
    """Yield the class of a raised error without its message, since a caller may catch this class."""
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    if error is not None:
        yield from statements(error)


def _is_sentence(value: object) -> bool:
    """True for a string that is a text for readers. The subscripts of `einsum` may contain spaces too."""
    return isinstance(value, str) and " " in value and "->" not in value


def is_docstring(node: ast.AST) -> bool:
    """True for a statement that is only a string, such as a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
