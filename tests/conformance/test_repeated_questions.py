"""A right answer of an adapter is computed a second time at once, except on a large problem, where it takes long."""

from collections import Counter

from kfgn_conformance import QUANTITIES, Description
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.oracle import Oracles
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.real import REAL_PROBLEMS
from kfgn_conformance.runner import row
from kfgn_conformance.verdicts import Status


class Counts:
    """The reference's loss, which is wrong the second time on the problem `spoilt`."""

    def __init__(self, spoilt=""):
        self.spoilt, self.calls = spoilt, Counter()

    def describe(self):
        return Description("counts", "1", "float64", {"loss"})

    def compute(self, problem, quantity):
        self.calls[problem.id] += 1
        (loss,) = QUANTITIES[quantity].value(problem)
        return (loss * self.calls[problem.id] if problem.id == self.spoilt else loss,)


SMALL, LARGE = cases()[0], REAL_PROBLEMS["autoencoder"]()


def verdicts(adapter, **options):
    (cell,) = row("loss", [Implementation("", adapter, **options)], [SMALL, LARGE], Oracles()).cells
    return [verdict.status for verdict in cell.verdicts]


def test_a_large_problem_is_not_repeated():
    adapter = Counts()
    assert verdicts(adapter, twice=True) == [Status.PASS, Status.PASS]
    assert adapter.calls == {SMALL.id: 2, LARGE.id: 1}


def test_a_wrong_second_answer_on_a_small_problem_is_found():
    assert verdicts(Counts(SMALL.id), twice=True) == [Status.FAIL, Status.PASS]
    assert verdicts(Counts(SMALL.id)) == [Status.PASS, Status.PASS]
