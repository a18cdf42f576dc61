"""Ratios of an implementation's loss to the kit's loss, as text such as `2`, `1/2` or `2/D`."""

import re
from fractions import Fraction

LOSS = re.compile(r"([1-9][0-9]{0,5})(?:/([1-9][0-9]{0,5}))?(/D)?")
"""The form of the ratio of an implementation's loss to the kit's loss, as `Conventions` describes it."""


def loss_ratio(text: str, D: int) -> Fraction:
    """The ratio of an implementation's loss to the kit's loss, for D outputs."""
    read = LOSS.fullmatch(text)
    assert read is not None
    numerator, denominator, by_outputs = read.groups()
    return Fraction(int(numerator), int(denominator or 1) * (D if by_outputs else 1))
