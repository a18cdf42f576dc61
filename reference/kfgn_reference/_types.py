"""The types of arrays, and of dictionaries of arrays, in the signatures of this package."""

from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""A NumPy array of float64 or float32, or of objects that compute exactly or with a certified error bound.

Class indices and tokens are arrays of integers. Masks, and some matrices of pairs of positions, are arrays of bool.
"""

PerLayer: TypeAlias = dict[int, Array]
"""One array for each layer, keyed by the number of the layer.

Most dictionaries have the keys 1, ..., L. The keys of activations begin at 0.
"""

Blocks: TypeAlias = dict[tuple[int, int], Array]
"""One matrix for each pair of layers (l, m), 1 <= l, m <= L."""

__all__ = ["Array", "Blocks", "PerLayer"]
