"""`kfgn.lab.data.load`: the data sets by name, and the shape and range of each."""

import subprocess
import sys

import numpy as np
import pytest

from kfgn.lab.data import DATA_SETS, Images, load

SHAPES = {"digits": (1797, 8, 8), "curves": (20_000, 28, 28), "mnist": (50_000, 28, 28), "faces": (103_500, 25, 25)}


@pytest.mark.parametrize("name", ["cifar", "Digits", "", None, ["digits"]])
def test_unknown_name(name):
    with pytest.raises(ValueError, match=r"name: expected one of digits, curves, mnist, faces, got "):
        load(name)


def test_every_name_is_tested():
    assert list(DATA_SETS) == list(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_and_ranges(name, request):
    images = load(name, request.getfixturevalue("real_folder") if name in ("mnist", "faces") else None)
    n, height, width = SHAPES[name]
    assert isinstance(images, Images)
    assert images.shape == (height, width)
    assert images.pixels.shape == (n, height * width)
    assert images.pixels.dtype == np.float32
    assert images.pixels.flags.c_contiguous
    assert np.isfinite(images.pixels).all()
    if name != "faces":
        assert (images.pixels.min(), images.pixels.max()) == (0, 1)
    if name == "curves":
        assert images.labels is None
    else:
        assert images.labels.shape == (n,)
        assert images.labels.dtype == np.int64
    assert f"{n:,} " in images.about
    assert f"{height}x{width}" in images.about
    assert images.about.endswith(".")


def test_surrogate_is_named():
    assert "a surrogate of CURVES" in load("curves").about


def test_libraries_are_imported_when_needed():
    """Digits and curves need NumPy alone."""
    program = (
        "import sys; from kfgn.lab.data import load; load('digits'); load('curves'); "
        "assert not {'pooch', 'scipy', 'matplotlib', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
