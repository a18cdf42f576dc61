"""The digits in kfgn are those of UCI."""

from importlib.resources import files

import numpy as np
import pytest

from kfgn.lab.data import load


def test_classes():
    """The number of each digit is that in optdigits.names for the test part."""
    labels = load("digits").labels
    np.testing.assert_array_equal(np.bincount(labels), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])


def test_pixels_are_sixteenths():
    np.testing.assert_array_equal(np.unique(load("digits").pixels), np.arange(17) / 16)


def test_the_kit_has_the_same():
    """The conformance kit contains a copy of the first 64."""
    with (files("kfgn_conformance.problems.real") / "digits.npz").open("rb") as file:
        data = dict(np.load(file))
    digits = load("digits")
    np.testing.assert_array_equal(16 * digits.pixels[:64], data["images"].reshape(64, 64))
    np.testing.assert_array_equal(digits.labels[:64], data["classes"])


def test_scikit_learn_has_the_same():
    datasets = pytest.importorskip(
        "sklearn.datasets", reason="scikit-learn, the source of digits.npz, is not installed"
    )
    images, classes = datasets.load_digits(return_X_y=True)
    np.testing.assert_array_equal(16 * load("digits").pixels, images)
    np.testing.assert_array_equal(load("digits").labels, classes)
