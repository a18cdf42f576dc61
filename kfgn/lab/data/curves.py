"""Generated curves: a surrogate of the data set CURVES, whose images and recipe are no longer available."""

import numpy as np
from numpy.typing import NDArray

from .images import Images, Report, silent

TRAIN, TEST, VALIDATION = 20_000, 10_000, 5_000
SIDE = 28
SEED = 2006
STEPS = 64
PEN = 0.88
"""The standard deviation, in pixels, of the normal density by which ink spreads around the pen."""
INK = 37.5
"""The sum of the pixels of a curve that lies inside the image, before pixels above 1 are set to 1."""

LOWER = (3.5, 4.0, 4.0, 2.5, 2.5, 2.5)
UPPER = (7.5, 9.75, 9.75, 25.0, 25.0, 25.0)
"""The lower and upper bounds of x_0, x_1 - x_0, x_2 - x_1, y_0, y_1, y_2 for the points (x_i, y_i) of a curve.

The unit is one pixel. The origin is the centre of the upper left pixel.
"""


PARTS = {"train": (0, TRAIN), "test": (TRAIN, TEST), "validation": (TRAIN + TEST, VALIDATION)}
"""For each set, the index of its first curve in the sequence of all curves, and the number of its curves."""


def load_curves(part: str = "train", report: Report = silent) -> Images:
    """Generate the curves of one set: 20,000 training, 10,000 test or 5,000 validation curves.

    No curve is in two sets. The pixels (n, 784) have values 0, 1/255, ..., 1.

    Hinton and Salakhutdinov (2006) drew curves through three random points. The pen, the ink and the ranges of the
    points are fitted to published pictures of CURVES and to published reconstruction errors. Results on these curves
    are therefore similar to the published results, but not equal.
    """
    start, n = PARTS[part]
    x, y = (points[start:] for points in random_points(start + n))
    pixels = np.empty((n, SIDE * SIDE), np.float32)
    for i in range(0, n, 1000):  # the densities of all curves at once would need 600 MB
        drawn = slice(i, i + 1000)
        pixels[drawn] = np.rint(255 * draw(x[drawn], y[drawn])).reshape(-1, SIDE * SIDE) / 255
        report(f"curves: {min(i + 1000, n):,} of {n:,} images of the {part} set generated")
    return Images(
        pixels=pixels,
        labels=None,
        shape=(SIDE, SIDE),
        about=f"{len(x):,} generated curves of 28x28 pixels in [0, 1]: a surrogate of CURVES, not the images of "
        "Hinton and Salakhutdinov (2006).",
    )


def random_points(n: int = TRAIN + TEST) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coordinates x (n, 3) and y (n, 3) of the three points of each curve, from left to right.

    A larger n adds curves, and leaves the first curves unchanged.
    """
    rng = np.random.Generator(np.random.Philox(SEED))
    drawn = rng.uniform(LOWER, UPPER, (n, 6))
    return np.cumsum(drawn[:, :3], axis=1), drawn[:, 3:]


def draw(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the images (n, 28, 28) of the curves through the points with the coordinates x and y, each (n, 3).

    The y-axis points downwards. A curve is quadratic in t and passes through its points at t = 0, 1/2, 1. At each of 64
    equally spaced t the pen leaves the same amount of ink. The ink has a normal density, which is evaluated at the
    centres of the pixels. Pixels above 1 are set to 1.
    """
    t = np.linspace(0, 1, STEPS)
    through = np.stack([(2 * t - 1) * (t - 1), 4 * t * (1 - t), t * (2 * t - 1)])
    ink = INK / STEPS * _profile(y @ through) @ _profile(x @ through).mT
    return np.minimum(ink, 1)


def _profile(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normal density around each of the centres (n, STEPS) at the 28 pixels of an axis, (n, 28, STEPS)."""
    z = (np.arange(SIDE)[:, None] - centres[:, None, :]) / PEN
    density: NDArray[np.float64] = np.exp(-(z**2) / 2) / (PEN * np.sqrt(2 * np.pi))
    return density
