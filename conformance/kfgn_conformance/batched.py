"""Quantities of a large problem by matrix products over the batch, in a tenth of the reference's time.

The reference passes one datapoint after another through the network, so it reads all weights again for each datapoint.
In this module, one matrix product passes the whole batch through a layer, and LAPACK solves the systems with damped
factors. The formulas are those of the reference, in float64. Only the order of the operations and the solver of the
systems differ.

The reference's arrays of these quantities do not ship with the kit, since they are large. Instead, `known_oracles` has
a short vector for each array: its signature. An array of this module is used only if its signature agrees with the
signature of the reference's array, within the rounding errors that the rule of `tolerances` allows.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial

import kfgn_reference as ref
import numpy as np

from .problems.problem import Array, Problem
from .quantities import Arrays, largest
from .quantities.quantity import in_order, keyed
from .quantities.solves import NORMS, factors, omega_and_root


class Batch:
    """The forward pass (1) of a problem, with one row per datapoint.

    a: a_{l-1}, with an appended 1 if layer l has a bias; keyed by l
    h: h_l, keyed by l
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.net = problem, problem.reference
        self.a: ref.PerLayer = {}
        self.h: ref.PerLayer = {}
        a = problem.X
        for l in range(1, self.net.L + 1):
            self.a[l] = self.appended(l, a, 1)
            self.h[l] = self.a[l] @ self.net.weights[l - 1].T
            if l < self.net.L:
                a = self.net.f(l).f(self.h[l])

    def appended(self, l: int, a: Array, unit: int) -> Array:
        """Append a column to the inputs of layer l, if the layer has a bias.

        unit: the elements of the column: 1 for inputs, or 0 for derivatives of inputs
        """
        return np.hstack([a, np.full((len(a), 1), float(unit))]) if self.net.has_bias(l) else a

    def gradients(self) -> ref.PerLayer:
        """dE/dh_l (N, D_l), keyed by l."""
        E, L = ref.OBJECTIVES[self.net.objective], self.net.L
        return self.backward(np.stack([E.gradient(h, y) for h, y in zip(self.h[L], self.problem.Y, strict=True)]))

    def backward(self, rows: Array, samples: int = 1) -> ref.PerLayer:
        """The backward pass of (3) that starts from `rows`, an array (N S, D_L).

        samples: S, the number of rows per datapoint
        """
        carried = {self.net.L: rows}
        for l in range(self.net.L - 1, 0, -1):
            first = np.repeat(self.net.f(l).first(self.h[l]), samples, axis=0)
            carried[l] = first * (carried[l + 1] @ self.net.kernel(l + 1))
        return carried

    def weighted(self, rows: ref.PerLayer) -> ref.PerLayer:
        """The mean over the datapoints of v_l a_{l-1}^T, where the vectors v_l are the rows of `rows[l]`, (N, D_l)."""
        return {l: rows[l].T @ self.a[l] / self.problem.N for l in rows}

    def r_forward(self, V: ref.PerLayer) -> tuple[ref.PerLayer, ref.PerLayer]:
        """The directional derivatives R{a_{l-1}}, keyed like `a`, and R{h_l}, along V.

        The 1 that is appended for a bias has the derivative 0. A layer without an entry in V has V_l = 0.
        """
        Ra, Rh = {}, {}
        R = np.zeros_like(self.problem.X)
        for l in range(1, self.net.L + 1):
            Ra[l] = self.appended(l, R, 0)
            Rh[l] = Ra[l] @ self.net.weights[l - 1].T + (self.a[l] @ V[l].T if l in V else 0)
            if l < self.net.L:
                R = self.net.f(l).first(self.h[l]) * Rh[l]
        return Ra, Rh

    def of_outputs(self, matrix: Callable[[Array, Array], Array], rows: Array) -> Array:
        """For each datapoint, the product of matrix(h_L, y) with the datapoint's row of `rows`, an array (N, D_L)."""
        triples = zip(self.h[self.net.L], self.problem.Y, rows, strict=True)
        return np.stack([matrix(h, y) @ row for h, y, row in triples])

    def gauss_newton_product(self, V: ref.PerLayer) -> ref.PerLayer:
        """The product of the Gauss-Newton matrix (13) with V."""
        _, Rh = self.r_forward(V)
        rows = self.of_outputs(partial(ref.output_gauss_newton, self.net), Rh[self.net.L])
        return self.weighted(self.backward(rows))

    def hessian_product(self, V: ref.PerLayer) -> ref.PerLayer:
        """The product of the Hessian (2) with V, by the R-operator of backpropagation."""
        (Ra, Rh), g, L = self.r_forward(V), self.gradients(), self.net.L
        Rg = {L: self.of_outputs(ref.OBJECTIVES[self.net.objective].hessian, Rh[L])}
        for l in range(L - 1, 0, -1):
            f, W = self.net.f(l), self.net.kernel(l + 1)
            RdE_da = Rg[l + 1] @ W
            if l + 1 in V:
                RdE_da += g[l + 1] @ self.net.without_bias(l + 1, V[l + 1])
            Rg[l] = f.second(self.h[l]) * Rh[l] * (g[l + 1] @ W) + f.first(self.h[l]) * RdE_da
        return {l: (Rg[l].T @ self.a[l] + g[l].T @ Ra[l]) / self.problem.N for l in Rg}


