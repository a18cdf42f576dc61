"""Mistakes in the gaps of the fixed problems: state that is kept, and shapes. Each overrides one step."""

from functools import partial

import numpy as np

from .adapter import Batched
from .registry import register

OF_STATE = {}
"""By name, in the order of the gaps: state, shapes."""

planted = partial(register, into=OF_STATE)


# --- state


class Remembering(Batched):
    """No mistake: the passes of every problem are kept as long as the implementation lives."""

    def passes(self, b):
        if b.problem not in self.kept:
            self.kept[b.problem] = self.forward(b.problem, b.weights, b.X)
        return self.kept[b.problem]

    def afresh(self, b):
        """The passes, computed whatever is kept."""
        self.kept.pop(b.problem, None)
        return self.passes(b)


@planted("kfra", "solve_trace")
class DampingKept(Remembering):
    """The damped solve adds its damping to the kept factor, which is right when KFRA has not been asked since."""

    def kfra(self, b):
        return self.kept.setdefault(("kfra", b.problem), super().kfra(b))

    def solved(self, b, arguments):
        self.kept.pop(("kfra", b.problem), None)
        answer = super().solved(b, arguments)
        for G in self.kfra(b):
            G += self.real(arguments.gamma) * np.eye(len(G), dtype=self.dtype)
        return answer


@planted("gradient", "kfac")
class KfacLeavesItsGradient(Remembering):
    """KFAC writes the gradient at its first sample where the gradient of the batch is kept."""

    def kfac(self, b, labels):
        self.kept["d", b.problem] = self.output_gradient(b.problem, self.passes(b).h, labels[:, 0])
        return super().kfac(b, labels)

    def gradient(self, b):
        passes, kept = self.passes(b), ("d", b.problem)
        d = self.kept.setdefault(kept, self.output_gradient(b.problem, passes.h, b.Y))
        return [self.mean_outer(d, a) for d, a in zip(self.backward(b, passes.slopes, d), passes.inputs, strict=True)]


@planted("q", "hessian_product")
class UnitLostByTheProduct(Remembering):
    """The Hessian product uses the kept inputs as its buffer, and leaves 0 where the unit was."""

    def hessian_product(self, b, V):
        passes = self.afresh(b)
        product = super().hessian_product(b, V)
        for a in passes.inputs:
            a[:, -1] = 0
        return product


@planted("gradient")
class CountStopsAtTwo(Batched):
    """Answers to the same question are averaged, and their count never goes beyond two."""

    def gradient(self, b):
        total, count = self.kept.get(("gradient", b.problem), (0, 0))
        new = super().gradient(b)
        total, count = new if count == 0 else [t + g for t, g in zip(total, new, strict=True)], min(count + 1, 2)
        self.kept["gradient", b.problem] = (total, count)
        return [t / count for t in total]


@planted("gradient", "kfra", "hessian_product")
class SlopesKeptByName(Batched):
    """The derivatives of a transfer function are kept by its name and the layer's shape, within a pass."""

    def forward(self, problem, weights, X):
        self.kept["slopes"] = {}
        return super().forward(problem, weights, X)

    def transferred(self, names, l, h):
        a, *derivatives = super().transferred(names, l, h)
        return a, *self.kept["slopes"].setdefault((names[l], h.shape), derivatives)


# --- shapes


@planted("gradient", "kfra")
class SquareTransposed(Batched):
    """The weights of a square layer are transposed in the backward pass, where no shape shows it."""

    def kernel(self, b, l):
        W = super().kernel(b, l)
        return W.T if W.shape[0] == W.shape[1] else W


@planted("kfra", "kflr")
class OneLayerUnaveraged(Batched):
    """A network of one layer has the matrix of its first datapoint for the mean at the outputs."""

    def kfra(self, b):
        passes = self.passes(b)
        first = self.output_curvature(b.problem, passes.h, b.Y)[0]
        return super().kfra(b) if len(b.weights) > 1 else [first]

    def kflr(self, b):
        return super().kflr(b) if len(b.weights) > 1 else self.kfra(b)


@planted("kfra")
class ThreeLayersUnrolled(Batched):
    """The recursion of KFRA is written out for three layers, and the layers before them lack their slopes."""

    def kfra(self, b):
        G = super().kfra(b)
        for l in range(len(b.weights) - 4, -1, -1):
            G[l] = self.kernel(b, l + 1).T @ G[l + 1] @ self.kernel(b, l + 1)
        return G


@planted("kfra")
class OneUnitSqueezed(Batched):
    """The matrix of a layer of one unit is squeezed to a number, and the product below it is elementwise."""

    def recursion(self, W, G, slopes):
        return super().recursion(W, G, slopes) if len(G) > 1 else G * W * W * slopes


@planted("kfac")
class OneDatapointSqueezed(Batched):
    """The axis of a single datapoint is squeezed, so that its samples are averaged once more."""

    def mean_of_columns(self, B, samples):
        return super().mean_of_columns(B, samples) / (samples if len(B) == 1 else 1)


@planted("kfac")
class OneSampleIsTheLabel(Batched):
    """With one sample for each datapoint KFAC takes the labels of the batch."""

    def kfac(self, b, labels):
        return super().kfac(b, b.Y[:, None] if labels.shape[1] == 1 else labels)


@planted("kfra")
class DeadLayerDivided(Batched):
    """Each step of KFRA is scaled to trace 1 and back, which is 0 / 0 for a dead layer."""

    def recursion(self, W, G, slopes):
        below = super().recursion(W, G, slopes)
        return below / np.trace(below) * np.trace(below)


@planted("gradient", "q", "kfra")
class OneTransferFunctionIsTanh(Batched):
    """A network with one transfer function throughout takes 1 - a^2 for its slope, as if that were tanh."""

    def transferred(self, names, l, h):
        a, slope, bend = super().transferred(names, l, h)
        return a, 1 - a**2 if len(set(names)) == 1 and len(names) > 1 else slope, bend
