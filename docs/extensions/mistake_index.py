"""The directive `mistakes`: every mistake of the catalogue, with its wrong step, and the quantities that it changes."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Sequence
from itertools import groupby

from docutils import nodes
from docutils.statemachine import StringList
from kfgn_conformance.diagnosis import MISTAKES, Mistake
from kfgn_conformance.quantities import ROWS
from mistake_effects import effects
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Mistakes(SphinxDirective):
    """A section for each family of mistakes."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        changed = effects()
        lines: list[str] = []
        for family, mistakes in groupby(MISTAKES.values(), lambda mistake: mistake.family):
            listed = list(mistakes)
            about = sys.modules[listed[0].textbook.__module__].__doc__ or ""
            lines += [f"## {family.capitalize()}", "", *about.split("\n\n")[0].splitlines(), ""]
            for mistake in listed:
                lines += [*_entry(mistake, changed[mistake.name]), ""]
        return self.parse_text_to_nodes(StringList(lines, source="the catalogue"), allow_section_headings=True)


def _entry(mistake: Mistake, changed: Sequence[str]) -> list[str]:
    """The lines of one mistake, in the Markdown of MyST."""
    lines = [f"(mistake-{mistake.name})=", f":::{{rubric}} {mistake.name}", ":class: entry", ":::", ""]
    lines += [_escaped(mistake.description), ""]
    if seen := mistake.seen:
        lines += [f"Made by {f'<{seen}>' if seen.startswith('http') else _escaped(seen)}.", ""]
    lines += ["::::{dropdown} The wrong step", "```python", *step(mistake).splitlines(), "```", "::::", ""]
    return [*lines, ":::{div} entry-foot", f"Changes {in_words(changed)}.", ":::", ""]


def _escaped(text: str) -> str:
    """The text without markup, since a description may have a name with an underscore, a product, or a prime."""
    text = text.replace("f''", "f\N{DOUBLE PRIME}").replace("f'", "f\N{PRIME}")  # quotation marks would become curly
    return "".join(f"\\{c}" if c in "\\`*_[]<>$" else c for c in text)


def step(mistake: Mistake) -> str:
    """Return the source of a mistake: the body of its class, without the docstring."""
    source = textwrap.dedent(inspect.getsource(mistake.textbook))
    (written,) = ast.parse(source).body
    assert isinstance(written, ast.ClassDef)
    first = min([written.body[1].lineno, *(d.lineno for d in getattr(written.body[1], "decorator_list", []))])
    return textwrap.dedent("\n".join(source.splitlines()[first - 1 :]))


def in_words(changed: Sequence[str]) -> str:
    """Return the names of quantities as code, or those that are left out if nearly all are changed."""
    others = [name for name in ROWS if name not in changed]
    if len(others) >= len(changed):
        return ", ".join(f"`{name}`" for name in changed)
    if not others:
        return "every quantity"
    return f"every quantity except {', '.join(f'`{name}`' for name in others)}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("mistakes", Mistakes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
