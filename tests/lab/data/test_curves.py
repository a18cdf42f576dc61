"""The curves follow their recipe, and have the statistics by which it was fitted to CURVES."""

import functools
import math

import numpy as np
import pytest

from kfgn.lab.data.curves import LOWER, PARTS, TEST, TRAIN, UPPER, draw, load_curves, random_points


@functools.cache
def pixels(*, test):
    return load_curves("test" if test else "train").pixels.astype(np.float64)


def cross_entropy(x, p):
    """Return the cross-entropy of each image x and the probabilities p, in nats, with 0 log 0 = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return -sum(np.where(q == 0, 0, q * np.log(r)) for q, r in ((x, p), (1 - x, 1 - p))).sum(axis=1)


@functools.cache
def principal_components():
    """Return the mean of the training images and their principal components, the last of which is the largest."""
    _, vectors = np.linalg.eigh(np.cov(pixels(test=False).T))
    return pixels(test=False).mean(axis=0), vectors


def squared_error(components):
    """Return the error of each test image after projection on the principal components of the training images."""
    mean, vectors = principal_components()
    basis = vectors[:, vectors.shape[1] - components :]
    centred = pixels(test=True) - mean
    return (centred**2).sum(axis=1) - ((centred @ basis) ** 2).sum(axis=1)


def train_error():
    x = pixels(test=False)
    return ((x - x.mean(axis=0)) ** 2).sum(axis=1)


def mean_image():
    x = pixels(test=True)
    return cross_entropy(x, np.broadcast_to(x.mean(axis=0), x.shape))


# a value for each image, their mean with a different seed, half a unit of its last digit, the number of images
STATISTICS = {
    "principal components, 0": (lambda: squared_error(0), 16.9, 0.05, TEST),
    "principal components, 6": (lambda: squared_error(6), 10.2, 0.05, TEST),
    "principal components, 18": (lambda: squared_error(18), 5.80, 0.005, TEST),
    "principal components, 30": (lambda: squared_error(30), 3.73, 0.005, TEST),
    "mean image, squared error": (train_error, 16.9, 0.05, TRAIN),
    "mean image, cross-entropy": (mean_image, 124.2, 0.05, TEST),
    "entropy floor, rounded to bytes": (lambda: cross_entropy(pixels(test=True), pixels(test=True)), 50.6, 0.05, TEST),
    "ink": (lambda: pixels(test=True).sum(axis=1), 36.7, 0.05, TEST),
    "sum of squares": (lambda: (pixels(test=True) ** 2).sum(axis=1), 20.6, 0.05, TEST),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics(name):
    """The means agree within rounding and four standard errors of the difference of two samples."""
    statistic, expected, rounding, images = STATISTICS[name]
    found = statistic()
    allowed = rounding + 4 * found.std() * math.sqrt(1 / len(found) + 1 / images)
    assert abs(found.mean() - expected) < allowed
    assert allowed < 0.025 * expected  # a pen of 0.80 and ink of 34 would change most means by 3 to 14 %


def test_floor_before_rounding():
    x, y = (points[TRAIN:] for points in random_points())
    exact = draw(x[:2000], y[:2000]).reshape(2000, -1)
    rounded = pixels(test=True)[:2000]
    lost = cross_entropy(exact, exact).mean() - cross_entropy(rounded, rounded).mean()
    assert 0.1 < lost < 0.3  # 50.8 and 50.6, each to 0.05


def test_full_ink():
    """One pixel in 200 has the largest value, 1."""
    full = (pixels(test=True) == 1).mean(axis=1)
    assert abs(full.mean() - 0.005) < 0.0005 + 4 * full.std() * math.sqrt(2 / TEST)


def test_one_curve_by_hand():
    """The sum over points and pixels, without the separation of the pen into rows and columns."""
    (x0, x1, x2), (y0, y1, y2) = x, y = (4.5, 9.25, 18.75), (20.0, 3.5, 11.0)
    image = [[0.0] * 28 for _ in range(28)]
    for step in range(64):
        t = step / 63
        px, py = (a + t * (4 * b - 3 * a - c) + 2 * t * t * (a - 2 * b + c) for a, b, c in ((x0, x1, x2), (y0, y1, y2)))
        for i in range(28):
            for j in range(28):
                distance = (j - px) ** 2 + (i - py) ** 2
                image[i][j] += 37.5 / 64 * math.exp(-distance / (2 * 0.88**2)) / (2 * math.pi * 0.88**2)
    expected = [[min(value, 1.0) for value in row] for row in image]
    np.testing.assert_allclose(draw(np.array([x]), np.array([y]))[0], expected, rtol=1e-12, atol=1e-15)


def test_images_are_the_drawings_in_bytes():
    """The images of both parts, also at the boundaries of the chunks in which they are drawn."""
    x, y = random_points()
    for start, part in ((0, pixels(test=False)), (TRAIN, pixels(test=True))):
        for i in (0, 999, 1000, 7777, len(part) - 1):
            drawing = draw(x[start + i : start + i + 1], y[start + i : start + i + 1]).reshape(-1)
            assert np.abs(part[i] - drawing).max() < 0.5001 / 255
        np.testing.assert_allclose(255 * part, np.rint(255 * part), atol=1e-4)


def test_curves_are_distinct():
    everything = np.concatenate([pixels(test=False), pixels(test=True)])
    assert len({row.tobytes() for row in everything}) == TRAIN + TEST


def test_points_are_uniform():
    """The six numbers of a curve have the right bounds, means and variances, and are uncorrelated."""
    x, y = random_points()
    drawn = np.column_stack([x[:, 0], np.diff(x, axis=1), y])
    n, lower, width = len(drawn), np.array(LOWER), np.subtract(UPPER, LOWER)
    unit = (drawn - lower) / width
    assert n == 30_000
    assert unit.min() > -1e-12
    assert unit.max() < 1 + 1e-12
    np.testing.assert_allclose(unit.mean(axis=0), 1 / 2, atol=5 * math.sqrt(1 / 12 / n))
    np.testing.assert_allclose(unit.var(axis=0), 1 / 12, atol=5 * math.sqrt(1 / 180 / n))
    np.testing.assert_allclose(np.corrcoef(unit.T), np.eye(6), atol=5 / math.sqrt(n))
    np.testing.assert_array_equal(lower, [3.5, 4, 4, 2.5, 2.5, 2.5])
    np.testing.assert_array_equal(UPPER, [7.5, 9.75, 9.75, 25, 25, 25])


def test_the_stream_is_pinned():
    """The first and the last curve. A different stream of the generator would silently change the curves."""
    x, y = random_points()
    np.testing.assert_allclose(x[0], [6.757624319937486, 14.191701815792113, 23.63144375927959], rtol=1e-12)
    np.testing.assert_allclose(y[0], [15.99713067287796, 8.924844397693906, 23.255180438064208], rtol=1e-12)
    np.testing.assert_allclose(x[-1], [3.808026982596861, 11.504985103017543, 18.18863412646522], rtol=1e-12)
    np.testing.assert_allclose(y[-1], [8.338402397676052, 16.702448714171314, 20.15482189184042], rtol=1e-12)


def test_no_curve_is_in_two_parts():
    """The first curves do not depend on the number of curves."""
    starts = [start for start, _ in PARTS.values()]
    assert starts == [0, TRAIN, TRAIN + TEST]
    for short, long in zip(random_points(10), random_points(40), strict=True):
        np.testing.assert_array_equal(short, long[:10])
    assert len(load_curves("validation").pixels) == 5000
