"""The types of every signature in this package."""

from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""A NumPy array of float64 or float32, or of objects that compute exactly or with a certified error bound."""

PerLayer: TypeAlias = dict[int, Array]
"""One array for each layer, with the keys 1, ..., L as in the paper. Activations also have the key 0."""

Blocks: TypeAlias = dict[tuple[int, int], Array]
"""One matrix for each pair of layers (l, m), 1 <= l, m <= L."""

__all__ = ["Array", "Blocks", "PerLayer"]
