"""What the paper defines on a problem: each quantity with its equation and its oracle.

An oracle returns one array for each layer, or a single one; an answer has the same shapes.
"""

from .curvature import CURVATURE
from .products import PRODUCTS
from .quantity import ELEMENTS, Quantity
from .reference_only import REFERENCE_ONLY
from .sizes import Arrays, largest
from .solves import SOLVES
from .steps import STEPS

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in (*CURVATURE, *PRODUCTS, *SOLVES)}
"""What every problem is asked for."""

ROWS: dict[str, Quantity] = QUANTITIES | {quantity.name: quantity for quantity in STEPS}
"""With what walks are asked for."""

__all__ = ["ELEMENTS", "QUANTITIES", "REFERENCE_ONLY", "ROWS", "STEPS", "Arrays", "Quantity", "largest"]
