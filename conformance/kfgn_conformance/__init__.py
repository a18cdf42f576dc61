"""Conformance kit, which compares any implementation of Botev, Ritter and Barber (2017) with the reference.

Questions and right answers

* problems:       networks with weights and a batch, and their JSON format
* quantities:     the quantities that are compared on a problem, each with its equation or its source
* oracle:         the reference's answer to a question (one quantity on one problem)
* tolerances:     the rule by which the tolerance of an answer is computed
* problem_sets:   the problems of a run, among them random problems and optimiser trajectories
* changes:        the term d of the tolerance rule; `arithmetic` computes with numbers of 24 and 40 bits
* batched:        values of a large problem, computed by products over the whole batch
* known_oracles:  shipped files with the oracles of the fixed problems; `fixed_oracles` writes these files
* numerics:       hashes of the code on which the oracles depend; `definitions` and `statements` read the code
* certified:      the accuracy of the reference, measured by ball arithmetic; `certified_products` has the part for KFOC

Implementations

* adapters:       the protocol of an adapter, and the adapters that ship with the kit
* implementation: an adapter with its description
* opening:        functions that open the implementations of a run
* inputs:         the copies of a problem that adapters get
* per_problem:    values that are computed once per problem

Any model

* functions:      the exact curvature of any module of PyTorch or function of JAX

Running

* judging:        the comparison of one answer with the oracle; `forms` tests the form of the answer
* runner:         the run of all questions by all implementations
* parallel:       a run in several processes; `pools` starts the processes
* orders:         the repetition of questions in several orders
* questions:      the choice of the repeated questions; `relatives` makes similar problems, and `rough` has the
                  tolerance rule of the repeated questions
* causes:         the search for an earlier question that makes an answer wrong
* diagnosis:      the search for a mistake that explains wrong answers; `undeclared` searches for undeclared
                  conventions, `consistent` removes conventions that contradict right answers, and `declared_sums`
                  explains summed factors Q

Results

* verdicts:       the verdict on one answer
* expected:       expected failures
* results:        the results of a run: a report, its rows (one per quantity) and their cells (one per implementation)
* reports:        a report as a table, as lines of JSON or as a page; `adapter_notes` adds notes to a report
* golden:         golden vectors; their files are in `vectors`
* equations:      the command that prints the paper's equations; `equation_request` reads its
                  arguments, `equation_search` finds equations, `equation_functions` finds their functions, and
                  `equation_places` finds the places of code and tests
* quick_check:    the function `check`, for a function of one quantity
* cli:            the command `kfgn-check`; its options are in `options`, `run_options` and `option_parts`, and its
                  exit statuses in `statuses`; `vectors_command` has the command on golden vectors, and
                  `mistakes_command` the command that prints the catalogue of mistakes
* decoding:       the reading of files; `writing` writes files, and `output` prints text
* plain:          parts of printed lines; `suggestions` has the end of a message about an unknown name
* test_implementation: the tests of an adapter by pytest
"""

from .adapters import Adapter, Conventions, Description, UnsupportedError
from .judging import judge
from .problems.layers import Convolution, Dense, Embedding, Flatten, Normalisation, Pooling, ScaleShift
from .problems.masked import MaskedProblem
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
    "Embedding",
    "Flatten",
    "MaskedProblem",
    "Normalisation",
    "Pooling",
    "Problem",
    "Quantity",
    "ScaleShift",
    "Status",
    "UnsupportedError",
    "Verdict",
    "check",
    "judge",
]
