"""MNIST: reading and refusing its files, and the published statistics of the real ones."""

import gzip
import hashlib
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from kfgn.lab.data import DataUnavailableError, load, load_with_held_out, mnist

N = 5
RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.integers(0, 256, (N, 784), np.uint8), RNG.integers(0, 10, N, np.uint8)
IDX = {
    "train-images-idx3-ubyte": struct.pack(">4i", 0x803, N, 28, 28) + IMAGES.tobytes(),
    "train-labels-idx1-ubyte": struct.pack(">2i", 0x801, N) + LABELS.tobytes(),
}
TEST_IDX = {  # the same images and labels in the opposite order
    "t10k-images-idx3-ubyte": struct.pack(">4i", 0x803, N, 28, 28) + IMAGES[::-1].tobytes(),
    "t10k-labels-idx1-ubyte": struct.pack(">2i", 0x801, N) + LABELS[::-1].tobytes(),
}
PACKED = {name: gzip.compress(content, mtime=0) for name, content in IDX.items()}


@pytest.fixture
def small(monkeypatch):
    """Accept five invented images as MNIST."""
    for attribute, name in zip(("IMAGES", "LABELS"), IDX, strict=True):
        content, served = (hashlib.sha256(data[name]).hexdigest() for data in (IDX, PACKED))
        monkeypatch.setattr(mnist, attribute, getattr(mnist, attribute)._replace(content=content, served=served))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mnist").mkdir()
    for name, content in PACKED.items():
        (tmp_path / "mnist" / f"{name}.gz").write_bytes(content)
    return tmp_path


def assert_the_five(images):
    np.testing.assert_array_equal(images.pixels, (IMAGES / 255).astype(np.float32))
    np.testing.assert_array_equal(images.labels, LABELS)


@pytest.mark.usefixtures("small")
def test_packed(folder):
    assert_the_five(load("mnist", folder))


@pytest.mark.usefixtures("small")
def test_unpacked_and_packed_again(folder):
    """Only the content matters: the labels are compressed differently, and the images not at all."""
    images, labels = IDX
    (folder / "mnist" / f"{images}.gz").unlink()
    (folder / "mnist" / images).write_bytes(IDX[images])
    (folder / "mnist" / f"{labels}.gz").write_bytes(gzip.compress(IDX[labels], compresslevel=1, mtime=1))
    assert_the_five(load("mnist", folder))


@pytest.mark.usefixtures("small")
def test_only_the_first(folder, monkeypatch):
    monkeypatch.setattr(mnist, "TRAIN", 3)
    images = load("mnist", folder)
    np.testing.assert_array_equal(images.pixels, (IMAGES[:3] / 255).astype(np.float32))
    np.testing.assert_array_equal(images.labels, LABELS[:3])


@pytest.mark.usefixtures("small")
def test_validation_and_test_images(folder, monkeypatch):
    """The validation images are the last training images, and the test images are in two other files."""
    monkeypatch.setattr(mnist, "TRAIN", 3)
    for attribute, (name, content) in zip(("TEST_IMAGES", "TEST_LABELS"), TEST_IDX.items(), strict=True):
        (folder / "mnist" / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        monkeypatch.setattr(mnist, attribute, getattr(mnist, attribute)._replace(content=digest))
    train, validation, test = load_with_held_out("mnist", folder)
    assert_the_five(train._replace(pixels=joined(train, validation).pixels, labels=joined(train, validation).labels))
    assert [len(images.labels) for images in (train, validation, test)] == [3, 2, 5]
    np.testing.assert_array_equal(test.labels, LABELS[::-1])
    np.testing.assert_array_equal(test.pixels, (IMAGES[::-1] / 255).astype(np.float32))


def joined(*parts):
    pixels, labels = (np.concatenate([getattr(part, name) for part in parts]) for name in ("pixels", "labels"))
    return parts[0]._replace(pixels=pixels, labels=labels)


def test_the_real_held_out_images(real_folder):
    """The first digits of the test set, and the numbers of images, are published."""
    train, validation, test = load_with_held_out("mnist", real_folder)
    assert [len(images.pixels) for images in (train, validation, test)] == [50_000, 10_000, 10_000]
    np.testing.assert_array_equal(test.labels[:5], [7, 2, 1, 0, 4])
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    np.testing.assert_array_equal(np.bincount(train.labels) + np.bincount(validation.labels), counts)


@pytest.mark.usefixtures("small")
def test_downloaded(cache, server, monkeypatch):
    served, url, asked = server
    names = [f"{name}.gz" for name in IDX]
    for name, content in zip(names, PACKED.values(), strict=True):
        (served / name).write_bytes(content)
    for attribute, name in zip(("IMAGES", "LABELS"), names, strict=True):
        monkeypatch.setattr(mnist, attribute, getattr(mnist, attribute)._replace(urls=(url + name,)))
    assert_the_five(load("mnist"))
    assert_the_five(load("mnist"))
    assert asked == [f"/{name}" for name in names]
    assert sorted(path.name for path in (cache / "mnist").iterdir()) == sorted(names)


def test_a_different_file(folder):
    """Five images are not MNIST. The error has both hashes."""
    found = hashlib.sha256(IDX["train-images-idx3-ubyte"]).hexdigest()
    with pytest.raises(DataUnavailableError, match=f"expected content of SHA-256 ba891046.*25776db, got {found}"):
        load("mnist", folder)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[:-9], "end-of-stream"),
        (lambda content: content[:40] + bytes(20) + content[60:], "[Ee]rror|CRC"),
        (lambda content: b"<html>not found</html>", "[Nn]ot a gzip"),
        (lambda content: b"", "SHA-256"),
    ],
    ids=["truncated", "overwritten", "no gzip", "empty"],
)
def test_damaged(folder, damage, reason):
    path = folder / "mnist/train-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataUnavailableError, match=f"{re.escape(str(path))} .*delete or replace it: .*(?:{reason})"):
        load("mnist", folder)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("packed", [True, False])
