"""Formulas where outputs or units are saturated: those of most libraries, which pass, and those that fail."""

import numpy as np
from kfgn_conformance.diagnosis.textbook import Textbook
from kfgn_reference import TRANSFERS, Transfer
from kfgn_reference._objectives import softmax
from kfgn_reference._transfers import logistic, softplus


class InDtype(Textbook):
    """A textbook whose exponentials are computed in a dtype, where they overflow or round."""

    dtype = "float64"

    def narrow(self, h):
        """The array in the dtype of the exponentials."""
        return h.astype(self.dtype)


def logistic_slope(h):
    """s (1 - s)."""
    s = logistic(h)
    return s * (1 - s)


def tanh_slope(h):
    """1 - tanh^2."""
    return 1 - np.tanh(h) ** 2


NATURAL = {
    **TRANSFERS,
    "tanh": Transfer(np.tanh, tanh_slope, lambda h: -2 * np.tanh(h) * tanh_slope(h)),
    "logistic": Transfer(logistic, logistic_slope, lambda h: logistic_slope(h) * (1 - 2 * logistic(h))),
    "softplus": Transfer(softplus, logistic, logistic_slope),
}


class Natural(InDtype):
    """Formulas of most libraries, which subtract nearly equal numbers: 1 - p, p - y, diag(p) - p p^T, 1 - tanh^2."""

    def transfer(self, l):
        name = self.problem.transfers[l - 1]
        return NATURAL[name] if isinstance(name, str) else super().transfer(l)

    def probabilities(self):
        h = self.narrow(self.h[self.L])
        return logistic(h) if self.problem.objective == "bernoulli" else np.stack([softmax(x) for x in h])

    def output_gradient(self, Y):
        if self.problem.objective == "bernoulli":
            return (self.probabilities() - np.stack(list(Y)).astype(self.dtype)).astype(np.float64)
        if self.problem.objective == "categorical":
            p = self.probabilities()
            return (p - np.eye(p.shape[1], dtype=self.dtype)[np.asarray(Y)]).astype(np.float64)
        return super().output_gradient(Y)

    def output_root(self):
        if self.problem.objective == "bernoulli":
            p = self.probabilities()
            return (np.sqrt(p * (1 - p))[:, :, None] * np.eye(p.shape[1], dtype=self.dtype)).astype(np.float64)
        if self.problem.objective == "categorical":
            p, root = self.probabilities(), np.sqrt(self.probabilities())
            diagonals = root[:, :, None] * np.eye(p.shape[1], dtype=self.dtype)
            return (diagonals - p[:, :, None] * root[:, None, :]).astype(np.float64)
        return super().output_root()


class SoftmaxWithoutMaximum(InDtype):
    """e^h / sum e^h without subtracting the maximum."""

    def probabilities(self):
        e = np.exp(self.narrow(self.h[self.L]))
        return (e / np.sum(e, axis=1, keepdims=True)).astype(np.float64)

    def output_gradient(self, Y):
        if self.problem.objective != "categorical":
            return super().output_gradient(Y)
        return self.probabilities() - np.eye(self.problem.widths[-1])[np.asarray(Y)]


class ProbabilitiesClipped(InDtype):
    """Probabilities of Bernoulli are kept within 1e-7 of 0 and 1."""

    def output_root(self):
        if self.problem.objective != "bernoulli":
            return super().output_root()
        p = np.clip(logistic(self.h[self.L]), 1e-7, 1 - 1e-7)
        return np.sqrt(p * (1 - p))[:, :, None] * np.eye(p.shape[1])


class EpsilonInLogarithm(InDtype):
    """-log(p_y + 1e-20) for the loss of softmax."""

    def loss(self):
        if self.problem.objective != "categorical":
            return super().loss()
        p = np.stack([softmax(h) for h in self.h[self.L]])
        return -np.mean(np.log(p[np.arange(self.N), self.problem.Y] + 1e-20))


class LossUnguarded(InDtype):
    """log(1 + e^h) in the loss of Bernoulli, without a guard against overflow."""

    def loss(self):
        if self.problem.objective != "bernoulli":
            return super().loss()
        h, y = self.narrow(self.h[self.L]), self.problem.Y
        return np.mean(np.sum(y * np.log(1 + np.exp(-h)) + (1 - y) * np.log(1 + np.exp(h)), axis=1), dtype=np.float64)


class MixtureClipped(InDtype):
    """-log(max(p, 1e-7)) for the loss of the mixture."""

    def probability(self):
        t = 2 * self.problem.Y - 1
        s, A, C = (self.logistic(self.narrow(h)) for h in (self.h[self.L] * np.stack([t**2, t, t], axis=1)).T)
        return s * A + (1 - s) * C

    def logistic(self, h):
        return logistic(h)

    def loss(self):
        if self.problem.objective != "mixture":
            return super().loss()
        return -np.mean(np.log(np.maximum(self.probability(), 1e-7)), dtype=np.float64)


class MixtureByGrowingExponentials(MixtureClipped):
    """The loss of the mixture with e^h / (1 + e^h), which overflows."""

    def logistic(self, h):
        return np.exp(h) / (1 + np.exp(h))


class TransferReplaced(InDtype):
    """A different formula for one transfer function."""

    name = ""

    def formula(self, h):
        raise NotImplementedError

    def transfer(self, l):
        right = super().transfer(l)
        return right._replace(f=self.formula) if self.problem.transfers[l - 1] == self.name else right


class SoftplusUnguarded(TransferReplaced):
    """log(1 + e^h) without a guard against overflow."""

    name = "softplus"

    def formula(self, h):
        return np.log1p(np.exp(self.narrow(h))).astype(np.float64)


class SoftplusLinearAbove20(TransferReplaced):
    """A softplus that is h above 20."""

    name = "softplus"

    def formula(self, h):
        return np.where(h > 20, h, softplus(h))


class TanhByExponentials(TransferReplaced):
    """(e^h - e^-h) / (e^h + e^-h), which overflows."""

    name = "tanh"

    def formula(self, h):
        up, down = np.exp(self.narrow(h)), np.exp(self.narrow(-h))
        return ((up - down) / (up + down)).astype(np.float64)


class LogisticByGrowingExponential(TransferReplaced):
    """e^h / (1 + e^h), which overflows."""

    name = "logistic"

    def formula(self, h):
        e = np.exp(self.narrow(h))
        return (e / (1 + e)).astype(np.float64)
