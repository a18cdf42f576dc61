"""A plug-in of pytest that leaves the kit with its cases alone, where a test is about other things than problems.

The reference would compute 40 steps of each optimiser trajectory, and the matrices of the real problems.
"""

from kfgn_conformance.problem_sets import standard

standard.REAL_PROBLEMS = {}
standard.fixed = tuple
standard.trajectory_problems = tuple
