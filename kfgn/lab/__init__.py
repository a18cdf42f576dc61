"""The lab: data, training, comparisons, pictures and the `kfgn` command. No other room imports the lab.

    from kfgn.lab import Options, train
    run = train(Options(data="digits", method="kfra", updates=200), "runs/digits")
    run.final(), run.weights()

* options: the options of a run
* task, tasks: a network with its data, and the tasks that have a name
* splitting: training, validation and test sets
* methods: the optimisers by name
* setup, trainer, training_loop: the setup, the start and the steps of a run
* comparison: the training of one network by several methods
* watch, progress, tensorboard: callbacks of a run, and those of the command
* run, run_folder: the record of a run, and the folder of a run
* checkpoint, metrics, schema: the formats of the files of a run
* pictures, tables: pictures and tables of runs
* cli, command_line: the command and its options

The libraries of the extra `train` are imported when they are needed.
"""

from .comparison import compare
from .errors import RunFailedError, UsageError
from .methods import METHODS
from .options import Options
from .run import Run
from .run_folder import read_run
from .task import Task
from .tasks import TASKS
from .tensorboard import TensorBoard
from .trainer import resume, train
from .watch import Watch

__all__ = [
    "METHODS",
    "TASKS",
    "Options",
    "Run",
    "RunFailedError",
    "Task",
    "TensorBoard",
    "UsageError",
    "Watch",
    "compare",
    "read_run",
    "resume",
    "train",
]
