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

from .saturated_formulas import (
    EpsilonInLogarithm,
    LogisticByGrowingExponential,
    LossUnguarded,
    MixtureByGrowingExponentials,
    MixtureClipped,
    Natural,
    ProbabilitiesClipped,
    SoftmaxWithoutMaximum,
    SoftplusLinearAbove20,
    SoftplusUnguarded,
    TanhByExponentials,
)

BY_ID = {problem.id: problem for problem in fixed()}

oracle = cache(Oracle)


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


@pytest.mark.parametrize("name", BY_ID)
def test_formulas_that_lose_digits_where_units_saturate_pass_too(name):
    """Every quantity of every fixed problem, in either dtype."""
    problem = BY_ID[name]
    for dtype in problem.dtypes:
        verdicts = [verdict(Natural, problem, quantity, dtype) for quantity in QUANTITIES]
        assert [v for v in verdicts if v.status is not Status.PASS] == []


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
