"""The quantities that a mistake changes, in the page of the catalogue."""

from itertools import groupby

import pytest
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.quantities import QUANTITIES

from .extensions import extension

EFFECTS = extension("mistake_effects")

OF_EACH_FAMILY = [next(of) for _, of in groupby(MISTAKES.values(), lambda mistake: mistake.family)]


def changed(name):
    return list(EFFECTS.changed(MISTAKES[name]))


@pytest.mark.parametrize(
    ("name", "quantities"),
    [
        ("traces-added", ["kronecker_trace"]),
        ("labels-of-the-data", ["kfac", "kfac_blocks", "optimiser_step"]),
        ("gauss-newton-for-hessian", [name for name in QUANTITIES if "hessian" in name]),
        ("tau-kept", ["optimiser_step"]),
        ("model-without-momentum", ["optimiser_step"]),  # a few steps of one trajectory
    ],
)
def test_the_quantities_that_a_mistake_changes(name, quantities):
    assert changed(name) == quantities


def test_a_mistake_that_only_layers_of_equal_widths_show_changes_the_gradient():
    assert "gradient" in changed("weights-of-the-layer-above")
    assert "loss" not in changed("weights-of-the-layer-above")


@pytest.mark.parametrize("mistake", OF_EACH_FAMILY, ids=lambda mistake: mistake.family)
def test_a_mistake_of_each_family_changes_something(mistake):
    assert changed(mistake.name)


def test_the_formulas_without_a_mistake_change_nothing():
    assert changed_by_the_textbook() == []


def changed_by_the_textbook():
    """The quantities of a mistake that overrides every used step with the step itself."""
    mistake = MISTAKES["slope-twice"]
    same = type("Same", (mistake.textbook.__base__,), {"derivative": mistake.textbook.__base__.derivative})
    return list(EFFECTS.changed(mistake._replace(textbook=same)))
