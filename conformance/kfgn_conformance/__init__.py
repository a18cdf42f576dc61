"""Conformance kit: any implementation of Botev, Ritter and Barber (2017), compared with the reference.

Questions and right answers

* problems:       problems, which are a network, its weights and a batch; their JSON format
* quantities:     the quantities that the paper defines on a problem, each with its equation
* oracle:         the reference's answer to a question, which is a quantity on a problem
* tolerances:     the tolerance rule; changes: its d; known_changes, fixed_changes: the d that ships with the kit
* arithmetic:     24-bit arithmetic that is the same on every processor, for d
* certified:      the accuracy of the reference itself, by ball arithmetic

Implementations

* adapters:       the protocol of an adapter, and the adapters that ship with the kit
* implementation: an adapter with its description; opening: the implementations of a run
* inputs:         the copies of a problem that adapters get; per_problem: values that are kept with a problem

Running

* judging:        the comparison of one answer with the oracle
* runner:         all questions to all implementations; parallel, pools: the same in several processes
* orders:         the questions in other orders; questions, relatives, rough: which ones; causes: of a wrong answer
* diagnosis:      the mistake behind wrong answers

Results

* verdicts:       the verdict on one answer
* results:        cells, rows and reports; expected: expected failures
* reports:        a report as a table, lines of JSON or a page
* golden:         golden vectors; vectors: their files
* equations:      the paper's equations, printed
* cli:            the command `kfgn-check`
"""

from .adapters import Adapter, Description
from .judging import judge
from .problems.problem import Layer, Problem
from .quantities import QUANTITIES, Quantity
from .verdicts import Status, Verdict

__all__ = ["QUANTITIES", "Adapter", "Description", "Layer", "Problem", "Quantity", "Status", "Verdict", "judge"]
