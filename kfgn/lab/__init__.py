"""The lab: data, training, comparisons, pictures and the `kfgn` command. No other room imports it.

    from kfgn.lab import Options, train
    run = train(Options(data="digits", method="kfra", updates=200), "runs/digits")
    run.final(), run.weights()

* options: the options of a run
* tasks: data sets, targets and networks; methods: the optimisers by name
* setup, trainer: the setup of a run, and training; comparison: several methods on one task
* run_folder: the files of a run; checkpoint, metrics, schema: their formats; pictures, tables: their display
* cli: the command

The libraries of the extra `train` are imported when they are needed.
"""

from .comparison import compare
from .errors import RunFailedError, UsageError
from .methods import METHODS
from .options import Options
from .run_folder import Run, read_run
from .tasks import TASKS
from .trainer import resume, train
from .watch import Watch

__all__ = [
    "METHODS",
    "TASKS",
    "Options",
    "Run",
    "RunFailedError",
    "UsageError",
    "Watch",
    "compare",
    "read_run",
    "resume",
    "train",
]
