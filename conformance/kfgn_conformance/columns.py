"""Who is asked: kfgn on each backend that can be opened, and adapters from outside."""

from .adapters import Adapter
from .adapters.in_process import InProcess
from .adapters.isolated import Isolated
from .adapters.kfgn_port import DTYPES, KfgnPort, open_target
from .adapters.loading import AdapterError
from .adapters.program import PREFIX, Program
from .run import Column


def columns_of(
    targets: tuple[str, ...], dtype: str | None, adapters: tuple[str, ...] = (), limit: float | None = None
) -> list[Column]:
    """A column for each dtype of the usable targets and of the adapters, and one that says why for each that is not."""
    columns: list[Column] = []
    dtypes = [d for d in DTYPES if dtype in (None, d)]
    for target in targets:
        backend = open_target(target)
        if isinstance(backend, str):
            columns.append(Column(target, reason=backend))
        else:
            columns += [Column(target, KfgnPort(backend, d), short=target != "numpy") for d in dtypes]
    for name in adapters:
        try:
            opened = [_opened(name, d, limit) for d in dtypes]
            columns += [Column(adapter.describe().name, adapter, foreign=True) for adapter in opened]
        except AdapterError as error:
            columns.append(Column(name, reason=str(error)))
    return columns


def _opened(name: str, dtype: str, limit: float | None) -> Adapter:
    """The adapter of a name: a program, or a class in a process of its own, or here where there is no limit."""
    if name.startswith(PREFIX):
        return Program(name, dtype, limit)
    return InProcess(name, dtype) if limit is None else Isolated(name, dtype, limit)
