"""The adapter of kfgn's own port, on any backend it can open. No other module of the kit imports kfgn."""

from collections.abc import Callable
from typing import Any

import kfgn
from kfgn.backends import BACKENDS, Backend, BackendUnavailableError, open_backend

from ..problems import Array, Problem
from . import Description

DTYPES = ("float32", "float64")

TARGETS: dict[str, tuple[str, str]] = {
    kind.name if device == kind.devices[0] else f"{kind.name}-{device}": (kind.name, device)
    for kind in BACKENDS.values()
    for device in kind.devices
}
"""Every library on every device that the port knows: `torch` is PyTorch on the host, `torch-cuda` on a GPU."""


class _Arrays:
    """A problem in the arrays of a backend."""

    def __init__(self, problem: Problem, backend: Backend, dtype: str) -> None:
        def array(x: Array) -> Any:
            return backend.asarray(x.astype(dtype) if x.dtype.kind == "f" else x)

        self.network = kfgn.Network(problem.widths, problem.transfers, problem.objective)
        self.weights = tuple(array(W) for W in problem.weights)
        self.X, self.Y = array(problem.X), array(problem.Y)
        self.labels, self.draws = array(problem.labels), array(problem.draws)


COMPUTE: dict[str, Callable[[_Arrays], Any]] = {
    "loss": lambda p: (kfgn.loss(p.network, p.weights, p.X, p.Y),),
    "gradient": lambda p: kfgn.gradient(p.network, p.weights, p.X, p.Y),
    "preactivation_hessians": lambda p: kfgn.preactivation_hessians(p.network, p.weights, p.X, p.Y),
    "hessian_blocks": lambda p: kfgn.hessian_blocks(p.network, p.weights, p.X, p.Y),
    "preactivation_gauss_newton": lambda p: kfgn.preactivation_gauss_newton(p.network, p.weights, p.X),
    "gauss_newton_blocks": lambda p: kfgn.gauss_newton_blocks(p.network, p.weights, p.X),
    "q": lambda p: kfgn.kfra(p.network, p.weights, p.X, p.Y).Q,
    "kflr": lambda p: kfgn.kflr(p.network, p.weights, p.X, p.Y).G,
    "kfra": lambda p: kfgn.kfra(p.network, p.weights, p.X, p.Y).G,
    "kfac": lambda p: kfgn.kfac(p.network, p.weights, p.X, p.Y, p.labels).G,
    "labels": lambda p: (kfgn.sample_labels(p.network, p.weights, p.X, p.draws),),
}


class KfgnPort:
    """kfgn on one backend in one dtype."""

    def __init__(self, backend: Backend, dtype: str) -> None:
        self.backend, self.dtype = backend, dtype

    def describe(self) -> Description:
        """The backend's label, the versions of kfgn and of the library, and the library's flags."""
        return Description(
            name=self.backend.label,
            version=f"kfgn {kfgn.__version__} on {self.backend.name} {self.backend.version}",
            dtype=self.dtype,
            quantities=frozenset(COMPUTE),
            flags=self.backend.flags(),
        )

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """The quantity, computed in the backend's arrays and brought back to NumPy."""
        with self.backend.scope(self.dtype):
            arrays = _Arrays(problem, self.backend, self.dtype)
            return tuple(self.backend.to_numpy(a) for a in COMPUTE[quantity](arrays))


def open_target(target: str) -> Backend | str:
    """The backend of a target, or why it is not usable here."""
    try:
        return open_backend(*TARGETS[target])
    except BackendUnavailableError as error:
        return str(error)
