"""A small transformer block as a problem: a model of PyTorch with inputs, labels and an objective."""

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from .function_oracle import FunctionOracle
from .opening import torch_oracle
from .uses import Array

N, T, VOCABULARY, WIDTH, HEADS, HIDDEN, CLASSES = 11, 7, 17, 6, 2, 13, 5
"""The sizes. All are different and have no common divisor, except that the number of heads divides the width."""

DENOMINATOR = 64
"""All weights are integers divided by this number, so that float32 has the same weights as float64."""

OBJECTIVES = ("categorical", "squared_error")


class ModuleProblem(NamedTuple):
    """A module of PyTorch with inputs, labels and an objective, in float64.

    Parameters
    ----------
    module : torch.nn.Module
        The model.
    X : tensor, shape (N, ...)
        The inputs, with the datapoints on the first axis.
    Y : tensor, shape (N, ..., O), or (N, ...) of class indices
        The labels.
    objective : str
        The objective, as `torch_oracle` expects it. The loss of a datapoint is a sum over its positions.
    divisor : int or Fraction
        The number by which the loss of a datapoint is divided.

    Examples
    --------
    >>> from kfgn_conformance.functions import transformer_block
    >>> problem = transformer_block("datapoint")
    >>> tuple(problem.X.shape), tuple(problem.module(problem.X).shape), problem.objective
    ((11, 7), (11, 5), 'categorical')
    """

    module: Any
    X: Any
    Y: Any
    objective: str
    divisor: int | Fraction

    def oracle(self) -> FunctionOracle:
        """Compute the exact curvature of the problem, as a `FunctionOracle`."""
        return torch_oracle(self.module, self.X, self.Y, self.objective, divisor=self.divisor)


def transformer_block(
    outputs: str = "tokens", *, objective: str = "categorical", divisor: int | Fraction = 1
) -> ModuleProblem:
    """Make a small transformer block with fixed weights, inputs and labels, to check the curvature of a library.

    Parameters
    ----------
    outputs : str
        `"tokens"` for an output per token, (11, 7, 5), or `"datapoint"` for a mean over the tokens before the last
        layer, and one output per datapoint, (11, 5).
    objective : str
        `"categorical"` or `"squared_error"`.
    divisor : int or Fraction
        The number by which the loss of a datapoint is divided: 1 for the sum over tokens, or 7 for the mean over
        tokens.

    Returns
    -------
    ModuleProblem
        The fields `module`, `X`, `Y`, `objective` and `divisor`, and the method `oracle`.

    Raises
    ------
    ValueError
        If `outputs` or `objective` is unknown.

    Notes
    -----
    There are N = 11 datapoints of T = 7 tokens, a vocabulary of 17 tokens, a width of 6, 2 heads, a hidden width of 13,
    and 5 outputs. No two sizes have a common divisor, except the width and the number of heads. A library that mistakes
    one of these numbers for a different one has a wrong result. The modules are

        embedding                 vectors of the tokens
        norm_1                    layer normalisation
        query, key, value         the three inputs of causal attention
        projection                the output of attention, which is added to the vectors
        norm_2                    layer normalisation
        up, gelu, down            a network of each token, whose output is added to the vectors
        head                      the outputs, after a mean over the tokens for `"datapoint"`

    All layers with weights, except the embedding and the two normalisations, are `torch.nn.Linear` with a bias.

    A shift of all keys has no influence on attention. So the derivatives with respect to the bias of `key` are 0, and
    the block of reduce for `key` is 0.

    The weights are multiples of 1/64, made of random integers from NumPy's generator Philox. They depend on the version
    of no library, and are the same in float32.

    Examples
    --------
    >>> from kfgn_conformance.functions import transformer_block
    >>> oracle = transformer_block(divisor=7).oracle()  # the mean over tokens
    >>> block = 7 * oracle.approximations("value")["expand"]  # a library that forgets the divisor
    >>> best, *others = oracle.matches("value", block)
    >>> best.definition, round(1 / best.factor, 6)
    ('expand', 7.0)
    """
    if outputs not in ("tokens", "datapoint"):
        raise ValueError(f"outputs: expected tokens or datapoint, got {outputs!r}")
    if objective not in OBJECTIVES:
        raise ValueError(f"objective: expected {' or '.join(OBJECTIVES)}, got {objective!r}")
    import torch

    from .torch_transformer import Transformer

    integers = np.random.Generator(np.random.Philox(2027)).integers
    X = integers(VOCABULARY, size=(N, T))
    model = Transformer(VOCABULARY, WIDTH, HEADS, HIDDEN, CLASSES, pooled=outputs == "datapoint").double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(weights(integers, name, tuple(parameter.shape))))
    shape = (N, T) if outputs == "tokens" else (N,)
    Y = integers(CLASSES, size=shape)
    if objective == "squared_error":
        Y = weights(integers, "Y", (*shape, CLASSES))
    return ModuleProblem(model, torch.from_numpy(X), torch.from_numpy(Y), objective, divisor)


def weights(integers: Any, name: str, shape: tuple[int, ...]) -> Array:
    """Random multiples of 1/64, whose mean is 1 for the scale of a normalisation, and 0 otherwise.

    The largest weight is about 2 / sqrt(I) for a matrix (O, I), and 1/2 for a vector.
    """
    largest = round(2 * DENOMINATOR / shape[-1] ** 0.5) if len(shape) > 1 else DENOMINATOR // 2
    drawn = integers(-largest, largest, size=shape, endpoint=True) / DENOMINATOR
    found: Array = drawn + 1 if name in ("norm_1.weight", "norm_2.weight") else drawn
    return found
