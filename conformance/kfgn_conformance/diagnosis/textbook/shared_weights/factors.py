"""The approximations of each group's block, for every layer with weights, and the matrices of KFRA.

Expand and reduce are the approximations K-FAC-expand and K-FAC-reduce (Eschenhagen et al. 2023).
"""

import numpy as np

from ....problems.layers import Dense, Flatten, Normalisation, Pooling, ScaleShift
from ....problems.problem import Array
from .curvature import Curvature
from .passes import PerLayer

PerGroup = list[Array]


class Factors(Curvature):
    """Formulas of approximations. The columns C of a group are (N, K, O, T), and its inputs a are (N, T, I)."""

    current: int
    """The number l of the layer of the current group. Only `positions_of_datapoints` reads this number."""

    def roots_of_groups(self, l: int, C: Array) -> list[Array]:
        """The columns (N, K, O, T) of each group of layer l."""
        groups = self.of_weights(l).groups
        return [C[:, :, part] for part in np.split(np.arange(C.shape[2]), groups)]

    def counted_rows(self, l: int, a: Array) -> Array:
        """The inputs (N, T, I) of layer l, where all inputs at a masked position are 0, also the 1 for the bias."""
        return self.only_counted(l, a.swapaxes(1, 2)).swapaxes(1, 2)

    def inputs_of_groups(self, l: int) -> list[Array]:
        """The inputs (N, T, I) of each group of layer l."""
        return [self.counted_rows(l, a) for a in self.inputs(l).swapaxes(0, 1)]

    def scale_shift_columns(self, l: int, C: Array) -> Array:
        """The columns at vec(W_l) of a scale-and-shift layer, (N, K, 2 D, T), or (N, K, D, T) without a shift.

        D is the number of channels. The first D entries of a column belong to the scales gamma. These entries are the
        column at the outputs times the inputs of the layer. The last D entries belong to the shifts beta. These entries
        are the column at the outputs.
        """
        inputs = self.inputs(l)
        return np.concatenate([C * inputs[:, None, :, :, i] for i in range(inputs.shape[3])], axis=2)

    def pairs_of(self, l: int, C: Array) -> list[tuple[Array, Array]]:
        """The inputs and the columns of every group of a layer.

        The inputs of a scale-and-shift layer are 1, and 0 at masked positions.
        """
        if isinstance(self.layer(l), ScaleShift):
            return [(self.counted_rows(l, np.ones((self.N, C.shape[3], 1))), self.scale_shift_columns(l, C))]
        return list(zip(self.inputs_of_groups(l), self.roots_of_groups(l, C), strict=True))

    def pairs(self, roots: PerLayer) -> list[tuple[Array, Array]]:
        """The inputs and the columns of every group of every layer with weights."""
        return [pair for l in self.weighted for pair in self.pairs_of(l, roots[l])]

    def layers_of_groups(self) -> list[int]:
        """For each group of every layer with weights, the number l of the layer that has the group."""
        groups = {l: 1 if isinstance(self.layer(l), ScaleShift) else self.of_weights(l).groups for l in self.weighted}
        return [l for l in self.weighted for _ in range(groups[l])]

    def positions_of_datapoints(self, x: Array, axis: int = 1) -> Array:
        """The number of counted positions of each datapoint, (N,), where x has its positions along the given axis.

        x belongs to a group of layer `self.current`.
        """
        return np.full(len(x), x.shape[axis]) if self.masks is None else self.counts(self.current)

    def mean_positions(self, x: Array, axis: int = 1) -> float:
        """The mean of `positions_of_datapoints`: T, or M / N with M counted positions in the batch."""
        return float(np.mean(self.positions_of_datapoints(x, axis)))

    def expand_q(self, a: Array) -> Array:
        """The mean of a a^T over datapoints and positions."""
        return self.mean(np.einsum("nti,ntj->nij", a, a)) / self.mean_positions(a)

    def expand_g(self, C: Array) -> Array:
        """The mean over the datapoints of the sum of C C^T over positions."""
        return self.mean(np.einsum("nkot,nkpt->nop", C, C))

    def combined_inputs(self, a: Array) -> Array:
        """The mean of the inputs over the positions, (N, I)."""
        return np.sum(a, axis=1) / self.positions_of_datapoints(a)[:, None]

    def combined_roots(self, C: Array) -> Array:
        """The sum of the columns over the positions, (N, K, O)."""
        return np.sum(C, axis=3)

    def reduce_q(self, a: Array) -> Array:
        """The mean of b b^T over the datapoints, where b is the mean input of a datapoint."""
        b = self.combined_inputs(a)
        return self.mean(b[:, :, None] * b[:, None, :])

    def reduce_g(self, C: Array) -> Array:
        """The mean of S S^T over the datapoints, where S is the sum of the columns over the positions."""
        S = self.combined_roots(C)
        return self.mean(S.swapaxes(1, 2) @ S)

    def kronecker(self, Q: Array, G: Array) -> Array:
        """Q kron G."""
        return np.kron(Q, G)

    def expand_block(self, a: Array, C: Array) -> Array:
        """The block of expand."""
        return self.kronecker(self.expand_q(a), self.expand_g(C))

    def reduce_block(self, a: Array, C: Array) -> Array:
        """The block of reduce."""
        return self.kronecker(self.reduce_q(a), self.reduce_g(C))

    def weight_gradients(self, a: Array, C: Array) -> Array:
        """P, the sum of C a^T over the positions for each column: (N, K, O, I)."""
        return np.einsum("nkot,nti->nkoi", C, a)

    def squares(self, a: Array, C: Array, U_Q: Array, U_G: Array) -> Array:
        """The sum over the columns of the squares of U_G^T P U_Q, (N, O, I)."""
        rotated = U_G.T @ self.weight_gradients(a, C) @ U_Q
        return np.sum(rotated**2, axis=1)

    def ekfac_diagonal(self, a: Array, C: Array, U_Q: Array, U_G: Array) -> Array:
        """The diagonal of the exact block in the basis U_Q kron U_G, (O, I)."""
        return self.mean(self.squares(a, C, U_Q, U_G))

    def eigenbases(self, a: Array, C: Array) -> tuple[Array, Array]:
        """The eigenvectors of the factors of expand."""
        return np.linalg.eigh(self.expand_q(a))[1], np.linalg.eigh(self.expand_g(C))[1]

    def ekfac_block(self, a: Array, C: Array) -> Array:
        """U diag(vec S) U^T with the eigenvectors U = U_Q kron U_G of expand, and with S (O, I) of `ekfac_diagonal`."""
        U_Q, U_G = self.eigenbases(a, C)
        U, S = np.kron(U_Q, U_G), self.ekfac_diagonal(a, C, U_Q, U_G)
        return (U * S.T.ravel()) @ U.T

    def group_block(self, a: Array, C: Array) -> Array:
        """The exact block of the Gauss-Newton matrix for a group."""
        P = self.weight_gradients(a, C)
        g = P.transpose(0, 1, 3, 2).reshape(*P.shape[:2], -1)
        return self.mean(g.swapaxes(1, 2) @ g)

    def kfoc_block(self, a: Array, C: Array) -> Array:
        """The nearest Kronecker product to the exact block, by the singular vectors of the rearranged block."""
        I, O = a.shape[2], C.shape[2]
        R = self.group_block(a, C).reshape(I, O, I, O).transpose(0, 2, 1, 3).reshape(I * I, O * O)
        U, s, V = np.linalg.svd(R, full_matrices=False)
        return s[0] * np.kron(U[:, 0].reshape(I, I), V[0].reshape(O, O))

    def traced(self, Q: Array, G: Array) -> Array:
        """Q kron G / tr Q."""
        return np.kron(Q, G) / np.trace(Q)

    def tkfac_block(self, a: Array, C: Array) -> Array:
        """TKFAC: each factor weights a position of a datapoint by the trace of the other factor at this position."""
        of_roots, of_inputs = np.sum(C**2, axis=(1, 2)), np.sum(a**2, axis=2)
        Q = self.mean(np.einsum("nt,nti,ntj->nij", of_roots, a, a))
        return self.traced(Q, self.mean(np.einsum("nt,nkot,nkpt->nop", of_inputs, C, C)))

    def tnt_block(self, a: Array, C: Array) -> Array:
        """TNT: the Kronecker product of the means of P^T P and of P P^T, divided by the trace of the first mean."""
        P = self.weight_gradients(a, C)
        Q = self.mean(np.einsum("nkoi,nkoj->nij", P, P))
        return self.traced(Q, self.mean(np.einsum("nkoi,nkpi->nop", P, P)))

    def slope_moments(self, l: int) -> Array:
        """The mean of f' f'^T over datapoints and positions, (C, C)."""
        s = self.only_counted(l, self.slope(l))
        return self.mean(s @ s.swapaxes(1, 2)) / self.mean_count(l)

    def output_factor(self) -> Array:
        """The mean over the datapoints of the sum of H_L / divisor over the positions, (D, D)."""
        C = self.output_columns()
        return self.mean(np.einsum("nkot,nkpt->nop", C, C))

    def pulled_mean(self, l: int, G: Array) -> Array:
        """M^T G M, where M is the Jacobian of layer l without its transfer function.

        For a normalisation, M depends on the datapoint, and the result is the mean of M^T G M over the datapoints.
        """
        if isinstance(self.layer(l), Normalisation):
            return self.mean(self.pulled(l, np.broadcast_to(G, (self.N, *G.shape))))
        return self.pulled(l, G[None])[0]

    def kfra_over_positions(self) -> PerLayer:
        """KFRA's recursion for matrices over all positions."""
        G = {self.L: self.mean(self.over_positions(self.output_columns()))}
        for l in range(self.L - 1, 0, -1):
            s = self.flat(self.slope(l))
            G[l] = self.pulled_mean(l + 1, G[l + 1]) * self.mean(s[:, :, None] * s[:, None, :])
        return {l: G[l] for l in self.weighted}

    def over_tokens(self, l: int, G: Array) -> Array:
        """A step of KFRA's recursion through layer l, which does not mix positions."""
        if not isinstance(self.layer(l), Dense):
            return self.over_taps(l, G)
        W = self.kernel(l)[0, :, 0]
        return W.T @ G @ W

    def kfra_over_tokens(self) -> PerLayer:
        """KFRA's recursion with tokens as datapoints."""
        G = {self.L: self.output_factor()}
        for l in range(self.L - 1, 0, -1):
            G[l] = self.over_tokens(l + 1, G[l + 1]) * self.slope_moments(l)
        return {l: G[l] for l in self.weighted}

    def share_of_tap(self, l: int) -> Array:
        """The share of the counted output positions at which each tap reads a counted input, (taps,).

        At all other counted positions, the tap reads a zero of the padding, or a zero at a masked position.
        """
        layer = self.of_weights(l)
        inside = self.padded(l, layer, self.visible(l - 1, np.ones((self.N, 1, self.positions(l - 1)))))
        reads = self.only_counted(l, self.read(inside, self.sources(l, layer))[:, 0].swapaxes(1, 2))
        return np.mean(np.sum(reads, axis=2), axis=0) / self.mean_count(l)

    def over_taps(self, l: int, G: Array) -> Array:
        """A step of KFRA's recursion through layer l, in closed form over its taps."""
        layer, C, T = self.layer(l), self.problem.widths[l - 1], self.positions(l - 1)
        if isinstance(layer, Pooling):
            squares = self.window_sizes(l, layer) * self.share_back(l, layer) ** 2
            return G * np.mean(self.counts(l) * squares) / self.mean_count(l)
        if isinstance(layer, Normalisation):
            J = self.jacobians(self.a[l - 1], layer.epsilon)
            each = self.only_counted(l, np.moveaxis(J.swapaxes(2, 3) @ G @ J, 1, -1))
            return self.mean(np.sum(each, axis=-1)) / self.mean_count(l)
        if isinstance(layer, Flatten):
            return np.einsum("tctd->cd", G.reshape(T, C, T, C))
        W = self.kernel(l)
        groups, O, _, _ = W.shape
        blocks = G.reshape(groups, O, groups, O)
        found = np.einsum("u,gouc,gohp,hpud->gchd", self.share_of_tap(l), W, blocks, W, optimize=True)
        return found.reshape(C, C)

    def kfra_over_taps(self) -> PerLayer:
        """KFRA's recursion in closed form over taps."""
        G = {self.L: self.output_factor()}
        for l in range(self.L - 1, 0, -1):
            G[l] = self.over_taps(l + 1, G[l + 1]) * self.slope_moments(l)
        return {l: G[l] for l in self.weighted}
