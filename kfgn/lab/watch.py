"""Who looks on while a run trains."""

import warnings

from .metrics import Row
from .options import Options, checked_instance


class Watch:
    """Silent but for warnings. What looks on otherwise derives from it, as the progress bar of the command does."""

    def begins(self, options: Options, updates: int, seconds: float) -> None:
        """A run begins, or goes on after so many updates and seconds."""

    def goes_on(self, rows: list[Row]) -> None:
        """These updates are done."""

    def warns(self, message: str) -> None:
        """Something was not as it should be, and the run goes on."""
        warnings.warn(message, stacklevel=2)


def checked_watch(watch: Watch | None) -> Watch:
    """The given watch, or a silent one for None: `UsageError` for anything else."""
    if watch is None:
        return Watch()
    checked_instance("watch", watch, Watch)
    return watch
