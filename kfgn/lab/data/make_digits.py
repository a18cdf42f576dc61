"""Make digits.npz: the 8x8 handwritten digits as bytes.

    python make_digits.py        (needs scikit-learn, which contains the images)

`digits.py` in this folder describes the origin of the images.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits


def main() -> None:
    """Store images (1797, 64), values 0 to 16, and classes (1797,), values 0 to 9."""
    images, classes = load_digits(return_X_y=True)
    np.savez_compressed(
        Path(__file__).with_name("digits.npz"),
        allow_pickle=False,
        images=images.astype(np.uint8),
        classes=classes.astype(np.uint8),
    )


if __name__ == "__main__":
    main()
