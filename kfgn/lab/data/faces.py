"""FACES: patches of the Olivetti faces, turned and scaled, by Appendix A and Hinton and Salakhutdinov (2006)."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._validation.scalars import checked_count
from .images import Images
from .store import DataFile, DataUnavailableError, Folder, check_content, library, locate

PEOPLE, PICTURES = 25, 10
"""How many people of the 40 are trained on, and how many pictures there are of each."""
PAIRS = 414
SEED = 2006
OLIVETTI = (400, 64, 64)
SIDE = 25

LEAST = (-90.0, 1.4)
MOST = (90.0, 1.8)
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
    """Patches (250 * pairs, 625), 103,500 of them unless told otherwise, and which of the 25 people each shows.

    Each of the 10 pictures of a person is turned and scaled by the same random pairs of an angle and a factor. The
    order is person by person, picture by picture, pair by pair. Every pixel has mean zero over the patches, and one
    number divides all of them so that the variance, averaged over the pixels, is 1.

    Raises `DataUnavailableError`, and `TypeError` or `ValueError` if pairs is not a positive integer.
    """
    pairs = checked_count("pairs", pairs)
    pictures = olivetti(folder)[: PEOPLE * PICTURES]
    pixels = patches(pictures, *random_pairs(pairs)).reshape(-1, SIDE * SIDE)
    standardise(pixels)
    return Images(
        pixels=pixels,
        labels=np.repeat(np.arange(PEOPLE, dtype=np.int64), PICTURES * pairs),
        shape=(SIDE, SIDE),
        about=f"{len(pixels):,} patches of 25x25 pixels, made from the Olivetti faces (AT&T Laboratories Cambridge): "
        f"25 people, 10 pictures of each, turned and scaled in {pairs} ways; zero mean, unit variance.",
    )


def random_pairs(pairs: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angles in degrees and scale factors, each (pairs,); more pairs begin with the same ones."""
    rng = np.random.Generator(np.random.Philox(SEED))
    angles, scales = rng.uniform(LEAST, MOST, (pairs, 2)).T
    return angles, scales


def patches(
    pictures: NDArray[np.uint8], angles: NDArray[np.float64], scales: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Each picture (64, 64) of n, seen through each of the pairs: (n, pairs, 625).

    A picture is scaled, and the middle 50x50 of its pixels are subsampled to 25x25, by cubic splines: the distance of
    two samples is 2/scale pixels of the picture. Positive angles turn what is seen anticlockwise.
    """
    ndimage = library("scipy.ndimage", "the spline of FACES")
    height, width = pictures.shape[1:]
    coefficients = pictures.astype(np.float64)
    for axis in (1, 2):
        coefficients = ndimage.spline_filter1d(coefficients, order=3, axis=axis, mode="mirror")
    columns = coefficients.reshape(-1, height * width).T.astype(np.float32, order="C")
    seen = np.empty((len(pictures), len(angles), SIDE * SIDE), np.float32)
    for k, (angle, scale) in enumerate(zip(angles, scales, strict=True)):
        seen[:, k] = (_sampling(angle, scale, height, width) @ columns).T
    return seen


def _sampling(angle: float, scale: float, height: int, width: int) -> Any:
    """The sparse matrix (625, height * width) from the coefficients of a spline to its values on the turned grid."""
    sparse = library("scipy.sparse", "the spline of FACES")
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
    """The four coefficients that matter at each point of a line, and the cubic B-spline's weight for each: (n, 4)."""
    first = np.floor(points).astype(np.int64)
    t = points - first
    weights = np.stack([(1 - t) ** 3, 4 - 6 * t**2 + 3 * t**3, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3], axis=-1) / 6
    return first[:, None] + np.arange(-1, 3), weights


def standardise(pixels: NDArray[np.float32]) -> None:
    """In place: every pixel to mean zero over the rows, all to a variance whose average over the pixels is 1."""
    pixels -= pixels.mean(axis=0, dtype=np.float64)
    squares = np.einsum("ij,ij->", pixels, pixels, dtype=np.float64)  # without a copy of all in float64
    pixels /= np.float32(np.sqrt(squares / pixels.size))


def olivetti(folder: Folder = None) -> NDArray[np.uint8]:
    """The 400 Olivetti faces (400, 64, 64), ten of one person after ten of another, values 0 to 242.

    "The ORL database of faces", AT&T Laboratories Cambridge, 1992 to 1994: pictures of people, who can be recognised,
    that kfgn therefore does not carry. Raises `DataUnavailableError`.
    """
    path = locate(FILE, folder)
    try:
        images = _from_mat(path) if path.suffix == ".mat" else _from_npz(path)
    except DataUnavailableError:
        raise
    except Exception as error:  # each reader has its own errors for a broken file
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
    """The images of olivettifaces.mat, whose columns are images, each column by column."""
    columns = library("scipy.io", "the file of the Olivetti faces").loadmat(path)["faces"]
    images: NDArray[np.uint8] = columns.T.reshape(OLIVETTI).transpose(0, 2, 1)
    return images
