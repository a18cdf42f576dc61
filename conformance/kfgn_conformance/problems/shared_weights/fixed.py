"""The fixed problems with shared weights and without a mask, each of which detects some kinds of mistakes."""

from functools import cache

from ..problem import Problem
from .digits import shared_digits
from .dyadic import clear
from .images import IMAGES
from .normalised import NORMALISED
from .sequences import SEQUENCES

FIXED = SEQUENCES | IMAGES | NORMALISED
"""The purpose and the recipe of each problem, by its name without the prefix `shared-`."""


@cache
def shared_problems() -> tuple[Problem, ...]:
    """All fixed problems with shared weights and without a mask. The last problem has images of digits."""
    return (*(clear(f"shared-{name}", row.recipe) for name, row in FIXED.items()), shared_digits())
