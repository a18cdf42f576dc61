"""The functions that make an oracle. Each function imports its library when the function is called."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from .function_oracle import FunctionOracle


def torch_oracle(
    model: Any,
    X: Any,
    Y: Any,
    objective: str | Callable[..., Any],
    *,
    divisor: int | Fraction = 1,
) -> FunctionOracle:
    """Compute the exact curvature of a module of PyTorch on a small batch.

    Parameters
    ----------
    model : torch.nn.Module
        Any module. A copy of the module computes in float64 on the CPU, and the module itself is not changed.
    X : tensor or array, shape (N, ...), or a tuple of them
        The inputs, with the datapoints on the first axis. The arrays of a tuple are the arguments of the model.
    Y : tensor or array, shape (N, ..., O), or (N, ...) of class indices
        The labels. The shape is that of the outputs, without the last axis for class indices.
    objective : str or function
        `"squared_error"`, `"bernoulli"`, `"categorical"` or `"mixture"`, summed over the positions of a datapoint, or a
        function from the outputs (..., O) and the labels of one datapoint to its loss.
    divisor : int or Fraction
        The positive number by which the loss of a datapoint is divided: 1 for the sum over positions, or the number of
        positions for the mean.

    Returns
    -------
    FunctionOracle
        The oracle, with the names of parameters that `named_parameters` gives.

    Raises
    ------
    ValueError
        If the inputs, the labels, the objective or the divisor are not as described, or the model has no parameters of
        real numbers. If the outputs, or an intermediate result that depends on the parameters, are not float64. If the
        outputs are not (N, ..., O) and finite, if they are random, or if the outputs of a datapoint depend on other
        datapoints. Normalisation over the batch in training mode causes such a dependence.
    TypeError
        If the model is not a `torch.nn.Module`.

    Notes
    -----
    The method `pairs` of the oracle needs the products with parameters. The oracle sees the products of
    `torch.nn.functional.linear`, `embedding`, `conv1d` and `conv2d`, of `@`, and of `torch.matmul`, `mm`, `mv` and
    `addmm`, in every module, also in `torch.nn.MultiheadAttention`, but not inside a transform of `torch.func`, such as
    `torch.vmap`. W is the matrix of the product h = W a: (O, I) for a linear layer, with the bias as the last column,
    and (O, taps times channels) for a convolution, tap by tap. Parameters that are added to a product at every position
    are a bias too. A table of rows, such as an embedding, is the transpose of W.

    The cost is two backward passes per output and datapoint, and one more per row of a Hessian block and datapoint.

    Examples
    --------
    >>> import torch
    >>> from kfgn_conformance.functions import torch_oracle
    >>> model = torch.nn.Linear(2, 1)
    >>> X, Y = torch.tensor([[1.0, 2.0], [3.0, 0.0]]), torch.zeros(2, 1)
    >>> torch_oracle(model, X, Y, "squared_error").gauss_newton_block("weight").tolist()
    [[5.0, 1.0], [1.0, 2.0]]
    """
    from .torch_modules import linearise

    return FunctionOracle(linearise(model, X, Y, objective, divisor))


def jax_oracle(
    f: Callable[..., Any],
    params: Any,
    X: Any,
    Y: Any,
    objective: str | Callable[..., Any],
    *,
    divisor: int | Fraction = 1,
) -> FunctionOracle:
    """Compute the exact curvature of a function of JAX on a small batch.

    Parameters
    ----------
    f : function
        A function f(params, X) of a batch, such as the `apply` of a library, or `jax.vmap` of a function of one
        datapoint.
    params : pytree of arrays
        The parameters. A copy in float64 is used.
    X : array, shape (N, ...), or a pytree of them
        The inputs, with the datapoints on the first axis.
    Y : array, shape (N, ..., O), or (N, ...) of class indices
        The labels. The shape is that of the outputs, without the last axis for class indices.
    objective : str or function
        `"squared_error"`, `"bernoulli"`, `"categorical"` or `"mixture"`, summed over the positions of a datapoint, or a
        function from the outputs (..., O) and the labels of one datapoint to its loss.
    divisor : int or Fraction
        The positive number by which the loss of a datapoint is divided: 1 for the sum over positions, or the number of
        positions for the mean.

    Returns
    -------
    FunctionOracle
        The oracle. The name of a parameter is its path, such as `"layers.0.kernel"`.

    Raises
    ------
    ValueError
        If the inputs, the labels, the objective or the divisor are not as described, or `params` has no arrays. If the
        outputs are not (N, ..., O), float64 and finite, if they are random, or if the outputs of a datapoint depend on
        other datapoints. Normalisation over the batch causes such a dependence.

    Notes
    -----
    The method `pairs` of the oracle needs the products with parameters. The oracle sees `@`, `jnp.einsum`,
    `jax.lax.conv_general_dilated`, and the selection of rows of a table by indices, also inside `jax.vmap`,
    `jax.jit`, `jax.checkpoint` and `jax.lax.scan`. W is the matrix of the product h = W a: the transpose of a kernel
    (I, O), and (O, taps times channels) for a convolution, tap by tap. Parameters that are added at every position are
    the bias, the last column of W. A table of rows, such as an embedding, is the transpose of W.

    JAX computes in float64 on the CPU, and the settings of the caller are not changed. The Jacobian is computed by
    `jax.jacrev` for each datapoint.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn_conformance.functions import jax_oracle
    >>> params = {"kernel": np.ones((2, 1))}
    >>> f = lambda params, X: X @ params["kernel"]
    >>> X, Y = np.array([[1.0, 2.0], [3.0, 0.0]]), np.zeros((2, 1))
    >>> jax_oracle(f, params, X, Y, "squared_error").gauss_newton_block("kernel").tolist()
    [[5.0, 1.0], [1.0, 2.0]]
    """
    from .jax_functions import linearise

    return FunctionOracle(linearise(f, params, X, Y, objective, divisor))
