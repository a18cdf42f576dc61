"""Textbook formulas of every quantity of networks with shared weights, with one method per step of a computation.

The class `SharedTextbook` itself has no mistake: a test compares every quantity with the reference. From the reference,
the class takes only the objectives, the transfer functions and the roots of H_L. Here, the backward pass through a
convolution adds derivatives tap by tap. In the reference, this pass multiplies by a matrix between whole activations.

* normalising: the normalisation of channels
* masking:     masks, and numbers of counted positions
* layers:      patches, and both passes through each layer
* passes:      the forward pass, the loss, and the roots at every layer
* curvature:   the gradient and the exact blocks
* factors:     the approximations
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ....problems.problem import Array
from ....quantities import Arrays
from .factors import Factors
from .passes import PerLayer


class SharedTextbook(Factors):
    """The formulas of every quantity of networks with shared weights, for one problem."""

    def answer(self, quantity: str) -> Arrays:
        """The arrays of a quantity in the kit's form: one per layer with weights, one per group, or a single array."""
        value = SHARED_ANSWERS[quantity](self)
        if isinstance(value, dict):
            value = [value[l] for l in self.weighted]
        return tuple(np.asarray(a) for a in (value if isinstance(value, list) else [value]))

    def groups(self, roots: str = "roots") -> Iterator[tuple[Array, Array]]:
        """Yield the inputs and the columns of each group, and set `current` to the layer of the group.

        roots: the name of the method that computes the columns at every layer
        """
        for l, pair in zip(self.layers_of_groups(), self.pairs(getattr(self, roots)()), strict=True):
            self.current = l
            yield pair


def _each(method: str, roots: str = "roots") -> Callable[[SharedTextbook], list[Any]]:
    """Return the formula that calls a method for every group, with the inputs and the columns of the group.

    roots: the name of the method that computes the columns at every layer
    """
    return lambda t: [getattr(t, method)(a, C) for a, C in t.groups(roots)]


def _diagonals(t: SharedTextbook) -> list[Any]:
    pairs = zip(t.groups(), t.problem.bases, strict=True)
    return [t.ekfac_diagonal(*pair, *bases) for pair, bases in pairs]


SHARED_ANSWERS: dict[str, Callable[[SharedTextbook], Any]] = {
    "shared_loss": lambda t: t.loss(),
    "shared_gradient": lambda t: t.gradient(),
    "shared_hessian_blocks": lambda t: t.hessian_blocks(),
    "shared_gauss_newton_blocks": lambda t: t.gauss_newton_blocks(),
    "expand_q": lambda t: [t.expand_q(a) for a, _ in t.groups()],
    "expand_g": lambda t: [t.expand_g(C) for _, C in t.groups()],
    "reduce_q": lambda t: [t.reduce_q(a) for a, _ in t.groups()],
    "reduce_g": lambda t: [t.reduce_g(C) for _, C in t.groups()],
    "expand_blocks": _each("expand_block"),
    "reduce_blocks": _each("reduce_block"),
    "expand_kfac_blocks": _each("expand_block", "sampled_roots"),
    "reduce_kfac_blocks": _each("reduce_block", "sampled_roots"),
    "kfra_over_positions": lambda t: t.kfra_over_positions(),
    "kfra_over_tokens": lambda t: t.kfra_over_tokens(),
    "kfra_over_taps": lambda t: t.kfra_over_taps(),
    "ekfac_blocks": _each("ekfac_block"),
    "ekfac_diagonal": _diagonals,
    "kfoc_blocks": _each("kfoc_block"),
    "tkfac_blocks": _each("tkfac_block"),
    "tnt_blocks": _each("tnt_block"),
}
"""The formula of each quantity of networks with shared weights, by the name of the quantity."""

__all__ = ["SHARED_ANSWERS", "PerLayer", "SharedTextbook"]
