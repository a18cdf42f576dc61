"""The adapter of kfgn's own port, on any backend it can open. No other module of the kit imports kfgn."""

from collections.abc import Callable
from typing import Any

import numpy as np

import kfgn
from kfgn.backends import BACKENDS, Backend, BackendUnavailableError, open_backend

from ..problems.problem import Array, Checkpoint, Problem, Trajectory
from . import Description

DTYPES = ("float32", "float64")

TARGETS: dict[str, tuple[str, str]] = {name: (kind.library, kind.device) for name, kind in BACKENDS.items()}
"""Every library on every device that the port knows: `torch` is PyTorch on the host, `torch-cuda` on a GPU."""


NORMS = ("trace", "frobenius", "spectral")
ITERATIONS = 200
"""The iterations of conjugate gradients: more than any problem here needs to converge."""


class _Arrays:
    """A problem in the arrays of a backend."""

    def __init__(self, problem: Problem, backend: Backend, dtype: str) -> None:
        def array(_path: str, x: Array) -> Any:
            return backend.asarray(x.astype(dtype) if x.dtype.kind == "f" else x)

        layers = tuple(kfgn.Dense(layer.units, layer.transfer, layer.bias) for layer in problem.layers)
        self.network = kfgn.Network(problem.inputs, layers, problem.objective, problem.psd)
        problem = problem.map_arrays(array)
        self.weights, self.X, self.Y = problem.weights, problem.X, problem.Y
        self.labels, self.draws = problem.labels, problem.draws
        self.V, self.U, self.Z, self.tau, self.gamma, self.eta = problem.arguments
        self.trajectory, self.xp = problem.trajectory, backend.xp
        self.roundoff = float(np.finfo(dtype).eps) / 2

    @property
    def batch(self) -> tuple[kfgn.Network, tuple[Any, ...], Any, Any]:
        """The arguments that almost every function begins with."""
        return self.network, self.weights, self.X, self.Y

    def blocks(self, f: Callable[[kfgn.KroneckerBlock, Any], Any]) -> tuple[Any, ...]:
        """f(block, V_l) for the Kronecker block of each layer, by KFRA."""
        _, _, Q, G = kfgn.kfra(*self.batch)
        return tuple(f(block, V) for block, V in zip(kfgn.kronecker_blocks(Q, G), self.V, strict=True))

    def dense(self, curvature: kfgn.LossAndFactors) -> tuple[Any, ...]:
        """Q_l kron G_l."""
        return tuple(block.dense() for block in kfgn.kronecker_blocks(curvature.Q, curvature.G))

    def along(self, f: Callable[..., Any]) -> tuple[Any, ...]:
        """A function of the step V."""
        return (f(*self.batch, self.V, tau=self.tau, eta=self.eta),)

    def solved(self, f: Callable[..., kfgn.Solution], damping: Any) -> Any:
        """By conjugate gradients, as far as the dtype goes."""
        return f(*self.batch, self.V, damping=damping, iterations=ITERATIONS, tolerance=self.roundoff).x


