"""Conformance kit, which compares any implementation of Botev, Ritter and Barber (2017) with the reference.

Questions and right answers

* problems:       networks with weights and a batch, and their JSON format
* quantities:     quantities that the paper defines on a problem, each with its equation
* oracle:         the reference's answer to a question (one quantity on one problem)
* tolerances:     the rule by which the tolerance of an answer is computed
* problem_sets:   sets of problems whose choice depends on computed quantities and tolerances
* changes:        the term d of the tolerance rule, computed with the 24-bit numbers of `arithmetic`
* batched:        values of a large problem, computed by products over the whole batch
* known_oracles:  the oracles of the fixed problems, which ship with the kit; `fixed_oracles` writes their files
* numerics:       hashes of the code on which the oracles depend; `definitions` and `statements` read the code
* certified:      the accuracy of the reference, by ball arithmetic

Implementations

* adapters:       the protocol of an adapter, and the adapters that ship with the kit
* implementation: an adapter with its description
* opening:        functions that open the implementations of a run
* inputs:         the copies of a problem that adapters get
* per_problem:    values that are computed once per problem

Running

* judging:        the comparison of one answer with the oracle
* runner:         the run of all questions by all implementations
* parallel:       a run in several processes; `pools` starts the processes
* orders:         the repetition of questions in other orders
* questions:      the choice of the repeated questions; `relatives` adds problems, and `rough` has the tolerances
* causes:         the search for an earlier question that makes an answer wrong
* diagnosis:      the mistake that explains wrong answers

Results

* verdicts:       the verdict on one answer
* expected:       expected failures
* results:        cells, rows and reports
* reports:        a report as a table, as lines of JSON or as a page
* golden:         golden vectors; their files are in `vectors`
* equations:      the command that prints the paper's equations; `equation_search` finds equations, and
                  `equation_functions` their functions
* quick_check:    the function `check`, for a function of one quantity
* cli:            the command `kfgn-check`; its options are in `options`, `run_options` and `option_parts`, and its
                  exit statuses in `statuses`; `vectors_command` has the command on golden vectors
"""

from .adapters import Adapter, Conventions, Description, UnsupportedError
from .judging import judge
from .problems.layers import Convolution, Dense, Flatten, Pooling
from .problems.problem import Problem
from .quantities import QUANTITIES, SHARED_WEIGHTS, Quantity
from .quick_check import CheckResult, check
from .verdicts import Status, Verdict

__all__ = [
    "QUANTITIES",
    "SHARED_WEIGHTS",
    "Adapter",
    "CheckResult",
    "Conventions",
    "Convolution",
    "Dense",
    "Description",
    "Flatten",
    "Pooling",
    "Problem",
    "Quantity",
    "Status",
    "UnsupportedError",
    "Verdict",
    "check",
    "judge",
]
