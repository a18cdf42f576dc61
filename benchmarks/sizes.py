"""The shapes of a network and its batch, from which all operations are counted."""

from typing import NamedTuple

AUTOENCODER = (784, 1000, 500, 250, 30, 250, 500, 1000, 784)
CLASSIFIER = (784, 1000, 500, 10)
SMALL = (64, 32, 10)


class Sizes(NamedTuple):
    """A network of dense layers with biases and tanh units, and the number of datapoints.

    widths:    D_0, ..., D_L
    N:         the number of datapoints
    objective: "squared_error", "bernoulli" or "categorical"
    """

    widths: tuple[int, ...]
    N: int
    objective: str = "squared_error"

    @property
    def layers(self) -> list[tuple[int, int]]:
        """The pairs D_{l-1}, D_l for l = 1, ..., L."""
        return list(zip(self.widths[:-1], self.widths[1:], strict=True))

    @property
    def hidden(self) -> tuple[int, ...]:
        """D_1, ..., D_{L-1}."""
        return self.widths[1:-1]

    @property
    def outputs(self) -> int:
        """D_L."""
        return self.widths[-1]
