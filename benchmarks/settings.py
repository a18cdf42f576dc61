"""The options of a run."""

from typing import NamedTuple

from .timing import CLOCKS, Clock


class Settings(NamedTuple):
    """The options of a run, from the command line.

    backends: the names of kfgn's backends that are timed
    works:    the names of the timed pieces of work; none for all
    launches: True to count the kernel launches or operators of PyTorch
    peers:    True to time other libraries too
    rounds:   the number of rounds
    quick:    True for small networks and few rounds, to see that everything runs
    threads:  the number of threads
    clock:    "wall" or "cpu"
    dtype:    "float32" or "float64"
    """

    backends: tuple[str, ...]
    works: tuple[str, ...] = ()
    launches: bool = False
    peers: bool = False
    rounds: int = 7
    quick: bool = False
    threads: int = 1
    clock: str = "wall"
    dtype: str = "float32"

    @property
    def time(self) -> Clock:
        """The clock of the run."""
        return CLOCKS[self.clock]
