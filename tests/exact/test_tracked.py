"""The number of bits that `Tracked` proves to be sufficient."""

import math

import pytest

from .tracked import Tracked


@pytest.mark.parametrize(
    ("number", "bits"),
    [
        (Tracked.made(3, 8), 2),
        (Tracked.made(1, 3), math.inf),
        (Tracked.made(1, 3) * 3, math.inf),
        (Tracked.made(2**53 - 1, 1) + 0, 53),
        (Tracked.made(2**53, 1) + 1, 54),
        (Tracked.made(2**53, 1) - 2**53, 55),  # the result is 0, but a sum in a different order may hold 2^54
        (Tracked.made(1, 2**30) + 2**30, 61),
        (Tracked.made(2**30 - 1, 1) * (2**30 - 1), 60),
        ((Tracked.made(2**30 - 1, 1) * (2**30 - 1)) * 0, 60),
        (6 / Tracked.made(3, 4), 4),
        (1 - Tracked.made(1, 4), 3),
        (Tracked.made(-3, 4) ** 2, 4),
    ],
)
def test_bits_are_counted(number, bits):
    assert number.bits == bits
