"""The cases distinguish every method, objective and transfer function, so no mistake is found by chance only."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, Status
from kfgn_conformance.adapters.kfgn_port import KfgnPort, open_target
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.judging import judged
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problem_sets.standard import problem_set
from kfgn_conformance.problems.cases import (
    ADDED,
    DATAPOINTS,
    LABELS,
    MIXTURE_WIDTHS,
    PAIRED,
    SPLITS,
    WIDTHS,
    added_cases,
    cases,
)
from kfgn_conformance.problems.problem import root_columns
from kfgn_reference import OBJECTIVES, TRANSFERS

from kfgn._network import transfers as port_transfers

CURVED = ("logistic", "softplus", "tanh")


def failed(quantity):
    """The cases on which the port, as it is now, does not pass."""
    port = Implementation("", KfgnPort(open_target("numpy"), "float64"))
    return {p.id for p in cases() if judged(port, oracle(p, quantity)).verdict.status is not Status.PASS}


@cache
def oracle(problem, quantity):
    return Oracle(problem, QUANTITIES[quantity])


def apart(problem, quantity, others):
    """The largest distance of other arrays from the quantity, in tolerances of float64."""
    right = oracle(problem, quantity)
    pairs, allowed = zip(right.arrays, others, strict=True), right.tolerances("float64")
    return max(np.max(np.abs(a - b)) / t for (a, b), t in zip(pairs, allowed, strict=True))


def test_every_objective_meets_every_transfer_function():
    assert {(p.objective, p.transfers[0]) for p in cases()} == {(o, t) for o in OBJECTIVES for t in PAIRED}
    assert {(p.objective, p.psd, p.transfers[0]) for p in cases()} == {(*s, t) for s in SPLITS for t in PAIRED}
    assert {p.transfers[1] for p in cases()} == set(PAIRED)
    assert len(cases()) == len(SPLITS) * len(PAIRED) == 30


def test_every_objective_meets_every_added_transfer_function():
    """A network with one of them has no other, so that an implementation of one function is asked."""
    assert {(p.objective, p.psd, *p.transfers) for p in added_cases()} == {(*s, t, t) for s in SPLITS for t in ADDED}
    assert {*PAIRED, *ADDED} == set(TRANSFERS)
    assert [p.id for p in problem_set(0, 0) if p in added_cases()] == [f"case-categorical-{t}" for t in ADDED]


def pytest_generate_tests(metafunc):
    """Parametrise by the added cases: by one of each objective that differ in their function, or by all of them.

    The tolerances of such a case take seconds. `check` has those of the categorical objective.
    """
    if "added" in metafunc.fixturenames:
        each = [problem for i, problem in enumerate(added_cases()) if i % len(ADDED) == i // len(ADDED) % len(ADDED)]
        chosen = added_cases() if metafunc.config.getoption("--thorough") else each
        metafunc.parametrize("added", chosen, ids=lambda p: p.id)


def test_the_port_passes_the_added_cases(added):
    """The first datapoints of a case show its functions, and the time for its tolerances grows with their number."""
    port, few = Implementation("", KfgnPort(open_target("numpy"), "float64")), added.head(4)
    verdicts = {q: judged(port, Oracle(few, QUANTITIES[q])).verdict for q in SHOWING}
    assert {q: v for q, v in verdicts.items() if v.status is not Status.PASS} == {}


SHOWING = ("loss", "gradient", "hessian_blocks", "kflr", "kfra", "kfac", "hessian_product", "step_size")


def test_both_replacements_for_an_indefinite_hessian_are_used():
    assert sorted(SPLITS) == [
        ("bernoulli", "project"),
        ("categorical", "project"),
        ("mixture", "project"),
        ("mixture", "scalar"),
        ("squared_error", "project"),
    ]


def test_an_id_states_objective_replacement_and_transfer_function():
    """The replacement for H_L is in the id unless it is the default."""
    ids = {f"case-{o}{'-scalar' if psd == 'scalar' else ''}-{t}" for o, psd in SPLITS for t in PAIRED}
    assert {p.id for p in cases()} == ids
    assert len(ids) == len(cases())
    for p in cases():
        assert p.id.startswith(f"case-{p.objective}-")
        assert p.id.endswith(f"-{p.transfers[0]}")
        assert ("scalar" in p.id) == (p.psd == "scalar")


def test_no_two_sizes_are_equal():
    for widths in (WIDTHS, MIXTURE_WIDTHS):
        assert len({*widths, DATAPOINTS, LABELS}) == len(widths) + 2
    for p in cases():
        assert p.widths == (MIXTURE_WIDTHS if p.objective == "mixture" else WIDTHS)
        assert (len(p.X), *p.labels.shape[:2], *p.arguments.projections.shape[:2]) == (13, 13, 17, 13, 17)
        assert p.arguments.projections.shape[2] == root_columns(p.objective, p.psd, p.widths[-1])


def test_a_layer_is_narrower_than_the_last_except_for_the_mixture():
    """KFLR restarts its recursion there. The three outputs of the mixture are too few for that."""
    assert min(WIDTHS[1:-1]) < WIDTHS[-1]
    assert MIXTURE_WIDTHS[-1] == 3 < min(MIXTURE_WIDTHS[:-1])


def test_dampings_and_their_sums_differ():
    """So an answer with tau instead of gamma, or with either instead of eta, is wrong."""
    for p in cases():
        tau, gamma, eta = float(p.arguments.tau), float(p.arguments.gamma), float(p.arguments.eta)
        assert len({tau, gamma, eta, tau + eta, gamma + eta, tau + gamma, 0.0}) == 7


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_every_case_tells_something_of_every_quantity(quantity):
    assert [p.id for p in cases() if not oracle(p, quantity).is_conclusive] == []


def test_kfra_differs_from_kflr():
    """The G of the first layer differs by more than 1 % on at least a third of the cases."""
    apart = 0
    for problem in cases():
        kflr, kfra = (oracle(problem, name).arrays[0] for name in ("kflr", "kfra"))
        apart += np.max(np.abs(kflr - kfra)) > 0.01 * np.max(np.abs(kflr))
    assert apart >= len(cases()) / 3


@pytest.mark.parametrize("transfer", PAIRED)
def test_the_replacements_for_an_indefinite_hessian_differ(transfer):
    """Each quantity that uses the replacement differs. The Hessian and KFAC do not use it."""
    for psd, other in (("project", "scalar"), ("scalar", "project")):
        (p,) = (p for p in cases() if (p.objective, p.psd, p.transfers[0]) == ("mixture", psd, transfer))
        there = replace(p, psd=other)
        for name in ("preactivation_gauss_newton", "gauss_newton_blocks", "kflr", "kfra", "curvature_along"):
            assert apart(p, name, QUANTITIES[name].oracle(there)) > 1e6, name
        for name in ("preactivation_hessians", "hessian_blocks", "hessian_product", "kfac"):
            assert apart(p, name, QUANTITIES[name].oracle(there)) < 1, name


def test_an_indefinite_hessian_differs_from_its_replacement():
    """At the outputs the two matrices differ only for the mixture, and there they differ at every datapoint."""
    for p in cases():
        H, G = (oracle(p, name).arrays[-1] for name in ("preactivation_hessians", "preactivation_gauss_newton"))
        differ = [np.max(np.abs(H_n - G_n)) > 1e-3 * np.max(np.abs(H_n)) for H_n, G_n in zip(H, G, strict=True)]
        assert all(differ) if p.objective == "mixture" else np.array_equal(H, G)


@pytest.mark.parametrize(
    ("quantity", "other"),
    [
        ("gauss_newton_product", "gauss_newton_block_product"),
        ("hessian_product", "hessian_block_product"),
        ("solve_trace", "solve_frobenius"),
        ("solve_frobenius", "solve_spectral"),
        ("solve_spectral", "solve_exact"),
        ("solve_exact", "block_conjugate_gradients"),
        ("conjugate_gradients", "block_conjugate_gradients"),
        ("logdet_trace", "logdet_exact"),
        ("kflr", "kfac"),
        ("kflr", "rp"),
    ],
)
def test_methods_are_told_apart(quantity, other):
    """By a thousand tolerances, on every case."""
    near = [p.id for p in cases() if apart(p, quantity, oracle(p, other).arrays) < 1e3]
    assert near == []


@pytest.mark.parametrize("part", ["blocks", "block_product"])
def test_the_hessian_is_told_from_the_gauss_newton_matrix(part):
    """But where nothing curves and H_L is positive semi-definite: there they are one matrix."""
    near = {p.id for p in cases() if apart(p, f"hessian_{part}", oracle(p, f"gauss_newton_{part}").arrays) < 1e3}
    assert near == {p.id for p in cases() if p.objective != "mixture" and not {*CURVED} & {*p.transfers}}
    assert near


@pytest.mark.parametrize("transfer", ADDED)
def test_a_wrong_derivative_of_an_added_function_fails(monkeypatch, transfer):
    right = port_transfers.TRANSFERS[transfer]

    def wrong(xp, h):
        a, derivative = right.value_and_derivative(xp, h)
        return a, derivative * (1 + 1e-9)

    (problem,) = (p for p in added_cases() if p.id == f"case-categorical-{transfer}")
    port = Implementation("", KfgnPort(open_target("numpy"), "float64"))
    monkeypatch.setitem(port_transfers.TRANSFERS, transfer, right._replace(value_and_derivative=wrong))
    for quantity in ("gradient", "kflr", "kfra"):
        assert judged(port, oracle(problem, quantity)).verdict.status is not Status.PASS, quantity
    wrong_second = right._replace(second_derivative=lambda xp, h: -right.second_derivative(xp, h))
    monkeypatch.setitem(port_transfers.TRANSFERS, transfer, wrong_second)
    assert judged(port, oracle(problem, "hessian_product")).verdict.status is Status.FAIL
    assert judged(port, oracle(problem, "kflr")).verdict.status is Status.PASS


@pytest.mark.parametrize("transfer", CURVED)
def test_a_wrong_second_derivative_fails(monkeypatch, transfer):
    right = port_transfers.TRANSFERS[transfer]
    wrong = right._replace(second_derivative=lambda xp, h: -right.second_derivative(xp, h))
    monkeypatch.setitem(port_transfers.TRANSFERS, transfer, wrong)
    assert (
        failed("preactivation_hessians")
        == failed("hessian_blocks")
        == {p.id for p in cases() if transfer in p.transfers}
    )
    assert failed("kflr") == set()


@pytest.mark.parametrize("transfer", PAIRED)
def test_a_wrong_derivative_fails(monkeypatch, transfer):
    right = port_transfers.TRANSFERS[transfer]

    def wrong(xp, h):
        a, slope = right.value_and_derivative(xp, h)
        return a, slope * (1 + 1e-9)

    monkeypatch.setitem(port_transfers.TRANSFERS, transfer, right._replace(value_and_derivative=wrong))
    for quantity in ("gradient", "kflr", "kfra", "kfac", "gauss_newton_blocks", "hessian_blocks"):
        assert failed(quantity) == {p.id for p in cases() if transfer in p.transfers}, quantity
