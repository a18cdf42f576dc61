"""What a rejected step changes, so that the next is another step. Ours and not the paper's."""

from typing import Any

from .._types import Array, Namespace


def more_damped(optimiser: Any, xp: Namespace, state: Any, unsolved: Array, overshot: Array) -> Any:
    """The state after a step of `GaussNewton` that was rejected for its damping. Two conditions, 0-d:

    unsolved: the damped matrix is not positive definite, or the direction is not finite: the damping that is in the
              matrix is raised
    overshot: the update is not finite, or f is not after it: tau is raised, as for any rho below its threshold. gamma
              would not help, since alpha delta~ does not depend on the length of delta~
    """
    tau, gamma = optimiser.tau.raised(xp, state.tau), optimiser.gamma.raised(xp, state.gamma)
    if not optimiser.curvature.has_gamma:
        overshot, unsolved = overshot | unsolved, xp.zeros_like(unsolved)
    return state._replace(tau=xp.where(overshot, tau, state.tau), gamma=xp.where(unsolved, gamma, state.gamma))
