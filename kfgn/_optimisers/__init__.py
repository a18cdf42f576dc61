"""Optimisers: pure functions of a state and a batch.

    state = optimiser.init(weights)
    state, info = optimiser.step(state, X, Y, draws)

A step that cannot be computed raises no error. The optimiser rejects the step, as `GaussNewton.step` describes.

    gauss_newton         the paper's optimiser
    settings             the hyperparameters of `GaussNewton`
    gauss_newton_step    a step: Algorithm 1 with the heuristics of Appendix C
    schedule             the choice of the heuristics that run in a step
    candidates           the choice of gamma, and the step size
    adaptation           the adaptation of tau and gamma
    rejection            the dampings after a rejected step
    curvature_estimate   the interface of a curvature estimate
    factor_methods       the methods that compute Kronecker factors
    kronecker_factored   the curvature estimate by averaged Kronecker factors
    eigenvalue_corrected the curvature estimate of EKFAC
    eigen_factors        the arrays that EKFAC keeps between steps
    hessian_free         directions with the exact curvature, by conjugate gradients
    sgd, adam            the first-order methods with which the paper compares its optimiser
    first_order          the base class of the first-order methods
    state                the states of the optimisers, and the outcome of a step
    state_checks         the validation of a state
    averages             moving averages of parameters, of Kronecker factors and of eigenvalues
    draws                random numbers for the methods that sample
    arrays               new arrays like the weights, and operations on nested tuples of arrays
"""

from .adam import Adam
from .adaptation import Damping
from .eigen_factors import EigenFactors
from .eigenvalue_corrected import EigenvalueCorrected
from .gauss_newton import GaussNewton
from .hessian_free import HessianFree
from .kronecker_factored import KroneckerFactored
from .sgd import SGD
from .state import Counts, Factors, FirstOrderState, Info, State

__all__ = [
    "SGD",
    "Adam",
    "Counts",
    "Damping",
    "EigenFactors",
    "EigenvalueCorrected",
    "Factors",
    "FirstOrderState",
    "GaussNewton",
    "HessianFree",
    "Info",
    "KroneckerFactored",
    "State",
]
