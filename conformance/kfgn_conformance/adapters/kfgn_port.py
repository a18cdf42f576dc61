"""The adapter of kfgn's own port, on any backend of kfgn. Only this module and `kfgn_steps` import kfgn."""

from collections.abc import Callable, Collection, Hashable
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np
from array_api_compat import array_namespace

import kfgn
from kfgn.backends import BACKENDS, Backend as Backend, BackendUnavailableError, compiled, open_backend

from ..problems.layers import Layer, Shape
from ..problems.masked import has_all_positions, is_masked
from ..problems.problem import Array, Problem
from . import Description, UnsupportedError
from .kfgn_steps import steps

DTYPES = ("float32", "float64")

VERSION = kfgn.__version__
"""The version of kfgn, read from its source and not from the metadata of an installed package."""

PUBLIC: dict[str, Any] = {name: getattr(kfgn, name) for name in kfgn.__all__}
"""The public functions and classes of the port by their names."""

TARGETS: dict[str, tuple[str, str]] = {name: (kind.library, kind.device) for name, kind in BACKENDS.items()}
"""The library and the device of each target: `torch` is PyTorch on the host, and `torch-cuda` is PyTorch on a GPU."""


NORMS = ("trace", "frobenius", "spectral")
ITERATIONS = 200
"""The largest number of iterations of conjugate gradients. No problem of the kit needs so many iterations."""


class _Arrays:
    """A problem whose arrays are converted to arrays of a backend.

    jitted: True to compile every function with `jax.jit`
    """

    def __init__(self, problem: Problem, backend: Backend, dtype: str, *, jitted: bool = False) -> None:
        def array(_path: str, x: Array) -> Any:
            return backend.asarray(x.astype(dtype) if x.dtype.kind == "f" else x)

        layers = tuple(
            _layer(problem, layer, below) for layer, below in zip(problem.layers, problem.shapes, strict=False)
        )
        self.network = kfgn.Network(problem.inputs, layers, problem.objective, problem.psd, problem.divisor)
        problem = problem.map_arrays(array)
        self.like, self.weights, self.Y = problem.X, problem.weights, problem.Y
        self.X = kfgn.Padded(problem.X, problem.mask) if is_masked(problem) else problem.X
        self.labels, self.draws = problem.labels, problem.draws
        if problem.is_shared and not self.network.shapes[-1][1:]:  # after `Flatten`, the port has no axis of positions
            self.Y, self.labels = problem.Y[:, 0, ...], problem.labels[:, :, 0, ...]
        self.bases = tuple(zip(*problem.bases, strict=True))
        self.V, self.U, self.Z, self.tau, self.gamma, self.eta = problem.arguments
        self.trajectory, self.jitted = problem.trajectory, jitted
        self.roundoff = float(np.finfo(dtype).eps) / 2

    def run(self, f: Callable[..., Any], *static: Hashable) -> Callable[..., Any]:
        """Return the function `partial(f, *static)`, which is compiled if `jitted` is True.

        If `jitted` is True, all problems with the same static arguments and the same shapes of arrays use one compiled
        program, as for a user who calls `jax.jit(partial(f, *static))` once.
        """
        return compiled(f, *static, like=self.like) if self.jitted else partial(f, *static)

    def batch(self, f: Callable[..., Any], *more: Any) -> Any:
        """Return f(network, weights, X, Y, *more), for a function of a network and a batch."""
        return self.run(f, self.network)(self.weights, self.X, self.Y, *more)

    def inputs(self, f: Callable[..., Any], *more: Any) -> Any:
        """Return f(network, weights, X, *more), for a function without targets."""
        return self.run(f, self.network)(self.weights, self.X, *more)

    def blocks(self, f: Callable[..., Any], *more: Any, static: tuple[Hashable, ...] = ()) -> Any:
        """Return f(*static, blocks, *more), where `blocks` are the Kronecker blocks of all layers, computed by KFRA."""
        _, _, Q, G = self.batch(kfgn.kfra)
        return self.run(f, *static)(kfgn.kronecker_blocks(Q, G), *more)

    def dense(self, curvature: kfgn.LossAndFactors) -> Any:
        """The blocks Q_l kron G_l of all layers as matrices."""
        return self.run(_dense)(kfgn.kronecker_blocks(curvature.Q, curvature.G))

    def ekfac(self) -> Any:
        """The blocks of EKFAC as matrices."""
        return self.run(_dense)(self.batch(kfgn.ekfac).blocks)

    def along(self, f: Callable[..., Any]) -> tuple[Any, ...]:
        """Return f(network, weights, X, Y, V, tau=tau, eta=eta) as a tuple of one array, where V is a step."""
        return (self.run(_along, f, self.network)(self.weights, self.X, self.Y, self.V, self.tau, self.eta),)

    def solved(self, f: Callable[..., kfgn.Solution], damping: Any) -> Any:
        """Solve a linear system with right-hand side V by conjugate gradients. The tolerance is the unit roundoff."""
        arrays = (self.weights, self.X, self.Y, self.V, damping)
        return self.run(_solved, f, self.network, self.roundoff)(*arrays)


