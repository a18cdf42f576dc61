"""The increase of a damping after a rejected step. The paper has no rule for rejected steps."""

from .._types import Array, Namespace
from .adaptation import Dampings, after_rejection
from .state import State


def with_more_damping(
    xp: Namespace, state: State, dampings: Dampings, *, unsolved: Array, overshot: Array, uses_gamma: bool
) -> State:
    """The state after a rejected step of `GaussNewton`, where `after_rejection` replaces a damping that was too small.

    unsolved:   true if f and its gradient are finite, but either the damped matrix is not positive definite, or the
                direction or the quadratic model along the direction is not finite. The damping of the matrix is then
                replaced
    overshot:   true if the update, or f after the update, is not finite. Then tau is replaced. A larger gamma mainly
                shortens delta~, and would not help, since alpha delta~ does not depend on the length of delta~
    uses_gamma: true if the damped matrix contains gamma, false if the damped matrix contains tau
    """
    if not uses_gamma:
        overshot, unsolved = overshot | unsolved, xp.zeros_like(unsolved)
    tau, gamma = (
        after_rejection(xp, damping, value) for damping, value in zip(dampings, (state.tau, state.gamma), strict=True)
    )
    return state._replace(tau=xp.where(overshot, tau, state.tau), gamma=xp.where(unsolved, gamma, state.gamma))
