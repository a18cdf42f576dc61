"""The conformance kit: any implementation of Botev, Ritter and Barber (2017), held against the readable reference.

problems     what is computed on: a network, its weights and a batch
strategies   Hypothesis strategies that draw problems
real         two problems of real size that ship with the kit
quantities   what the paper defines on a problem, each with its equation and its oracle
tolerances   how far from the oracle an answer may be, computed for each problem
verdicts     one answer of one adapter, judged
adapters     the protocol an implementation answers to, and the adapters that ship
certified    the accuracy of the oracle itself, by ball arithmetic
equations    the paper's equations, printed
run, report  all of them against all of them, and the table that comes out
cli          the command `kfgn-check`
"""

from .adapters import Adapter, Description
from .problems import Layer, Problem
from .quantities import QUANTITIES, Quantity
from .verdicts import Status, Verdict, judge

__all__ = ["QUANTITIES", "Adapter", "Description", "Layer", "Problem", "Quantity", "Status", "Verdict", "judge"]
