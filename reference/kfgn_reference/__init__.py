"""Botev, Ritter and Barber (2017), "Practical Gauss-Newton Optimisation for Deep Learning", as code.

Every module is one part of the paper, needs NumPy and nothing else, and computes **one datapoint at a
time** with the paper's own symbols; a mean over the batch is taken last, by `expectation`.
Read them in this order:

    network        (1)                the network and its forward pass
    transfers      f, f', f''         the elementwise transfer functions
    objectives     E, dE/dh_L, H_L    the objectives and the distributions they belong to
    gradient       (3)                backpropagation
    hessian        (4)-(10)           the recursion for the pre-activation Hessian, and the blocks
    gauss_newton   (12)-(16), (22)    the Gauss-Newton matrix and its blocks
    factored       (18)-(21)          Q, and the expectation of a product taken factor by factor
    kflr           (23)-(25)          the exact second factor, from a square root of H_L
    kfra           (26)               the recursive approximation of the second factor
    kfac           (56)-(59)          the sampled second factor

Symbols
-------
    here               paper             meaning                                        shape
    l, L               lambda, L         a layer, the number of layers                  1 <= l <= L
    N                  N                 datapoints in the batch (rows of X and Y)
    S                  S                 sampled labels for each datapoint
    K                  K                 columns of a root of H_L
    E                  E; E[.]           the objective of one datapoint; in prose, the mean over datapoints
    X, Y; x, y         x, y              the batch; one datapoint                       (N, D_0); (D_0,)
    net.weights        W_lambda          weights, the bias in the last column           (D_l, D_{l-1} + 1)
    net.kernel(l)      W_lambda          weights without the bias column                (D_l, D_{l-1})
    h[l]               h_lambda          pre-activations                                (D_l,)
    a[l]               a_lambda          activations; a[0] = x                          (D_l,)
    append_unit(a[l])  a_lambda          the same with the unit that meets the bias     (D_l + 1,)
    B, D               B, D              the diagonal matrices (9) and (10)             (D_l, D_l)
    H[l]               script H_lambda   pre-activation Hessian, one datapoint          (D_l, D_l)
    G[l]               script G_lambda   pre-activation Gauss-Newton matrix             (D_l, D_l)
    C[l]               C^k_lambda        its root, the vectors C^k as columns           (D_l, K)
    Q[l]               script Q_lambda   outer product of activations with the unit     (D_{l-1}+1, D_{l-1}+1)

What belongs to layers is a dictionary with the keys 1, ..., L, so that `H[l]` is the paper's H_lambda.
`vec` stacks columns, so the block of W_l is `kron(Q[l], G[l])`: its row `b * D_l + a` is W_l[a, b].

Arithmetic
----------
There is no float literal and no call into `np.linalg`: the functions compute in the arithmetic of the
arrays they are given, be it float64 or an object array of rationals or of certified balls.
Randomness is an argument too: what samples takes its normals or uniforms, or the labels themselves.

Every function of a batch raises `ValueError` if X, the labels or the network do not fit each other.
Where the text of the paper cannot be followed to the letter, the docstring says "misprint" and why.
"""

from ._types import Array, PerLayer
from .expectation import expectation
from .factored import expected_q, factored_blocks, sample_q
from .gauss_newton import (
    gauss_newton_blocks,
    jacobians,
    sample_gauss_newton,
    sample_gauss_newton_blocks,
    sample_preactivation_gauss_newton,
)
from .gradient import backpropagate, gradient, sample_gradient
from .hessian import hessian_blocks, sample_hessian_blocks, sample_preactivation_hessians
from .kfac import draw_labels, kfac
from .kflr import kflr, sample_roots
from .kfra import kfra
from .network import Network, append_unit, forward
from .objectives import OBJECTIVES, Objective, loss
from .transfers import TRANSFERS, Transfer

__all__ = [
    "OBJECTIVES",
    "TRANSFERS",
    "Array",
    "Network",
    "Objective",
    "PerLayer",
    "Transfer",
    "append_unit",
    "backpropagate",
    "draw_labels",
    "expectation",
    "expected_q",
    "factored_blocks",
    "forward",
    "gauss_newton_blocks",
    "gradient",
    "hessian_blocks",
    "jacobians",
    "kfac",
    "kflr",
    "kfra",
    "loss",
    "sample_gauss_newton",
    "sample_gauss_newton_blocks",
    "sample_gradient",
    "sample_hessian_blocks",
    "sample_preactivation_gauss_newton",
    "sample_preactivation_hessians",
    "sample_q",
    "sample_roots",
]
