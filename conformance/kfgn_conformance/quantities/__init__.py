"""The quantities that the kit compares, each with its equation and its oracle.

Read in this order:

* sizes:          the `size` of each array in the tolerance rule
* quantity:       the record of a quantity
* curvature:      the loss, its gradient, Hessian, Gauss-Newton matrix and Kronecker factors, and sampled labels
* products:       matrix-vector products, the curvature along a direction, the quadratic model, the step size and the
                  reduction ratio
* solves:         omega, products with Kronecker blocks and their traces, damped solves and log determinants, and
                  conjugate gradients
* shared_weights: exact blocks and Kronecker approximations of networks with shared weights, beyond the paper
* steps:          one step of the optimiser from each checkpoint of a trajectory
* reference_only: further quantities on which the accuracy of the reference is certified, and that no implementation has

An oracle returns a tuple of arrays, such as one array per layer or a tuple with a single array. The arrays of an answer
must have the same shapes.
"""

from .curvature import CURVATURE
from .products import PRODUCTS
from .quantity import ELEMENTS, Quantity
from .reference_only import REFERENCE_ONLY
from .shared_weights.approximations import APPROXIMATIONS
from .shared_weights.exact import EXACT
from .shared_weights.factors import FACTORS
from .sizes import Arrays, largest
from .solves import SOLVES
from .steps import STEPS

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in (*CURVATURE, *PRODUCTS, *SOLVES)}
"""The quantities of the paper that are defined on problems without a trajectory."""

SHARED_WEIGHTS: dict[str, Quantity] = {quantity.name: quantity for quantity in (*EXACT, *FACTORS, *APPROXIMATIONS)}
"""The quantities of networks with shared weights."""

ROWS: dict[str, Quantity] = QUANTITIES | SHARED_WEIGHTS | {quantity.name: quantity for quantity in STEPS}
"""All quantities, in the order of the table."""

__all__ = [
    "ELEMENTS",
    "QUANTITIES",
    "REFERENCE_ONLY",
    "ROWS",
    "SHARED_WEIGHTS",
    "STEPS",
    "Arrays",
    "Quantity",
    "largest",
]
