"""Sets of problems whose choice depends on computed quantities and their tolerances.

drawn               random problems by Hypothesis, on which the comparison of every quantity is conclusive
drawn_layers        the layers and sizes of random problems with shared weights
trajectories        optimiser trajectories, where an implementation makes one step from each checkpoint
known_trajectories  the checkpoints that ship with the kit for these trajectories
selection           the problems on which each backend is run
few_states          the choice of a few states of an optimiser trajectory
standard            the problems of every run of the kit
"""
