"""The tables of the command, by name."""

from collections.abc import Callable
from functools import partial

from .rows import Row
from .settings import Settings
from .timed import TABLES, timed_table

CASES: dict[str, Callable[[Settings], list[Row]]] = {table.name: partial(timed_table, table) for table in TABLES}
