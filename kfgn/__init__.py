"""Kronecker-factored Gauss-Newton curvature on NumPy, PyTorch, JAX, CuPy and other array API libraries.

kfgn implements the methods of Botev, Ritter and Barber (2017), "Practical Gauss-Newton Optimisation for Deep Learning".
A number in parentheses, such as (26), refers to an equation of the paper. The functions accept arrays of any library
that follows the array API standard. Results are arrays of the library and on the device of the arguments. Results that
are real numbers have the dtype of the weights or factors.

>>> import numpy as np
>>> import kfgn
>>> network = kfgn.Network.dense((64, 16, 10), ("tanh",), "categorical")
>>> rng = np.random.default_rng(0)
>>> weights = [rng.normal(size=shape) / 8 for shape in network.weight_shapes]
>>> X, Y = rng.normal(size=(100, 64)), rng.integers(0, 10, size=100)
>>> loss, gradient, Q, G = kfgn.kfra(network, weights, X, Y)
>>> [block.matvec(g).shape for block, g in zip(kfgn.kronecker_blocks(Q, G), gradient)]
[(16, 65), (10, 17)]

Contents
--------
Network      `Network` of `Dense`, `Convolution`, `Pooling`, `Flatten`, `Normalisation`, `ScaleShift` and `Embedding`
Inputs       `Padded`, a batch of datapoints of different length
Loss         `loss`, `gradient`
Factors      `kfra`, `kflr`, `kfac`, and beyond the paper `rp`, `tkfac`, `tnt`, `kfoc`, `foof`, which all return
             `LossAndFactors`
EKFAC        `ekfac`, which returns `LossAndEigenBlocks`, and `ekfac_diagonal`
Draws        `label_draws_shape`, `sample_labels`, `projection_shape`
Blocks       `kronecker_blocks`, `KroneckerBlock`, `EigenBlock`, `omega`
Exact        `preactivation_gauss_newton`, `gauss_newton_blocks`, `preactivation_hessians`, `hessian_blocks`
Products     `jacobian_product`, `transposed_jacobian_product`, `gauss_newton_product`, `hessian_product`,
             `gauss_newton_block_product`, `hessian_block_product`
Solves       `solve_gauss_newton`, `solve_gauss_newton_blocks`, which return `Solution`
Model        `quadratic_model`, `curvature_along`, `step_size`, `reduction_ratio`
Optimisers   `GaussNewton` with `KroneckerFactored`, `EigenvalueCorrected` or `HessianFree`, `Damping`, `SGD`, `Adam`
States       `State` with `Factors` or `EigenFactors`, `FirstOrderState`, `Counts`, and `Info` on a step

Conventions
-----------
Each row of X (N, D_0) is a datapoint. The weights W_l of layer l have shape (D_l, D_{l-1} + 1), with the bias in the
last column, or (D_l, D_{l-1}) for a layer without a bias.

The loss of a datapoint is summed over its outputs. The squared error is 1/2 |h - y|^2. Cross-entropies take the outputs
as logits. The labels of the categorical objective and of the mixture (27) are class indices. The loss and the gradient
are means over the N datapoints. Q and G are also means over the datapoints, except those of `tkfac`, `tnt`, `kfoc` and
`foof`, which define their own factors.

The Gauss-Newton block of vec(W_l), where vec stacks columns, is approximated by Q_l kron G_l. Q_l is the second moment
of the inputs of layer l. With a bias, the last input is the appended unit, which is always 1. G_l (D_l, D_l) is the
mean Gauss-Newton matrix of the pre-activations, or an approximation of this matrix.

H_L is the Hessian of the loss of a datapoint with respect to the outputs h_L. The H_L of the mixture is
indefinite. `Network.psd` selects the PSD matrix that replaces an indefinite H_L in Gauss-Newton matrices. If
`Network.psd` is "raise", an error is raised instead. The Hessian and its products always use the true H_L.

A network whose `inputs` is (C, T) or (C, H, W) has datapoints with positions, such as tokens or pixels, and with C
channels. Such a network may have layers of all kinds. X is then (N, C, T) or (N, C, H, W). If the first layer is an
`Embedding`, C is the number of different tokens, and X has integer tokens and the shape (N, T) or (N, H, W). If the
outputs have positions too, each position has a target: Y is (N, T, D_L) or (N, T) for T positions, and (N, H, W, D_L)
or (N, H, W) for positions along two axes. After `Flatten` the outputs have no positions. The loss of a datapoint is the
sum of the losses of its output positions, divided by `Network.divisor`. If the datapoints of a batch have different
numbers of positions, X is a `Padded`, whose mask is True at the positions that count. A tuple of weights or of results
has no entry for a layer without weights. The option `sharing` selects the factors of weights that are used at several
positions. A layer with groups has one pair of factors for each group. For a `ScaleShift`, Q is 1, and G is the block of
the whole layer.

A result with one array per layer is a tuple in the order of the layers. A vector in the space of the weights,
such as the V of `hessian_product` or a step delta, is a tuple or list of arrays of the shapes of the weights.

Numbers
-------
Hyperparameters are Python numbers, NumPy scalars or fractions. A hyperparameter is converted to a float or int of
Python, so that it never decides the dtype of a result. Booleans and `decimal.Decimal` are not accepted as numbers.
Arrays are accepted only for tau, eta, damping and tolerance, as 0-d arrays in the dtype of the weights or of the
factors. With `check=False`, the value of a 0-d array is not read.

Errors
------
`TypeError` is raised for arguments of a wrong type, for arrays of different libraries, and for wrong dtypes.
`ValueError` is raised for wrong shapes, different devices and an empty batch. `ValueError` is also raised for a
hyperparameter that is out of range and, unless `check=False`, for an array with values that are not finite or are out
of range. The message of a `TypeError` or `ValueError` names the wrong argument, and states what was expected and what
was given. Unless `check=False`, solves and determinants raise `NotPositiveDefiniteError`, a `ValueError`, if the
damping is too small or too large for the damped matrix to have an inverse in its dtype. Functions and optimisers with
Kronecker factors raise `MemoryError` before they allocate factors that need more memory than the device reports as
available.

Settings and derivatives
------------------------
kfgn ignores settings of an array library that would change the precision or the dtype of a result. The ignored settings
of PyTorch are autocast, the default dtype, the default device, and the precision of products and convolutions. The
ignored settings of JAX are the promotion of dtypes and shapes, the matmul precision, the checks for NaN and infinity
and, for float64 arrays, the switch `jax_enable_x64`. NumPy's handling of floating-point errors is ignored too. Products
of float32 matrices are computed in float32, except in a function that `torch.compile` compiles: kfgn then keeps the
precision of products that the user has set.

With arrays of JAX, the transformations of JAX can differentiate all results. With tensors of PyTorch, results are
constants for `backward`. `TypeError` is raised for a tensor inside a transform of `torch.func` or inside forward-mode
differentiation.
"""

