"""The catalogue of mistakes, with one module per family. The import of this package fills `MISTAKES`.

The families `approximations`, `images`, `libraries`, `maps`, `masks`, `normalisations`, `patches`, `positions` and
`shared_outputs` are about networks with shared weights.
"""

from . import (  # noqa: F401  (each module adds its mistakes)
    adaptation,
    approximations,
    batches,
    constants,
    damping,
    derivatives,
    eigenbases,
    factors,
    images,
    inputs,
    layers,
    libraries,
    maps,
    masks,
    methods,
    normalisations,
    outputs,
    patches,
    positions,
    samples,
    shared_outputs,
    steps,
)
