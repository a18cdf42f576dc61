"""Pearlmutter's R-operator: R{x} is the derivative of x as the weights W_l move in the direction V_l."""

from typing import NamedTuple

from .._types import Array, Arrays
from .linearisation import Linearisation


class Tangents(NamedTuple):
    """The intermediate results of a forward pass of tangents.

    inputs:         R{a_0}, ..., R{a_{L-1}} without the unit, which does not move, (N, D_{l-1}); R{a_0} = 0
    preactivations: R{h_1}, ..., R{h_L}, (N, D_l)
    """

    inputs: Arrays
    preactivations: Arrays

    @property
    def outputs(self) -> Array:
        """R{h_L} = J v (N, D_L)."""
        return self.preactivations[-1]


def forward_tangents(at: Linearisation, V: Arrays) -> Tangents:
    """R of equation (1): R{h_l} = V_l a_{l-1} + W_l R{a_{l-1}}, R{a_l} = f'(h_l) * R{h_l}."""
    layers, forward = at.network.layers, at.forward
    inputs = [at.xp.zeros_like(at.X)]
    preactivations = [layers[0].preactivations(V[0], forward.inputs[0])]
    for l, derivative in enumerate(forward.derivatives, start=1):
        inputs.append(derivative * preactivations[-1])
        moved = layers[l].preactivation_tangents(at.weights[l], inputs[l])
        preactivations.append(layers[l].preactivations(V[l], forward.inputs[l]) + moved)
    return Tangents(tuple(inputs), tuple(preactivations))


def backward_tangents(
    at: Linearisation, V: Arrays, tangents: Tangents, dE_dh: Arrays, curved: Arrays, rows: Array
) -> Arrays:
    """R of equation (3): R{dE/dh_l} (N, D_l), from R{dE/dh_L} = H_L R{h_L} given as rows.

    dE_dh, curved: dE/dh_l and f''(h_l) * dE/da_l, as `Linearisation` has them

    R{dE/da_l} = W_{l+1}^T R{dE/dh_{l+1}} + V_{l+1}^T dE/dh_{l+1}
    R{dE/dh_l} = f'(h_l) * R{dE/da_l} + f''(h_l) * dE/da_l * R{h_l}
    """
    carried = [rows]
    for l in reversed(range(len(at.forward.derivatives))):
        layer = at.network.layers[l + 1]
        R_dE_da = layer.pulled_back(at.weights[l + 1], carried[-1]) + layer.pulled_back(V[l + 1], dE_dh[l + 1])
        carried.append(at.forward.derivatives[l] * R_dE_da + curved[l] * tangents.preactivations[l])
    return tuple(reversed(carried))


def mean_transposed_product(at: Linearisation, U: Array) -> Arrays:
    """1/N sum_n J_n^T u_n for U (N, D_L), in the shapes of the weights."""
    return at.mean_gradient(at.pulled_back(U))
