"""FACES: rotated and scaled patches of the Olivetti faces.

The patches follow the descriptions in Appendix A of the paper and in Hinton and Salakhutdinov (2006).
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._validation.scalars import checked_count
from .images import Images, Report, silent
from .store import DataFile, DataUnavailableError, Folder, check_content, library, locate

PEOPLE, VALIDATION_PEOPLE, PICTURES = 25, 5, 10
"""The number of people in the training set and in the validation set, and the number of pictures of each person.

The other 10 of the 40 people are in the test set, as in Hinton and Salakhutdinov (2006).
"""
PAIRS, HELD_OUT_PAIRS = 414, 100
"""The number of patches that are made from each training picture, and from each validation or test picture.

Each patch of a picture has its own pair of an angle and a scale factor.
"""
SEED = 2006
OLIVETTI = (400, 64, 64)
SIDE = 25

LOWER = (-90.0, 1.4)
UPPER = (90.0, 1.8)
"""Bounds of the angle, in degrees, and of the scale factor."""

FILE = DataFile(
    names=("faces/olivetti.npz", "faces/olivettifaces.mat"),
    urls=(
        "https://ndownloader.figshare.com/files/5976027",
        "https://cs.nyu.edu/~roweis/data/olivettifaces.mat",
    ),
    served="b612fb967f2dc77c9c62d3e1266e0c73d5fca46a4b8906c18e454d41af987794",
    content="a3f75007cc103363b61a63e06bec8ea4846407682ef6e7c9ae1eb9c1bd0e8a00",
)


def load_faces(folder: Folder = None, pairs: int = PAIRS) -> Images:
    """Make the training patches (250 * pairs, 625), by default 103,500 patches.

    The label of a patch is the number of the person, from 0 to 24. All 250 pictures are rotated and scaled by the same
    random pairs of an angle and a scale factor. The patches are ordered by person, then picture, then pair. Each pixel
    has mean zero over the patches. All pixels are divided by one number, so that the variance, averaged over the
    pixels, is 1.

    Raises `DataUnavailableError` if the faces cannot be loaded, and `TypeError` or `ValueError` if pairs is not a
    positive integer.
    """
    return faces_with_held_out(folder, pairs, held_out_pairs=0)[0]


def faces_with_held_out(
    folder: Folder = None, pairs: int = PAIRS, held_out_pairs: int = HELD_OUT_PAIRS, report: Report = silent
) -> tuple[Images, ...]:
    """Make the training patches of `load_faces`, and patches of 5 more people for validation and 10 more for the test.

    The validation and test patches are shifted and scaled by the same numbers as the training patches. With
    held_out_pairs=0, only the training patches are made.
    """
    pairs = checked_count("pairs", pairs)
    pictures = olivetti(folder)
    train, validation = PEOPLE * PICTURES, (PEOPLE + VALIDATION_PEOPLE) * PICTURES
    pixels = patches(pictures[:train], *random_pairs(pairs), report).reshape(-1, SIDE * SIDE)
    mean, factor = standardise(pixels)
    parts = [_images(pixels, PEOPLE, pairs)]
    for chosen in (pictures[train:validation], pictures[validation:]) if held_out_pairs else ():
        held_out = patches(chosen, *random_pairs(held_out_pairs), report).reshape(-1, SIDE * SIDE)
        held_out -= mean
        held_out /= factor
        parts.append(_images(held_out, len(chosen) // PICTURES, held_out_pairs))
    return tuple(parts)


def _images(pixels: NDArray[np.float32], people: int, pairs: int) -> Images:
    return Images(
        pixels=pixels,
        labels=np.repeat(np.arange(people, dtype=np.int64), PICTURES * pairs),
        shape=(SIDE, SIDE),
        about=f"{len(pixels):,} patches of 25x25 pixels, made from the Olivetti faces (AT&T Laboratories Cambridge): "
        f"{people} people, 10 pictures of each, rotated and scaled in {pairs} ways; standardised by the training "
        "patches.",
    )


def random_pairs(pairs: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return angles in degrees and scale factors, each (pairs,).

    A larger number `pairs` adds pairs, and leaves the first pairs unchanged.
    """
    rng = np.random.Generator(np.random.Philox(SEED))
    angles, scales = rng.uniform(LOWER, UPPER, (pairs, 2)).T
    return angles, scales


