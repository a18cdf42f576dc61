"""The tables of the command, by name."""

from collections.abc import Callable
from functools import partial

from .classes import many_classes
from .growth import growth
from .positions import shared_weights
from .primitives import primitives
from .roots import kflr_of_autoencoder
from .rows import Row
from .settings import Settings
from .start import start_of_program
from .timed import TABLES, timed_table
from .trainer import step_in_trainer

CASES: dict[str, Callable[[Settings], list[Row]]] = {
    **{table.name: partial(timed_table, table) for table in TABLES},
    "shared": shared_weights,
    "roots": kflr_of_autoencoder,
    "classes": many_classes,
    "growth": growth,
    "start": start_of_program,
    "primitives": primitives,
    "trainer": step_in_trainer,
}
