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
    (low, high), (part, of) = (n / d for n, d in trajectory.thresholds), trajectory.momentum

    def damping(period: int, bounds: tuple[float, float] | None) -> kfgn.Damping:
        lower, upper = bounds or (0.0, 1e6)
        return kfgn.Damping(initial=lower, period=period, lower=lower, upper=upper)

    return kfgn.GaussNewton(
        network,
        _curvature(trajectory, iterations, tolerance),
        eta=eta,
        tau=damping(5, trajectory.tau_bounds),
        gamma=damping(20, trajectory.gamma_bounds),
        thresholds=(low, high),
        max_step_size=trajectory.max_step_size,
        momentum=part / of,
    )


def _curvature(
    trajectory: Trajectory, iterations: int, tolerance: float
) -> kfgn.HessianFree | kfgn.EigenvalueCorrected | kfgn.KroneckerFactored:
    """The curvature of a trajectory."""
    method, refresh = trajectory.method, trajectory.refresh
    if method in ("hessian_free", "hessian_free_blocks"):
        return kfgn.HessianFree(blocks=method == "hessian_free_blocks", iterations=iterations, tolerance=tolerance)
    if method == "ekfac":
        return kfgn.EigenvalueCorrected(refresh=refresh)
    return kfgn.KroneckerFactored(method, inversion=trajectory.inversion, refresh=refresh)


def _state(optimiser: kfgn.GaussNewton, here: Checkpoint) -> kfgn.State:
    """The state of the optimiser at a checkpoint.

    The state contains no inverses. If several steps share inverses, the port computes them from the Q, G and gamma of
    the checkpoint.
    """
    state = optimiser.init(here.weights)
    return state._replace(
        t=here.t,
        average=here.average,
        factors=_factors(optimiser.curvature, state.factors, here),
        tau=here.tau,
        gamma=here.gamma,
        update=here.update if optimiser.momentum else (),
        counts=state.counts._replace(accepted=state.counts.accepted + here.t),
    )


def _factors(curvature: Any, empty: Any, here: Checkpoint) -> Any:
    """The averages of a curvature at a checkpoint. A curvature without factors has no averages.

    empty: the averages before the first batch
    """
    if isinstance(curvature, kfgn.HessianFree):
        return empty
    count = empty.count + (here.t + curvature.refresh - 1) // curvature.refresh
    if isinstance(curvature, kfgn.EigenvalueCorrected):
        return kfgn.EigenFactors(count, here.Q, here.G, here.U_Q, here.U_G, empty.batches + here.t, here.S)
    return kfgn.Factors(count, here.Q, here.G)


def _averages(factors: Any) -> tuple[Any, ...]:
    """The averages of a curvature that are compared: S of EKFAC, Q and G of Kronecker factors, or none."""
    if isinstance(factors, kfgn.EigenFactors):
        return factors.S
    return (*factors.Q, *factors.G) if factors else ()


def steps(
    network: kfgn.Network, trajectory: Trajectory | None, eta: float, iterations: int, tolerance: float
) -> tuple[Any, ...]:
    """Run one step from each checkpoint, and return the arrays that each step computes, one step after another.

    The arrays of a step are the new weights, their average, the averages of the factors, tau, gamma, the minimised
    function f = loss + eta / 2 |theta|^2 before the step, and the step size alpha. The averages of the factors are S
    for EKFAC, and Q and G for every other method with Kronecker factors.

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
        averages = _averages(state.factors)
        arrays += [*state.weights, *state.average, *averages, state.tau, state.gamma, info.f, info.step_size]
    return tuple(arrays)
