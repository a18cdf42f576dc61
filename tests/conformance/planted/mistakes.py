"""Thirty mistakes in the gaps of the fixed problems: each overrides one step, and its docstring says what is wrong."""

import numpy as np

from .adapter import Batched

MISTAKES = {}
"""By name, in the order of the gaps: saturation, batch sizes, momentum, state, shapes."""


def planted(*quantities, dtypes=("float32", "float64"), into=MISTAKES):
    """Register a mistake that shows in these quantities, and in these dtypes."""

    def register(mistake):
        mistake.asked, mistake.dtypes = quantities, dtypes
        into[mistake.__name__] = mistake
        return mistake

    return register


def chunks(x, size):
    return [x[i : i + size] for i in range(0, len(x), size)]


# --- saturated units and outputs


@planted("gradient", "kflr", "kfra")
class SoftmaxUnshifted(Batched):
    """The softmax divides exp(h) by its sum without subtracting the largest output, which overflows."""

    def exponentials(self, h):
        return np.exp(h)


@planted("loss", "q")
class SoftplusUnguarded(Batched):
    """softplus is log(1 + exp(h)) as it is written, which overflows."""

    def softplus(self, h):
        return np.log(1 + np.exp(h))

    def bernoulli_losses(self, h, y):
        return self.softplus(h) - y * h


@planted("loss", "gradient")
class ProbabilitiesClipped(Batched):
    """The probabilities of the Bernoulli objective are clipped to within 1e-7 of 0 and 1, as Keras does."""

    def clipped(self, h):
        return np.clip(self.logistic(h), 1e-7, 1 - 1e-7)

    def bernoulli_losses(self, h, y):
        p = self.clipped(h)
        return -y * np.log(p) - (1 - y) * np.log1p(-p)

    def output_gradient(self, problem, h, y):
        return self.clipped(h) - y if problem.objective == "bernoulli" else super().output_gradient(problem, h, y)


@planted("loss")
class EpsilonInLog(Batched):
    """The categorical loss is -log(p + 1e-30), so that it never becomes infinite."""

    def categorical_losses(self, h, y):
        return -np.log(self.at(self.softmax(h), y) + np.asarray(1e-30, h.dtype))


@planted("loss", "q", "gradient", dtypes=("float64",))
class SoftplusAbove20(Batched):
    """softplus(h) is h above 20, the default threshold of PyTorch."""

    def softplus(self, h):
        return np.where(h > 20, h, super().softplus(h))

    def bernoulli_losses(self, h, y):
        return np.where(h > 20, (1 - y) * h, super().bernoulli_losses(h, y))


@planted("gradient", "kfra", "q")
class LogisticOfExp(Batched):
    """The logistic function is exp(h) / (1 + exp(h)), which is infinity over infinity far above 0."""

    def logistic(self, h):
        return np.exp(h) / (1 + np.exp(h))


@planted("gradient", "q")
class TanhByExponentials(Batched):
    """tanh is (exp(h) - exp(-h)) / (exp(h) + exp(-h)), which is infinity over infinity far from 0."""

    def tanh(self, h):
        return (np.exp(h) - np.exp(-h)) / (np.exp(h) + np.exp(-h))


@planted("loss")
class LogOfSum(Batched):
    """The categorical loss takes the log of the sum of exp(h) without subtracting the largest output."""

    def categorical_losses(self, h, y):
        return np.log(np.exp(h).sum(axis=-1)) - self.at(h, y)


# --- numbers of datapoints


@planted("gradient", "q")
class MeanOfChunkMeans(Batched):
    """The mean over the batch is the mean of the means of its chunks of 32, whatever the size of the last."""

    def mean_outer(self, u, v):
        means = [a.T @ b / len(a) for a, b in zip(chunks(u, 32), chunks(v, 32), strict=True)]
        return sum(means) / len(means)


@planted("gradient", "q")
class ChunkLosesRemainder(Batched):
    """A batch larger than a chunk of 32 loses what does not fill its last chunk."""

    def mean_outer(self, u, v):
        n = len(u) // 32 * 32 or len(u)
        return u[:n].T @ v[:n] / n


@planted("kflr", "kfac")
class Above128(Batched):
    """Above 128 datapoints the curvature is that of the first 128, divided by N."""

    def mean_of_columns(self, B, samples):
        return super().mean_of_columns(B[:128], samples) * (min(len(B), 128) / len(B))


@planted("gradient", "q")
class LastChunkAsFull(Batched):
    """A sum over chunks of 64 is divided by 64 times their number, though the last of several is shorter."""

    def mean_outer(self, u, v):
        return u.T @ v / (len(u) if len(u) < 64 else 64 * len(chunks(u, 64)))


@planted("loss", "kfra", "kflr")
class CountInAByte(Batched):
    """The number of datapoints is counted in one byte, so that 257 are 1."""

    def mean(self, x):
        return x.sum(axis=0) / (len(x) % 256)


@planted("kfra")
class RecursionOfChunks(Batched):
    """The recursion of KFRA runs on each chunk of 100 datapoints, and its results are averaged."""

    def kfra(self, b):
        parts = zip(chunks(b.X, 100), chunks(b.Y, 100), strict=True)
        total = 0
        for X, Y in parts:
            self.kept["passes"] = (b.problem, self.forward(b.problem, b.weights, X))
            G = super().kfra(b._replace(X=X, Y=Y))
            total = [t + len(X) * g for t, g in zip(total or [0] * len(G), G, strict=True)]
        self.kept.pop("passes")
        return [t / len(b.X) for t in total]


# --- momentum in rho


@planted("optimiser_step")
class RhoWithoutMomentum(Batched):
    """rho compares the function and its model at alpha delta, without the part that momentum carries."""

    def rho(self, b, g, tau, eta, f, step, update):  # noqa: ARG002
        return super().rho(b, g, tau, eta, f, step, step)


@planted("optimiser_step")
class ModelWithoutMomentum(Batched):
    """The denominator of rho is the model's change by alpha delta, and its numerator that of the whole update."""

    def rho(self, b, g, tau, eta, f, step, update):
        return self.change(b, eta, f, update) / self.model_change(b, g, tau, eta, step)


@planted("optimiser_step")
class ChangeWithoutMomentum(Batched):
    """The numerator of rho is the function's change by alpha delta, and its denominator that of the whole update."""

    def rho(self, b, g, tau, eta, f, step, update):
        return self.change(b, eta, f, step) / self.model_change(b, g, tau, eta, update)


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
