"""What the paper defines on a problem: each quantity with its equation and its oracle.

An oracle returns one array for each layer, or a single one; an answer has the same shapes.
"""

from .curvature import CURVATURE
from .products import PRODUCTS
from .quantity import ELEMENTS, Quantity
from .reference_only import REFERENCE_ONLY
from .sizes import Arrays, largest
from .solves import SOLVES

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in (*CURVATURE, *PRODUCTS, *SOLVES)}

__all__ = ["ELEMENTS", "QUANTITIES", "REFERENCE_ONLY", "Arrays", "Quantity", "largest"]
