"""A function that supports only some transfer functions or objectives is compared on enough problems."""

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, UnsupportedError, check
from kfgn_conformance.adapter_notes import further_for, with_notes_on_adapters
from kfgn_conformance.adapters import Description
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.diagnosis.mistake import right_formulas
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.fixed import fixed
from kfgn_conformance.problems.further import ENOUGH, further
from kfgn_conformance.problems.problem import exact
from kfgn_conformance.problems.shared_weights.fixed import shared_problems
from kfgn_conformance.quantities import ROWS
from kfgn_conformance.runner import run

pytestmark = pytest.mark.usefixtures("shared_oracles")

ALL = (*cases(), *fixed())


def supporting(transfers, objectives, answer=QUANTITIES["kfra"].value):
    def mine(problem):
        if set(problem.transfers) - set(transfers) or problem.objective not in objectives or not problem.transfers:
            raise UnsupportedError("only some networks")
        return answer(problem)

    return mine


@pytest.mark.parametrize("objectives", [("squared_error",), ("categorical",), ("bernoulli",), ("mixture",)])
@pytest.mark.parametrize("transfers", [("tanh",), ("relu", "tanh"), ("softplus",)])
def test_it_meets_enough_problems_and_the_text_has_their_number(transfers, objectives):
    result = check("kfra", supporting(transfers, objectives))
    (cell,) = result.report.cells
    few = [p for p in ALL if p.transfers and not set(p.transfers) - set(transfers) and p.objective in objectives]
    assert len(few) < ENOUGH
    text = " ".join(str(result).split())
    if few:
        assert result.passed
        assert cell.supported == ENOUGH
        assert result.added == ENOUGH - len(few)
        assert f"added: {result.added} problems with supported transfer functions and objectives" in text
        assert f"only some networks: {len(ALL) - len(few)} of {cell.total} problems: kfra" in text
    else:
        assert (cell.supported, result.added) == (0, 0)
        assert not result.passed


def test_an_error_on_them_alone_is_found():
    """The mistake is right on the seven fixed problems that the function supports."""

    def late(problem):
        named = MISTAKES["slope-twice"].textbook(problem).answer("kfra")
        return named if problem.id.startswith("further-") else QUANTITIES["kfra"].value(problem)

    mine = supporting(["tanh"], ["squared_error"], late)
    assert check("kfra", mine, problems=ALL).passed
    assert not check("kfra", mine).passed


def test_none_are_added_for_a_function_that_supports_enough_problems():
    result = check("q", QUANTITIES["q"].value)
    assert result.added == 0
    assert "added" not in str(result)


def test_none_are_added_to_given_problems():
    chosen = [problem for problem in ALL if problem.transfers == ("tanh",)][:2]
    result = check("q", QUANTITIES["q"].value, problems=chosen)
    assert result.report.problems == tuple(chosen)


def test_their_ids_and_numbers_are_distinct():
    """Each has the transfer functions and the objectives of the supported problems alone, in varied shapes."""
    supported = [p for p in ALL if p.id in ("throughout-tanh-categorical", "throughout-relu-categorical")]
    added = further(supported)
    assert len({p.id for p in (*added, *ALL)}) == len(added) + len(ALL)
    assert len(added) == ENOUGH - len(supported)
    assert {p.objective for p in added} == {"categorical"}
    assert {f for p in added for f in p.transfers} == {"tanh", "relu"}
    assert len({p.widths for p in added}) > 5
    assert all(exact(p) is p for p in added)
    assert not any(np.array_equal(a.X, b.X) for a in added for b in ALL if a.X.shape == b.X.shape)


class Takes:
    """A textbook that supports some quantities on some problems."""

    def __init__(self, quantities, ids):
        self.quantities, self.ids = frozenset(quantities), ids

    def describe(self):
        return Description("mine", "1", "float64", self.quantities)

    def compute(self, problem, quantity):
        if problem.id not in self.ids:
            raise UnsupportedError("only some problems")
        return right_formulas(ROWS[quantity])(problem).answer(quantity)


def supported_by(quantities, problems):
    """The report of a run of an adapter that supports only these problems."""
    adapter = Takes(quantities, {problem.id for problem in problems})
    return run([Implementation("mine", adapter)], [*cases()[:5], *shared_problems()], quantities=quantities)


def test_none_are_added_for_an_adapter_of_shared_weights_alone():
    """No quantity of such an adapter applies to the further problems."""
    report = supported_by(["shared_loss"], shared_problems()[:3])
    assert len(report.supported(0)[0]) == 3
    assert further_for(["mine"], report) == []


def test_problems_with_shared_weights_do_not_count_as_enough():
    report = supported_by(["loss", "shared_loss"], [*cases()[:2], *shared_problems()])
    assert len(report.supported(0)[0]) > ENOUGH
    added = further_for(["mine"], report)
    assert len(added) == ENOUGH - 2
    assert {problem.objective for problem in added} == {problem.objective for problem in cases()[:2]}
    assert "mine float64 supports only 2 problems of this run" in with_notes_on_adapters(report).notes


def test_none_are_added_without_a_hidden_layer():
    assert further([p for p in ALL if not p.transfers]) == []
    assert further([]) == []
