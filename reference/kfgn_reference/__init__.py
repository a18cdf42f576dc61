"""Botev, Ritter and Barber (2017), "Practical Gauss-Newton Optimisation for Deep Learning", as code.

The modules implement the paper part by part, with its symbols, and need only NumPy. All except `_algorithm_1` compute
**one datapoint at a time**, and use the functions of `_expectation` for the means over the batch.

>>> import numpy as np
>>> import kfgn_reference as ref
>>> net = ref.Network((np.array([[1.0, 0.0]]), np.array([[2.0, 1.0]])), ("tanh",), "squared_error")
>>> X, Y = np.array([[0.5], [-1.0]]), np.array([[1.0], [2.0]])
>>> ref.kfra(net, X, Y)[1].round(6).tolist()
[[1.589757]]

Every public name is an attribute of the package. The names of modules begin with an underscore: the module of `kfra` is
`_kfra.py`. Read the modules in this order:

    _network            (1)                the network and its forward pass
    _transfers          f, f', f''         the elementwise transfer functions
    _objectives         E, dE/dh_L, H_L    the objectives and their distributions
    _mixture            (27)               the objective with an indefinite H_L
    _outputs            G_L, C_L           the start of every Gauss-Newton matrix, at the outputs
    _gradient           (3)                backpropagation
    _hessian            (4)-(10)           the recursion for the pre-activation Hessian, and the blocks
    _r_operator         R{.}               products with the Jacobian, the Gauss-Newton matrix and the Hessian
    _parameter_hessian  (2), (11)          the full Hessian and its two terms
    _appendix_b         (28)-(31)          the derivation of the recursion, expression by expression
    _gauss_newton       (12), (13), (19)   the Gauss-Newton matrix, its diagonal blocks and the recursion (22)
    _khatri_rao         (14)-(18)          the blocks between layers
    _factored           (18), (20), (21)   Q, and the Kronecker product of two expectations
    _kflr               (23)-(25)          the exact second factor, from a square root of H_L
    _kfra               (26)               the recursive approximation of the second factor
    _kfac               (59)               the second factor from sampled labels
    _rp                                    the second factor from random projections, a method that is not in the paper
    _quadratic          (32)-(34)          the quadratic model, and the direction C^-1 grad f
    _damping            (35)-(38)          the damped Kronecker block and its factored inverse
    _step_size          (39)-(43)          the step along a direction, and the error of the model
    _adaptation         C.3                the adaptation of tau and gamma
    _averaging          (44), (45)         moving averages
    _algorithm_1        Algorithm 1        one update, line by line, with the misprints corrected
    _safeguards                            rules that are not in the paper, for rounding errors and failed steps
    _optimiser          Section 5          the whole optimiser, step by step
    _outcomes           p(y | h_L)         the labels of the model and their probabilities
    _fisher             (46)-(49), (51)    the Fisher matrix
    _exponential_family (52)-(54)          objectives whose Fisher matrix is the Gauss-Newton matrix
    _kfac_chain         (55)-(62)          the equalities that lead to KFAC
    _ranks              (63), (64)         bounds of ranks
    _lemmas             (65)-(71)          no smooth strict local maxima
    _statements         (1)-(71)           the equations as printed, and the remarks on them
    _printed_algorithm  Algorithm 1        the algorithm as printed, and the remarks on it
    _equations          (1)-(71)           the registry of the functions and the test of each equation

The listed modules use `_vectors` for vec and theta, `_linear_algebra` for linear systems (solved without square roots),
`_spectral` for eigenvalues, and `_special` for erfc. The helper modules `_arithmetic`, `_batch`, `_expectation`,
`_named` and `_types` implement no equation. Many examples share the network of `_example`.

The package `shared_weights` goes beyond the paper: it has layers whose weights are used at several positions, such as
convolutions, and several approximations of the blocks of these layers. `shared_weights` has its own reading order and
symbols, and its names are not listed here.

Symbols
-------
    here               paper             meaning                                        shape
    l, L               lambda, L         a layer, the number of layers                  1 <= l <= L
    D_l                D_lambda          the width of layer l; D_0 is that of the input. D_l is also the matrix (10)
    N                  N                 datapoints in the batch (rows of X and Y)
    S                  S                 sampled labels per datapoint
    K                  K                 columns of a root of H_L
    E                  E; E[.]           the objective of one datapoint; E[.] is the mean over datapoints
    X, Y; x, y         x, y              the batch; one datapoint                       (N, D_0); (D_0,)
    net.weights        W_lambda          weights, the bias in the last column           (D_l, D_{l-1} + 1)
    net.kernel(l)      W_lambda          weights without the bias column                (D_l, D_{l-1})
    h[l]               h_lambda          pre-activations                                (D_l,)
    a[l]               a_lambda          activations; a[0] = x                          (D_l,)
    append_unit(a[l])  a_lambda          a[l] with the unit 1 appended, for the bias    (D_l + 1,)
    B, D               B, D              the diagonal matrices (9) and (10)             (D_l, D_l)
    H[l]               script H_lambda   pre-activation Hessian, one datapoint          (D_l, D_l)
    G[l]               script G_lambda   pre-activation Gauss-Newton matrix             (D_l, D_l)
    C[l]               C^k_lambda        a root of G[l], the vectors C^k as columns     (D_l, K)
    J[l]               J^{h_L}_{h_l}     dh_L/dh_l                                      (D_L, D_l)
    Q[l]               script Q_lambda   outer product of activations with the unit     (D_{l-1}+1, D_{l-1}+1)
    V, delta           delta             a direction in parameter space, layer by layer (D_l, D_{l-1} + 1)
    k, root_k          k                 the damping gamma + eta, and its square root
    R{.}               R-operator        the derivative along a direction V

Quantities per layer are in a dictionary with the keys 1, ..., L, so `H[l]` is the paper's script H_lambda. The keys of
activations are 0, ..., L - 1.
`vec` stacks columns, so the block of W_l is `kron(Q[l], G[l])`. Row `b * D_l + a` of this block belongs to W_l[a, b].
A layer without a bias (see `Network.biases`) has no appended unit. In the shapes of such a layer, D_{l-1} replaces
D_{l-1} + 1.

Arithmetic
----------
The modules contain no float literal, and only `_spectral` calls `np.linalg`. All modules except `_spectral` compute in
the arithmetic of the given arrays, such as float64, rationals or balls (numbers with certified error bounds). A
function that computes a square root, an exponential or an eigenvalue cannot compute in rationals. `rank`,
`is_positive_semidefinite` and the functions that call them need exact arithmetic. Random values, such as normals,
uniforms or sampled labels, are arguments of functions.

Every function that takes a batch raises `ValueError` if X, the labels and the network do not fit together. If the code
deviates from the text of the paper, the docstring has the word "misprint" and the reason. The word "gap" marks an
omission of the paper. The word "choice" marks a reading or a rule that this package has chosen.
"""

