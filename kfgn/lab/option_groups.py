"""The options of `kfgn train` and `kfgn compare`, by group, with their help texts."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .._algebra.damping import INVERSIONS
from .._network.objectives import OBJECTIVES
from .._network.transfers import TRANSFERS
from ..backends import BACKENDS
from .arguments import checked_path
from .methods import METHODS
from .options import DTYPES
from .tasks import TASKS


class Option(NamedTuple):
    """The type, the metavariable and the help text of a command-line option.

    The parser adds the default to the help text, unless the option has no default or the default is None.

    several: True for an option with one or more values
    """

    type: Callable[[str], Any]
    metavar: str
    help: str
    several: bool = False


def path_of(text: str) -> Path:
    """Return the value of an option as a path. The path must not be empty."""
    try:
        return Path(checked_path("path", text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


GROUPS: dict[str, dict[str, Option]] = {
    "run": {
        "data": Option(
            str,
            "NAME",
            f"Train the network of this data set, one of {', '.join(TASKS)}. The data set digits is a part of kfgn, "
            "and its network trains in seconds. The files of mnist and faces are downloaded, and curves is generated. "
            "The suffix -odd means that the network distinguishes odd from even digits.",
        ),
        "method": Option(str, "NAME", f"Train by this method, one of {', '.join(METHODS)}."),
        "updates": Option(
            int,
            "N",
            "Stop after N updates, counted from the start of the run. A new run needs --updates or --seconds, or both.",
        ),
        "seconds": Option(
            float,
            "S",
            "Stop after S seconds of training, counted from the start of the run, without the time of evaluations and "
            "of writing files.",
        ),
        "seed": Option(int, "N", "Draw initial weights, batches, and labels or projections from this seed."),
        "backend": Option(str, "NAME", f"Compute with this array library and device, one of {', '.join(BACKENDS)}."),
        "dtype": Option(str, "NAME", f"Compute in this dtype, one of {', '.join(DTYPES)}."),
        "batch": Option(
            int,
            "N",
            "Use N datapoints in an update (default: 1000 for mnist, mnist-odd, curves and faces, and otherwise 256; "
            "all training datapoints if there are fewer).",
        ),
    },
    "files": {
        "checkpoint_every": Option(
            int,
            "N",
            "Write a checkpoint, from which a run can be continued, every N updates, after the last update, after an "
            "interruption, and after 30 seconds of training without a checkpoint.",
        ),
        "data_folder": Option(
            str,
            "FOLDER",
            "Read the data files from this folder. By default the environment variable KFGN_DATA names the folder. "
            "Without the variable, files are downloaded into a cache.",
        ),
    },
    "your own data and network": {
        "npz": Option(
            path_of,
            "FILE",
            "Train on the arrays X and Y of this .npz file instead of --data. Each row of X is a datapoint. The file "
            "may also have X_validation, Y_validation, X_test and Y_test. Without Y the network reconstructs X.",
        ),
        "widths": Option(
            int,
            "N",
            "Train a dense network. The first N is the number of inputs, and every later N is the number of units of a "
            "layer, as in --widths 784 256 10. The network replaces the network of --data. The option --npz requires "
            "--widths.",
            several=True,
        ),
        "transfers": Option(
            str,
            "NAME",
            "Use these transfer functions, one per hidden layer, or one for all hidden layers (default: those of the "
            "network of --data if it has as many hidden layers, and otherwise tanh). Each name is one of "
            f"{', '.join(TRANSFERS)}.",
            several=True,
        ),
        "objective": Option(
            str,
            "NAME",
            f"Minimise this objective, one of {', '.join(OBJECTIVES)}. The option --npz requires --objective. Choose "
            "categorical for classes 0, 1, and so on in Y.",
        ),
    },
    "evaluation and stopping": {
        "evaluate_every": Option(
            int,
            "N",
            "Evaluate the whole training set and the validation set every N updates (default: a twentieth of "
            "--updates, but at least 1 and at most 50; without --updates, the default is 50).",
        ),
        "early_stopping": Option(
            int,
            "N",
            "Stop when N consecutive evaluations have brought no lower validation loss, and keep the weights with the "
            "lowest validation loss instead of the last weights. The validation loss of an evaluation is the lower of "
            "the losses at the weights and at their running average.",
        ),
        "max_rejected": Option(
            int,
            "N",
            "Stop with an error after N consecutive rejected updates. An update is rejected if one of its values is "
            "not finite, or if a matrix is not positive definite.",
        ),
        "validation_fraction": Option(
            float,
            "X",
            "Split off this fraction of the data for validation (default: 0.1). The data sets mnist, mnist-odd, curves "
            "and faces have their own validation set.",
        ),
        "test_fraction": Option(
            float,
            "X",
            "Split off this fraction of the data for the test after the last update (default: 0.2). The data sets "
            "mnist, mnist-odd, curves and faces have their own test set.",
        ),
        "split_seed": Option(int, "N", "Draw the split into training, validation and test data from this seed."),
    },
    "all methods": {
        "eta": Option(
            float, "X", "Add L2 regularisation to the loss: X/2 times the sum of the squares of all weights."
        ),
    },
    "methods with factors (kflr, kfra, kfac, rp, ekfac, tkfac, tnt, kfoc, foof)": {
        "samples": Option(
            int,
            "S",
            "Draw S labels per datapoint for kfac, ekfac, tkfac, tnt or kfoc, or S random projections for rp. Without "
            "this option, kfac draws one label, rp draws one projection, and the others use the exact root of H_L.",
        ),
        "average": Option(
            float, "X", "Give earlier batches at most the weight X, from 0 to 1, in the running average of the factors."
        ),
        "inversion": Option(
            str,
            "NAME",
            f"Invert the damped blocks in this way, one of {', '.join(INVERSIONS)}. The name of a norm selects the "
            "factored damping (36) of the paper, and exact selects the inverse by eigenvalues. The method ekfac has no "
            "such option.",
        ),
        "refresh": Option(
            int,
            "N",
            "Compute the factors, and their inverses or eigenvectors, only every N updates. An update that adapts "
            "gamma also computes the inverses.",
        ),
    },
    "second-order methods (those with factors, hessian_free, hessian_free_blocks)": {
        "tau": Option(float, "X", "Begin with the damping tau = X of the full matrix. Later updates adapt tau."),
        "gamma": Option(
            float,
            "X",
            "Begin with the damping gamma = X of the blocks. Later updates adapt gamma. The method hessian_free has no "
            "gamma.",
        ),
    },
    "first-order methods (sgd, momentum, nesterov, adam)": {
        "learning_rate": Option(
            float,
            "X",
            "Take steps with the learning rate X. The methods sgd, momentum and nesterov require a learning rate.",
        ),
        "halving": Option(int, "N", "Halve the learning rate every N accepted updates."),
    },
}
"""The command-line options of `train` and `compare` by group. Every option has the name of a field of `Options`."""
