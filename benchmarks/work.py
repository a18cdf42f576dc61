"""The pieces of work that are timed: calls of kfgn's public functions, each with the terms of its floor."""

from collections.abc import Callable
from typing import Any, NamedTuple

import kfgn

from . import floor
from .batch import Batch
from .floor import Terms
from .sizes import Sizes

ITERATIONS = 10
"""The number of iterations of conjugate gradients in a call."""

STEPS = 20
"""The number of steps in a call, over which the adaptation of tau and gamma is averaged."""

DAMPING = 0.1

HESSIAN_FREE_ITERATIONS = 3


class Work(NamedTuple):
    """A piece of work.

    name:    the name in the tables
    prepare: the function of a batch that returns the timed call
    terms:   the function of the shapes that counts the operations of one call
    units:   the number of steps or iterations in a call; times and floors in the tables are those of one unit
    """

    name: str
    prepare: Callable[[Batch], Callable[[], Any]]
    terms: Callable[[Sizes], Terms]
    units: int = 1


def loss(b: Batch) -> Callable[[], Any]:
    """The mean loss."""
    return b.timed(lambda W, X, Y: kfgn.loss(b.network, W, X, Y, check=b.check))


def gradient(b: Batch) -> Callable[[], Any]:
    """The gradient."""
    return b.timed(lambda W, X, Y: kfgn.gradient(b.network, W, X, Y, check=b.check))


def kfra(b: Batch) -> Callable[[], Any]:
    """The loss, the gradient and the factors of KFRA."""
    return b.timed(lambda W, X, Y: kfgn.kfra(b.network, W, X, Y, check=b.check))


def kflr(b: Batch) -> Callable[[], Any]:
    """The loss, the gradient and the factors of KFLR."""
    return b.timed(lambda W, X, Y: kfgn.kflr(b.network, W, X, Y, check=b.check))


def kfac(b: Batch) -> Callable[[], Any]:
    """The loss, the gradient and the factors of KFAC with one sample, which is drawn in the call."""
    call = lambda W, X, Y, draws: kfgn.kfac(b.network, W, X, Y, draws=draws, check=b.check)  # noqa: E731
    return b.timed(call, _kfac_draws(b))


def kfac_of_labels(b: Batch) -> Callable[[], Any]:
    """The loss, the gradient and the factors of KFAC with one sample that exists before the call."""
    call = lambda W, X, Y, labels: kfgn.kfac(b.network, W, X, Y, labels[:, None], check=b.check)  # noqa: E731
    return b.timed(call, kfac_labels(b))


def kfac_labels(b: Batch) -> Any:
    """One sampled label per datapoint, (N, D_L) or (N,)."""
    with b.library.scope():
        return kfgn.sample_labels(b.network, b.weights, b.X, _kfac_draws(b))[:, 0]


def _kfac_draws(b: Batch) -> Any:
    draws: Any = kfgn.KroneckerFactored("kfac").draw(b.network, 0, 1, b.N)
    return b.library.asarray(draws)


def gauss_newton_product(b: Batch) -> Callable[[], Any]:
    """A product with the Gauss-Newton matrix, with its forward pass."""
    return b.timed(lambda W, X, Y, V: kfgn.gauss_newton_product(b.network, W, X, Y, V, check=b.check), b.V)


def conjugate_gradients(b: Batch) -> Callable[[], Any]:
    """A damped solve with the full Gauss-Newton matrix."""

    def call(W: Any, X: Any, Y: Any, V: Any) -> Any:
        return kfgn.solve_gauss_newton(
            b.network, W, X, Y, V, damping=DAMPING, iterations=ITERATIONS, tolerance=0.0, check=b.check
        )

    return b.timed(call, b.V)


def damped_solves(b: Batch) -> Callable[[], Any]:
    """The inversion of the damped blocks of KFRA, and a product of each inverse with a vector."""
    factors = b.library.waiting(lambda: kfgn.kfra(b.network, b.weights, b.X, b.Y))()
    blocks = kfgn.kronecker_blocks(factors.Q, factors.G)

    def call(blocks: Any, V: Any) -> Any:
        return [B.solve(v, damping=DAMPING, check=b.check) for B, v in zip(blocks, V, strict=True)]

    compiled = b.library.compiled(call)
    return b.library.waiting(lambda: compiled(blocks, b.V))


def steps_of(optimiser: Any, b: Batch, steps: int = STEPS) -> Callable[[], Any]:
    """Steps from the initial state. Raises `RuntimeError` if a step is rejected, since it would do other work."""
    with b.library.scope():
        start = optimiser.init(b.weights)

    def call() -> Any:
        state = start
        for _ in range(steps):
            state, info = optimiser.step(state, b.X, b.Y)
        if (accepted := int(state.counts.accepted)) != steps:
            raise RuntimeError(f"steps: expected {steps} accepted steps, got {accepted}")
        return state, info

    return b.library.waiting(call)


def gauss_newton_step(b: Batch) -> Callable[[], Any]:
    """Steps of the paper's optimiser with its defaults: KFRA, with new factors and inverses in every step."""
    return steps_of(kfgn.GaussNewton(b.network), b)


def hessian_free_step(b: Batch) -> Callable[[], Any]:
    """One step with conjugate gradients on the full matrix, in which no damping is adapted."""
    return steps_of(kfgn.GaussNewton(b.network, kfgn.HessianFree(iterations=HESSIAN_FREE_ITERATIONS)), b, 1)


def adam_step(b: Batch) -> Callable[[], Any]:
    """Steps of Adam."""
    return steps_of(kfgn.Adam(b.network), b)


ADAM = "Adam step"

WORKS = (
    Work("loss", loss, floor.forward),
    Work("gradient", gradient, floor.gradient),
    Work("KFRA", kfra, floor.kfra),
    Work("KFLR", kflr, floor.kflr),
    Work("KFAC, 1 sample", kfac, floor.kfac),
    Work("KFAC of given labels", kfac_of_labels, floor.kfac),
    Work("Gauss-Newton product", gauss_newton_product, lambda s: floor.forward(s) + floor.gauss_newton_product(s)),
    Work("CG iteration", conjugate_gradients, lambda s: floor.conjugate_gradients(s, ITERATIONS), ITERATIONS),
    Work("damped solves", damped_solves, floor.damped_direction),
    Work(ADAM, adam_step, lambda s: floor.times(floor.gradient(s), STEPS), STEPS),
    Work("KFRA step", gauss_newton_step, lambda s: floor.gauss_newton_steps(s, STEPS), STEPS),
    Work("HessianFree step", hessian_free_step, lambda s: floor.hessian_free_step(s, HESSIAN_FREE_ITERATIONS)),
)
"""All pieces of work, in the order of the tables."""

BY_NAME = {work.name: work for work in WORKS}
