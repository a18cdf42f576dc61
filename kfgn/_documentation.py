"""Text that many docstrings share, and a metaclass that hides the fields and generated methods of records from `help`.

`with_shared_text` inserts shared descriptions into the docstrings of functions and classes. The metaclass `Documented`
is for dataclasses, and the decorator `documented_tuple` is for named tuples.
"""

import re
from abc import ABCMeta
from textwrap import dedent, indent
from typing import Any, TypeVar, cast

T = TypeVar("T")

SHARED = {
    "network": """
        network : Network
            The layers and the objective.
        """,
    "weights": """
        weights : tuple or list of L arrays
            W_1, ..., W_L in float32 or float64. For a dense layer, W_l has shape (D_l, D_{l-1} + 1) with the bias in
            the last column, or shape (D_l, D_{l-1}) without a bias. `Network.weight_shapes` contains the shape of each
            W_l.
        """,
    "X": """
        X : array, shape (N, D_0)
            The inputs, one row per datapoint, in the dtype of the weights. In a network with positions, X has the shape
            (N, C, T) or (N, C, H, W), with the channels before the positions. If the first layer is an `Embedding`, X
            has tokens of any integer dtype, and the shape (N, T) or (N, H, W). For datapoints of different length, X is
            a `Padded`.
        """,
    "Y": """
        Y : array, shape (N, D_L) or (N,)
            The targets. Targets of squared_error and bernoulli are (N, D_L) in the dtype of the weights, and those
            of bernoulli lie from 0 to 1. Targets of categorical and mixture are (N,) class indices of an integer dtype.
            If the outputs have positions, each position has a target: Y has the shape (N, T, D_L) or (N, T) for T
            positions, and (N, H, W, D_L) or (N, H, W) for positions along two axes.
        """,
    "V": """
        V : tuple or list of L arrays
            The vector in the space of the weights, as arrays of the shapes and the dtype of the weights.
        """,
    "delta": """
        delta : tuple or list of L arrays
            The direction or step, as arrays of the shapes and the dtype of the weights.
        """,
    "tau": """
        tau : float or array, shape ()
            The damping of the quadratic model, at least 0. A 0-d array must have the dtype of the weights.
        """,
    "eta": """
        eta : float or array, shape ()
            The factor of the L2 term in the regularised loss f = loss + eta/2 |theta|^2, at least 0. theta contains all
            weights. A 0-d array must have the dtype of the weights.
        """,
    "sharing": """
        sharing : {"expand", "reduce"}, default "expand"
            The treatment of the positions of a datapoint, which use the same weights. Let a_t be the input of layer l
            at position t. Let v_t be the part at position t of a vector v that is propagated back to the
            pre-activations of the datapoint. For "expand", the term of the datapoint in Q_l is the mean of a_t a_t^T
            over the positions, and the term of v in G_l is the sum of v_t v_t^T. For "reduce", the term in Q_l is m m^T
            with the mean m of all a_t, and the term in G_l is s s^T with the sum s of all v_t. With one position per
            datapoint, and for a `ScaleShift`, both values give the same factors.
        """,
    "columns_of_labels": """
        labels : array, shape (N, S, D_L) or (N, S), optional
            S labels per datapoint from `sample_labels`. The gradients dE/dh_L at these labels replace the columns of a
            root C of H_L = C C^T. By default, the columns of C are used. If the outputs have positions, the axes of
            positions follow S, such as (N, S, T, D_L) or (N, S, T).
        """,
    "memory_of_pairs": """
        memory : int, optional
            The memory for the columns and for the arrays that are computed from them, in bytes. The batch is split into
            chunks of datapoints whose arrays fit into this memory, with at least one datapoint per chunk. The default
            is 2^26, and 2^28 in a program that `jax.jit` or `torch.compile` traces. Such a program contains the code of
            every chunk, and larger chunks make the program shorter.
        """,
    "check": """
        check : bool, default True
            If True, the values of arrays are checked to be finite and in range, and the host waits for the device. If
            False, the values of arrays are not checked.
        """,
    "errors": """
        TypeError
            For arguments of a wrong type, for arrays of different libraries or wrong dtypes, and for tensors inside a
            transform of `torch.func` or inside forward-mode differentiation.
        ValueError
            For wrong shapes or numbers of arrays, different devices, an empty batch and an invalid option. With
            `check`, also for values that are not finite or are out of range.
        """,
    "gauss_newton_errors": """
        TypeError
            For arguments of a wrong type, for arrays of different libraries or wrong dtypes, and for tensors inside a
            transform of `torch.func` or inside forward-mode differentiation.
        ValueError
            For wrong shapes or numbers of arrays, different devices, an empty batch and an invalid option. With
            `check`, also for values that are not finite or are out of range. A `ValueError` is also raised if H_L is
            indefinite and `network.psd` is "raise".
        """,
    "errors_of_pairs": """
        TypeError
            For arguments of a wrong type, for arrays of different libraries or wrong dtypes, and for tensors inside a
            transform of `torch.func` or inside forward-mode differentiation.
        ValueError
            For wrong shapes or numbers of arrays, different devices, an empty batch and an invalid option. With
            `check`, also for values that are not finite or are out of range. Without `labels`, a `ValueError` is also
            raised if H_L is indefinite and `network.psd` is "raise".
        """,
    "memory_error": """
        MemoryError
            If the factors need more memory than the device reports as available. The error is raised before the factors
            are allocated.
        """,
    "set_of_run": """
        data : {"train", "validation", "test"}
            The part of the data set.
        """,
    "averaged": """
        averaged : bool
            True for the running average of the weights, False for the weights.
        """,
    "kept_weights": """
        A run keeps the weights of its last update. A run with early stopping keeps the weights of the update
        `best_update` instead.
        """,
    "last_evaluation": """
        Before the run has ended, the result is from its last evaluation or, with early stopping, from its best
        evaluation.
        """,
    "figure_errors": """
        UsageError
            `data` is unknown, or `averaged` is neither True nor False.
        """,
    "example": """
        >>> import numpy as np
        >>> import kfgn
        >>> network = kfgn.Network.dense((2, 3, 2), ("tanh",), "categorical")
        >>> weights = [np.linspace(-1, 1, D * P).reshape(D, P) for D, P in network.weight_shapes]
        >>> X, Y = np.array([[0.5, -1.0], [2.0, 0.0], [0.0, 1.0]]), np.array([0, 1, 1])
        """,
}
"""A dictionary from each name to the text that replaces the line {name} in a docstring."""


