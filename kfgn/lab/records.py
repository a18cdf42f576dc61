"""The kinds of record in the files of a run."""

from typing import Any, NotRequired, TypedDict


class Versions(TypedDict):
    """Versions of kfgn and Python. Those of the array libraries are further fields."""

    kfgn: str
    python: str


class Data(TypedDict):
    """A data set: a sentence about it, how many datapoints it has, and the shape of each."""

    about: str
    n: int
    shape: list[int]


class Configuration(TypedDict):
    """`configuration.json`. hash: of the options that change a step, the network and the optimiser."""

    hash: str
    options: dict[str, Any]
    network: dict[str, Any]
    optimiser: dict[str, Any]
    data: Data
    versions: dict[str, str]
    flags: dict[str, Any]
    machine: dict[str, Any]


class Start(TypedDict):
    """The first line of `metrics.jsonl`, of update 0. `Run.metrics` describes the fields."""

    update: int
    seconds: float
    train_loss: float | None
    train_loss_averaged: float | None


class Update(TypedDict):
    """A later line of `metrics.jsonl`."""

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
