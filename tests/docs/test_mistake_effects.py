"""The quantities that a mistake changes, in the page of the catalogue."""

from functools import cache
from itertools import groupby

import pytest
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.quantities import QUANTITIES, ROWS

from .extensions import extension

EFFECTS = extension("mistake_effects")

OF_EACH_FAMILY = [next(of) for _, of in groupby(MISTAKES.values(), lambda mistake: mistake.family)]


@pytest.fixture(autouse=True, scope="module", params=["quarter", pytest.param("all", marks=pytest.mark.thorough)])
def problems(request):
    """A quarter of the problems of networks without positions. The page of the catalogue is made from all of them."""
    every, step = EFFECTS.problems_of, {"quarter": 4, "all": 1}[request.param]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            EFFECTS, "problems_of", cache(lambda quantity: every(quantity)[:: step if plain(quantity) else 1])
        )
        yield


def plain(quantity):
    return not (ROWS[quantity].of_trajectories or ROWS[quantity].of_shared_weights)


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
    assert next(EFFECTS.changed(mistake), None) is not None


def test_the_formulas_without_a_mistake_change_nothing():
    assert changed_by_the_textbook() == []


def changed_by_the_textbook():
    """The quantities of a mistake that overrides every used step with the step itself."""
    mistake = MISTAKES["slope-twice"]
    same = type("Same", (mistake.textbook.__base__,), {"derivative": mistake.textbook.__base__.derivative})
    return list(EFFECTS.changed(mistake._replace(textbook=same)))
