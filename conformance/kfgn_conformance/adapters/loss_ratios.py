"""Ratios of an implementation's loss to the kit's loss, as text such as `2`, `1/2` or `2/D` for D outputs."""

import re
from fractions import Fraction

LOSS = re.compile(r"([1-9][0-9]{0,5})(?:/([1-9][0-9]{0,5}))?(/D)?")
"""The form of a ratio: one or two positive integers of at most six digits, such as `1/2`, and an optional `/D`."""


def loss_ratio(text: str, D: int) -> Fraction:
    """The ratio of an implementation's loss to the kit's loss, for D outputs."""
    read = LOSS.fullmatch(text)
    assert read is not None
    numerator, denominator, by_outputs = read.groups()
    return Fraction(int(numerator), int(denominator or 1) * (D if by_outputs else 1))
