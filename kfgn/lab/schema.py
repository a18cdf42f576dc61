"""The contents of the JSON files of a run folder, as typed dictionaries."""

from typing import Any, NotRequired, TypedDict

FORMAT = 3
"""The version of the format of all files in a run folder. A run whose files have another version cannot be resumed.

In version 2 of the format, the backend had a separate device, and the step sizes in the metrics had the opposite sign.
"""


class Data(TypedDict):
    """The description of a data set: one sentence, the number of datapoints, and the height and width of an image."""

    about: str
    n: int
    shape: list[int]


class Configuration(TypedDict):
    """Content of `configuration.json`. The hash covers the network, the optimiser, and options that change a step."""

    format: int
    hash: str
    options: dict[str, Any]
    network: dict[str, Any]
    optimiser: dict[str, Any]
    data: Data
    versions: dict[str, str]
    flags: dict[str, Any]
    machine: dict[str, Any]


class Start(TypedDict):
    """The first line of `metrics.jsonl`, which describes update 0. `Run` documents the fields."""

    update: int
    seconds: float
    train_loss: float | None
    train_loss_averaged: float | None


class Update(TypedDict):
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
    train_loss: NotRequired[float | None]
    train_loss_averaged: NotRequired[float | None]
