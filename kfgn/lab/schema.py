"""The contents of the JSON files of runs and comparisons, as typed dictionaries."""

from typing import Any, NotRequired, TypedDict

FORMAT = 5
"""The version of the format of the files of runs and comparisons. Files with another version cannot be read.

In version 4 of the format, a run with early stopping kept its last weights. In version 3, a run had no validation set
and no test set, and `max_rejected` was called `patience`. In version 2, backend and device were two options, and the
step sizes in the metrics had the opposite sign.
"""


class Data(TypedDict):
    """The description of a data set.

    about:  one sentence
    sizes:  the numbers of datapoints of the training, validation and test set
    shape:  the height and width of an image, or None
    sha256: the hash of the values of all sets
    """

    about: str
    sizes: dict[str, int]
    shape: list[int] | None
    sha256: str


class Configuration(TypedDict):
    """Content of `configuration.json`.

    The hash covers the network, the optimiser, and the options that cannot change when the run is resumed.
    """

    format: int
    hash: str
    options: dict[str, Any]
    network: dict[str, Any]
    optimiser: dict[str, Any]
    data: Data
    versions: dict[str, str]
    flags: dict[str, Any]
    machine: dict[str, Any]


class Compared(TypedDict):
    """Content of `comparison.json`: the arguments of the newest call of `compare` for the folder."""

    format: int
    methods: list[str]
    options: dict[str, Any]


class Evaluated(TypedDict):
    """The fields of an evaluation in a line of `metrics.jsonl`. `Run` documents the fields."""

    train_loss: NotRequired[float | None]
    train_loss_averaged: NotRequired[float | None]
    train_accuracy: NotRequired[float]
    train_accuracy_averaged: NotRequired[float]
    validation_loss: NotRequired[float | None]
    validation_loss_averaged: NotRequired[float | None]
    validation_accuracy: NotRequired[float]
    validation_accuracy_averaged: NotRequired[float]
    test_loss: NotRequired[float | None]
    test_loss_averaged: NotRequired[float | None]
    test_accuracy: NotRequired[float]
    test_accuracy_averaged: NotRequired[float]


class Start(Evaluated):
    """The first line of `metrics.jsonl`, which describes update 0. `Run` documents the fields."""

    update: int
    seconds: float


class Update(Evaluated):
    """A later line of `metrics.jsonl`, which describes one update. `Run` documents the fields."""

    update: int
    seconds: float
    loss: float | None
    f: float | None
    step_size: float | None
    tau: float | None
    gamma: float | None
    rho: float | None
    ok: bool
