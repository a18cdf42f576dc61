"""Curvature of layers that use their weights at several positions, such as convolutions. The paper has no such layer.

Botev et al. (2017) treat layers that use their weights once per datapoint. A layer over the tokens of a sequence, and a
convolution of a sequence or of an image, use the same weights at T positions. This package defines the exact block of
such a layer and several approximations of the block. The definitions state the range of every sum, and the number by
which the sum is divided. Like the rest of `kfgn_reference`, the package needs only NumPy, and computes one datapoint at
a time.

>>> import numpy as np
>>> import kfgn_reference.shared_weights as shared
>>> layers = (
...     shared.Convolution(np.array([[1.0, 2.0, 0.0]]), width=2),
...     shared.Elementwise("relu"),
...     shared.Pooling(width=3, stride=1, kind="mean"),
... )
>>> net = shared.Network(layers, "squared_error")
>>> X, Y = np.array([[[1.0, 0.0, -1.0, 2.0]], [[2.0, 1.0, 1.0, 0.0]]]), np.zeros((2, 1, 1))
>>> batch = shared.pairs(net, X, Y)[1, 1]  # layer 1, group 1
>>> exact, expand = shared.exact_block(batch), shared.expand(batch).block
>>> exact[2, 2].round(6).tolist(), expand[2, 2].round(6).tolist()
(0.722222, 0.277778)

Read the modules in this order. (8s) is the form of (8) for shared weights, and Symbols defines a_nt and C_ntc:

    _positions           activations with one or more axes of positions, as matrices and as vectors
    _windows             the input positions that each output position reads
    _taps                a linear layer as a sum over taps, and its matrix M
    _convolution         the convolution of sequences and of images
    _embedding           the embedding of tokens
    _scale_shift         a scale and a shift for each channel
    _normalisation       the normalisation of the channels of a position, with its second derivatives
    _layers              dense layers, pooling, flattening, transfer functions
    _masks               masked positions, which are not positions of their datapoint
    _network             the network and its forward pass
    _outputs             the loss of all positions, its derivatives, and the root of its Hessian
    _recursions          (8s), (15s), (25s): the recursions over all positions
    _blocks              (7s): the exact blocks of the Hessian and of the Gauss-Newton matrix
    _pairs               the pairs (a_nt, C_ntc)
    _tied                the pairs of a matrix that several layers use, and the pairs of its transpose
    _factors             the record of two Kronecker factors
    _exact               the exact block from pairs
    _expand              K-FAC-expand, which is KFC for convolutions
    _tokens              the block of an embedding from counts of tokens
    _reduce              K-FAC-reduce
    _ekfac               the corrected diagonal in an eigenbasis
    _ekfac_step          the optimiser of the paper, with averages of this diagonal
    _rearrangement       Van Loan's rearrangement
    _kfoc                the nearest Kronecker product, and sums of r products
    _tkfac               factors weighted by traces
    _tnt                 covariances of the gradient of W
    _foof                the factor of the inputs alone
    _kfra_over_positions KFRA with matrices over all positions
    _kfra_over_tokens    KFRA for layers that do not mix positions
    _kfra_over_taps      KFRA in closed form over the taps of each layer

The module `_batch` checks shapes, and many examples share the network of `_example`.

Symbols
-------
    n, N      a datapoint, and the number of datapoints
    T_n, M    the number of positions of datapoint n that no mask removes, and M = sum_n T_n. Without masks M = N T
    t, T      a position of the outputs of a layer, and the number of these positions, such as the number of tokens.
              The T = H W positions of an image have row-major order
    c, K      a column of the root of the output Hessian or of its replacement, and the number of columns
    C_l, T_l  the numbers of channels and positions of the activation a_l. With one axis of positions, a_l is a matrix
              (C_l, T_l). For images a_l is (C_l, H, W). a_0 is the input x, and a_L has the outputs h_L, with
              D_L = C_L channels
    C', T'    the numbers of channels and positions of the outputs of one layer. In formulas with C', C is the number of
              input channels, and in formulas with T', T is the number of input positions
    vec       the columns of a matrix as one vector, so that vec(a_l) has the channels of a position next to each other
    W         the weights of a layer, (O, I), with the bias, if there is one, in the last column
    a_nt      the inputs of W at position t, (I,), such as the activation at t or a patch, and 1 for a bias
    C_ntc     column c of the root of the Gauss-Newton matrix at the pre-activations of position t, (O,)
    g_nc      sum_t a_nt kron C_ntc, (I O,): column c of a root of the block of vec(W)
    M_l       the Jacobian of layer l between whole activations, (C_l T_l, C_{l-1} T_{l-1})
    J_t       the Jacobian (C, C) at position t of a transfer function or of a normalisation
    H[t, t']  the block (O, O) of a matrix over all positions between t and t'

Definitions
-----------
The first two rows are exact blocks. The other rows belong to approximations of the exact Gauss-Newton block, for a
layer or for a group of a grouped layer. A sum over positions is inside the square if it is taken before the outer
product, and outside the square if it is taken after the outer product.

    object           definition                                             sum over positions      mean
    exact            1/N sum_n sum_c g_nc g_nc^T                            inside the square       N
    exact, Hessian   1/N sum_n sum_t sum_t' (a_nt a_nt'^T) kron H_n[t, t']  all pairs t, t'         N
    expand, Q        1/(N T) sum_n sum_t a_nt a_nt^T                        outside the square      N T
    expand, G        1/N sum_n sum_t sum_c C_ntc C_ntc^T                    outside the square      N
    reduce, Q        1/N sum_n abar_n abar_n^T, abar_n = 1/T sum_t a_nt     inside, and divided     N
    reduce, G        1/N sum_n sum_c S_nc S_nc^T, S_nc = sum_t C_ntc        inside the square       N
    EKFAC, S         1/N sum_n sum_c (U_G^T P_nc U_Q)^2, vec(P_nc) = g_nc   inside the square       N
    KFOC             argmin |exact - Q kron G| in the Frobenius norm        inside the square       N
    r products       argmin |exact - sum_i Q_i kron G_i|, i = 1, ..., r     inside the square       N
    TKFAC, Q         1/N sum_n sum_t |C_nt|^2 a_nt a_nt^T                   outside the square      N
    TKFAC, G         1/N sum_n sum_t |a_nt|^2 C_nt C_nt^T / tr Q            outside the square      N
    TNT, Q           1/N sum_n sum_c P_nc^T P_nc                            inside the square       N
    TNT, G           1/N sum_n sum_c P_nc P_nc^T / tr Q                     inside the square       N
    FOOF             Q of expand, G = I                                     outside the square      N T
    KFRA, 3 kinds    the second factor by a recursion, not from pairs       see the modules         N, N T

For T = 1 and the divisor 1, expand and reduce are both (20) of the paper, with the G of KFLR. With `sampled_pairs`,
gradients at sampled labels replace the columns of the roots, as in KFAC.

The **divisor** belongs to the loss, and not to these definitions. The loss of a datapoint is a sum over the positions
of the outputs, divided by `Network.divisor`. Every block above except that of FOOF is divided by the divisor once.

Masks
-----
A masked datapoint has T_n positions, and M = sum_n T_n is the number of counted positions of the batch. `counted`
removes the masked positions, so that no sum above contains them. The sums are then divided by these numbers:

    object               counted positions in                            divided by
    expand and FOOF, Q   the sum over n and t                            M, and not N T or N max T_n
    expand, G            the sum over t                                  N
    reduce, Q            abar_n, the mean over t                         T_n inside the square, N outside
    reduce, G            the sum over t                                  N
    KFRA over positions  all T_n must be equal                           N
    KFRA over tokens     the mean of J_nt^T G J_nt over n and t          M
    KFRA over taps       sum_n |Z_nk|^2 of each tap                      the number of output positions of the batch
    loss                 the sum over t, with `Network.divisor` 1        N
    loss, mean over T    the sum over t, with the divisor T              N T: a masked position has the loss 0
    loss, mean over M    the sum over t, with the divisor M / N          M, as the mean of PyTorch with `ignore_index`
    all other objects    the sum over t                                  N

Sources
-------
    Grosse and Martens (2016)      "A Kronecker-factored approximate Fisher matrix for convolution layers": expand for
                                   convolutions, with the sum over positions in the factor of the inputs, and the mean
                                   in the other factor. The Kronecker product is the same
    Eschenhagen et al. (2023)      "Kronecker-factored approximate curvature for modern neural network architectures":
                                   expand and reduce, and the layers for which they are exact
    George et al. (2018)           "Fast approximate natural gradient descent in a Kronecker-factored eigenbasis":
                                   EKFAC
    Van Loan and Pitsianis (1993)  "Approximation with Kronecker products": the rearrangement
    Schnaus et al. (2021)          "Kronecker-factored optimal curvature": KFOC
    Koroko et al. (2022)           "Efficient approximations of the Fisher matrix in neural networks using Kronecker
                                   product singular value decomposition": KFOC, and sums of products
    Gao et al. (2021)              "A trace-restricted Kronecker-factored approximation to natural gradient": TKFAC
                                   without shared weights. The sum over positions is a choice of this package
    Ren and Goldfarb (2021)        "Tensor normal training for deep learning models": TNT
    Benzing (2022)                 "Gradient descent on neurons and its link to approximate second-order optimization":
                                   FOOF
"""

