"""Appendix C: the quadratic model (32), and the direction C^-1 grad f for all parameters (33) or by layer (34).

>>> import numpy as np
>>> from kfgn_reference import direction, quadratic_model
>>> C, g = np.diag([2.0, 4.0]), np.array([2.0, 8.0])
>>> delta = direction(C, g)
>>> delta.tolist(), float(quadratic_model(10.0, g, C, -delta))
([1.0, 2.0], 1.0)
"""

from typing import Any

import numpy as np

from ._arithmetic import diagonal, one, zero
from ._linear_algebra import solve
from ._types import Array, PerLayer
from ._vectors import unvec, vec


def quadratic_model(f: Any, g: Array, C: Array, delta: Array) -> Any:
    """Equation (32), a scalar: f + delta^T g + delta^T C delta / 2, for the value f and the gradient g at theta."""
    return f + delta @ g + delta @ C @ delta / 2


def damped(C: Array, damping: Any) -> Array:
    """C + damping I.

    C-bar is G-bar damped by tau + eta. C-tilde is G-tilde damped by gamma + eta.
    """
    return C + diagonal(one(C[0]) * damping)


def block_diagonal(blocks: PerLayer) -> Array:
    """The matrix over all parameters with the given blocks on its diagonal and zeros elsewhere."""
    layers = sorted(blocks)
    return np.block(
        [[blocks[l] if l == m else np.outer(zero(blocks[l][0]), blocks[m][0]) for m in layers] for l in layers]
    )


def direction(C: Array, g: Array) -> Array:
    """Equation (33): C^-1 grad f, a vector. The direction points uphill, so the step size (40) is negative."""
    return solve(C, g)


def layer_directions(C: PerLayer, g: PerLayer) -> PerLayer:
    """Equation (34): C_l^-1 grad_{W_l} f, layer by layer, as matrices of the shapes of W_l."""
    return {l: unvec(solve(C[l], vec(g[l])), len(g[l])) for l in g}
