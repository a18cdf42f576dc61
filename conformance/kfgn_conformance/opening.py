"""The implementations of a run: kfgn on each usable backend, and adapters of other implementations."""

from .adapters import Adapter
from .adapters.in_process import InProcess
from .adapters.isolated import Isolated
from .adapters.kfgn_port import DTYPES, KfgnPort, open_target
from .adapters.loading import AdapterError
from .adapters.program import PREFIX, Program
from .implementation import Implementation


def open_implementations(
    targets: tuple[str, ...], dtype: str | None, adapters: tuple[str, ...] = (), limit: float | None = None
) -> list[Implementation]:
    """Open kfgn's backends and the adapters in each dtype. The list also has unusable implementations, with the reason.

    targets:  names of kfgn's backends in `TARGETS`
    dtype:    the only dtype, or None for both dtypes
    adapters: names of adapters, as in `kfgn-check --adapter`
    limit:    the seconds that an adapter has for an answer, or None for adapters in this process without a limit
    """
    opened: list[Implementation] = []
    dtypes = [d for d in DTYPES if dtype in (None, d)]
    for target in targets:
        backend = open_target(target)
        if isinstance(backend, str):
            opened.append(Implementation(target, reason=backend))
        else:
            opened += [Implementation(target, KfgnPort(backend, d), short=target != "numpy") for d in dtypes]
    for name in adapters:
        try:
            made = [_opened(name, d, limit) for d in dtypes]
            opened += [Implementation("", adapter, twice=True) for adapter in made]
        except AdapterError as error:
            opened.append(Implementation(name, reason=str(error)))
    return opened


def _opened(name: str, dtype: str, limit: float | None) -> Adapter:
    """Open an adapter: a program, a class in a separate process, or, without a limit, a class in this process."""
    if name.startswith(PREFIX):
        return Program(name, dtype, limit)
    return InProcess(name, dtype) if limit is None else Isolated(name, dtype, limit)
