"""The catalogue of mistakes, one family per module. Importing this package fills `MISTAKES`."""

from . import (  # noqa: F401  (each module adds its mistakes)
    adaptation,
    batches,
    constants,
    damping,
    derivatives,
    factors,
    inputs,
    methods,
    outputs,
    samples,
    steps,
)
