"""The registry: the statement, the functions and the test of each of the paper's 71 numbered equations.

>>> from kfgn_reference import EQUATIONS
>>> EQUATIONS[26].statement.title
'KFRA, the recursive approximation of the second factor'
>>> [function.__name__ for function in EQUATIONS[26].functions]
['kfra']
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from ._appendix_b import (
    derivation,
    elementwise_derivative_matrix,
    elementwise_second_derivative_matrix,
    matrix_form,
    mixed_derivatives,
)
from ._averaging import average_weight, moving_average
from ._damping import (
    damped_block,
    factored_damped_block,
    factored_direction,
    omega,
    residual,
    residual_bound,
    residual_terms,
)
from ._exponential_family import log_likelihood, log_likelihood_gradient, log_partition_hessian
from ._factored import expected_q, factored_blocks
from ._fisher import (
    fisher,
    fisher_from_hessians,
    fisher_from_output_hessians,
    fisher_from_outputs,
    output_fisher,
)
from ._gauss_newton import (
    gauss_newton,
    sample_gauss_newton,
    sample_gauss_newton_blocks,
    sample_preactivation_gauss_newton,
)
from ._gradient import sample_gradient
from ._hessian import (
    derivative_matrix,
    sample_hessian_blocks,
    sample_hessian_elements,
    sample_preactivation_hessians,
    second_derivative_matrix,
)
from ._kfac import kfac
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
    factored_between,
    gauss_newton_between,
    khatri_rao,
    sample_preactivation_gauss_newton_between,
    sample_q_between,
)
from ._lemmas import (
    carried_up,
    definiteness_is_inherited,
    lemma_1,
    lemma_2,
    quadratic_form_of_block,
    quadratic_forms,
    recursion_without_second_term,
    traces,
)
from ._mixture import probability
from ._network import forward
from ._parameter_hessian import hessian_split, sample_hessian
from ._quadratic import direction, layer_directions, quadratic_model
from ._ranks import mean_ranks, sample_ranks
from ._statements import STATEMENTS, Statement
from ._step_size import curvature_along, models, reduction_ratio, step, step_size

Functions = tuple[Callable[..., Any], ...]


class Equation(NamedTuple):
    """One numbered equation of the paper.

    statement: the equation as printed, its kind and the remarks on it
    functions: the functions that compute the quantity of the equation, or the sides of an identity. The docstring of
               each function cites the number of the equation
    test:      the test that fails if one of these functions is wrong
    """

    statement: Statement
    functions: Functions
    test: str


FUNCTIONS: dict[str, dict[int, Functions]] = {
    "section_2": {
        1: (forward,),
        2: (sample_hessian,),
        3: (sample_gradient,),
        4: (sample_hessian_blocks,),
        5: (sample_hessian_elements,),
        6: (mixed_derivatives,),
        7: (sample_hessian_blocks,),
        8: (sample_preactivation_hessians,),
        9: (derivative_matrix,),
        10: (second_derivative_matrix,),
    },
    "section_3_1": {
        11: (hessian_split,),
        12: (sample_gauss_newton,),
        13: (gauss_newton,),
        14: (gauss_newton_between,),
        15: (sample_preactivation_gauss_newton_between,),
        16: (factored_between,),
        17: (khatri_rao, factored_between),
        18: (sample_q_between,),
    },
    "section_3_2": {
        19: (sample_gauss_newton_blocks,),
        20: (factored_blocks,),
        21: (expected_q,),
        22: (sample_preactivation_gauss_newton,),
        23: (sample_roots,),
        24: (sample_roots,),
        25: (kflr,),
        26: (kfra,),
    },
    "section_5": {27: (probability,)},
    "appendix_b": {
        28: (derivation,),
        29: (matrix_form,),
        30: (elementwise_derivative_matrix,),
        31: (elementwise_second_derivative_matrix,),
    },
    "appendix_c_1": {
        32: (quadratic_model,),
        33: (direction,),
        34: (layer_directions, factored_direction),
        35: (damped_block,),
        36: (factored_damped_block,),
        37: (residual, residual_terms, residual_bound),
        38: (omega,),
    },
    "appendix_c_2": {
        39: (step_size,),
        40: (step_size, step),
        41: (curvature_along,),
    },
    "appendix_c_3": {
        42: (reduction_ratio,),
        43: (models,),
        44: (moving_average,),
        45: (average_weight,),
    },
    "appendix_d_1": {
        46: (fisher, fisher_from_hessians),
        47: (fisher,),
        48: (output_fisher,),
        49: (fisher_from_outputs,),
    },
    "appendix_d_2": {
        50: (gauss_newton,),
        51: (fisher_from_output_hessians,),
        52: (log_likelihood,),
        53: (log_likelihood_gradient,),
        54: (log_partition_hessian,),
    },
    "appendix_d_3": {
        55: (mean_from_jacobians,),
        56: (mean_from_expected_fisher,),
        57: (mean_from_fisher,),
        58: (mean_from_output_gradients,),
        59: (mean_from_gradients, kfac),
        60: (fisher_from_weight_gradients,),
        61: (fisher_from_kronecker_vectors,),
        62: (fisher_from_kronecker_products,),
    },
    "appendix_e": {63: (sample_ranks,), 64: (mean_ranks,)},
    "appendix_f": {
        65: (lemma_1,),
        66: (recursion_without_second_term,),
        67: (carried_up,),
        68: (quadratic_forms,),
        69: (definiteness_is_inherited,),
        70: (quadratic_form_of_block,),
        71: (traces, lemma_2),
    },
}
"""The functions of each equation, grouped by the part of the paper. Each part of the paper has one test file."""

EQUATIONS: dict[int, Equation] = {
    number: Equation(STATEMENTS[number], functions, f"tests/reference/equations/test_{part}.py::test_equation_{number}")
    for part, numbers in FUNCTIONS.items()
    for number, functions in numbers.items()
}
"""Every numbered equation, from 1 to 71."""
