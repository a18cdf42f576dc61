"""Drawn curves: a surrogate of CURVES, whose images and recipe were never published in a lasting place."""

import numpy as np
from numpy.typing import NDArray

from .images import Images

TRAIN, TEST = 20_000, 10_000
SIDE = 28
SEED = 2006
STEPS = 64
PEN = 0.88
"""Standard deviation of the pen, in pixels."""
INK = 37.5
"""The sum of the pixels of a curve that nowhere reaches 1 and stays in the image."""

LEAST = (3.5, 4.0, 4.0, 2.5, 2.5, 2.5)
MOST = (7.5, 9.75, 9.75, 25.0, 25.0, 25.0)
"""Bounds of x_0, x_1 - x_0, x_2 - x_1, y_0, y_1, y_2, in pixels from the centre of the first."""


def load_curves(*, test: bool = False) -> Images:
    """20,000 curves, or 10,000 others for a test, (n, 784) pixels in 0, 1/255, ..., 1; no labels.

    Hinton and Salakhutdinov (2006) drew theirs through three random points. The ranges of the points, the pen and the
    ink are fitted to their published pictures and errors, so that results are comparable in kind, not digit for digit.
    """
    x, y = random_points()
    part = slice(TRAIN, TRAIN + TEST) if test else slice(TRAIN)
    x, y = x[part], y[part]
    pixels = np.empty((len(x), SIDE * SIDE), np.float32)
    for rows in np.array_split(np.arange(len(x)), len(x) // 1000):  # the profiles of all would take 600 MB
        pixels[rows] = np.rint(255 * draw(x[rows], y[rows])).reshape(len(rows), -1) / 255
    return Images(
        pixels=pixels,
        labels=None,
        shape=(SIDE, SIDE),
        about=f"{len(x):,} generated curves of 28x28 pixels in [0, 1]: a surrogate of CURVES, not the images of "
        "Hinton and Salakhutdinov (2006).",
    )


def random_points() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y (30000, 3) of the three points of each curve, from left to right; the curves for the test come last."""
    rng = np.random.Generator(np.random.Philox(SEED))
    drawn = rng.uniform(LEAST, MOST, (TRAIN + TEST, 6))
    return np.cumsum(drawn[:, :3], axis=1), drawn[:, 3:]


def draw(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Images (n, 28, 28) of the curves through the points x, y (n, 3), with y downwards.

    The curve is quadratic in t and meets its points at t = 0, 1/2, 1. The pen leaves the same ink at each of 64 equally
    spaced t, as a normal density evaluated at the centres of the pixels. Pixels end at 1.
    """
    t = np.linspace(0, 1, STEPS)
    through = np.stack([(2 * t - 1) * (t - 1), 4 * t * (1 - t), t * (2 * t - 1)])
    ink = INK / STEPS * _profile(y @ through) @ _profile(x @ through).mT
    return np.minimum(ink, 1)


def _profile(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 28, STEPS): normal densities about the centres (n, STEPS), at the pixels along one axis."""
    z = (np.arange(SIDE)[:, None] - centres[:, None, :]) / PEN
    density: NDArray[np.float64] = np.exp(-(z**2) / 2) / (PEN * np.sqrt(2 * np.pi))
    return density
