"""Mistakes in the gaps of the fixed problems: saturation, batch sizes, momentum.

Each overrides one step, and its docstring says what is wrong.
"""

from functools import partial

import numpy as np

from .adapter import Batched
from .registry import register

MISTAKES = {}
"""By name, in the order of the gaps: saturation, batch sizes, momentum."""

planted = partial(register, into=MISTAKES)


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
