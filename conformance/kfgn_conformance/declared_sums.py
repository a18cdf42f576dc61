"""The explanation of summed factors Q, for an adapter that declares sums. A declared sum does not apply to Q."""

from .adapters import Conventions
from .adapters.positions import DIVIDED
from .diagnosis import Diagnosis
from .quantities import Quantity

SUMMED = ("summed-over-datapoints", "shared-summed-over-datapoints")
"""The names of the known mistakes in which a sum replaces every mean over the datapoints.

The second mistake is that of networks with shared weights.
"""


def on_declared_sums(found: Diagnosis, quantity: Quantity, declared: Conventions) -> Diagnosis:
    """Return the diagnosis with one more sentence if Q is summed, as the adapter declares, but must be a mean."""
    if declared.reduction != "sum" or quantity.array_kind != "inputs":
        return found
    sentence = f'The declared reduction="sum" does not apply to {quantity.name}, which is a mean with every reduction.'
    if quantity.name in DIVIDED:
        sentence = f"{sentence[:-1]}, unless `divisors` declares a different divisor."
    mistakes = (
        each._replace(description=f"{each.description} {sentence}") if each.name in SUMMED else each
        for each in found.mistakes
    )
    return found._replace(mistakes=tuple(mistakes))