def with_shared_text(f: T) -> T:
    """Replace each line {name} in the docstring of a function or class by its text of `SHARED`, with the same indent.

    Python removes docstrings under -OO, and an object without a docstring is returned unchanged.
    """
    if f.__doc__ is not None:
        f.__doc__ = re.sub(r"^( *)\{(\w+)\}$", _entry, f.__doc__, flags=re.MULTILINE)
    return f


def _entry(line: re.Match[str]) -> str:
    margin, name = line.groups()
    return indent(dedent(SHARED[name]).strip(), margin)


class Documented(ABCMeta):
    """A metaclass that omits fields, special methods and private names from the `help` of a record.

    `help` lists the names that `dir` returns for a class. The metaclass omits from these names those that begin with an
    underscore, such as special methods, and those that a class inherits from `tuple`. The metaclass also omits fields,
    since the docstring of the class describes the fields. The result of `dir` for an instance is unchanged.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from kfgn._documentation import Documented
    >>> @dataclass(frozen=True)
    ... class Point(metaclass=Documented):
    ...     x: float = 0.0
    ...
    ...     def norm(self):
    ...         return abs(self.x)
    >>> dir(Point), Point(1.0) == Point(1.0)
    (['norm'], True)
    """

    def __dir__(cls) -> list[str]:
        names = {name for base in cls.__mro__ if base not in (object, tuple) for name in vars(base)}
        names.difference_update(getattr(cls, "_fields", ()), getattr(cls, "__dataclass_fields__", ()))
        return sorted(name for name in names if not name.startswith("_"))


def documented_tuple(cls: type[T]) -> type[T]:
    """Rebuild a class of named tuples with the metaclass `Documented`, which `typing.NamedTuple` does not accept."""
    namespace: dict[str, Any] = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__")}
    return cast("type[T]", Documented(cls.__name__, cls.__bases__, namespace))
