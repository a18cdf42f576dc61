"""The types in the signatures of kfgn.

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
"""A tuple of arrays, such as one array per layer with weights, in the order of the layers."""

Weights: TypeAlias = Sequence[Array]
"""A sequence of arrays, such as W_1, ..., W_L.

W_l of a dense layer is (D_l, D_{l-1} + 1) with the bias in the last column, or (D_l, D_{l-1}) without a bias.
"""