def patches(
    pictures: NDArray[np.uint8],
    angles: NDArray[np.float64],
    scales: NDArray[np.float64],
    report: Report = silent,
) -> NDArray[np.float32]:
    """Rotate and scale each of n pictures (64, 64) by each pair, and return the patches (n, pairs, 625).

    A picture is scaled, and its central 50x50 pixels are subsampled to 25x25, by cubic splines. The distance between
    neighbouring samples is 2/scale pixels of the picture. A positive angle rotates the patch anticlockwise.
    """
    ndimage = library("scipy.ndimage", "the data set faces")
    height, width = pictures.shape[1:]
    coefficients = pictures.astype(np.float64)
    for axis in (1, 2):
        coefficients = ndimage.spline_filter1d(coefficients, order=3, axis=axis, mode="mirror")
    columns = coefficients.reshape(-1, height * width).T.astype(np.float32, order="C")
    seen = np.empty((len(pictures), len(angles), SIDE * SIDE), np.float32)
    for k, (angle, scale) in enumerate(zip(angles, scales, strict=True)):
        seen[:, k] = (_sampling(angle, scale, height, width) @ columns).T
        report(f"faces: {k + 1} of {len(angles)} rotations of {len(pictures)} pictures made")
    return seen


def _sampling(angle: float, scale: float, height: int, width: int) -> Any:
    """Return the sparse matrix (625, height * width) that maps spline coefficients to values on the rotated grid."""
    sparse = library("scipy.sparse", "the data set faces")
    down, right = (np.indices((SIDE, SIDE)).reshape(2, -1) - (SIDE - 1) / 2) * 2 / scale
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    rows, by_row = _cubic((height - 1) / 2 + cos * down + sin * right)
    columns, by_column = _cubic((width - 1) / 2 - sin * down + cos * right)
    weights = by_row[:, :, None] * by_column[:, None, :]
    indices = rows[:, :, None] * width + columns[:, None, :]
    starts = np.arange(0, weights.size + 1, 16)
    shape = (SIDE * SIDE, height * width)
    return sparse.csr_array((weights.ravel().astype(np.float32), indices.ravel(), starts), shape=shape)


def _cubic(points: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return, for n points of an axis, the indices of the four spline coefficients and their weights, both (n, 4)."""
    first = np.floor(points).astype(np.int64)
    t = points - first
    weights = np.stack([(1 - t) ** 3, 4 - 6 * t**2 + 3 * t**3, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3], axis=-1) / 6
    return first[:, None] + np.arange(-1, 3), weights


def standardise(pixels: NDArray[np.float32]) -> tuple[NDArray[np.float64], np.float32]:
    """Shift each pixel to mean zero over the patches, and scale all pixels to an average variance of 1, in place.

    Returns the mean that was subtracted and the number by which all pixels were divided.
    """
    mean = pixels.mean(axis=0, dtype=np.float64)
    pixels -= mean
    squares = np.einsum("ij,ij->", pixels, pixels, dtype=np.float64)  # einsum makes no float64 copy
    factor = np.float32(np.sqrt(squares / pixels.size))
    pixels /= factor
    return mean, factor


def olivetti(folder: Folder = None) -> NDArray[np.uint8]:
    """Read the 400 Olivetti faces (400, 64, 64), ten consecutive pictures per person, with values 0 to 242.

    The faces are from "The ORL database of faces", AT&T Laboratories Cambridge, 1992 to 1994. The pictures are not
    contained in kfgn, because they show people who can be recognised. Raises `DataUnavailableError` if the file is
    missing or damaged.
    """
    path = locate(FILE, folder)
    try:
        images = _from_mat(path) if path.suffix == ".mat" else _from_npz(path)
    except DataUnavailableError:
        raise
    except Exception as error:  # each reader raises its own errors for a damaged file
        raise DataUnavailableError(f"{path} cannot be read; delete or replace it: {error}") from error
    if images.shape != OLIVETTI or images.dtype != np.uint8:
        raise DataUnavailableError(f"{path}: expected uint8 images {OLIVETTI}, got {images.dtype} {images.shape}")
    check_content(FILE, path, images.tobytes())
    return np.ascontiguousarray(images)


def _from_npz(path: Path) -> NDArray[np.uint8]:
    with path.open("rb") as file:
        images: NDArray[np.uint8] = np.load(file, allow_pickle=False)["images"]
    return images


def _from_mat(path: Path) -> NDArray[np.uint8]:
    """Read olivettifaces.mat, whose matrix has the pixels of one image in each column, in column-major order."""
    columns = library("scipy.io", "the file of the Olivetti faces").loadmat(path)["faces"]
    images: NDArray[np.uint8] = columns.T.reshape(OLIVETTI).transpose(0, 2, 1)
    return images
