"""Conformance kit: any implementation of Botev, Ritter and Barber (2017), compared with the reference.

Questions and right answers

* problems:       networks with weights and a batch, and their JSON format
* quantities:     quantities that the paper defines on a problem, each with its equation
* oracle:         the reference's answer to a question, which is a quantity on a problem
* tolerances:     the tolerance rule
* problem_sets:   sets of problems that are chosen by values and tolerances
* changes:        the d of the rule, in the arithmetic of `arithmetic`
* batched:        values of a large problem by products over the whole batch
* known_oracles:  the oracles that ship with the kit, written by `fixed_oracles` for the code of `numerics`
* certified:      the accuracy of the reference itself, by ball arithmetic

Implementations

* adapters:       the protocol of an adapter, and the adapters that ship with the kit
* implementation: an adapter with its description
* opening:        functions that open the implementations of a run
* inputs:         the copies of a problem that adapters get
* per_problem:    values that are computed once per problem

Running

* judging:        the comparison of one answer with the oracle
* runner:         all questions to all implementations
* parallel:       a run in several processes, which are those of `pools`
* orders:         the questions in other orders
* questions:      their choice, with problems of `relatives` and the tolerances of `rough`
* causes:         the question that makes an answer wrong
* diagnosis:      the mistake behind wrong answers

Results

* verdicts:       the verdict on one answer
* expected:       expected failures
* results:        cells, rows and reports
* reports:        a report as a table, as lines of JSON or as a page
* golden:         golden vectors, whose files are in `vectors`
* equations:      the paper's equations, printed
* cli:            the command `kfgn-check`, with the options of `options`
"""

from .adapters import Adapter, Conventions, Description, UnsupportedError
from .judging import judge
from .problems.layers import Dense
from .problems.problem import Problem
from .quantities import QUANTITIES, Quantity
from .verdicts import Status, Verdict

__all__ = [
    "QUANTITIES",
    "Adapter",
    "Conventions",
    "Dense",
    "Description",
    "Problem",
    "Quantity",
    "Status",
    "UnsupportedError",
    "Verdict",
    "judge",
]