from ._blocks import gauss_newton_blocks, gradient, hessian_blocks, sample_blocks, sample_gradient, weight_jacobian
from ._convolution import Convolution
from ._ekfac import eigenbases, ekfac, ekfac_block, ekfac_diagonal
from ._ekfac_step import (
    EkfacState,
    ekfac_direction,
    ekfac_step,
    in_new_basis,
    initial_ekfac_state,
    observed as ekfac_observed,
)
from ._embedding import Embedding
from ._exact import exact_block, weight_roots
from ._expand import expand
from ._factors import Factors
from ._foof import foof
from ._kfoc import kfoc, kronecker_sum, kronecker_sum_product, kronecker_terms
from ._kfra_over_positions import diagonal_sum, kfra_over_positions, whole_sum
from ._kfra_over_taps import carried_over_taps, kfra_over_taps
from ._kfra_over_tokens import kfra_over_tokens
from ._layers import Dense, Elementwise, Flatten, Pooling
from ._masks import counted
from ._network import Network, forward
from ._normalisation import Normalisation
from ._outputs import loss, output_gauss_newton, output_gradient, output_hessian, output_root
from ._pairs import Pairs, draw_labels, pairs, sampled_pairs
from ._rearrangement import rearranged
from ._recursions import (
    backpropagate,
    sample_preactivation_gauss_newton,
    sample_preactivation_hessians,
    sample_roots,
)
from ._reduce import reduce
from ._scale_shift import ScaleShift
from ._taps import Tap, layer_matrix
from ._tied import joined, transposed
from ._tkfac import tkfac
from ._tnt import tnt
from ._tokens import (
    TokenPairs,
    ekfac_token_diagonal,
    exact_token_blocks,
    expand_tokens,
    token_pairs,
    token_roots,
)

