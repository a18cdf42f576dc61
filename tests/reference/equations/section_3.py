"""The Gauss-Newton matrix of a datapoint by PyTorch, and dense algebra for Section 3."""

import itertools

import numpy as np


class Truth:
    """Quantities of one datapoint by PyTorch.

    h, a    pre-activations, and activations with the unit, as arrays
    J       dh_L/dtheta and, by layer, dh_L/dh_l
    G_L     script G_L
    """

    def __init__(self, autodiff, net, x, y):
        self.x, self.y = x, y
        h = autodiff.preactivation(net, x)
        self.tensors, self.h = h, {l: v.numpy() for l, v in h.items()}
        a = {0: x} | {l: autodiff.transfer(net, l)(h[l]).numpy() for l in range(1, net.L)}
        self.a = {l: np.append(v, 1) for l, v in a.items()}
        self.J_theta = autodiff.jacobian(autodiff.output(net, x), autodiff.theta(net))
        self.J = {l: autodiff.jacobian(autodiff.onward(net, l), h[l]) for l in h}
        self.G_L = autodiff.output_gauss_newton(net, h[net.L], y)
        self.derivative = {l: np.diag(autodiff.jacobian(autodiff.transfer(net, l), h[l])) for l in range(1, net.L)}

    def G(self, l, m):  # noqa: N802
        return self.J[l].T @ self.G_L @ self.J[m]


def cut(net, M):
    """The blocks of M between vec(W_l) and vec(W_m), keyed (l, m)."""
    ends = np.cumsum([0, *[W.size for W in net.weights]])
    slices = {l: slice(i, j) for l, (i, j) in enumerate(itertools.pairwise(ends), 1)}
    return {(l, m): M[slices[l], slices[m]] for l in slices for m in slices}


def kron(A, B):
    """A kron B, element by element: row b len(B) + a belongs to row b of A and row a of B."""
    product = np.empty((len(A) * len(B), A.shape[1] * B.shape[1]), dtype=np.result_type(A, B))
    for b, d in np.ndindex(A.shape):
        for a, c in np.ndindex(B.shape):
            product[b * len(B) + a, d * B.shape[1] + c] = A[b, d] * B[a, c]
    return product


def mean(values):
    return sum(values) / len(values)
