"""What every data set is: images as rows of pixels."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Images(NamedTuple):
    """n grey images of D = height * width pixels.

    pixels: (n, D) float32, C-contiguous, an image to a row and its pixels row by row
    labels: (n,) int64, the class of each image; None where there are no classes
    shape:  (height, width)
    about:  one sentence for a report: what the images are, and by whom
    """

    pixels: NDArray[np.float32]
    labels: NDArray[np.int64] | None
    shape: tuple[int, int]
    about: str
