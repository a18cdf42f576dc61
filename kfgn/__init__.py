"""kfgn: Kronecker-factored Gauss-Newton curvature on the array library that holds your data.

The paper is Botev, Ritter and Barber (2017), "Practical Gauss-Newton Optimisation for Deep Learning";
numbers in parentheses are its equations. NumPy, PyTorch, CuPy, JAX and any other library of the array
API standard: arrays stay on their device and in their dtype, and what comes in is what comes out.

    network = kfgn.Network.dense((64, 16, 10), ("tanh",), "categorical")
    loss, gradient, Q, G = kfgn.kfra(network, weights, X, Y)

Conventions, the same everywhere:

* Batches are rows: X (N, D_0). Weights are W_l (D_l, D_{l-1} + 1) with the bias in the last column.
* The loss is summed over the outputs of a datapoint. Loss, gradient and both factors are means over the N datapoints.
  The squared error has its one half. Cross-entropies take logits; a categorical label is an index, and so is the
  mixture's.
* The Gauss-Newton block of layer l is approximated by Q_l kron G_l, vec stacking columns:
  Q_l (D_{l-1}+1, D_{l-1}+1) is the second moment of the layer's inputs with the unit appended, and
  G_l (D_l, D_l) the mean Gauss-Newton matrix of its pre-activations.
* H_L of the mixture (27) is indefinite. `Network.psd` chooses the matrix in its place in every Gauss-Newton matrix. The
Hessian and its products have the true one.
* Every result that belongs to layers is a tuple in the order 1, ..., L. A vector in the space of the weights, such as
  the V of a product or the delta of a step, is one of arrays that have the shapes of the weights.
* tau, eta and damping are numbers, or 0-d arrays in the dtype of X, which are not read under `check=False`.
* Hyperparameters are numbers alone: those of Python and NumPy, and fractions. Each is converted to Python's own type,
so that it never decides the dtype of a result. True, `decimal.Decimal` and arrays are no numbers.

Every public function raises `TypeError` for arguments that are not arrays, mixed array libraries and wrong dtypes. It
raises `ValueError` for wrong shapes, mixed devices, an empty batch and, unless `check=False`, for values that are not
finite or out of range. The messages state what was expected and what came. A damped matrix that is not positive
definite raises `NotPositiveDefiniteError`, which is a `ValueError`. Functions and optimisers with Kronecker factors
raise `MemoryError` before they allocate factors that exceed the memory of their device.

Settings of the user's own code change no result and no dtype: PyTorch's autocast, default dtype, default device and
precision of products, JAX's promotion, precision and search for NaN, the floating-point errors of NumPy. Products of
float32 are taken in float32. JAX's transformations give right derivatives of the results; PyTorch's backward pass
treats the results as constants, and transforms of `torch.func` are refused.
"""

from ._algebra.conjugate_gradient import Solution
from ._algebra.definiteness import NotPositiveDefiniteError
from ._algebra.kronecker import KroneckerBlock, kronecker_blocks, omega
from ._curvature.gauss_newton import gauss_newton_blocks, preactivation_gauss_newton
from ._curvature.hessian import hessian_blocks, preactivation_hessians
from ._curvature.kfac import kfac, label_draws_shape, sample_labels
from ._curvature.kflr import kflr
from ._curvature.kfra import kfra
from ._curvature.loss_and_factors import LossAndFactors
from ._curvature.loss_and_gradient import gradient, loss
from ._curvature.random_projections import projection_shape, rp
from ._network.dense import Dense
from ._network.network import Network
from ._optimisers import (
    SGD,
    Adam,
    Counts,
    Damping,
    Factors,
    FirstOrderState,
    GaussNewton,
    HessianFree,
    Info,
    KroneckerFactored,
    State,
)
from ._products.diagonal_blocks import gauss_newton_block_product, hessian_block_product
from ._products.full_matrix import (
    gauss_newton_product,
    hessian_product,
    jacobian_product,
    transposed_jacobian_product,
)
from ._products.solves import solve_gauss_newton, solve_gauss_newton_blocks
from ._quadratic_model.functions import curvature_along, quadratic_model, reduction_ratio, step_size

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "Counts",
    "Damping",
    "Dense",
    "Factors",
    "FirstOrderState",
    "GaussNewton",
    "HessianFree",
    "Info",
    "KroneckerBlock",
    "KroneckerFactored",
    "LossAndFactors",
    "Network",
    "NotPositiveDefiniteError",
    "Solution",
    "State",
    "curvature_along",
    "gauss_newton_block_product",
    "gauss_newton_blocks",
    "gauss_newton_product",
    "gradient",
    "hessian_block_product",
    "hessian_blocks",
    "hessian_product",
    "jacobian_product",
    "kfac",
    "kflr",
    "kfra",
    "kronecker_blocks",
    "label_draws_shape",
    "loss",
    "omega",
    "preactivation_gauss_newton",
    "preactivation_hessians",
    "projection_shape",
    "quadratic_model",
    "reduction_ratio",
    "rp",
    "sample_labels",
    "solve_gauss_newton",
    "solve_gauss_newton_blocks",
    "step_size",
    "transposed_jacobian_product",
]