def test_a_file_without_an_end_is_not_read_to_its_end(folder, monkeypatch, packed):
    """Reading stops one byte after the size of MNIST."""
    name = "train-images-idx3-ubyte"
    monkeypatch.setattr(mnist, "MAX_BYTES", len(IDX[name]))
    assert_the_five(load("mnist", folder))
    long = IDX[name] + bytes(10**7)
    path = folder / "mnist" / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(long) if packed else long)
    with pytest.raises(
        DataUnavailableError, match=rf"{path.name} is a different file; .* at most 3,936 bytes, got more"
    ):
        load("mnist", folder)


@pytest.mark.usefixtures("small")
def test_a_file_is_missing(folder):
    (folder / "mnist/train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataUnavailableError, match=r"train-labels-idx1-ubyte or .*train-labels-idx1-ubyte\.gz"):
        load("mnist", folder)


def test_places():
    """Each file has three https mirrors, under the name of the file in the folder."""
    for file in (mnist.IMAGES, mnist.LABELS, mnist.TEST_IMAGES, mnist.TEST_LABELS):
        name = Path(file.names[-1]).name
        assert len(set(file.urls)) == 3
        assert all(url.startswith("https://") and url.endswith(f"/{name}") for url in file.urls)


def test_labels(real_folder):
    """The published first digits, and the published number of each digit among the first 50,000."""
    labels = load("mnist", real_folder).labels
    np.testing.assert_array_equal(labels[:5], [5, 0, 4, 1, 9])
    np.testing.assert_array_equal(np.bincount(labels), [4932, 5678, 4968, 5101, 4859, 4506, 4951, 5175, 4842, 4988])


def test_headers(real_folder):
    """The headers, which the loader skips, state the shapes that it assumes."""
    for file, header in ((mnist.IMAGES, (0x803, 60_000, 28, 28)), (mnist.LABELS, (0x801, 60_000))):
        path = next(path for name in file.names if (path := Path(real_folder) / name).is_file())
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as content:
            assert struct.unpack(f">{len(header)}i", content.read(4 * len(header))) == header


def test_published_statistics(real_folder):
    """The published mean and deviation are those of all 60,000 images; four standard errors are allowed for 50,000."""
    x = load("mnist", real_folder).pixels
    mean = x.mean(axis=0, dtype=np.float64)
    centred = (x - mean).astype(np.float32)
    squares = np.einsum("ij,ij->i", centred, centred)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    codes = centred @ vectors[:, -30:]
    seen = (mean > 0) & (mean < 1)
    weights, constant = np.log1p(-mean[seen]) - np.log(mean[seen]), np.log1p(-mean[seen]).sum()
    statistics = {
        "mean pixel": (x.mean(axis=1, dtype=np.float64), 0.13066, 5e-6),
        "mean image, squared error": (squares, 52.725, 5e-4),
        "30 principal components, squared error": (squares - np.einsum("ij,ij->i", codes, codes), 14.207, 5e-4),
        "mean image, cross-entropy": (x[:, seen] @ weights - constant, 206.03, 5e-3),
        "entropy floor, which no output gets below": (entropies(x), 45.757, 5e-4),
    }
    for name, (found, expected, rounding) in statistics.items():
        allowed = rounding + 4 * found.std() * np.sqrt(1 / 50_000 - 1 / 60_000)
        assert abs(found.mean() - expected) < allowed < 0.01 * expected, name


def entropies(x):
    """Return the entropy of each image in nats, from a table of the 256 values of a pixel."""
    p = np.arange(1, 255) / 255
    table = np.concatenate([[0], -p * np.log(p) - (1 - p) * np.log1p(-p), [0]])
    return table[np.rint(255 * x).astype(np.uint8)].sum(axis=1)
