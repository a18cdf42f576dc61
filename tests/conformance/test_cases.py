"""What the cases can tell apart: they are there so that no mistake depends on the draw."""

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, Status, judge
from kfgn_conformance.adapters.kfgn_port import KfgnPort, open_target
from kfgn_conformance.cases import DATAPOINTS, LABELS, WIDTHS, cases
from kfgn_conformance.tolerances import telling, truth
from kfgn_reference import OBJECTIVES, TRANSFERS

import kfgn
import kfgn.transfers

CURVED = ("logistic", "softplus", "tanh")


def failed(quantity):
    """The cases on which the port, as it is now, does not pass."""
    port = KfgnPort(open_target("numpy"), "float64")
    return {p.id for p in cases() if judge(port, p, QUANTITIES[quantity]).status is not Status.PASS}


def test_every_objective_meets_every_transfer_function():
    assert {(p.objective, p.transfers[0]) for p in cases()} == {(o, t) for o in OBJECTIVES for t in TRANSFERS}
    assert {p.transfers[1] for p in cases()} == set(TRANSFERS)


def test_no_two_sizes_are_equal():
    assert len({*WIDTHS, DATAPOINTS, LABELS}) == len(WIDTHS) + 2


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_every_case_tells_something_of_every_quantity(quantity):
    assert [p.id for p in cases() if not telling(p, QUANTITIES[quantity])] == []


def test_kfra_is_told_from_kflr():
    """By more than 1 % in the first layer, wherever both hidden layers are not linear."""
    apart = 0
    for problem in cases():
        kflr, kfra = (truth(problem, QUANTITIES[name]).arrays[0] for name in ("kflr", "kfra"))
        apart += np.max(np.abs(kflr - kfra)) > 0.01 * np.max(np.abs(kflr))
    assert apart >= len(cases()) / 3


@pytest.mark.parametrize("transfer", CURVED)
def test_a_wrong_second_derivative_is_seen(monkeypatch, transfer):
    right = kfgn.transfers.TRANSFERS[transfer]
    wrong = right._replace(second=lambda xp, h: -right.second(xp, h))
    monkeypatch.setitem(kfgn.transfers.TRANSFERS, transfer, wrong)
    assert (
        failed("preactivation_hessians")
        == failed("hessian_blocks")
        == {p.id for p in cases() if transfer in p.transfers}
    )
    assert failed("kflr") == set()


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_a_wrong_slope_is_seen(monkeypatch, transfer):
    right = kfgn.transfers.TRANSFERS[transfer]

    def wrong(xp, h):
        a, slope = right.value_and_slope(xp, h)
        return a, slope * (1 + 1e-9)

    monkeypatch.setitem(kfgn.transfers.TRANSFERS, transfer, right._replace(value_and_slope=wrong))
    for quantity in ("gradient", "kflr", "kfra", "kfac", "gauss_newton_blocks", "hessian_blocks"):
        assert failed(quantity) == {p.id for p in cases() if transfer in p.transfers}, quantity
