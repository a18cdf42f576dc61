"""The methods of `KroneckerFactored`: functions of a batch and of its draws that compute Kronecker factors.

For a datapoint and a Kronecker block, a pair consists of the inputs of the block, and of the columns of a root of H_L
after their propagation back to the outputs of the block. Gradients at sampled labels can replace these columns.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from .._curvature.foof import foof_factors
from .._curvature.kfac import drawn_labels, kfac_factor
from .._curvature.kflr import kflr_factor
from .._curvature.kfoc import kfoc_factors
from .._curvature.kfra import kfra_factor
from .._curvature.pairs import PairsOfBatch, pairs_at_labels
from .._curvature.random_projections import rp_factor
from .._curvature.tkfac import tkfac_factors
from .._curvature.tnt import tnt_factors
from .._linearisation.linearisation import GaussNewtonLinearisation
from .._types import Arrays

Method: TypeAlias = Callable[[GaussNewtonLinearisation, Any, str], tuple[Arrays, Arrays, Arrays]]
"""A function of a batch, its draws and the sharing. The results are dE/dh_l (N, D_l) at the targets, Q_l and G_l."""


def _with_moments(factor: Callable[[GaussNewtonLinearisation, Any, str], tuple[Arrays, Arrays]]) -> Method:
    """The method whose Q_l is the second moment of the inputs, and whose G_l is computed by the function `factor`."""

    def method(at: GaussNewtonLinearisation, draws: Any, sharing: str) -> tuple[Arrays, Arrays, Arrays]:
        dE_dh, G = factor(at, draws, sharing)
        return dE_dh, at.input_moments(sharing), G

    return method


def _of_pairs(factors: Callable[[PairsOfBatch], tuple[Arrays, Arrays]]) -> Method:
    """The method whose factors are computed from the pairs of the batch that `drawn_pairs` returns."""
    return lambda at, draws, _sharing: (at.dE_dh(), *factors(drawn_pairs(at, draws)))


def drawn_pairs(at: GaussNewtonLinearisation, draws: Any) -> PairsOfBatch:
    """The pairs of a batch, with columns from the gradients at sampled labels or from the exact root of H_L.

    draws: the random numbers that sample the labels; None for the exact root
    """
    return PairsOfBatch(at) if draws is None else pairs_at_labels(at, drawn_labels(at, draws))


METHODS: dict[str, Method] = {
    "kflr": _with_moments(lambda at, _draws, sharing: kflr_factor(at, sharing=sharing)),
    "kfra": _with_moments(lambda at, _draws, _sharing: kfra_factor(at)),
    "kfac": _with_moments(lambda at, draws, sharing: kfac_factor(at, drawn_labels(at, draws), sharing)),
    "rp": _with_moments(rp_factor),
    "tkfac": _of_pairs(tkfac_factors),
    "tnt": _of_pairs(tnt_factors),
    "kfoc": _of_pairs(kfoc_factors),
    "foof": lambda at, _draws, _sharing: (at.dE_dh(), *foof_factors(at)),
}

OF_PAIRS = ("tkfac", "tnt", "kfoc")
"""The methods of `METHODS` that use the exact root of H_L, or sampled labels if a number of samples is given."""

WITH_SHARING = ("kflr", "kfac", "rp")
"""The methods that accept both values of `sharing`, "expand" and "reduce"."""
