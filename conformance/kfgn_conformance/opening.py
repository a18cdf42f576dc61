"""The implementations of a run: kfgn on its backends, and adapters of other implementations."""

from .adapters import Adapter
from .adapters.in_process import InProcess
from .adapters.isolated import Isolated
from .adapters.kfgn_port import DTYPES, Backend, KfgnPort, open_target
from .adapters.loading import AdapterError
from .adapters.naming import PREFIX
from .adapters.program import Program
from .implementation import Implementation
from .problem_sets.selection import EAGER, EVERYTHING, SELECTIONS, Selection


def open_implementations(
    targets: tuple[str, ...],
    dtype: str | None,
    adapters: tuple[str, ...] = (),
    limit: float | None = None,
    *,
    thorough: bool = True,
) -> list[Implementation]:
    """Open kfgn's backends and the adapters in each dtype. The list also has unusable implementations, with the reason.

    targets:  names of kfgn's backends in `TARGETS`
    dtype:    the only dtype, or None for both dtypes
    adapters: names of adapters, as in `kfgn-check --adapter`
    limit:    the time limit in seconds for one answer, or None for no limit; without a limit, an adapter class runs in
              this process
    thorough: False to run each backend in `SELECTIONS` only on its selection of the problems
    """
    opened: list[Implementation] = []
    dtypes = [d for d in DTYPES if dtype in (None, d)]
    for target in targets:
        backend = open_target(target)
        if isinstance(backend, str):
            opened.append(Implementation(target, reason=backend))
        else:
            selection = EVERYTHING if thorough else SELECTIONS.get(target, EVERYTHING)
            opened += [_of_port(backend, d, selection) for d in dtypes]
    for name in adapters:
        try:
            made = [_opened(name, d, limit) for d in dtypes]
            opened += [Implementation("", adapter, twice=True) for adapter in made]
        except AdapterError as error:
            opened.append(Implementation(name, reason=str(error)))
    return opened


def _of_port(backend: Backend, dtype: str, selection: Selection) -> Implementation:
    """Make the implementation that runs kfgn on a backend.

    On JAX, kfgn is compiled by `jax.jit`, except on the problem `EAGER`.
    """
    return Implementation(
        backend.name,
        KfgnPort(backend, dtype, eager_on=(EAGER,)),
        short=backend.name != "numpy",
        compiles=backend.library == "jax",
        selection=selection,
    )


def _opened(name: str, dtype: str, limit: float | None) -> Adapter:
    """Open an adapter: a program, a class in a separate process, or, without a limit, a class in this process."""
    if name.startswith(PREFIX):
        return Program(name, dtype, limit)
    return InProcess(name, dtype) if limit is None else Isolated(name, dtype, limit)
