"""The increase of a damping after a rejected step. The paper has no rule for rejected steps."""

from .._types import Array, Namespace
from .adaptation import Dampings, after_rejection
from .state import State


def with_more_damping(
    xp: Namespace, state: State, dampings: Dampings, *, unsolved: Array, overshot: Array, uses_gamma: bool
) -> State:
    """The state after a step of `GaussNewton` that was rejected because a damping was too small.

    unsolved:   true if the damped matrix is not positive definite, or if the direction or the quadratic model along
                the direction is not finite, so that the damping of the matrix is increased
    overshot:   true if the update, or f after the update, is not finite, so that tau is increased. A larger gamma
                mainly shortens delta~, and would not help, since alpha delta~ does not depend on the length of delta~
    uses_gamma: true if the damped matrix contains gamma, false if the damped matrix contains tau
    """
    if not uses_gamma:
        overshot, unsolved = overshot | unsolved, xp.zeros_like(unsolved)
    tau, gamma = (
        after_rejection(xp, damping, value) for damping, value in zip(dampings, (state.tau, state.gamma), strict=True)
    )
    return state._replace(tau=xp.where(overshot, tau, state.tau), gamma=xp.where(unsolved, gamma, state.gamma))