__all__ = [
    "Convolution",
    "Dense",
    "EkfacState",
    "Elementwise",
    "Embedding",
    "Factors",
    "Flatten",
    "Network",
    "Normalisation",
    "Pairs",
    "Pooling",
    "ScaleShift",
    "Tap",
    "TokenPairs",
    "backpropagate",
    "carried_over_taps",
    "counted",
    "diagonal_sum",
    "draw_labels",
    "eigenbases",
    "ekfac",
    "ekfac_block",
    "ekfac_diagonal",
    "ekfac_direction",
    "ekfac_observed",
    "ekfac_step",
    "ekfac_token_diagonal",
    "exact_block",
    "exact_token_blocks",
    "expand",
    "expand_tokens",
    "foof",
    "forward",
    "gauss_newton_blocks",
    "gradient",
    "hessian_blocks",
    "in_new_basis",
    "initial_ekfac_state",
    "joined",
    "kfoc",
    "kfra_over_positions",
    "kfra_over_taps",
    "kfra_over_tokens",
    "kronecker_sum",
    "kronecker_sum_product",
    "kronecker_terms",
    "layer_matrix",
    "loss",
    "output_gauss_newton",
    "output_gradient",
    "output_hessian",
    "output_root",
    "pairs",
    "rearranged",
    "reduce",
    "sample_blocks",
    "sample_gradient",
    "sample_preactivation_gauss_newton",
    "sample_preactivation_hessians",
    "sample_roots",
    "sampled_pairs",
    "tkfac",
    "tnt",
    "token_pairs",
    "token_roots",
    "transposed",
    "weight_jacobian",
    "weight_roots",
    "whole_sum",
]
