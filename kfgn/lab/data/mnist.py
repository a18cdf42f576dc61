"""MNIST, from its original files."""

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .images import Images
from .store import DataFile, DataUnavailableError, Folder, check_content, locate

TRAIN = 50_000
"""The number of training images on which the paper trains. The other 10,000 are the validation set."""
SIDE = 28
MAX_BYTES = 16 + 60_000 * SIDE * SIDE
"""The size in bytes of the largest file, the unpacked training images. A larger file is not accepted."""

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)


def _file(name: str, served: str, content: str) -> DataFile:
    """Return the record of a file. The downloaded file is packed, and a file in a named folder may be unpacked."""
    packed = f"{name}.gz"
    return DataFile((f"mnist/{name}", f"mnist/{packed}"), tuple(url + packed for url in MIRRORS), served, content)


IMAGES = _file(
    "train-images-idx3-ubyte",
    served="440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    content="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
)
LABELS = _file(
    "train-labels-idx1-ubyte",
    served="3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    content="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
)
TEST_IMAGES = _file(
    "t10k-images-idx3-ubyte",
    served="8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    content="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
)
TEST_LABELS = _file(
    "t10k-labels-idx1-ubyte",
    served="f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    content="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)


def load_mnist(folder: Folder = None, part: str = "train") -> Images:
    """Load pixels (n, 784) in [0, 1] and digits: 50,000 training, 10,000 validation or 10,000 test images.

    The paper trains on the first 50,000 training images. The last 10,000 training images are the validation set. Raises
    `DataUnavailableError` if a file is missing or damaged.
    """
    chosen, name = {
        "train": (slice(TRAIN), "The first 50,000 training"),
        "validation": (slice(TRAIN, None), "The last 10,000 training"),
        "test": (slice(None), "The 10,000 test"),
    }[part]
    files = (TEST_IMAGES, TEST_LABELS) if part == "test" else (IMAGES, LABELS)
    images = _read(files[0], folder, header=16).reshape(-1, SIDE * SIDE)[chosen]
    labels = _read(files[1], folder, header=8)[chosen]
    return Images(
        pixels=np.divide(images, 255, dtype=np.float32),
        labels=labels.astype(np.int64),
        shape=(SIDE, SIDE),
        about=f"{name} images of MNIST (Yann LeCun and Corinna Cortes), 28x28 pixels in [0, 1].",
    )


def _read(file: DataFile, folder: Folder, header: int) -> NDArray[np.uint8]:
    """Return the values of an idx file. The header is not parsed, since the hash of the content is known."""
    path = locate(file, folder)
    content = _unpacked(path)
    check_content(file, path, content)
    return np.frombuffer(content, np.uint8, offset=header)


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content: bytes = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataUnavailableError(f"{path} cannot be read; delete or replace it: {error}") from error
    if len(content) > MAX_BYTES:
        raise DataUnavailableError(
            f"{path} is a different file; delete or replace it: expected at most {MAX_BYTES:,} bytes, got more"
        )
    return content
