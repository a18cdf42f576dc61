"""Formulas as SVG, set at build time, so that a page needs neither a network, nor a script, nor a font."""

from functools import cache
from html import escape

import ziafont
import ziamath
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

ziafont.config.svg2 = False  # outlines in every formula: symbols that formulas share would have one size

SIZE, INLINE_SIZE = 18, 16
"""The sizes of displayed formulas and of formulas in a line of text, in pixels."""

HEIGHT = 75
"""The largest height of a line. Brackets around a sum, written with \\left and \\right, grow without bound."""


@cache
def svg(latex: str, *, inline: bool) -> str:
    """Return a formula as an SVG image in the colour of the text around it."""
    formula = ziamath.Latex(latex, size=INLINE_SIZE if inline else SIZE, color="currentColor", inline=inline)
    if formula.getsize()[1] > HEIGHT * (1 + latex.count("\\\\")):
        raise ValueError(f"latex: expected at most {HEIGHT} pixels a line, got brackets that grow: {latex}")
    sunk = f"vertical-align: {formula.getyofst():.2f}px" if inline else ""
    head = f'<svg role="img" aria-label="{escape(latex)}" style="{sunk}" '
    return head + formula.svg().removeprefix("<svg ")


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula of a line of text."""
    translator.body.append(f'<span class="math">{svg(node.astext(), inline=True)}</span>')
    raise nodes.SkipNode


def visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula, which scrolls where it is wider than the page."""
    translator.body.append(f'<div class="math">{svg(node.astext(), inline=False)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the renderer `svg`."""
    app.add_html_math_renderer("svg", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
