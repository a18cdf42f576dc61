"""Fifteen further mistakes in the same gaps, written before the problems that fill these were seen."""

from functools import partial

import numpy as np

from .adapter import Batched
from .mistakes_of_state import Remembering
from .registry import register

FURTHER = {}
"""By name, in the order of the gaps: saturation, batch sizes, momentum, state, shapes."""

further = partial(register, into=FURTHER)


# --- saturated units and outputs


@further("loss", dtypes=("float64",))
class LogClampedAt100(Batched):
    """The logarithms of the Bernoulli loss are at least -100, as those of PyTorch's BCELoss."""

    def bernoulli_losses(self, h, y):
        return y * np.minimum(self.softplus(-h), 100) + (1 - y) * np.minimum(self.softplus(h), 100)


@further("loss", "gradient", "kfra")
class LogitsClamped(Batched):
    """Logits beyond 15 are taken as 15 where probabilities are made of them."""

    def logistic(self, h):
        return super().logistic(np.clip(h, -15, 15))

    def exponentials(self, h):
        return np.exp(np.maximum(h - h.max(axis=-1, keepdims=True), -15))


@further("kflr")
class RootFloored(Batched):
    """The root of the softmax's Hessian takes the root of at least 1e-6, so that it can be divided by."""

    def output_root(self, problem, h, y):
        C = super().output_root(problem, h, y)
        if problem.objective != "categorical":
            return C
        p = self.softmax(h)[..., None, :]
        return C * np.sqrt(np.maximum(p, 1e-6) / np.maximum(p, np.finfo(p.dtype).tiny))


@further("loss")
class LogOfMixtureProbability(Batched):
    """The loss of the mixture is -log p, where p may be 0."""

    def mixture_losses(self, h, y):
        return -np.log(self.mixture_probability(h, 2 * y.astype(h.dtype) - 1))


@further("gradient", "kfra", "kflr")
class SlopeFloored(Batched):
    """The slope of a curved transfer function is at least 1e-5, so that no unit stops learning."""

    def transfer(self, name, h):
        f, slope, bend = super().transfer(name, h)
        return f, np.maximum(slope, 1e-5) if name in ("tanh", "logistic", "softplus") else slope, bend


# --- numbers of datapoints


@further("gradient", "q", "loss")
class IndexInAByte(Batched):
    """Datapoints are gathered by an index of one byte, so that the one after 256 is the first."""

    def batch(self, problem):
        b = super().batch(problem)
        rows = np.arange(len(b.X)) % 256
        return b._replace(X=b.X[rows], Y=b.Y[rows])


@further("q", "gradient")
class LastChunkOverlaps(Batched):
    """The last of several chunks of 64 is filled with datapoints that came before, which then count twice."""

    def mean_outer(self, u, v):
        starts = range(0, len(u), 64)
        rows = np.concatenate([np.arange(64) + min(start, len(u) - 64) for start in starts])
        return u[rows].T @ v[rows] / len(rows) if len(u) > 64 else super().mean_outer(u, v)


@further("loss", "kfra", "kfac")
class PairIsSumAndCount(Batched):
    """A pair of a sum and a count is accepted for a mean, so a batch of two datapoints is mistaken for a pair."""

    def mean(self, x):
        return x[0] / x[1] if len(x) == 2 else super().mean(x)


@further("kflr", "kfra")
class HalvesOfTwoDevices(Batched):
    """More than 64 datapoints are halved between two devices, and an odd one is lost."""

    def mean(self, x):
        if len(x) <= 64:
            return super().mean(x)
        half = len(x) // 2
        return (super().mean(x[:half]) + super().mean(x[half : 2 * half])) / 2


# --- momentum in rho


@further("optimiser_step")
class RhoLooksAhead(Batched):
    """rho is computed where momentum would carry the weights next: its part of the update is added twice."""

    def rho(self, b, g, tau, eta, f, step, update):
        ahead = [2 * u - s for u, s in zip(update, step, strict=True)]
        return super().rho(b, g, tau, eta, f, step, ahead)


# --- state


@further("gradient", "q", "kfra")
class KeptByNetwork(Batched):
    """The forward pass is kept by the network and the number of datapoints, whatever the weights and the batch."""

    def passes(self, b):
        p = b.problem
        key = (p.widths, p.transfers, p.objective, p.psd, p.N)
        if key not in self.kept:
            self.kept[key] = self.forward(p, b.weights, b.X)
        return self.kept[key]


@further("loss", "labels")
class SamplingLeavesProbabilities(Remembering):
    """Sampling labels turns the kept outputs into probabilities, where they are logits."""

    def sampled(self, problem, h, z):
        labels = super().sampled(problem, self.afresh(self.batch(problem)).h, z)
        if problem.objective == "bernoulli":
            h = self.kept[problem].h
            h[:] = self.logistic(h)
        return labels


# --- shapes


@further("kfra")
class TwoLayersByMeanSlopes(Batched):
    """In a network of two layers the slopes are averaged before their outer product is taken."""

    def kfra(self, b):
        top, slopes = super().kfra(b), self.passes(b).slopes
        if len(b.weights) != 2:
            return top
        mean = self.mean(slopes[0])
        return [self.recursion(self.kernel(b, 1), top[1], np.outer(mean, mean)), top[1]]


@further("hessian_product", "gradient")
class LinearNetworkHasNoSlopes(Batched):
    """A network of identities alone is taken as one layer: what comes back to every hidden layer is 0."""

    def forward(self, problem, weights, X):
        passes = super().forward(problem, weights, X)
        linear = set(problem.transfers) == {"identity"}
        return passes._replace(slopes=[0 * slope for slope in passes.slopes]) if linear else passes


@further("kfra", "gauss_newton_product")
class OneOutputIsScaledAway(Batched):
    """The second derivative at a single output is taken as 1, as if every loss of a number were squared."""

    def output_curvature(self, problem, h, y):
        H = super().output_curvature(problem, h, y)
        return np.ones_like(H) if H.shape[-1] == 1 else H