def _layer(problem: Problem, record: Layer, below: Shape) -> Any:
    """The layer of the port with the name and the fields of a record of the kit, for inputs of the shape `below`.

    If the problem has a mask, a pooling layer over all positions has the width None. Raises `UnsupportedError` for a
    kind of layer that the port does not have.
    """
    name = type(record).__name__
    if name not in PUBLIC:
        raise UnsupportedError(f"kfgn has no {name} layers")
    given = {field.name: getattr(record, field.name) for field in fields(record)}
    if is_masked(problem) and has_all_positions(record, below):
        given["width"] = None
    return PUBLIC[name](**given)


def _kflr_reduce(*arguments: Any) -> kfgn.LossAndFactors:
    return kfgn.kflr(*arguments, sharing="reduce")


def _kfac_reduce(*arguments: Any) -> kfgn.LossAndFactors:
    return kfgn.kfac(*arguments, sharing="reduce")


def _expand(p: _Arrays) -> kfgn.LossAndFactors:
    return _without_scale_shift(p).batch(kfgn.kflr)  # type: ignore[no-any-return]


def _expand_kfac(p: _Arrays) -> kfgn.LossAndFactors:
    return _without_scale_shift(p).batch(kfgn.kfac, p.labels)  # type: ignore[no-any-return]


def _without_scale_shift(p: _Arrays) -> _Arrays:
    """The problem itself. Raises `UnsupportedError` if a layer is a `ScaleShift`.

    For such a layer, the port has neither blocks of expand, EKFAC and TKFAC, nor factors of KFRA over taps.
    """
    if any(isinstance(layer, kfgn.ScaleShift) for layer in p.network.layers):
        raise UnsupportedError(
            "kfgn has the exact block of a ScaleShift, and no factors that sum outer products over positions"
        )
    return p


def _kfra_over_taps(p: _Arrays) -> tuple[Any, ...]:
    """The factors G of KFRA.

    Raises `UnsupportedError` if a layer is a `ScaleShift`, or has several groups. For a layer with groups, the port
    computes only the diagonal block of G for each group.
    """
    _without_scale_shift(p)
    if len(p.network.block_shapes) > p.network.depth:
        raise UnsupportedError("kfgn.kfra computes G for each group, and not the entries of G between groups")
    return p.batch(kfgn.kfra).G  # type: ignore[no-any-return]


Blocks = tuple[kfgn.KroneckerBlock, ...]


def _dense(blocks: Blocks | tuple[kfgn.EigenBlock, ...]) -> tuple[Any, ...]:
    return tuple(block.dense() for block in blocks)


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


def _along(f: Callable[..., Any], network: kfgn.Network, *arrays: Any) -> Any:
    weights, X, Y, V, tau, eta = arrays
    return f(network, weights, X, Y, V, tau=tau, eta=eta)


def _solved(f: Callable[..., kfgn.Solution], network: kfgn.Network, tolerance: float, *arrays: Any) -> Any:
    weights, X, Y, b, damping = arrays
    return f(network, weights, X, Y, b, damping=damping, iterations=ITERATIONS, tolerance=tolerance).x


def _solves(inversion: str) -> Callable[[_Arrays], Any]:
    return lambda p: p.blocks(_solve, p.V, p.gamma + p.eta, static=(inversion,))


def _logdets(inversion: str) -> Callable[[_Arrays], Any]:
    return lambda p: p.blocks(_logdet, p.gamma + p.eta, static=(inversion,))


COMPUTE: dict[str, Callable[[_Arrays], Any]] = {
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
            arrays = _Arrays(problem, self.backend, self.dtype, jitted=jitted)
            return tuple(self.backend.to_numpy(a) for a in COMPUTE[quantity](arrays))


def open_target(target: str) -> Backend | str:
    """Open the backend of a target, or return the reason why the backend is not usable on this machine."""
    try:
        return open_backend(target)
    except BackendUnavailableError as error:
        return str(error)
