"""Make digits.npz: a network trained on 8x8 images of handwritten digits, and a batch of 64 of these images.

    python make_digits.py        (needs scikit-learn, which includes the images)

README.md in this folder states the source of the images.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

HIDDEN = (16, 11)
BATCH = 64


def main() -> None:
    """Train a 64-16-11-10 network of tanh units by L-BFGS on all 1797 images, and store its weights and the batch."""
    images, classes = load_digits(return_X_y=True)
    pixels = images / 16  # 0, 1/16, ..., 1
    model = MLPClassifier(HIDDEN, activation="tanh", solver="lbfgs", alpha=3, max_iter=2000, random_state=0)
    model.fit(pixels, classes)
    arrays = {
        f"W_{l}": np.column_stack([kernel.T, bias]).astype(np.float32)
        for l, (kernel, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True), start=1)
    }
    arrays["images"] = images[:BATCH].astype(np.uint8)
    arrays["classes"] = classes[:BATCH].astype(np.uint8)
    np.savez_compressed(Path(__file__).with_name("digits.npz"), allow_pickle=False, **arrays)
    print(f"accuracy on the {len(classes)} training images: {model.score(pixels, classes):.4f}")  # noqa: T201


if __name__ == "__main__":
    main()
