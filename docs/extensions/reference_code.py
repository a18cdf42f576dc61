"""Directives for kfgn_reference: its modules with the code of each public name, and the tables of its docstring."""

import importlib
import inspect
import re
from textwrap import dedent
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from reference_tables import reading_order, symbols
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class ReferenceModules(SphinxDirective):
    """The modules that the content names, each with its docstring and the code of its public names.

    The name of a module is below kfgn_reference, such as `_kfra` or `shared_weights._expand`.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return a section for each module."""
        lines = [line for name in self.content for line in _module(name.strip())]
        return self.parse_text_to_nodes(StringList(lines, source="kfgn_reference"), allow_section_headings=True)


def _module(name: str) -> list[str]:
    """The lines of a module, in reStructuredText."""
    module = importlib.import_module(f"kfgn_reference.{name}")
    title, _, rest = (inspect.getdoc(module) or "").partition("\n")
    title = _plain(title.rstrip("."))
    lines = [f".. _reference-{name.strip('_')}:", "", title, "-" * len(title), ""]
    lines += [line for block in rest.strip("\n").split("\n\n") for line in _block(block)]
    package = importlib.import_module(module.__name__.rpartition(".")[0])
    for public in package.__all__:
        value = getattr(package, public)
        if getattr(value, "__module__", None) == module.__name__ and callable(value):
            lines += [*_definition(f"{package.__name__}.{public}", value), ""]
    return lines


def _block(text: str) -> list[str]:
    """The lines of a paragraph, an example or an indented table of a docstring."""
    if text.startswith((">>>", " ")):
        language = "pycon" if text.startswith(">>>") else "text"
        return [f".. code-block:: {language}", "   :class: wrapped", "", *_indented(dedent(text)), ""]
    return [_plain(text.replace("\n", " ")), ""]


def _definition(name: str, value: Any) -> list[str]:
    """The lines of a function or a class: its entry in the index, and its code."""
    kind = "class" if inspect.isclass(value) else "function"
    signature = "" if kind == "class" else f"({', '.join(inspect.signature(value).parameters)})"
    lines = [f".. py:{kind}:: {name}{signature}", ""]
    return [*lines, *_indented(".. code-block:: python\n   :class: wrapped\n\n" + _text(inspect.getsource(value)))]


def _text(code: str) -> str:
    return "\n".join(_indented(code.strip("\n")))


def _indented(text: str) -> list[str]:
    return [f"   {line}".rstrip() for line in text.splitlines()]


class Symbols(SphinxDirective):
    """The table of symbols."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        lines = [".. list-table::", "   :header-rows: 1", "   :class: symbols", ""]
        for row in (["here", "paper", "meaning", "shape"], *symbols()):
            code = [f"``{row[0]}``" if row[0] != "here" else "here", *map(_plain, row[1:])]
            lines += [f"   {'-' if i else '* -'} {cell}".replace("   - ", "     - ") for i, cell in enumerate(code)]
        return self.parse_text_to_nodes(StringList(lines, source="kfgn_reference"))


class ReadingOrder(SphinxDirective):
    """The modules in the order of reading, each with its equations and a link to its code."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        lines = [".. list-table::", "   :header-rows: 1", "", "   * - module", "     - equations", "     - subject"]
        for name, equations, subject in reading_order():
            link = f":ref:`{name} <reference-{name.strip('_')}>`"
            lines += [f"   * - {link}", f"     - {_plain(equations)}", f"     - {_plain(subject)}"]
        return self.parse_text_to_nodes(StringList(lines, source="kfgn_reference"))


def _plain(text: str) -> str:
    """Escape the marks of reStructuredText, except in names between backticks."""
    return re.sub(r"`[^`]+`|[*|_(\\]", lambda mark: mark[0] if mark[0][0] == "`" else f"\\{mark[0]}", text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directives."""
    app.add_directive("reference-modules", ReferenceModules)
    app.add_directive("symbols", Symbols)
    app.add_directive("reading-order", ReadingOrder)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
