"""The catalogue of mistakes, a family in each module. Importing it fills `MISTAKES`."""

from . import (  # noqa: F401  (each enters its mistakes)
    adaptation,
    batches,
    constants,
    damping,
    factors,
    inputs,
    methods,
    outputs,
    samples,
    slopes,
    steps,
)
