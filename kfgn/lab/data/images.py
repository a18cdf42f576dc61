"""The record of a data set: images as rows of pixels."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray


class Images(NamedTuple):
    """n grey images of D = height * width pixels.

    pixels: (n, D) float32, C-contiguous; each row has the pixels of one image in row-major order
    labels: (n,) int64, the class of each image; None for a data set without classes
    shape:  (height, width)
    about:  one sentence about the images and their authors, for `configuration.json`
    """

    pixels: NDArray[np.float32]
    labels: NDArray[np.int64] | None
    shape: tuple[int, int]
    about: str


Report: TypeAlias = Callable[[str], None]
"""A function that receives one line about the progress of the generation of images."""


def silent(_line: str) -> None:
    """Ignore a line about the progress."""