def direction(p: Problem) -> ref.PerLayer:
    """The matrices V_l of the problem's direction, keyed by l."""
    return keyed(p.arguments.direction)


def layer_by_layer(product: Callable[[ref.PerLayer], ref.PerLayer], p: Problem) -> ref.PerLayer:
    """Multiply the problem's direction V by the diagonal blocks of a matrix, where `product` multiplies by the matrix.

    Layer l of the result is layer l of `product` for a V that is 0 in all other layers.
    """
    return {l: product({l: V})[l] for l, V in direction(p).items()}


def projected_factors(p: Problem) -> ref.PerLayer:
    """G_l by random projections: the mean of v v^T over the vectors v.

    Each vector v is a projection of the root C_L of H_L, and is propagated back to layer l.
    """
    batch, Z = Batch(p), p.arguments.projections
    triples = zip(batch.h[batch.net.L], p.Y, Z, strict=True)
    rows = np.concatenate([z @ ref.output_root(batch.net, h, y).T for h, y, z in triples])
    return {l: v.T @ v / len(v) for l, v in batch.backward(rows, samples=Z.shape[1]).items()}


def second_factors(p: Problem) -> ref.PerLayer:
    """G_l by KFLR (25), keyed by l, from one datapoint after another.

    If a root C has more columns than rows, the triangular factor R of C^T = Q R replaces C^T, since C C^T = R^T R.
    """
    batch = Batch(p)
    net, L = batch.net, batch.net.L
    G: ref.PerLayer = dict.fromkeys(range(1, L + 1), np.zeros(()))
    for n, y in enumerate(p.Y):
        rows: Array = ref.output_root(net, batch.h[L][n], y).T
        for l in range(L, 0, -1):
            if len(rows) > rows.shape[1]:
                rows = np.asarray(np.linalg.qr(rows, mode="r"))
            G[l] = G[l] + rows.T @ rows / p.N
            if l > 1:
                rows = net.f(l - 1).first(batch.h[l - 1][n]) * (rows @ net.kernel(l))
    return G


def solution(p: Problem, norm: str) -> ref.PerLayer:
    """The solution of the system with the damped Kronecker product (36) and the right-hand side V_l, keyed by l."""
    found = {}
    for l, (Q, G) in enumerate(factors(p), start=1):
        Q_damped, G_damped = ref.damped_factors(Q, G, *omega_and_root(p, Q, G, norm))
        found[l] = np.linalg.solve(Q_damped, np.linalg.solve(G_damped, direction(p)[l]).T).T
    return found


BATCHED: dict[str, Callable[[Problem], ref.PerLayer]] = {
    "gradient": lambda p: (batch := Batch(p)).weighted(batch.gradients()),
    "kflr": second_factors,
    "rp": projected_factors,
    "transposed_jacobian_product": lambda p: (batch := Batch(p)).weighted(batch.backward(p.arguments.cotangents)),
    "gauss_newton_product": lambda p: Batch(p).gauss_newton_product(direction(p)),
    "gauss_newton_block_product": lambda p: layer_by_layer(Batch(p).gauss_newton_product, p),
    "hessian_product": lambda p: Batch(p).hessian_product(direction(p)),
    "hessian_block_product": lambda p: layer_by_layer(Batch(p).hessian_product, p),
    **{f"solve_{norm}": partial(solution, norm=norm) for norm in NORMS},
}
"""The quantities that this module computes, by name."""


def batched(problem: Problem, quantity: str) -> Arrays:
    """Compute a quantity of `BATCHED`."""
    return in_order(BATCHED[quantity](problem))


def signatures(arrays: Arrays) -> Arrays:
    """Compute the signature of each matrix: its products with vectors of random signs, from the left and the right.

    Errors in a matrix change its signature, unless the random signs cancel the errors in both products.
    """
    found = []
    for i, array in enumerate(arrays):
        rng = np.random.Generator(np.random.Philox(i))
        left, right = (rng.choice([-1.0, 1.0], size) for size in array.shape)
        found.append(np.concatenate([left @ array, array @ right]))
    return tuple(found)


def agree(arrays: Arrays, expected: Arrays, allowed: Sequence[float]) -> bool:
    """True if arrays have the expected signatures within rounding errors.

    allowed: the tolerance of each array
    """
    return same(signatures(arrays), expected, allowed)


def same(made: Arrays, expected: Arrays, allowed: Sequence[float]) -> bool:
    """True if there are as many signatures, and the two signatures of each array agree within rounding errors.

    The rounding errors of different elements are independent. The error of a sum of D elements with random signs
    therefore grows with the root of D. A signature has one number for each row and each column of its array, so D is
    less than the length of the signature.
    """
    return len(made) == len(expected) and all(
        a.shape == b.shape and largest(a - b) <= math.sqrt(len(b)) * bound
        for a, b, bound in zip(made, expected, allowed, strict=True)
    )
