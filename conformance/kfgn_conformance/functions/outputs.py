"""The derivatives of the loss of one datapoint with respect to its outputs, and a root of the Hessian.

The outputs of a datapoint are an array (T, O): O outputs at T positions, K = T O in all, position by position. If the
objective is a name such as "categorical", the reference computes the loss and checks the labels. For this purpose, the
outputs are the inputs of a network without layers.

>>> import numpy as np
>>> from kfgn_conformance.functions.outputs import by_name, objective
>>> halved = objective("squared_error", 2)
>>> by_name(halved, np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]])).gradient.tolist()
[1.0, 0.0]
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from numbers import Rational
from typing import Any, NamedTuple

import numpy as np
from kfgn_reference import OBJECTIVES, shared_weights as shared
from kfgn_reference.shared_weights._batch import check_labels
from kfgn_reference.shared_weights._outputs import sample_loss, sampled_output_root

from .uses import Array

LOWEST = 1e-9
"""A Hessian is indefinite if an eigenvalue is below minus this number times the largest absolute eigenvalue.

The number is far above rounding errors.
"""

MIXTURE = 3
"""The number of outputs of the mixture of two binary classifiers, equation (27)."""


class OutputDerivatives(NamedTuple):
    """The loss of a datapoint, and its derivatives with respect to its K outputs.

    value:    the loss
    gradient: (K,)
    hessian:  (K, K)
    root:     a function that returns a root (K, C) of the Hessian, or of its positive semi-definite replacement
    sampled:  a function from S sampled labels to the matrix (K, S) that replaces the root in KFAC
    """

    value: float
    gradient: Array
    hessian: Array
    root: Callable[[], Array]
    sampled: Callable[[Any], Array]


def check_loss(Y: Any, N: int, divisor: int | Fraction) -> None:
    """Raise `ValueError` unless Y (N, ...) has N datapoints and the divisor is a positive int or Fraction."""
    if not (isinstance(divisor, Rational) and divisor > 0):
        raise ValueError(f"divisor: expected a positive int or Fraction, got {divisor}")
    if tuple(Y.shape[:1]) != (N,):
        raise ValueError(f"Y: expected labels of {N} datapoints, got the shape {tuple(Y.shape)}")


def objective(name: str, divisor: int | Fraction) -> shared.Network:
    """The network without layers that has this objective. Raises `ValueError` for an unknown name."""
    if name not in OBJECTIVES:
        raise ValueError(f"objective: expected a function or one of {', '.join(OBJECTIVES)}, got {name!r}")
    return shared.Network((), name, divisor)


def labels_of(net: shared.Network, outputs: Array, Y: Array) -> Array:
    """Y as (N, T, O), or as class indices (N, T), for outputs (N, ..., O).

    Raises `ValueError` if Y does not fit, or if a mixture does not have three outputs.
    """
    if net.objective == "mixture" and outputs.shape[-1] != MIXTURE:
        raise ValueError(f"model: expected {MIXTURE} outputs for mixture, got {outputs.shape[-1]}")
    expected = outputs.shape[:-1] if indices(net) else outputs.shape
    if Y.shape != expected:
        raise ValueError(f"Y: expected shape {expected} for {net.objective}, got {Y.shape}")
    rows = Y.reshape(len(outputs), -1) if indices(net) else Y.reshape(len(outputs), -1, outputs.shape[-1])
    check_labels(net, "Y", positions_of(outputs).swapaxes(1, 2), rows, (len(rows),))
    return rows


def positions_of(outputs: Array) -> Array:
    """Outputs (N, ..., O) as (N, T, O)."""
    return outputs.reshape(len(outputs), -1, outputs.shape[-1])


def by_name(net: shared.Network, outputs: Array, y: Any) -> OutputDerivatives:
    """The derivatives for the outputs (..., O) of a datapoint, computed by the reference.

    y: the row of the datapoint in the result of `labels_of`
    """
    h = outputs.reshape(-1, outputs.shape[-1])
    return OutputDerivatives(
        float(sample_loss(net, h.T, y)),
        shared.output_gradient(net, h.T, y).T.ravel(),
        shared.output_hessian(net, h.T, y),
        partial(shared.output_root, net, h.T, y),
        partial(sampled_root, net, outputs),
    )


def sampled_root(net: shared.Network, outputs: Array, labels: Any) -> Array:
    """The gradients at S labels (S, ..., O), or class indices (S, ...), as a root, for the outputs (..., O).

    Raises `ValueError` for labels of a different shape, and for invalid labels.
    """
    labels = np.asarray(labels)
    h = outputs.reshape(-1, outputs.shape[-1])
    of_one = outputs.shape[:-1] if indices(net) else outputs.shape
    if labels.ndim == 0 or len(labels) == 0 or labels.shape[1:] != of_one:
        expected = ", ".join(("S", *map(str, of_one))) if of_one else "S,"
        raise ValueError(f"labels: expected shape ({expected}) for each datapoint, got {labels.shape}")
    samples = labels.reshape(len(labels), len(h), *([] if indices(net) else h.shape[1:]))
    check_labels(net, "labels", h.T[None], samples, (len(samples),))
    return sampled_output_root(net, h.T, samples)


def indices(net: shared.Network) -> bool:
    """True if labels are class indices."""
    return net.objective in ("categorical", "mixture")


def no_labels(_labels: Any) -> Array:
    """Raise `ValueError`, since a loss that is a function has no distribution of labels."""
    raise ValueError("labels: expected an objective with a name for sampled labels, got a function")


def by_derivatives(value: Any, gradient: Array, hessian: Array) -> OutputDerivatives:
    """The derivatives of a loss that is a function, from its gradient and its Hessian by automatic differentiation."""
    symmetric = (hessian + hessian.T) / 2
    return OutputDerivatives(float(value), gradient, symmetric, partial(spectral_root, symmetric), no_labels)


def spectral_root(hessian: Array) -> Array:
    """V sqrt(Lambda), (K, K), from the eigenvectors V and the eigenvalues Lambda of the Hessian.

    Raises `ValueError` if the Hessian is indefinite.
    """
    values, vectors = np.linalg.eigh(hessian)
    if values[0] < -LOWEST * np.abs(values).max():
        raise ValueError(
            "objective: expected a loss whose Hessian in the outputs is positive semi-definite, got the eigenvalue"
            f" {values[0]:.3g}. The method hessian_block accepts an indefinite Hessian"
        )
    root: Array = vectors * np.sqrt(np.maximum(values, 0))
    return root
