"""The functions that all pictures share: style, titles in plain text, and the writing of a file."""

import io
import itertools
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .errors import PictureError, library
from .files import write_atomically
from .methods import METHODS
from .plain_text import escaped
from .run import Run

FIRST_ORDER = ("#0072B2", "#56B4E9", "#7A6FAC", "#8C8C8C", "#1F3F66")
SECOND_ORDER = ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#8B4513")
"""The colours of the runs of first-order methods, and those of the runs of other methods.

The first two colours of `FIRST_ORDER` and the first four of `SECOND_ORDER` are from the palette of Okabe and Ito.
People with colour blindness can distinguish these colours.
"""

INK = "#333333"
"""The colour of reference lines in pictures of losses."""


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure with a white background. The width and the height are in inches."""
    return library("matplotlib.figure").Figure(figsize=(width, height), layout="constrained", facecolor="white")


def colours_of(runs: Sequence[Run], labels: Sequence[str]) -> list[str]:
    """Return a colour for each run, from `FIRST_ORDER` for a first-order method and otherwise from `SECOND_ORDER`.

    Runs of different data sets can have equal labels, and then have equal colours.
    """
    cold, other = itertools.cycle(FIRST_ORDER), itertools.cycle(SECOND_ORDER)
    colours: dict[str, str] = {}
    for run, label in zip(runs, labels, strict=True):
        if label not in colours:
            colours[label] = next(cold if METHODS[run.options["method"]].first_order else other)
    return [colours[label] for label in labels]


def label_decades(axes: Any) -> None:
    """Use a logarithmic y-axis, with plain numbers at the powers of 10.

    If the axis is shorter than three decades, it also shows the numbers 2 and 5 times each power of 10.
    """
    axes.set_yscale("log")
    lower, upper = axes.get_ylim()
    ticker = library("matplotlib.ticker")
    if upper < 1000 * lower:
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())


def plain(axes: Any, x: str, y: str) -> None:
    """Label the axes, draw a pale grid, and leave out the upper and the right border."""
    axes.set_xlabel(x, parse_math=False)
    axes.set_ylabel(y, parse_math=False)
    axes.grid(visible=True, which="major", alpha=0.25, linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def add_legend(parent: Any, **options: Any) -> None:
    """Add a legend to axes or to a figure. In the legend, $ does not start a formula."""
    for text in parent.legend(**{"frameon": False, "fontsize": "small", **options}).get_texts():
        text.set_parse_math(False)


def set_title(figure: Any, title: str) -> None:
    """Set the title of a figure as plain text, in which $ does not start a formula."""
    figure.suptitle(escaped(title), parse_math=False)


def save(figure: Any, path: Path) -> None:
    """Write a figure as PNG. Raises a `PictureError` that names the file."""
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the font lacks a character
        figure.savefig(content, format="png", dpi=160)
    try:
        write_atomically(path, content.getvalue())
    except OSError as error:
        raise PictureError(f"{path} could not be written: {error.strerror}", path.parent) from error
