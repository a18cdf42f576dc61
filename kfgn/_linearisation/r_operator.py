"""Pearlmutter's R-operator: R{x} is the derivative of x along the direction V of the weights."""

from typing import NamedTuple

from .._types import Array, Arrays
from .linearisation import Linearisation
from .passes import rows_of_positions


class Tangents(NamedTuple):
    """The derivatives of the intermediate results of a forward pass along the direction V of the weights.

    inputs:         R{a_0}, ..., R{a_{L-1}} without the appended unit, (N, D_{l-1}); R{a_0} = 0
    preactivations: R{h_1}, ..., R{h_L}, (N, D_l)
    """

    inputs: Arrays
    preactivations: Arrays

    @property
    def outputs(self) -> Array:
        """R{h_L} = J v (N, D_L), for the Jacobian J = dh_L/dtheta and the vector v of all elements of V."""
        return self.preactivations[-1]


def forward_tangents(at: Linearisation, V: Arrays) -> Tangents:
    """The R-operator applied to (1): R{h_l} = V_l a_{l-1} + W_l R{a_{l-1}} and R{a_l} = f'(h_l) * R{h_l}."""
    inputs = [at.xp.zeros_like(rows_of_positions(at.xp, at.network, at.X))]
    preactivations = [from_direction(at, V, 0)]
    for l, derivative in enumerate(at.forward.derivatives, start=1):
        inputs.append(derivative * preactivations[-1])
        from_inputs = at.maps[l].preactivation_tangents(at.weights_by_layer[l], inputs[l])
        preactivations.append(from_direction(at, V, l) + from_inputs)
    return Tangents(tuple(inputs), tuple(preactivations))


def from_direction(at: Linearisation, V: Arrays, l: int) -> Array:
    """The derivative of the pre-activations of layer l along V if the inputs a of the layer are fixed: V_l a.

    The derivative is 0 for a layer without weights. Indices of layers begin at 0.
    """
    V_l = at.network.by_layer(V)[l]
    if V_l is None:
        return at.xp.zeros_like(at.forward.preactivations[l])
    return at.maps[l].preactivations(V_l, at.forward.inputs[l])


def backward_tangents(
    at: Linearisation, V: Arrays, tangents: Tangents, dE_dh: Arrays, second_terms: Arrays, R_output_gradient: Array
) -> Arrays:
    """The R-operator applied to (3): R{dE/dh_l} (N, D_l) for l = 1, ..., L.

    dE_dh:             dE/dh_l, from `Linearisation.dE_dh`
    second_terms:      f''(h_l) * dE/da_l, from `Linearisation.second_derivative_terms`
    R_output_gradient: R{dE/dh_L} = H_L R{h_L}

    R{dE/da_l} = W_{l+1}^T R{dE/dh_{l+1}} + V_{l+1}^T dE/dh_{l+1}
    R{dE/dh_l} = f'(h_l) * R{dE/da_l} + f''(h_l) * dE/da_l * R{h_l}
    """
    R_dE_dh, V_by_layer = [R_output_gradient], at.network.by_layer(V)
    for l in reversed(range(len(at.forward.derivatives))):
        layer, V_above = at.maps[l + 1], V_by_layer[l + 1]
        R_dE_da = layer.pulled_back(at.weights_by_layer[l + 1], R_dE_dh[-1])
        if V_above is not None:
            R_dE_da = R_dE_da + layer.pulled_back(V_above, dE_dh[l + 1])
        R_dE_dh.append(at.forward.derivatives[l] * R_dE_da + second_terms[l] * tangents.preactivations[l])
    return tuple(reversed(R_dE_dh))


def input_tangents(at: Linearisation, tangents: Tangents) -> Arrays:
    """The derivatives of the rows `Forward.inputs`, with 0 for the appended unit."""
    weighted = at.network.weighted
    return tuple(
        at.maps[l].input_tangents(at.xp, R_a) if l in weighted else R_a for l, R_a in enumerate(tangents.inputs)
    )


def mean_transposed_product(at: Linearisation, U: Array) -> Arrays:
    """1/N sum_n J_n^T u_n for the rows u_n of U (N, D_L), in the shapes of the weights."""
    return at.mean_gradient(at.pulled_back(U))
