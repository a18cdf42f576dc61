"""The style of the pictures of the gallery: no background, and text that is legible on a light and on a dark page."""

from typing import Any

import matplotlib as mpl

GREY = "#7f8893"

STYLE: dict[str, Any] = {
    "savefig.transparent": True,
    "figure.dpi": 130,
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "image.cmap": "RdBu_r",
    "axes.prop_cycle": mpl.cycler(color=["#2f81d6", "#e0752d", "#2f9e6e", "#b5499b"]),
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "axes.titlecolor"), GREY),
    **dict.fromkeys(("xtick.color", "ytick.color", "grid.color"), GREY),
}


def reset(_gallery: dict[str, Any], _file: str) -> None:
    """Set the style before each example."""
    mpl.rcdefaults()
    mpl.rcParams.update(STYLE)
