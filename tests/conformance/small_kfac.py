"""A small K-FAC and its adapter, as an implementer would write them: sums over the batch, and separate biases."""

import numpy as np
from kfgn_conformance.adapters import Conventions, Description, UnsupportedError


class SmallKfac:
    def __init__(self, dtype):
        self.dtype = dtype

    def describe(self):
        conventions = Conventions(reduction="sum", stacking="rows", bias="separate")
        return Description("small", "1.0", self.dtype, frozenset({"gradient", "kfac_blocks"}), conventions=conventions)

    def compute(self, problem, quantity):
        if problem.objective != "squared_error" or set(problem.transfers) - {"tanh", "identity"}:
            raise UnsupportedError("only tanh or identity units, and the squared error")
        W = [W.astype(self.dtype) for W in problem.weights]
        a, N = [problem.X.astype(self.dtype)], problem.N
        for l in range(len(W)):
            h = a[-1] @ W[l][:, :-1].T + W[l][:, -1]
            a.append(np.tanh(h) if (*problem.transfers, None)[l] == "tanh" else h)
        labels = problem.Y[:, None] if quantity == "gradient" else problem.labels
        d, answer = a[-1][:, None] - labels.astype(self.dtype), []
        for l in reversed(range(len(W))):
            if quantity == "gradient":
                answer[:0] = [d[:, 0].T @ a[l], d[:, 0].sum(axis=0)]
            else:
                G = np.einsum("nsi,nsj->ij", d, d) / d.shape[1]
                answer[:0] = [np.kron(G, a[l].T @ a[l] / N), G]
            d = d @ W[l][:, :-1]
            if l > 0 and problem.transfers[l - 1] == "tanh":
                d = d * (1 - a[l] ** 2)[:, None]
        return tuple(answer)