from ._adaptation import adapted_gamma, adapted_tau, bounded, decay
from ._algorithm_1 import Update, algorithm_1
from ._appendix_b import (
    derivation,
    elementwise_derivative_matrix,
    elementwise_second_derivative_matrix,
    matrix_form,
    mixed_derivatives,
)
from ._arithmetic import rational
from ._averaging import average_weight, moving_average
from ._damping import (
    NORMS,
    damped_block,
    damped_factors,
    factored_damped_block,
    factored_direction,
    factored_layer_direction,
    factored_log_determinant,
    omega,
    omega_squared,
    residual,
    residual_bound,
    residual_terms,
)
from ._equations import EQUATIONS, Equation
from ._expectation import expectation
from ._exponential_family import log_likelihood, log_likelihood_gradient, log_partition_hessian
from ._factored import expected_q, factored_blocks, factored_product, sample_q
from ._fisher import (
    fisher,
    fisher_from_hessians,
    fisher_from_output_hessians,
    fisher_from_outputs,
    output_fisher,
)
from ._gauss_newton import (
    gauss_newton,
    gauss_newton_blocks,
    jacobians,
    parameter_jacobian,
    sample_gauss_newton,
    sample_gauss_newton_blocks,
    sample_preactivation_gauss_newton,
)
from ._gradient import backpropagate, gradient, sample_gradient
from ._hessian import (
    derivative_matrix,
    hessian_blocks,
    sample_hessian_blocks,
    sample_hessian_elements,
    sample_preactivation_hessians,
    second_derivative_matrix,
)
from ._kfac import draw_labels, kfac
from ._kfac_chain import (
    fisher_from_kronecker_products,
    fisher_from_kronecker_vectors,
    fisher_from_weight_gradients,
    mean_from_expected_fisher,
    mean_from_fisher,
    mean_from_gradients,
    mean_from_jacobians,
    mean_from_output_gradients,
)
from ._kflr import kflr, sample_roots
from ._kfra import kfra
from ._khatri_rao import (
    assembled,
    factored_between,
    gauss_newton_between,
    khatri_rao,
    sample_gauss_newton_between,
    sample_preactivation_gauss_newton_between,
    sample_q_between,
)
from ._lemmas import (
    carried_up,
    definiteness_is_inherited,
    lemma_1,
    lemma_2,
    midpoint_gap,
    quadratic_form_of_block,
    quadratic_forms,
    recursion_without_second_term,
    traces,
)
from ._linear_algebra import NotPositiveDefiniteError, is_positive_semidefinite, ldl, rank, solve, trace
from ._mixture import probability as mixture_probability
from ._network import Network, append_unit, forward
from ._objectives import OBJECTIVES, Objective, loss
from ._optimiser import (
    METHODS,
    Info,
    Settings,
    State,
    damped_direction,
    factors as optimiser_factors,
    initial_state,
    step as optimiser_step,
    trajectory,
)
from ._outcomes import model_mean
from ._outputs import output_gauss_newton, output_root
from ._parameter_hessian import hessian, hessian_split, sample_hessian
from ._quadratic import block_diagonal, damped, direction, layer_directions, quadratic_model
from ._r_operator import (
    gauss_newton_product,
    hessian_product,
    jacobian_product,
    sample_gauss_newton_product,
    sample_hessian_product,
    transposed_jacobian_product,
)
from ._ranks import mean_ranks, sample_ranks
from ._rp import rp
from ._safeguards import raised, rounding, visible, visible_direction, within_rounding
from ._spectral import exact_direction, exact_log_determinant, projection, projection_root, spectral_norm
from ._statements import STATEMENTS, Statement
from ._step_size import (
    changes,
    curvature_along,
    model_along,
    models,
    reduction_ratio,
    regularised_gradient,
    regularised_loss,
    step,
    step_size,
)
from ._transfers import TRANSFERS, Transfer, transfer
from ._types import Array, Blocks, PerLayer
from ._vectors import dot, moved, per_layer, theta, unvec, vec

