"""The lab: data, training, comparisons, pictures and the `kfgn` command. No other part of kfgn imports the lab.

    from kfgn.lab import Options, train
    run = train(Options(data="digits", method="kfra", updates=200), "runs/digits")
    run.final(), run.weights()

The most important modules are:

* options: the options of a run
* task: a network with its data
* tasks: the tasks that an option can name
* own_data, remedies: the task that the options of a run describe, and advice about arrays that a task does not accept
* splitting: training, validation and test sets
* methods: the optimisers by name
* setup: the task, the backend and the optimiser of a run
* trainer: starting and resuming a run
* training_loop: the steps of a run
* comparison: the training of one network by several methods
* watch: callbacks that observe a run
* progress, progress_bar, progress_parts: the callbacks that print the progress of the command
* tensorboard: the callback that writes the metrics for TensorBoard
* run, prediction: the record of a run, and the outputs of its network
* run_folder: the files in the folder of a run
* comparison_folder: the file of a comparison, and the order of its runs
* states: the state of each run, such as complete, unfinished or missing
* checkpoint, metrics, schema: the formats of the files of runs and comparisons
* pictures, tables, results: pictures and tables of runs, and the lines after the tables
* next_commands: command lines that continue or show a run or a comparison
* cli, command_line, command_errors: the command, its options and its error messages

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
