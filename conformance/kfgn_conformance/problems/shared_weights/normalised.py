"""The fixed problems with normalisations and embeddings.

The sizes obey the rules of the module `sequences`. A scale-and-shift layer is an exception, since it has as many
channels as the layer below it. Some tokens repeat within a datapoint.
"""

from ..dyadic import Recipe
from ..layers import Convolution, Dense, Embedding, Normalisation, Pooling, ScaleShift
from .sequences import Fixed

NORMALISED: dict[str, Fixed] = {
    "normalised-squared_error": Fixed(
        "a mean or a variance that is regarded as a constant: a normalisation, a scale and a shift over tokens",
        Recipe(
            "squared_error",
            "project",
            (3, 5),
            (Dense(4, "tanh"), Normalisation(0.25), ScaleShift(), Dense(2)),
            7,
            6,
            divisor=3,
        ),
    ),
    "normalised-categorical": Fixed(
        "a variance with a wrong divisor: a convolution, two normalisations, and one scale without a shift",
        Recipe(
            "categorical",
            "project",
            (2, 7),
            (
                Convolution(4, 4, "softplus", padding=(2, 1)),
                Normalisation(0.5),
                ScaleShift("tanh", bias=False),
                Pooling(7, 1, "mean"),
                Dense(5),
                Normalisation(0.125),
                ScaleShift("logistic"),
                Dense(3),
            ),
            5,
            8,
        ),
    ),
    "embedding-bernoulli": Fixed(
        "repeated tokens that are counted once: an embedding with five tokens and eight positions",
        Recipe("bernoulli", "project", (5, 8), (Embedding(3), Dense(4, "tanh"), Dense(2)), 7, 3),
    ),
    "embedding-normalised-categorical": Fixed(
        "a wrong backward pass from a normalisation to an embedding: both layers, and a mean over tokens",
        Recipe(
            "categorical",
            "project",
            (6, 5),
            (Embedding(4), Normalisation(0.25), ScaleShift("gelu"), Dense(3)),
            7,
            2,
            divisor=5,
        ),
    ),
}
"""The problems by their names without the prefix `shared-`."""
