"""The conformance kit: any implementation of Botev, Ritter and Barber (2017), compared with the reference.

problems     what is computed on: a network, its weights and a batch
exchange     a problem in JSON, for programs and for golden vectors
cases, fixed the problems that every run has; dyadic, variations: how they are made
strategies   Hypothesis strategies that draw problems
walks        states of the optimiser to step from
real         two problems of real size that ship with the kit
quantities   what the paper defines on a problem, each with its equation and its oracle
tolerances   how far from the oracle an answer may be, computed for each problem
changes      the d of a tolerance; arithmetic: the same on every processor; known_changes: the d that ships
verdicts     one answer of one adapter, judged; inputs: the arrays that it is given
orders       the questions asked again after others; questions, relatives, rough: which; causes: of a wrong one
adapters     the protocol an implementation answers to, and the adapters that ship
diagnosis    from a wrong answer to the mistake
expected     failures that are known
certified    the accuracy of the oracle itself, by ball arithmetic
golden       golden vectors: made, read and checked; vectors: their files
equations    the paper's equations, printed
run, reports all of them against all of them, and what comes out: a table, lines of JSON, a page; cells: of the table
parallel, pools: rows shared among processes
cli          the command `kfgn-check`
"""

from .adapters import Adapter, Description
from .problems.layers import Dense
from .problems.problem import Problem
from .quantities import QUANTITIES, Quantity
from .verdicts import Status, Verdict, judge

__all__ = ["QUANTITIES", "Adapter", "Dense", "Description", "Problem", "Quantity", "Status", "Verdict", "judge"]
