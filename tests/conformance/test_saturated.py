"""Saturated outputs and hidden units: their sizes, the formulas that pass there, and those that fail."""

from functools import cache

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, Status
from kfgn_conformance.adapters.kfgn_port import DTYPES
from kfgn_conformance.diagnosis.textbook import Textbook
from kfgn_conformance.judging import compare
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.fixed import SATURATED, fixed
from kfgn_reference import TRANSFERS, Transfer
from kfgn_reference._objectives import softmax
from kfgn_reference._transfers import logistic, softplus

BY_ID = {problem.id: problem for problem in fixed()}

oracle = cache(Oracle)


class InDtype(Textbook):
    """A textbook whose exponentials are computed in a dtype, where they overflow or round."""

    dtype = "float64"

    def narrow(self, h):
        """The array in the dtype of the exponentials."""
        return h.astype(self.dtype)


def verdict(textbook, problem, quantity, dtype):
    """The verdict on the answers of a textbook."""
    with np.errstate(all="ignore"):
        arrays = type("", (textbook,), {"dtype": dtype})(problem).answer(quantity)
    arrays = tuple(a if a.dtype.kind in "iu" else a.astype(dtype) for a in arrays)
    return compare(arrays, oracle(problem, QUANTITIES[quantity]), dtype).verdict


def outputs(problem):
    """h_L of every datapoint."""
    textbook = Textbook(problem)
    return textbook.h[textbook.L]


@pytest.mark.parametrize("name", [name for name in SATURATED if "units" not in name])
def test_outputs_are_saturated(name):
    """Outputs are near +-30 at every datapoint, or near +-90 or +-800 at two datapoints and ordinary at the others."""
    size, h = int(name.split("-")[1]), np.abs(outputs(BY_ID[name]))
    saturated, ordinary = (h, h[:0]) if size == 30 else (h[:2], h[2:])
    assert np.all(abs(saturated - size) < 8)
    assert np.all(ordinary < 8)
    assert BY_ID[name].dtypes == (("float64",) if size == 800 else DTYPES)
    if "bernoulli" not in name:
        assert {-1.0, 1.0} <= set(np.sign(outputs(BY_ID[name])[:2]).ravel())


@pytest.mark.parametrize("name", [name for name in SATURATED if "units" in name])
def test_hidden_units_are_saturated_next_to_ordinary_ones(name):
    _, _, size, transfer, _ = name.split("-")
    h = Textbook(BY_ID[name]).h[1]
    assert BY_ID[name].transfers == (transfer,)
    assert np.all((np.abs(h[:, :2]) > 20) & (np.abs(h[:, :2]) < 35))
    assert np.all(abs(np.abs(h[:, 2:4]) - int(size)) < 4)
    assert np.all(np.abs(h[:, 4:]) < 5)
    assert {-1.0, 1.0} == set(np.sign(h[0, :2])) == set(np.sign(h[0, 2:4]))


def test_every_objective_of_logits_and_every_curved_transfer_function_saturates():
    for size in (90, 800):
        for objective in ("bernoulli", "categorical", "mixture", "mixture-scalar"):
            assert f"saturated-{size}-{objective}" in SATURATED
        for transfer in ("logistic", "softplus", "tanh"):
            assert f"saturated-units-{size}-{transfer}-squared_error" in SATURATED


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


@pytest.mark.parametrize("name", BY_ID)
def test_formulas_that_lose_digits_where_units_saturate_pass_too(name):
    """Every quantity of every fixed problem, in either dtype."""
    problem = BY_ID[name]
    for dtype in problem.dtypes:
        verdicts = [verdict(Natural, problem, quantity, dtype) for quantity in QUANTITIES]
        assert [v for v in verdicts if v.status is not Status.PASS] == []


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


F32, F64 = ("float32",), ("float64",)

PLANTED = {
    "softmax-without-maximum": (
        SoftmaxWithoutMaximum,
        "gradient",
        {"saturated-90-categorical": F32, "saturated-800-categorical": F64},
    ),
    "probabilities-clipped": (ProbabilitiesClipped, "kflr", {"saturated-30-bernoulli": DTYPES}),
    "probabilities-clipped-kfra": (ProbabilitiesClipped, "kfra", {"saturated-30-bernoulli": DTYPES}),
    "epsilon-in-logarithm": (EpsilonInLogarithm, "loss", {"saturated-30-categorical": DTYPES}),
    "loss-unguarded": (LossUnguarded, "loss", {"saturated-90-bernoulli": F32, "saturated-800-bernoulli": F64}),
    "mixture-clipped": (MixtureClipped, "loss", {"saturated-30-mixture-scalar": DTYPES}),
    "mixture-by-growing-exponentials": (
        MixtureByGrowingExponentials,
        "loss",
        {
            f"saturated-{size}-mixture{psd}": dtypes
            for size, dtypes in ((90, F32), (800, F64))
            for psd in ("", "-scalar")
        },
    ),
    "softplus-unguarded": (
        SoftplusUnguarded,
        "q",
        {"saturated-units-90-softplus-squared_error": F32, "saturated-units-800-softplus-squared_error": F64},
    ),
    "softplus-linear-above-20": (SoftplusLinearAbove20, "q", {"saturated-units-90-softplus-squared_error": F64}),
    "softplus-linear-in-loss": (SoftplusLinearAbove20, "loss", {"saturated-units-90-softplus-squared_error": F64}),
    "tanh-by-exponentials": (
        TanhByExponentials,
        "q",
        {"saturated-units-90-tanh-squared_error": F32, "saturated-units-800-tanh-squared_error": F64},
    ),
    "logistic-by-growing-exponential": (
        LogisticByGrowingExponential,
        "gradient",
        {"saturated-units-90-logistic-squared_error": F32, "saturated-units-800-logistic-squared_error": F64},
    ),
}
"""A mistake, a quantity that detects it, and the problems and dtypes that do."""


@pytest.mark.parametrize("name", PLANTED)
def test_a_mistake_that_every_case_passes_fails_where_outputs_or_units_are_saturated(name):
    mistake, quantity, on = PLANTED[name]
    for dtype in DTYPES:
        assert {verdict(mistake, problem, quantity, dtype).status for problem in cases()} == {Status.PASS}
    for problem, dtypes in on.items():
        for dtype in dtypes:
            assert verdict(mistake, BY_ID[problem], quantity, dtype).status is Status.FAIL, (problem, dtype)


def test_every_saturated_problem_detects_a_mistake():
    assert {problem for _, _, on in PLANTED.values() for problem in on} == set(SATURATED)
