"""The adapter of kfgn's own port, on any backend of kfgn.

Only the modules whose names begin with `kfgn_` import kfgn.
"""

from collections.abc import Callable, Collection
from typing import Any

from array_api_compat import array_namespace

import kfgn
from kfgn.backends import BACKENDS, Backend as Backend, BackendUnavailableError, open_backend

from ..problems.problem import Array, Problem
from . import Description, UnsupportedError
from .kfgn_problem import ITERATIONS, Blocks, KfgnProblem
from .kfgn_steps import steps

DTYPES = ("float32", "float64")

VERSION = kfgn.__version__
"""The version of kfgn, read from its source and not from the metadata of an installed package."""

TARGETS: dict[str, tuple[str, str]] = {name: (kind.library, kind.device) for name, kind in BACKENDS.items()}
"""The library and the device of each target: `torch` is PyTorch on the host, and `torch-cuda` is PyTorch on a GPU."""


NORMS = ("trace", "frobenius", "spectral")


def _kflr_reduce(*arguments: Any) -> kfgn.LossAndFactors:
    return kfgn.kflr(*arguments, sharing="reduce")


def _kfac_reduce(*arguments: Any) -> kfgn.LossAndFactors:
    return kfgn.kfac(*arguments, sharing="reduce")


def _expand(p: KfgnProblem) -> kfgn.LossAndFactors:
    return _without_scale_shift(p).batch(kfgn.kflr)  # type: ignore[no-any-return]


def _expand_kfac(p: KfgnProblem) -> kfgn.LossAndFactors:
    return _without_scale_shift(p).batch(kfgn.kfac, p.labels)  # type: ignore[no-any-return]


def _without_scale_shift(p: KfgnProblem) -> KfgnProblem:
    """The problem itself. Raises `UnsupportedError` if a layer is a `ScaleShift`.

    For such a layer, the port has neither the factor G of expand, nor the blocks of expand, EKFAC and TKFAC, nor the
    factors of KFRA over taps.
    """
    if any(isinstance(layer, kfgn.ScaleShift) for layer in p.network.layers):
        raise UnsupportedError(
            "kfgn has the exact block of a ScaleShift, and no factors that sum outer products over positions"
        )
    return p


def _kfra_over_taps(p: KfgnProblem) -> tuple[Any, ...]:
    """The factors G of KFRA.

    Raises `UnsupportedError` if a layer is a `ScaleShift`, or has several groups. For a layer with groups, the port
    computes only the diagonal block of G for each group.
    """
    _without_scale_shift(p)
    if len(p.network.block_shapes) > p.network.depth:
        raise UnsupportedError("kfgn.kfra computes G for each group, and not the entries of G between groups")
    return p.batch(kfgn.kfra).G  # type: ignore[no-any-return]