from ._algebra.conjugate_gradient import Solution
from ._algebra.definiteness import NotPositiveDefiniteError
from ._algebra.eigen_block import EigenBlock
from ._algebra.kronecker import kronecker_blocks, omega
from ._algebra.kronecker_block import KroneckerBlock
from ._curvature.ekfac import LossAndEigenBlocks, ekfac, ekfac_diagonal
from ._curvature.foof import foof
from ._curvature.gauss_newton import gauss_newton_blocks, preactivation_gauss_newton
from ._curvature.hessian import hessian_blocks, preactivation_hessians
from ._curvature.kfac import kfac, label_draws_shape, sample_labels
from ._curvature.kflr import kflr
from ._curvature.kfoc import kfoc
from ._curvature.kfra import kfra
from ._curvature.loss_and_factors import LossAndFactors
from ._curvature.loss_and_gradient import gradient, loss
from ._curvature.random_projections import projection_shape, rp
from ._curvature.tkfac import tkfac
from ._curvature.tnt import tnt
from ._network.convolution import Convolution
from ._network.dense import Dense
from ._network.embedding import Embedding
from ._network.flatten import Flatten
from ._network.network import Network
from ._network.normalisation import Normalisation
from ._network.padded import Padded
from ._network.pooling import Pooling
from ._network.scale_shift import ScaleShift
from ._optimisers import (
    SGD,
    Adam,
    Counts,
    Damping,
    EigenFactors,
    EigenvalueCorrected,
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

__version__ = "0.2.0"

__all__ = [
    "SGD",
    "Adam",
    "Convolution",
    "Counts",
    "Damping",
    "Dense",
    "EigenBlock",
    "EigenFactors",
    "EigenvalueCorrected",
    "Embedding",
    "Factors",
    "FirstOrderState",
    "Flatten",
    "GaussNewton",
    "HessianFree",
    "Info",
    "KroneckerBlock",
    "KroneckerFactored",
    "LossAndEigenBlocks",
    "LossAndFactors",
    "Network",
    "Normalisation",
    "NotPositiveDefiniteError",
    "Padded",
    "Pooling",
    "ScaleShift",
    "Solution",
    "State",
    "curvature_along",
    "ekfac",
    "ekfac_diagonal",
    "foof",
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
    "kfoc",
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
    "tkfac",
    "tnt",
    "transposed_jacobian_product",
]
