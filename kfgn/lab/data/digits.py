"""The 8x8 handwritten digits that kfgn contains."""

from importlib.resources import files

import numpy as np

from .images import Images


def load_digits() -> Images:
    """Load 1,797 handwritten digits: pixels (1797, 64) in 0, 1/16, ..., 1, and the digit that each image shows.

    The images are from "Optical Recognition of Handwritten Digits" by Ethem Alpaydin and Cenk Kaynak, UCI Machine
    Learning Repository (1998), https://doi.org/10.24432/C50P49, licensed CC BY 4.0. The file digits.npz contains the
    test part of the data set, as scikit-learn does. `make_digits.py` in this folder made digits.npz.
    """
    with (files(__package__) / "digits.npz").open("rb") as file:
        data = dict(np.load(file, allow_pickle=False))
    return Images(
        pixels=np.divide(data["images"], 16, dtype=np.float32),
        labels=data["classes"].astype(np.int64),
        shape=(8, 8),
        about="1,797 handwritten digits of 8x8 pixels in [0, 1] (Ethem Alpaydin and Cenk Kaynak, UCI Machine Learning "
        "Repository, CC BY 4.0).",
    )
