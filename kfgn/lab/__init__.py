"""The lab: data, training, experiments, plots and the `kfgn` command. Nothing outside it imports it.

    from kfgn.lab import Options, train
    run = train(Options(data="digits", method="kfra", updates=200), "runs/digits")
    run.final(), run.weights()

* options: what a run is asked to do
* tasks: data set, targets and network; methods: the optimisers by name
* trainer: train and resume; comparison: several methods from one start
* run_folder: what a run leaves behind; checkpoint: its state; pictures
* cli: the command

What the extra `train` brings is imported when it is needed.
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