def _optimiser(network: kfgn.Network, trajectory: Trajectory, eta: float) -> kfgn.GaussNewton:
    """The optimiser of a trajectory, with the port's defaults for constants that the trajectory leaves open."""
    hessian_free = trajectory.method in ("hessian_free", "hessian_free_blocks")
    curvature = (
        kfgn.HessianFree(blocks=trajectory.method == "hessian_free_blocks", iterations=ITERATIONS, tolerance=0.0)
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
    """The state of a checkpoint. Inverses that serve several steps are computed from its own factors and gamma."""
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


def _steps(p: _Arrays) -> tuple[Any, ...]:
    """One step from each checkpoint: weights, averages, Q and G, tau, gamma, f and alpha."""
    if p.trajectory is None:
        raise ValueError("expected an optimiser trajectory")
    optimiser = _optimiser(p.network, p.trajectory, float(p.eta))
    arrays: list[Any] = []
    for here in p.trajectory.checkpoints:
        state, info = optimiser.step(_state(optimiser, here), here.X, here.Y, here.draws)
        factors = (*state.factors.Q, *state.factors.G) if state.factors else ()
        arrays += [*state.weights, *state.average, *factors, state.tau, state.gamma, info.f, info.step_size]
    return tuple(arrays)


def _solve(inversion: str) -> Callable[[_Arrays], Any]:
    return lambda p: p.blocks(lambda block, V: block.solve(V, damping=p.gamma + p.eta, inversion=inversion))


def _logdet(inversion: str) -> Callable[[_Arrays], Any]:
    return lambda p: p.blocks(lambda block, V: block.logdet(damping=p.gamma + p.eta, inversion=inversion))


COMPUTE: dict[str, Callable[[_Arrays], Any]] = {
    "loss": lambda p: (kfgn.loss(*p.batch),),
    "gradient": lambda p: kfgn.gradient(*p.batch),
    "preactivation_hessians": lambda p: kfgn.preactivation_hessians(*p.batch),
    "hessian_blocks": lambda p: kfgn.hessian_blocks(*p.batch),
    "preactivation_gauss_newton": lambda p: kfgn.preactivation_gauss_newton(*p.batch),
    "gauss_newton_blocks": lambda p: kfgn.gauss_newton_blocks(*p.batch),
    "q": lambda p: kfgn.kfra(*p.batch).Q,
    "kflr": lambda p: kfgn.kflr(*p.batch).G,
    "kfra": lambda p: kfgn.kfra(*p.batch).G,
    "kfac": lambda p: kfgn.kfac(*p.batch, p.labels).G,
    "rp": lambda p: kfgn.rp(*p.batch, p.Z).G,
    "labels": lambda p: (kfgn.sample_labels(p.network, p.weights, p.X, p.draws),),
    "jacobian_product": lambda p: (kfgn.jacobian_product(p.network, p.weights, p.X, p.V),),
    "transposed_jacobian_product": lambda p: kfgn.transposed_jacobian_product(p.network, p.weights, p.X, p.U),
    "gauss_newton_product": lambda p: kfgn.gauss_newton_product(*p.batch, p.V),
    "gauss_newton_block_product": lambda p: kfgn.gauss_newton_block_product(*p.batch, p.V),
    "hessian_product": lambda p: kfgn.hessian_product(*p.batch, p.V),
    "hessian_block_product": lambda p: kfgn.hessian_block_product(*p.batch, p.V),
    "curvature_along": lambda p: p.along(kfgn.curvature_along),
    "quadratic_model": lambda p: p.along(kfgn.quadratic_model),
    "step_size": lambda p: p.along(kfgn.step_size),
    "reduction_ratio": lambda p: p.along(kfgn.reduction_ratio),
    "omega": lambda p: p.blocks(lambda block, _: p.xp.stack([kfgn.omega(*block, norm) for norm in NORMS])),
    "kflr_blocks": lambda p: p.dense(kfgn.kflr(*p.batch)),
    "kfra_blocks": lambda p: p.dense(kfgn.kfra(*p.batch)),
    "kfac_blocks": lambda p: p.dense(kfgn.kfac(*p.batch, p.labels)),
    "kronecker_matvec": lambda p: p.blocks(lambda block, V: block.matvec(V)),
    "kronecker_trace": lambda p: p.blocks(lambda block, _: block.trace()),
    **{f"solve_{inversion}": _solve(inversion) for inversion in (*NORMS, "exact")},
    **{f"logdet_{inversion}": _logdet(inversion) for inversion in ("trace", "exact")},
    "optimiser_step": _steps,
    "conjugate_gradients": lambda p: p.solved(kfgn.solve_gauss_newton, p.tau + p.eta),
    "block_conjugate_gradients": lambda p: p.solved(kfgn.solve_gauss_newton_blocks, p.gamma + p.eta),
}


MANY = 250
"""The number of answers after which compiled programs are freed.

JAX has some 30 memory mappings for the programs of an answer, and Linux allows a process 65,530 of them.
"""


class KfgnPort:
    """kfgn on one backend in one dtype."""

    def __init__(self, backend: Backend, dtype: str) -> None:
        self.backend, self.dtype = backend, dtype
        self.answers = 0

    def describe(self) -> Description:
        """The backend's label, the versions of kfgn and of the library, and the library's flags."""
        return Description(
            name=self.backend.name,
            version=f"kfgn {kfgn.__version__} on {self.backend.library} {self.backend.version}",
            dtype=self.dtype,
            quantities=frozenset(COMPUTE),
            flags=self.backend.flags(),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """The quantity, computed in the backend's arrays and brought back to NumPy."""
        self.answers += 1
        if self.answers % MANY == 0:
            self.backend.forget()
        with self.backend.scope(self.dtype):
            arrays = _Arrays(problem, self.backend, self.dtype)
            return tuple(self.backend.to_numpy(a) for a in COMPUTE[quantity](arrays))


def open_target(target: str) -> Backend | str:
    """The backend of a target, or why it is not usable here."""
    try:
        return open_backend(target)
    except BackendUnavailableError as error:
        return str(error)