__all__ = [
    "EQUATIONS",
    "METHODS",
    "NORMS",
    "OBJECTIVES",
    "STATEMENTS",
    "TRANSFERS",
    "Array",
    "Blocks",
    "Equation",
    "Info",
    "Network",
    "NotPositiveDefiniteError",
    "Objective",
    "PerLayer",
    "Settings",
    "State",
    "Statement",
    "Transfer",
    "Update",
    "adapted_gamma",
    "adapted_tau",
    "algorithm_1",
    "append_unit",
    "assembled",
    "average_weight",
    "backpropagate",
    "block_diagonal",
    "bounded",
    "carried_up",
    "changes",
    "curvature_along",
    "damped",
    "damped_block",
    "damped_direction",
    "damped_factors",
    "decay",
    "definiteness_is_inherited",
    "derivation",
    "derivative_matrix",
    "direction",
    "dot",
    "draw_labels",
    "elementwise_derivative_matrix",
    "elementwise_second_derivative_matrix",
    "exact_direction",
    "exact_log_determinant",
    "expectation",
    "expected_q",
    "factored_between",
    "factored_blocks",
    "factored_damped_block",
    "factored_direction",
    "factored_layer_direction",
    "factored_log_determinant",
    "factored_product",
    "fisher",
    "fisher_from_hessians",
    "fisher_from_kronecker_products",
    "fisher_from_kronecker_vectors",
    "fisher_from_output_hessians",
    "fisher_from_outputs",
    "fisher_from_weight_gradients",
    "forward",
    "gauss_newton",
    "gauss_newton_between",
    "gauss_newton_blocks",
    "gauss_newton_product",
    "gradient",
    "hessian",
    "hessian_blocks",
    "hessian_product",
    "hessian_split",
    "initial_state",
    "is_positive_semidefinite",
    "jacobian_product",
    "jacobians",
    "kfac",
    "kflr",
    "kfra",
    "khatri_rao",
    "layer_directions",
    "ldl",
    "lemma_1",
    "lemma_2",
    "log_likelihood",
    "log_likelihood_gradient",
    "log_partition_hessian",
    "loss",
    "matrix_form",
    "mean_from_expected_fisher",
    "mean_from_fisher",
    "mean_from_gradients",
    "mean_from_jacobians",
    "mean_from_output_gradients",
    "mean_ranks",
    "midpoint_gap",
    "mixed_derivatives",
    "mixture_probability",
    "model_along",
    "model_mean",
    "models",
    "moved",
    "moving_average",
    "omega",
    "omega_squared",
    "optimiser_factors",
    "optimiser_step",
    "output_fisher",
    "output_gauss_newton",
    "output_root",
    "parameter_jacobian",
    "per_layer",
    "projection",
    "projection_root",
    "quadratic_form_of_block",
    "quadratic_forms",
    "quadratic_model",
    "raised",
    "rank",
    "rational",
    "recursion_without_second_term",
    "reduction_ratio",
    "regularised_gradient",
    "regularised_loss",
    "residual",
    "residual_bound",
    "residual_terms",
    "rounding",
    "rp",
    "sample_gauss_newton",
    "sample_gauss_newton_between",
    "sample_gauss_newton_blocks",
    "sample_gauss_newton_product",
    "sample_gradient",
    "sample_hessian",
    "sample_hessian_blocks",
    "sample_hessian_elements",
    "sample_hessian_product",
    "sample_preactivation_gauss_newton",
    "sample_preactivation_gauss_newton_between",
    "sample_preactivation_hessians",
    "sample_q",
    "sample_q_between",
    "sample_ranks",
    "sample_roots",
    "second_derivative_matrix",
    "solve",
    "spectral_norm",
    "step",
    "step_size",
    "theta",
    "trace",
    "traces",
    "trajectory",
    "transfer",
    "transposed_jacobian_product",
    "unvec",
    "vec",
    "visible",
    "visible_direction",
    "within_rounding",
]
