"""Sets of problems that are chosen by the values of quantities and by their tolerances.

drawn         random problems by Hypothesis, on which the comparison of every quantity is conclusive
trajectories  optimiser trajectories, in which an implementation makes one step from each state
standard      the problems of every run of the kit
"""
