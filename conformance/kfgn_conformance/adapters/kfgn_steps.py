"""The steps of kfgn's optimiser from the checkpoints of a trajectory."""

from typing import Any

import kfgn

from ..problems.problem import Checkpoint, Trajectory


def _optimiser(
    network: kfgn.Network, trajectory: Trajectory, eta: float, iterations: int, tolerance: float
) -> kfgn.GaussNewton:
    """The optimiser of a trajectory.

    The periods of the dampings are those of the paper. If the trajectory has no bounds for a damping, the bounds are 0
    and 10^6. The initial dampings have no effect, since each checkpoint contains its own dampings. Any other constant
    that neither the trajectory nor an argument gives has the port's default value.
    """
    hessian_free = trajectory.method in ("hessian_free", "hessian_free_blocks")
    curvature = (
        kfgn.HessianFree(blocks=trajectory.method == "hessian_free_blocks", iterations=iterations, tolerance=tolerance)
        if hessian_free
        else kfgn.KroneckerFactored(trajectory.method, inversion=trajectory.inversion, refresh=trajectory.refresh)
    )
    (low, high), (part, of) = (n / d for n, d in trajectory.thresholds), trajectory.momentum

    def damping(period: int, bounds: tuple[float, float] | None) -> kfgn.Damping:
        lower, upper = bounds or (0.0, 1e6)
        return kfgn.Damping(initial=lower, period=period, lower=lower, upper=upper)

    return kfgn.GaussNewton(
        network,
        curvature,
        eta=eta,
        tau=damping(5, trajectory.tau_bounds),
        gamma=damping(20, trajectory.gamma_bounds),
        thresholds=(low, high),
        max_step_size=trajectory.max_step_size,
        momentum=part / of,
    )


def _state(optimiser: kfgn.GaussNewton, here: Checkpoint) -> kfgn.State:
    """The state of the optimiser at a checkpoint.

    The state contains no inverses. If several steps share inverses, the port computes them from the Q, G and gamma of
    the checkpoint.
    """
    state = optimiser.init(here.weights)
    factors, estimate = state.factors, optimiser.curvature
    if isinstance(estimate, kfgn.KroneckerFactored):
        batches = (here.t + estimate.refresh - 1) // estimate.refresh
        factors = kfgn.Factors(factors.count + batches, here.Q, here.G)
    return state._replace(
        t=here.t,
        average=here.average,
        factors=factors,
        tau=here.tau,
        gamma=here.gamma,
        update=here.update if optimiser.momentum else (),
        counts=state.counts._replace(accepted=state.counts.accepted + here.t),
    )


def steps(
    network: kfgn.Network, trajectory: Trajectory | None, eta: float, iterations: int, tolerance: float
) -> tuple[Any, ...]:
    """Run one step from each checkpoint, and return the arrays that each step computes, one step after another.

    The arrays of a step are the new weights, their average, Q and G if the method has Kronecker factors, tau, gamma,
    the minimised function f = loss + eta / 2 |theta|^2 before the step, and the step size alpha.

    iterations: the largest number of iterations of conjugate gradients
    tolerance:  the relative residual at which conjugate gradients end

    Raises `ValueError` without a trajectory.
    """
    if trajectory is None:
        raise ValueError("expected an optimiser trajectory")
    optimiser = _optimiser(network, trajectory, eta, iterations, tolerance)
    arrays: list[Any] = []
    for here in trajectory.checkpoints:
        state, info = optimiser.step(_state(optimiser, here), here.X, here.Y, here.draws)
        factors = (*state.factors.Q, *state.factors.G) if state.factors else ()
        arrays += [*state.weights, *state.average, *factors, state.tau, state.gamma, info.f, info.step_size]
    return tuple(arrays)
