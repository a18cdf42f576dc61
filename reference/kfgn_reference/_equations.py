"""The registry: for each of the paper's 71 numbered equations, what it says, what computes it and what tests it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from . import (
    _appendix_b as appendix_b,
    _averaging as averaging,
    _damping as damping,
    _exponential_family as exponential_family,
    _factored as factored,
    _fisher as fisher,
    _gauss_newton as gauss_newton,
    _gradient as gradient,
    _hessian as hessian,
    _kfac as kfac,
    _kfac_chain as kfac_chain,
    _kflr as kflr,
    _kfra as kfra,
    _khatri_rao as khatri_rao,
    _lemmas as lemmas,
    _mixture as mixture,
    _network as network,
    _parameter_hessian as parameter_hessian,
    _quadratic as quadratic,
    _ranks as ranks,
    _step_size as step_size,
)
from ._statements import STATEMENTS, Statement

Functions = tuple[Callable[..., Any], ...]


class Equation(NamedTuple):
    """statement: what the paper prints, its kind and its misprint.

    functions: what computes it, or the sides of an identity; each cites the number in its docstring
    test:      the test that fails when one of them is wrong
    """

    statement: Statement
    functions: Functions
    test: str


_SECTION_2: dict[int, Functions] = {
    1: (network.forward,),
    2: (parameter_hessian.sample_hessian,),
    3: (gradient.sample_gradient,),
    4: (hessian.sample_hessian_blocks,),
    5: (hessian.sample_hessian_elements,),
    6: (appendix_b.mixed_derivatives,),
    7: (hessian.sample_hessian_blocks,),
    8: (hessian.sample_preactivation_hessians,),
    9: (hessian.slope_matrix,),
    10: (hessian.curving_matrix,),
}
_SECTION_3: dict[int, Functions] = {
    11: (parameter_hessian.hessian_split,),
    12: (gauss_newton.sample_gauss_newton,),
    13: (gauss_newton.gauss_newton,),
    14: (khatri_rao.gauss_newton_between,),
    15: (khatri_rao.sample_preactivation_gauss_newton_between,),
    16: (khatri_rao.factored_between,),
    17: (khatri_rao.khatri_rao, khatri_rao.factored_between),
    18: (khatri_rao.sample_q_between,),
    19: (gauss_newton.sample_gauss_newton_blocks,),
    20: (factored.factored_blocks,),
    21: (factored.expected_q,),
    22: (gauss_newton.sample_preactivation_gauss_newton,),
    23: (kflr.sample_roots,),
    24: (kflr.sample_roots,),
    25: (kflr.kflr,),
    26: (kfra.kfra,),
}
_SECTION_5: dict[int, Functions] = {27: (mixture.probability,)}
_APPENDIX_B: dict[int, Functions] = {
    28: (appendix_b.derivation,),
    29: (appendix_b.matrix_form,),
    30: (appendix_b.elementwise_slope_matrix,),
    31: (appendix_b.elementwise_curving_matrix,),
}
_APPENDIX_C: dict[int, Functions] = {
    32: (quadratic.quadratic_model,),
    33: (quadratic.direction,),
    34: (quadratic.layer_directions, damping.factored_direction),
    35: (damping.damped_block,),
    36: (damping.factored_damped_block,),
    37: (damping.residual, damping.residual_terms, damping.residual_bound),
    38: (damping.omega,),
    39: (step_size.step_size,),
    40: (step_size.step_size, step_size.step),
    41: (step_size.curvature_along,),
    42: (step_size.reduction_ratio,),
    43: (step_size.models,),
    44: (averaging.moving_average,),
    45: (averaging.average_weight,),
}
_APPENDIX_D: dict[int, Functions] = {
    46: (fisher.fisher, fisher.fisher_from_hessians),
    47: (fisher.fisher,),
    48: (fisher.output_fisher,),
    49: (fisher.fisher_from_outputs,),
    50: (gauss_newton.gauss_newton,),
    51: (fisher.fisher_from_output_hessians,),
    52: (exponential_family.log_likelihood,),
    53: (exponential_family.log_likelihood_gradient,),
    54: (exponential_family.log_partition_hessian,),
    55: (kfac_chain.mean_from_jacobians,),
    56: (kfac_chain.mean_from_expected_fisher,),
    57: (kfac_chain.mean_from_fisher,),
    58: (kfac_chain.mean_from_output_gradients,),
    59: (kfac_chain.mean_from_gradients, kfac.kfac),
    60: (kfac_chain.fisher_from_weight_gradients,),
    61: (kfac_chain.fisher_from_kronecker_vectors,),
    62: (kfac_chain.fisher_from_kronecker_products,),
}
_APPENDIX_E: dict[int, Functions] = {63: (ranks.sample_ranks,), 64: (ranks.mean_ranks,)}
_APPENDIX_F: dict[int, Functions] = {
    65: (lemmas.lemma_1,),
    66: (lemmas.recursion_without_curving,),
    67: (lemmas.carried_up,),
    68: (lemmas.quadratic_forms,),
    69: (lemmas.definiteness_is_inherited,),
    70: (lemmas.quadratic_form_of_block,),
    71: (lemmas.traces, lemmas.lemma_2),
}

_PARTS = {
    "test_section_2.py": _SECTION_2,
    "test_section_3.py": _SECTION_3,
    "test_section_5.py": _SECTION_5,
    "test_appendix_b.py": _APPENDIX_B,
    "test_appendix_c.py": _APPENDIX_C,
    "test_appendix_d.py": _APPENDIX_D,
    "test_appendix_e.py": _APPENDIX_E,
    "test_appendix_f.py": _APPENDIX_F,
}

EQUATIONS: dict[int, Equation] = {
    number: Equation(STATEMENTS[number], functions, f"tests/reference/equations/{file}::test_equation_{number}")
    for file, part in _PARTS.items()
    for number, functions in part.items()
}
