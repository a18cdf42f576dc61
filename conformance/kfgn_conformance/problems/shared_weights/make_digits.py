"""Make digits.npz: the weights of a small convolutional network, trained on the 64 images of `problems.real`.

python -m kfgn_conformance.problems.shared_weights.make_digits
"""

from dataclasses import replace
from pathlib import Path

import kfgn_reference.shared_weights as shared
import numpy as np

from .digits import IMAGES, untrained
from .network import network_of, outputs

STEPS, RATE, MOMENTUM = 80, 0.1, 0.9


def main() -> None:
    """Train by gradient descent with momentum on all images, and store the weights as float32."""
    problem = untrained(IMAGES)
    rng = np.random.Generator(np.random.Philox(3))
    weights = [rng.uniform(-1, 1, W.shape) / np.sqrt(W.shape[1]) for W in problem.weights]
    velocity = [np.zeros_like(W) for W in weights]
    for _ in range(STEPS):
        gradient = shared.gradient(network_of(replace(problem, weights=tuple(weights))), problem.X, problem.Y)
        in_order = [gradient[l] for l in sorted(gradient)]
        velocity = [MOMENTUM * v - RATE * g for v, g in zip(velocity, in_order, strict=True)]
        weights = [W + v for W, v in zip(weights, velocity, strict=True)]
    arrays = {f"W_{l}": W.astype(np.float32) for l, W in enumerate(weights, start=1)}
    np.savez_compressed(Path(__file__).with_name("digits.npz"), allow_pickle=False, **arrays)
    trained = replace(problem, weights=tuple(weights))
    right = [np.argmax(outputs(trained, x)) == y[0] for x, y in zip(problem.X, problem.Y, strict=True)]
    loss = float(shared.loss(network_of(trained), problem.X, problem.Y))
    print(f"loss {loss:.4f}, accuracy {np.mean(right):.4f}")  # noqa: T201


if __name__ == "__main__":
    main()
