"""The lab: data, training, comparisons, pictures and the `kfgn` command. No other room imports it.

    from kfgn.lab import Options, train
    run = train(Options(data="digits", method="kfra", updates=200), "runs/digits")
    run.final(), run.weights()

* options: the options of a run
* tasks: data sets, targets and networks; methods: the optimisers by name
* setup, trainer, training_loop: the setup, the start and the steps of a run; comparison: several methods on one task
* run, run_folder: a run and its files; checkpoint, metrics, schema: their formats; pictures, tables: their display
* cli, command_line: the command and its options

The libraries of the extra `train` are imported when they are needed.
"""

from .comparison import compare
from .errors import RunFailedError, UsageError
from .methods import METHODS
from .options import Options
from .run import Run
from .run_folder import read_run
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
