"""Passes through the network, factors of the curvature and products with it, a whole batch at a time."""

from typing import NamedTuple

import numpy as np

from .objectives import Objectives


class Passes(NamedTuple):
    """a_{l-1} with its unit appended for each layer, f' and f'' of each hidden one, and h_L."""

    inputs: list
    slopes: list
    bends: list
    h: np.ndarray


class Batch(NamedTuple):
    """A problem's numbers in the dtype of the implementation. problem: its names and settings."""

    problem: object
    weights: tuple
    X: np.ndarray
    Y: np.ndarray


class Curvature(Objectives):
    """Layers are counted from 0 here; every answer is a list with one array for each."""

    def __init__(self, dtype):
        self.dtype = dtype
        self.kept = {}

    def real(self, x):
        return x.astype(self.dtype) if x.dtype.kind == "f" else x

    def batch(self, problem):
        return Batch(problem, tuple(map(self.real, problem.weights)), self.real(problem.X), self.real(problem.Y))

    def passes(self, b):
        """The forward pass, kept for the problem that it is of."""
        if (kept := self.kept.get("passes")) is not None and kept[0] is b.problem:
            return kept[1]
        passes = self.forward(b.problem, b.weights, b.X)
        self.kept["passes"] = (b.problem, passes)
        return passes

    def forward(self, problem, weights, X):
        inputs, slopes, bends, a = [], [], [], X
        for l, W in enumerate(weights):
            inputs.append(np.concatenate([a, np.ones_like(a[:, :1])], axis=1))
            h = inputs[-1] @ W.T
            if l < len(weights) - 1:
                a, slope, bend = self.transferred(problem.transfers, l, h)
                slopes.append(slope)
                bends.append(bend)
        return Passes(inputs, slopes, bends, h)

    def transferred(self, names, l, h):
        return self.transfer(names[l], h)

    def backward(self, b, slopes, d):
        """The backpropagated d of each layer, (N, ..., D_l), from d at the outputs."""
        back = [d]
        for l in range(len(b.weights) - 1, 0, -1):
            slope = slopes[l - 1].reshape(len(d), *(1,) * (d.ndim - 2), -1)
            back.insert(0, (back[0] @ self.kernel(b, l)) * slope)
        return back

    def kernel(self, b, l):
        """W_l without the column of its bias."""
        return b.weights[l][:, :-1]

    def mean(self, x):
        """The mean over the datapoints, the first axis."""
        return x.sum(axis=0) / len(x)

    def mean_outer(self, u, v):
        """The mean over datapoints of u v^T."""
        return u.T @ v / len(u)

    def loss(self, b):
        return [self.mean(self.losses(b.problem, self.passes(b).h, b.Y))]

    def gradient(self, b):
        passes = self.passes(b)
        back = self.backward(b, passes.slopes, self.output_gradient(b.problem, passes.h, b.Y))
        return [self.mean_outer(d, a) for d, a in zip(back, passes.inputs, strict=True)]

    def q(self, b):
        return [self.mean_outer(a, a) for a in self.passes(b).inputs]

    def kflr(self, b):
        passes = self.passes(b)
        C = self.output_root(b.problem, passes.h, b.Y).swapaxes(1, 2)
        return [self.mean_of_columns(B, 1) for B in self.backward(b, passes.slopes, C)]

    def kfac(self, b, labels):
        passes = self.passes(b)
        h = np.repeat(passes.h[:, None], labels.shape[1], axis=1)
        d = self.output_gradient(b.problem, h, labels)
        return [self.mean_of_columns(B, labels.shape[1]) for B in self.backward(b, passes.slopes, d)]

    def rp(self, b, projections):
        passes = self.passes(b)
        C = self.output_root(b.problem, passes.h, b.Y).swapaxes(1, 2)
        samples = projections.shape[1]
        return [self.mean_of_columns(B, samples) for B in self.backward(b, passes.slopes, projections @ C)]

    def mean_of_columns(self, B, samples):
        """The mean over datapoints of the sum of v v^T over the second axis, divided by the number of samples."""
        return self.mean(B.swapaxes(1, 2) @ B) / samples

    def kfra(self, b):
        passes = self.passes(b)
        G = [self.mean(self.output_curvature(b.problem, passes.h, b.Y))]
        for l in range(len(b.weights) - 1, 0, -1):
            slopes = passes.slopes[l - 1]
            G.insert(0, self.recursion(self.kernel(b, l), G[0], self.mean_outer(slopes, slopes)))
        return G

    def recursion(self, W, G, slopes):
        """Equation (26)."""
        return (W.T @ G @ W) * slopes

    def outputs_along(self, b, V):
        """R{a_l} with a zero appended, for each layer's inputs, and R{h_L}, along the direction V."""
        passes, R = self.passes(b), [np.zeros_like(self.passes(b).inputs[0])]
        for l, (W, V_l) in enumerate(zip(b.weights, V, strict=True)):
            v = passes.inputs[l] @ V_l.T + R[l] @ W.T
            if l < len(b.weights) - 1:
                R.append(np.concatenate([passes.slopes[l] * v, np.zeros_like(v[:, :1])], axis=1))
        return R, v

    def gauss_newton_product(self, b, V):
        passes, (_, v) = self.passes(b), self.outputs_along(b, V)
        d = (self.output_curvature(b.problem, passes.h, b.Y) @ v[..., None])[..., 0]
        back = self.backward(b, passes.slopes, d)
        return [self.mean_outer(d, a) for d, a in zip(back, passes.inputs, strict=True)]

    def hessian_product(self, b, V):
        """R{gradient}, by the R-operator forward and backward."""
        passes, (R, v) = self.passes(b), self.outputs_along(b, V)
        d = self.output_gradient(b.problem, passes.h, b.Y)
        Rd = (self.output_hessian(b.problem, passes.h, b.Y) @ v[..., None])[..., 0]
        product = []
        for l in range(len(b.weights) - 1, -1, -1):
            product.insert(0, self.mean_outer(Rd, passes.inputs[l]) + self.mean_outer(d, R[l]))
            if l > 0:
                Rh = passes.inputs[l - 1] @ V[l - 1].T + R[l - 1] @ b.weights[l - 1].T
                W, to_a = self.kernel(b, l), d @ self.kernel(b, l)
                Rd = (Rd @ W + d @ V[l][:, :-1]) * passes.slopes[l - 1] + to_a * passes.bends[l - 1] * Rh
                d = to_a * passes.slopes[l - 1]
        return product
