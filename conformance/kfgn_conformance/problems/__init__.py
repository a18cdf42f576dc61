"""The problems on which quantities are computed: a network, its weights and a batch, all of them exact in float32.

Read in this order:

* layers:          the records of layers, and the shapes of their weights
* problem:         the record of a problem, of its arguments and of an optimiser trajectory
* arrays:          the functions that visit every array of a problem
* serialisation:   a problem in JSON, for programs and golden vectors; version_1: the older format
* discontinuities: the distance of a problem from kinks and from borders between classes
* dyadic:          random problems of dyadic numbers, from which the fixed problems are chosen
* cases:           fixed problems: each transfer function with each objective
* fixed:           fixed problems that detect one kind of mistake each; variations: how they differ from random problems
* real:            two problems of real size, which ship with the kit

`problem_sets` has the problems that are chosen by the values of quantities.
"""
