"""A report of a right, a wrong and an unusable implementation, for the tests of reports."""

import json
from functools import cache

from kfgn_conformance.adapters import Conventions, Description
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.diagnosis.textbook import Textbook
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.reports import records
from kfgn_conformance.reports.json_lines import UNFINISHED
from kfgn_conformance.runner import run

CASES = [p for p in cases() if p.transfers[0] == "tanh" and p.objective != "mixture"]


class Answers:
    """The answers of a textbook, as means or as sums over the datapoints."""

    def __init__(self, name, textbook, reduction="mean"):
        self.name, self.textbook, self.reduction = name, textbook, reduction

    def describe(self):
        quantities = frozenset({"gradient", "q", "kfra"})
        return Description(
            self.name, "1 < 2", "float64", quantities, {"flag": "on"}, Conventions(reduction=self.reduction)
        )

    def compute(self, problem, quantity):
        factor = problem.N if self.reduction == "sum" and quantity != "q" else 1
        return tuple(factor * array for array in self.textbook(problem).answer(quantity))


@cache
def report():
    wrong = MISTAKES["kflr-for-kfra"].textbook
    implementations = [
        Implementation("right", Answers("right", Textbook, "sum")),
        Implementation("<b>wrong</b>", Answers("<b>wrong</b>", wrong)),
        Implementation("absent", reason="it is not installed"),
    ]
    return run(implementations, CASES)


def unfinished(file):
    """Write a report of a run that was interrupted after its last row, and return the lines."""
    run_, cells = records(report())
    lines = [json.dumps(line) for line in (run_ | {"notes": [UNFINISHED]}, *cells)]
    file.write_text("".join(f"{line}\n" for line in lines))
    return lines
