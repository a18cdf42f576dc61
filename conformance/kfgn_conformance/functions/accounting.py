"""The check that the products which were seen account for all derivatives with respect to a matrix."""

from collections.abc import Sequence

import numpy as np

from .linearised import Sample
from .matrices import Form
from .uses import Array, Use

UNSEEN = 1e-9
"""The largest accepted difference in `check_accounted`, divided by the largest element of the Jacobian."""


ROUNDING = 1e-13
"""The accepted difference for derivatives that are 0, divided by the sum of the absolute terms that cancel.

A shift of all keys has no influence on attention, so the derivatives with respect to the bias of the keys are rounding
errors of such a sum.
"""


def check_accounted(name: str, places: Array, forms: Sequence[Form], samples: Sequence[Sample]) -> None:
    """Raise `ValueError` unless sum_t J_t a_t^T, summed over all products, is the Jacobian with respect to a matrix.

    J_t is the derivative of the outputs with respect to a product at position t, and a_t is the input of the product.
    Also raises `ValueError` if a datapoint has no product with the matrix.

    places: the sorted places of the matrix in theta, the vector of all parameters
    """
    if not forms:
        raise ValueError(
            f"{name}: expected a product of a matrix with its inputs, got none that was seen. Exact blocks need no"
            " product, but approximations made of pairs need one"
        )
    for n, sample in enumerate(samples):
        if not any(form.uses[n] for form in forms):
            raise ValueError(f"{name}: expected a product for every datapoint, got none for datapoint {n}")
        expected, found = sample.J[:, places], np.zeros((len(sample.J), len(places)))
        terms = np.zeros_like(found)
        for form in forms:
            at = np.searchsorted(places, form.entries)
            for use in form.uses[n]:
                found[:, at] += use.jacobian()
                terms[:, at] += Use(use.entries, np.abs(use.a), np.abs(use.J)).jacobian()
        difference, largest = np.abs(found - expected).max(), np.abs(expected).max()
        if difference > max(UNSEEN * largest, ROUNDING * terms.max()):
            raise ValueError(
                f"{name}: expected products that account for the Jacobian of the outputs, got a difference of"
                f" {difference:.3g} for datapoint {n}, whose Jacobian has the largest element {largest:.3g}. A use of"
                f" {name} was not seen. Every use has to be a matrix product, such as by @ or"
                " torch.nn.functional.linear in PyTorch, or by @ or einsum in JAX"
            )
