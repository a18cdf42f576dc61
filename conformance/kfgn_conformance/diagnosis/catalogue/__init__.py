"""The catalogue of mistakes, with one module per family. The import of this package fills `MISTAKES`."""

from . import (  # noqa: F401  (each module adds its mistakes)
    adaptation,
    batches,
    constants,
    damping,
    derivatives,
    factors,
    inputs,
    layers,
    methods,
    outputs,
    samples,
    steps,
)
