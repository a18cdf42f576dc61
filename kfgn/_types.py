"""The types that every signature here is written in.

No array library types another's arrays, so `Array` is a name for the reader; what an array must be is
checked in `kfgn._linearisation.arguments`.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

Array: TypeAlias = Any
"""An array of any library that follows the array API standard."""

Namespace: TypeAlias = Any
"""The functions of that library: what `array_api_compat.array_namespace` returns."""

Arrays: TypeAlias = tuple[Array, ...]
"""One array for each layer, in the order 1, ..., L."""

Weights: TypeAlias = Sequence[Array]
"""W_1, ..., W_L, each (D_l, D_{l-1} + 1) with the bias in the last column."""
