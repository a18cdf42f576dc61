"""The types of transfer functions, and of the shapes of activations."""

from typing import TypeAlias

Transfer = str | tuple[str, float]
"""A transfer function: a name, or a name with its parameter, such as ("leaky_relu", 0.01)."""

Shape: TypeAlias = tuple[int, ...]
"""The shape of the activation of a datapoint: (D,), or (C, T) or (C, H, W) with C channels at T or H W positions."""
