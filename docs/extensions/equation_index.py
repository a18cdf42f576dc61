"""The directive `equations`: every equation of the registry, with its formula, the remarks, its code and its test.

Algorithm 1 follows with its lines as printed.
"""

import re
from itertools import groupby

from docutils import nodes
from docutils.statemachine import StringList
from formulas import read_formulas
from kfgn_conformance.equation_functions import port_names, reference_functions
from kfgn_reference import EQUATIONS
from kfgn_reference._equations import Equation
from kfgn_reference._printed_algorithm import ALGORITHM_1
from kfgn_reference._statements import Statement
from plain_formulas import as_html
from public_names import public_name
from repository_links import repository_url
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

GREEK_INDEX = re.compile("_(λ)")
"""The index of a matrix in the title of a section."""

NUMBER = re.compile(r"\((\d+)\)")
LINK = r"[(\1)](#equation-\1)"


class Equations(SphinxDirective):
    """A section for each part of the paper, with its equations."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        formulas = read_formulas()
        lines: list[str] = []
        for _, group in groupby(EQUATIONS.items(), lambda item: item[1].statement.section):
            equations = list(group)
            title = equations[0][1].statement.place
            shown = GREEK_INDEX.sub(r"\\ :sub:`\1`", title)
            lines += [shown, "-" * len(shown), ""]
            for number, equation in equations:
                lines += [*_entry(number, equation, formulas[number]), ""]
        lines += [ALGORITHM_1.place, "-" * len(ALGORITHM_1.place), "", *_algorithm()]
        return self.parse_text_to_nodes(StringList(lines, source="the registry"), allow_section_headings=True)


def _entry(number: int, equation: Equation, formula: str) -> list[str]:
    """The lines of one equation, in reStructuredText."""
    statement = equation.statement
    title = statement.title[0].upper() + statement.title[1:]
    lines = [f".. _equation-{number}:", "", f".. rubric:: ({number}) {title}", "   :class: equation", ""]
    lines += [".. math::", "", *(f"   {line}" for line in formula.splitlines()), ""]
    lines += _remarks(statement)
    functions = ", ".join(f":py:func:`~kfgn_reference.{public_name(f)}`" for f in reference_functions(number))
    port = ", ".join(f":py:obj:`{name}`" for name in port_names(number))
    code = f"{functions} · {port}" if port else functions
    test = equation.test.partition("::")
    url = repository_url(test[0])
    shown = f"`{test[2]} <{url}>`__" if url else f"``{test[2]}``"
    foot = ".. rst-class:: equation-foot"
    return [*lines, foot, "", f"{statement.kind} · {code} · {shown}", ""]


def _remarks(statement: Statement) -> list[str]:
    """The remarks on an equation or on the algorithm, a paragraph for each kind."""
    remarks = ((kind, as_html(remark)) for kind, remark in statement.remarks.items())
    return [
        line
        for kind, html in remarks
        for line in (".. raw:: html", "", f"   <p><strong>{kind}:</strong> {html}</p>", "")
    ]


def _algorithm() -> list[str]:
    """The lines of Algorithm 1, in reStructuredText."""
    title = ALGORITHM_1.title[0].upper() + ALGORITHM_1.title[1:]
    lines = [".. _algorithm-1:", "", f".. rubric:: Algorithm 1. {title}", "   :class: equation", ""]
    lines += [".. code-block:: text", "", *(f"   {line}" for line in ALGORITHM_1.text.splitlines()), ""]
    foot = ".. rst-class:: equation-foot"
    return [*lines, *_remarks(ALGORITHM_1), foot, "", ":py:func:`~kfgn_reference.algorithm_1`", ""]


def with_links(row: str) -> str:
    """Return a row of a Markdown table with links from the numbers of its first cell to the equations."""
    first, bar, rest = row.removeprefix("| ").partition(" |")
    return f"| {NUMBER.sub(LINK, first)}{bar}{rest}" if row.startswith("| ") else row


def on_read(_app: Sphinx, docname: str, content: list[str]) -> None:
    """Link the page of misprints to the equations."""
    if docname == "errata":
        content[0] = "\n".join(map(with_links, content[0].split("\n")))


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("equations", Equations)
    app.connect("source-read", on_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
