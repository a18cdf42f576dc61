"""The two factors of a Kronecker-factored block.

>>> import numpy as np
>>> from kfgn_reference.shared_weights import Factors
>>> Factors(Q=np.array([[2.0]]), G=np.array([[3.0, 1.0], [1.0, 4.0]])).block.tolist()
[[6.0, 2.0], [2.0, 8.0]]
"""

from typing import NamedTuple

import numpy as np

from .._types import Array


class Factors(NamedTuple):
    """The block Q kron G of the weights of a layer, for vec that stacks columns.

    Q: the factor of the inputs, (I, I)
    G: the factor of the pre-activations, (O, O)

    An approximation determines only the product Q kron G. The scale of each factor is a convention.
    """

    Q: Array
    G: Array

    @property
    def block(self) -> Array:
        """Q kron G, (I O, I O)."""
        return np.kron(self.Q, self.G)
