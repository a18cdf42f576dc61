"""The gradient, and the exact blocks of the Hessian and of the Gauss-Newton matrix.

(7s), (8s) and (25s) are the equations (7), (8) and (25) for shared weights, as in `kfgn_reference.shared_weights`.
"""

import numpy as np

from ....problems.layers import Normalisation
from ....problems.problem import Array
from .passes import Passes, PerLayer


class Curvature(Passes):
    """Formulas of exact quantities. A matrix over all positions has the entries of a position next to each other."""

    def inputs(self, l: int) -> Array:
        """The inputs of W_l at every position, (N, groups, T, I), for the gradient and the curvature.

        A group has I inputs, the last of which is 1 if the layer has a bias.
        """
        layer = self.of_weights(l)
        return self.with_unit(layer, self.patches(l, layer, self.a[l - 1]))

    def inputs_of_outputs(self, l: int) -> Array:
        """For each output, the inputs of the output's group: (N, T, O, I)."""
        inputs = self.inputs(l)
        outputs = len(self.W[l]) // inputs.shape[1]
        return np.repeat(inputs.transpose(0, 2, 1, 3), outputs, axis=2)

    def gradients(self) -> PerLayer:
        """dE/dh_l (N, C_l, T_l) at the targets Y, divided by the divisor of the loss."""
        columns = self.output_gradient(self.problem.Y)[:, None] / self.divisor_of_gradient()
        return {l: d[:, 0] for l, d in self.carried(columns).items()}

    def summed_gradient(self, l: int, d: Array) -> Array:
        """The sum of dE/dh_l a_{l-1}^T over the positions, (N, O, I), where d is dE/dh_l."""
        return np.einsum("not,ntoi->noi", d, self.inputs_of_outputs(l))

    def gradient(self) -> PerLayer:
        """The gradient of every W_l."""
        d = self.gradients()
        return {l: self.mean(self.summed_gradient(l, d[l])) for l in self.weighted}

    def over_positions(self, columns: Array) -> Array:
        """The sum of v v^T over columns v (N, K, C, T), a matrix over all positions and channels, (N, T C, T C)."""
        flat = columns.transpose(0, 1, 3, 2).reshape(*columns.shape[:2], -1)
        return flat.swapaxes(1, 2) @ flat

    def pulled(self, l: int, H: Array) -> Array:
        """M^T H M, where M is the Jacobian of layer l without its transfer function, and H is (N, T' C', T' C').

        C' and T' are the numbers of channels and positions of the outputs of the layer.
        """
        C, T = self.problem.widths[l], self.positions(l)
        for _ in range(2):
            columns = H.reshape(*H.shape[:2], T, C).transpose(0, 1, 3, 2)
            back = self.back_through(l, columns).transpose(0, 1, 3, 2)
            H = back.reshape(*back.shape[:2], -1).swapaxes(1, 2)
        return H

    def output_hessian(self) -> Array:
        """The Hessian of the loss of a datapoint with respect to all outputs, position by position: (N, T D, T D)."""
        H = self.at_outputs("hessian", self.problem.Y) / self.divisor_of_curvature()
        N, T, D, _ = H.shape
        return np.einsum("ntde,ts->ntdse", H, np.eye(T)).reshape(N, T * D, T * D)

    def flat(self, x: Array) -> Array:
        """An activation (N, C, T) as one vector for each datapoint, position by position: (N, T C)."""
        return x.transpose(0, 2, 1).reshape(len(x), -1)

    def second_derivative_term(self, l: int) -> Array:
        """f''(h_l) * dE/da_l, (N, C_l, T_l)."""
        dE_da = self.back_through(l + 1, self.gradients()[l + 1][:, None])[:, 0]
        return self.transfer_of(l).second(self.h[l]) * dE_da

    def layer_curvature(self, l: int) -> Array | float:
        """The term of (8s) in the second derivatives of a normalisation, (N, T C, T C), or 0.0 for all other layers."""
        layer = self.layer(l)
        if not isinstance(layer, Normalisation):
            return 0.0
        D = self.normalised_curvature(self.a[l - 1], layer.epsilon, self.gradients()[l])
        D = np.moveaxis(self.only_counted(l, np.moveaxis(D, 1, -1)), -1, 1)
        N, T, C, _ = D.shape
        return np.einsum("ntij,ts->ntisj", D, np.eye(T)).reshape(N, T * C, T * C)

    def preactivation_hessians(self) -> PerLayer:
        """The Hessians with respect to all positions of h_l, (N, T C, T C), by (8s)."""
        H = {self.L: self.output_hessian()}
        for l in range(self.L - 1, 0, -1):
            s = self.flat(self.slope(l))
            curved = self.flat(self.second_derivative_term(l))
            H[l] = s[:, :, None] * (self.pulled(l + 1, H[l + 1]) + self.layer_curvature(l + 1)) * s[:, None, :]
            H[l] = H[l] + np.eye(s.shape[1]) * curved[:, None, :]
        return H

    def preactivation_gauss_newton(self) -> PerLayer:
        """The Gauss-Newton matrices with respect to all positions of h_l, by the roots (25s)."""
        return {l: self.over_positions(C) for l, C in self.roots().items()}

    def pairs_of_positions(self, H: Array) -> Array:
        """The part of a matrix over all positions, (N, T, O, T, O), that enters the block.

        In the right formulas, this part is the whole matrix.
        """
        return H

    def block(self, l: int, H: Array) -> Array:
        """The block (7s), (I O, I O): the mean over the datapoints of a sum over all pairs of positions."""
        inputs = self.inputs_of_outputs(l)
        N, T, O, I = inputs.shape
        H = self.pairs_of_positions(H.reshape(N, T, O, T, O))
        half = np.einsum("ntoi,ntosp->niosp", inputs, H)
        each = np.einsum("niosp,nspj->niojp", half, inputs)
        return self.mean(each).reshape(I * O, I * O)

    def hessian_blocks(self) -> PerLayer:
        """The blocks of the Hessian."""
        H = self.preactivation_hessians()
        return {l: self.block(l, H[l]) for l in self.weighted}

    def gauss_newton_blocks(self) -> PerLayer:
        """The blocks of the Gauss-Newton matrix."""
        G = self.preactivation_gauss_newton()
        return {l: self.block(l, G[l]) for l in self.weighted}
