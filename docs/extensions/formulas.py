"""The formulas of docs/equations.tex by their numbers."""

import re
from pathlib import Path

FILE = Path(__file__).parents[1] / "equations.tex"

EQUATION = re.compile(r"\\begin\{equation\}\\tag\{(\d+)\}\n(.*?)\n\\end\{equation\}", re.DOTALL)


def read_formulas() -> dict[int, str]:
    """Return the LaTeX of each equation by its number. Raises `ValueError` if a number is there twice."""
    found = [(int(number), formula) for number, formula in EQUATION.findall(FILE.read_text(encoding="utf-8"))]
    formulas = dict(found)
    if len(formulas) != len(found):
        raise ValueError(f"{FILE.name}: expected each number once, got {len(found)} for {len(formulas)} numbers")
    return formulas
