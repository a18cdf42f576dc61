"""Sets of problems whose choice depends on quantities and their tolerances.

drawn               random problems by Hypothesis, on which every quantity can fail
trajectories        optimiser trajectories, from whose states an implementation steps
known_trajectories  the checkpoints of these trajectories, which ship with the kit
standard            the problems of every run
"""
