"""A use of parameters as a matrix in a product.

>>> import numpy as np
>>> from kfgn_conformance.functions.uses import Use
>>> use = Use(entries=np.array([[0, 1]]), a=np.array([[1.0, 2.0], [0.0, 5.0]]), J=np.array([[[1.0], [3.0]]]))
>>> use.jacobian().tolist()
[[[1.0, 17.0]]]
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
"""A NumPy array of float64 or bool, or of places in theta, the vector of all parameters."""


class Use(NamedTuple):
    """A product h_t = W a_t at the positions t = 1, ..., T of one datapoint.

    entries: the place in theta of each entry of W, (O, I). A bias is the last column
    a:       the inputs, (T, I), each with a 1 at the end if the matrix has a bias
    J:       the derivatives of the K outputs with respect to the pre-activations h, (K, T, O)
    """

    entries: Array
    a: Array
    J: Array

    def part(self, rows: Array, columns: Array) -> "Use":
        """The use with some rows and columns of W. Both arguments are arrays of bool, (O,) and (I,)."""
        return Use(self.entries[np.ix_(rows, columns)], self.a[:, columns], self.J[:, :, rows])

    def jacobian(self) -> Array:
        """The derivatives of the K outputs with respect to W by this use alone, (K, O, I): sum_t J_t a_t^T."""
        return np.tensordot(self.J, self.a, axes=(1, 0))
