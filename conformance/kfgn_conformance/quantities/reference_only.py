"""Quantities that no implementation computes, but on which the accuracy of the reference is certified."""

from collections.abc import Callable
from typing import Any

import kfgn_reference as ref
import numpy as np

from ..problems.problem import Array, Problem
from .quantity import Quantity, in_order, of_blocks, single
from .sizes import Arrays, magnified_by
from .solves import factored_condition

STEPS = 3


def for_datapoints(p: Problem, f: Callable[[ref.Network, Array, Any], Arrays]) -> Arrays:
    """The arrays f(net, x, y), each stacked over the N datapoints."""
    answers = [f(p.reference, x, y) for x, y in zip(p.X, p.Y, strict=True)]
    return tuple(np.stack(arrays) for arrays in zip(*answers, strict=True))


def derivation(p: Problem) -> Arrays:
    """The expressions of (28) and (29) for every layer below the last, or 0 for a network with one layer."""
    return for_datapoints(
        p, lambda net, x, y: tuple(m for l in range(1, net.L) for m in ref.derivation(net, x, y, l)) or single(0 * x[0])
    )


def likelihood(p: Problem) -> Arrays:
    """The values of (52)-(54) for each datapoint, or 0 for the mixture, which is not an exponential family."""
    if p.objective == "mixture":
        return single(0 * p.X[0, 0])

    def sample(net: ref.Network, x: Array, y: Any) -> Arrays:
        h_L, name = ref.forward(net, x)[1][net.L], net.objective
        value = np.asanyarray(ref.log_likelihood(name, h_L, y))
        return value, ref.log_likelihood_gradient(name, h_L, y), ref.log_partition_hessian(name, h_L)

    return for_datapoints(p, sample)


def damped_factors(p: Problem) -> Arrays:
    """The block (36) of the first layer, its residual R = (35) - (36), and the two terms of R in (37).

    omega^2 replaces omega, and sqrt(k) is 1/2, so that no square root is needed.
    """
    Q, G = ref.expected_q(p.reference, p.X)[1], ref.kfra(p.reference, p.X, p.Y)[1]
    omega, root_k = ref.omega_squared(Q, G), ref.rational(1, 2, p.X[0, 0])
    matrices = (ref.factored_damped_block(Q, G, omega, root_k), ref.residual(Q, G, omega, root_k))
    return *matrices, *ref.residual_terms(Q, G, omega, root_k)


def algorithm_1(p: Problem) -> Arrays:
    """All results of one update by Algorithm 1."""
    arguments = p.arguments
    update = ref.algorithm_1(p.reference, p.X, p.Y, arguments.gamma[()], arguments.tau[()], arguments.eta[()])
    layers = (update.gradient, update.Q, update.G, update.direction, update.weights)
    return *(a for per_layer in layers for a in in_order(per_layer)), np.asanyarray(update.alpha)


def trajectory(p: Problem) -> Arrays:
    """The weights, their averages, tau and gamma after three steps by KFRA, each of which adapts tau and gamma."""
    arguments = p.arguments
    settings = ref.Settings("kfra", arguments.eta[()], T_tau=1, T_gamma=1)
    start = ref.initial_state(p.reference, arguments.tau[()], arguments.gamma[()])
    state, _ = ref.trajectory(settings, start, [(p.X, p.Y, None)] * STEPS)[-1]
    return *state.net.weights, *in_order(state.average), np.asanyarray(state.tau), np.asanyarray(state.gamma)


def condition_of_updates(p: Problem) -> tuple[float, ...]:
    """The largest sum kappa(Q) + kappa(G) over the layers, for the damped factors of the first update.

    kappa is the condition number.
    """
    return (max(factored_condition(p, "trace")),)


def full(p: Problem) -> int:
    """P^2, where P is the number of weights."""
    return p.parameters**2


REFERENCE_ONLY = (
    Quantity("full_hessian", "(2)", lambda p: single(ref.hessian(p.reference, p.X, p.Y)), full),
    Quantity("hessian_split", "(11)", lambda p: for_datapoints(p, ref.hessian_split), full),
    Quantity(
        "hessian_elements",
        "(5)",
        lambda p: for_datapoints(p, lambda *sample: in_order(ref.sample_hessian_elements(*sample))),
        of_blocks,
    ),
    Quantity("derivation", "(28)-(31)", derivation, full),
    Quantity(
        "full_gauss_newton",
        "(12), (13)",
        lambda p: single(ref.gauss_newton(p.reference, p.X, p.Y)),
        full,
    ),
    Quantity(
        "khatri_rao",
        "(14)-(18)",
        lambda p: (
            ref.assembled(p.reference, ref.gauss_newton_between(p.reference, p.X, p.Y)),
            ref.assembled(p.reference, ref.factored_between(p.reference, p.X, p.Y)),
        ),
        full,
    ),
    Quantity(
        "fisher",
        "(46)-(51)",
        lambda p: tuple(
            f(p.reference, p.X)
            for f in (ref.fisher, ref.fisher_from_hessians, ref.fisher_from_outputs, ref.fisher_from_output_hessians)
        ),
        full,
    ),
    Quantity("likelihood", "(52)-(54)", likelihood, full),
    Quantity(
        "kfac_chain",
        "(55)-(59)",
        lambda p: (
            *in_order(ref.mean_from_jacobians(p.reference, p.X, p.Y)),
            *in_order(ref.mean_from_expected_fisher(p.reference, p.X)),
            *in_order(ref.mean_from_fisher(p.reference, p.X)),
            *in_order(ref.mean_from_output_gradients(p.reference, p.X)),
            *in_order(ref.mean_from_gradients(p.reference, p.X)),
        ),
        full,
    ),
    Quantity(
        "fisher_blocks",
        "(60)-(62)",
        lambda p: tuple(
            ref.assembled(p.reference, f(p.reference, p.X))
            for f in (
                ref.fisher_from_weight_gradients,
                ref.fisher_from_kronecker_vectors,
                ref.fisher_from_kronecker_products,
            )
        ),
        full,
    ),
    Quantity("damped_factors", "(35)-(37)", damped_factors, of_blocks),
    Quantity(
        "algorithm_1",
        "Algorithm 1",
        algorithm_1,
        full,
        size=magnified_by(condition_of_updates),
        irrational="square roots of k and omega^2",
    ),
    Quantity(
        "trajectory",
        "C, H",
        trajectory,
        full,
        size=magnified_by(condition_of_updates),
        irrational="square roots of k and omega^2",
    ),
)
