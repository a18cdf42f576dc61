"""The types in the signatures of the port.

No array library has types for the arrays of other libraries, so the type `Array` is only a note for the reader.
`kfgn._validation` and `kfgn._linearisation.arguments` check arrays when a function is called.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

Array: TypeAlias = Any
"""An array of any library that follows the array API standard."""

Namespace: TypeAlias = Any
"""The namespace of the functions of an array library, from `array_api_compat.array_namespace`."""

Arrays: TypeAlias = tuple[Array, ...]
"""One array per layer with weights, in the order of the layers."""

Weights: TypeAlias = Sequence[Array]
"""W_1, ..., W_L: (D_l, D_{l-1} + 1) with the bias in the last column, or (D_l, D_{l-1}) for a layer without a bias."""