def _matvec(blocks: Blocks, V: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(block.matvec(V_l) for block, V_l in zip(blocks, V, strict=True))


def _trace(blocks: Blocks) -> tuple[Any, ...]:
    return tuple(block.trace() for block in blocks)


def _omega(blocks: Blocks) -> tuple[Any, ...]:
    """Return omega of each block for each of the three norms in `NORMS`."""
    return tuple(array_namespace(*block).stack([kfgn.omega(*block, norm) for norm in NORMS]) for block in blocks)


def _solve(inversion: str, blocks: Blocks, V: tuple[Any, ...], damping: Any) -> tuple[Any, ...]:
    pairs = zip(blocks, V, strict=True)
    return tuple(block.solve(V_l, damping=damping, inversion=inversion) for block, V_l in pairs)


def _logdet(inversion: str, blocks: Blocks, damping: Any) -> tuple[Any, ...]:
    return tuple(block.logdet(damping=damping, inversion=inversion) for block in blocks)


def _solves(inversion: str) -> Callable[[KfgnProblem], Any]:
    return lambda p: p.blocks(_solve, p.V, p.gamma + p.eta, static=(inversion,))


def _logdets(inversion: str) -> Callable[[KfgnProblem], Any]:
    return lambda p: p.blocks(_logdet, p.gamma + p.eta, static=(inversion,))


COMPUTE: dict[str, Callable[[KfgnProblem], Any]] = {
    "loss": lambda p: (p.batch(kfgn.loss),),
    "gradient": lambda p: p.batch(kfgn.gradient),
    "preactivation_hessians": lambda p: p.batch(kfgn.preactivation_hessians),
    "hessian_blocks": lambda p: p.batch(kfgn.hessian_blocks),
    "preactivation_gauss_newton": lambda p: p.batch(kfgn.preactivation_gauss_newton),
    "gauss_newton_blocks": lambda p: p.batch(kfgn.gauss_newton_blocks),
    "q": lambda p: p.batch(kfgn.kfra).Q,
    "kflr": lambda p: p.batch(kfgn.kflr).G,
    "kfra": lambda p: p.batch(kfgn.kfra).G,
    "kfac": lambda p: p.batch(kfgn.kfac, p.labels).G,
    "rp": lambda p: p.batch(kfgn.rp, p.Z).G,
    "labels": lambda p: (p.inputs(kfgn.sample_labels, p.draws),),
    "jacobian_product": lambda p: (p.inputs(kfgn.jacobian_product, p.V),),
    "transposed_jacobian_product": lambda p: p.inputs(kfgn.transposed_jacobian_product, p.U),
    "gauss_newton_product": lambda p: p.batch(kfgn.gauss_newton_product, p.V),
    "gauss_newton_block_product": lambda p: p.batch(kfgn.gauss_newton_block_product, p.V),
    "hessian_product": lambda p: p.batch(kfgn.hessian_product, p.V),
    "hessian_block_product": lambda p: p.batch(kfgn.hessian_block_product, p.V),
    "curvature_along": lambda p: p.along(kfgn.curvature_along),
    "quadratic_model": lambda p: p.along(kfgn.quadratic_model),
    "step_size": lambda p: p.along(kfgn.step_size),
    "reduction_ratio": lambda p: p.along(kfgn.reduction_ratio),
    "omega": lambda p: p.blocks(_omega),
    "kflr_blocks": lambda p: p.dense(p.batch(kfgn.kflr)),
    "kfra_blocks": lambda p: p.dense(p.batch(kfgn.kfra)),
    "kfac_blocks": lambda p: p.dense(p.batch(kfgn.kfac, p.labels)),
    "kronecker_matvec": lambda p: p.blocks(_matvec, p.V),
    "kronecker_trace": lambda p: p.blocks(_trace),
    **{f"solve_{inversion}": _solves(inversion) for inversion in (*NORMS, "exact")},
    **{f"logdet_{inversion}": _logdets(inversion) for inversion in ("trace", "exact")},
    "optimiser_step": lambda p: steps(p.network, p.trajectory, float(p.eta), ITERATIONS, p.roundoff),
    "conjugate_gradients": lambda p: p.solved(kfgn.solve_gauss_newton, p.tau + p.eta),
    "shared_loss": lambda p: (p.batch(kfgn.loss),),
    "shared_gradient": lambda p: p.batch(kfgn.gradient),
    "shared_hessian_blocks": lambda p: p.batch(kfgn.hessian_blocks),
    "shared_gauss_newton_blocks": lambda p: p.batch(kfgn.gauss_newton_blocks),
    "expand_q": lambda p: p.batch(kfgn.kflr).Q,
    "expand_g": lambda p: _expand(p).G,
    "expand_blocks": lambda p: p.dense(_expand(p)),
    "expand_kfac_blocks": lambda p: p.dense(_expand_kfac(p)),
    "reduce_q": lambda p: p.batch(_kflr_reduce).Q,
    "reduce_g": lambda p: p.batch(_kflr_reduce).G,
    "reduce_blocks": lambda p: p.dense(p.batch(_kflr_reduce)),
    "reduce_kfac_blocks": lambda p: p.dense(p.batch(_kfac_reduce, p.labels)),
    "kfra_over_tokens": _kfra_over_taps,  # defined only if no layer mixes positions, and then equal to kfra_over_taps
    "kfra_over_taps": _kfra_over_taps,
    "ekfac_blocks": lambda p: _without_scale_shift(p).ekfac(),
    "ekfac_diagonal": lambda p: p.batch(kfgn.ekfac_diagonal, *p.bases),
    "kfoc_blocks": lambda p: p.dense(p.batch(kfgn.kfoc)),
    "tkfac_blocks": lambda p: p.dense(_without_scale_shift(p).batch(kfgn.tkfac)),
    "tnt_blocks": lambda p: p.dense(p.batch(kfgn.tnt)),
    "block_conjugate_gradients": lambda p: p.solved(kfgn.solve_gauss_newton_blocks, p.gamma + p.eta),
}


MANY = 250
"""The number of answers after which compiled programs are freed.

JAX creates about 30 memory mappings for the programs of an answer. By default, Linux allows a process at most 65,530
mappings.
"""


class KfgnPort:
    """Adapter of kfgn's own port, on one backend in one dtype.

    eager_on: the ids of the problems on which JAX runs each operation separately, without `jax.jit`, or None for all
              problems
    """

    def __init__(self, backend: Backend, dtype: str, *, eager_on: Collection[str] | None = None) -> None:
        self.backend, self.dtype, self.eager_on = backend, dtype, eager_on
        self.answers = 0

    def describe(self) -> Description:
        """The description of the port: the backend's name, the versions of kfgn and of the library, and the flags."""
        return Description(
            name=self.backend.name,
            version=f"kfgn {kfgn.__version__} on {self.backend.library} {self.backend.version}",
            dtype=self.dtype,
            quantities=frozenset(COMPUTE),
            flags=self.backend.flags(),
            masks=True,
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute the quantity in arrays of the backend, and convert the result to NumPy arrays."""
        self.answers += 1
        if self.answers % MANY == 0:
            self.backend.forget()
        jitted = self.backend.library == "jax" and self.eager_on is not None and problem.id not in self.eager_on
        with self.backend.scope(self.dtype):
            arrays = KfgnProblem(problem, self.backend, self.dtype, jitted=jitted)
            return tuple(self.backend.to_numpy(a) for a in COMPUTE[quantity](arrays))


def open_target(target: str) -> Backend | str:
    """Open the backend of a target, or return the reason why the backend is not usable on this machine."""
    try:
        return open_backend(target)
    except BackendUnavailableError as error:
        return str(error)
