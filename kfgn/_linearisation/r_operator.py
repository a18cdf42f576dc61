"""Pearlmutter's R-operator: R{x} is the derivative of x as the weights W_l move in the direction V_l."""

from typing import NamedTuple

from .._curvature.loss_and_factors import mean_gradient
from .._types import Array, Arrays, Namespace, Weights
from .passes import Forward, backward, kernel


class Tangents(NamedTuple):
    """What the forward pass leaves behind of a direction V.

    inputs         R{a_0}, ..., R{a_{L-1}} without their unit, which stays as it is, (N, D_{l-1}); R{a_0} = 0
    preactivations R{h_1}, ..., R{h_L}, (N, D_l)
    """

    inputs: Arrays
    preactivations: Arrays

    @property
    def outputs(self) -> Array:
        """R{h_L} = J v (N, D_L)."""
        return self.preactivations[-1]


def forward_tangents(xp: Namespace, weights: Weights, trace: Forward, V: Arrays) -> Tangents:
    """R of equation (1): R{h_l} = a_{l-1} V_l^T + R{a_{l-1}} W_l^T, R{a_l} = f'(h_l) * R{h_l}."""
    inputs = [xp.zeros_like(trace.inputs[0][:, :-1])]
    preactivations = [trace.inputs[0] @ V[0].T]
    for l, slope in enumerate(trace.slopes, start=1):
        inputs.append(slope * preactivations[-1])
        preactivations.append(trace.inputs[l] @ V[l].T + inputs[l] @ kernel(weights[l]).T)
    return Tangents(tuple(inputs), tuple(preactivations))


def backward_tangents(
    weights: Weights, trace: Forward, V: Arrays, tangents: Tangents, dE_dh: Arrays, bent: Arrays, rows: Array
) -> Arrays:
    """R of equation (3): R{dE/dh_l} (N, D_l), from R{dE/dh_L} = H_L R{h_L} given as rows, and from f'' * dE/da.

    R{dE/da_l} = R{dE/dh_{l+1}} W_{l+1} + dE/dh_{l+1} V_{l+1}
    R{dE/dh_l} = f'(h_l) * R{dE/da_l} + f''(h_l) * dE/da_l * R{h_l}
    """
    carried = [rows]
    for l in reversed(range(len(trace.slopes))):
        R_dE_da = carried[-1] @ kernel(weights[l + 1]) + dE_dh[l + 1] @ kernel(V[l + 1])
        carried.append(trace.slopes[l] * R_dE_da + bent[l] * tangents.preactivations[l])
    return tuple(reversed(carried))


def mean_transposed_product(weights: Weights, trace: Forward, U: Array) -> Arrays:
    """1/N sum_n J_n^T u_n for U (N, D_L), in the shapes of the weights."""
    return mean_gradient(trace, backward(weights, trace.slopes, U))
