"""The problems on which quantities are computed: networks with weights and a batch, whose numbers are exact in float32.

Read in this order:

* layers:          the records of layers, and the shapes of their weights
* problem:         the record of a problem, of its arguments and of an optimiser trajectory
* arrays:          the functions that visit every array of a problem
* layer_json:      the records of layers in JSON
* serialisation:   a problem in JSON, for programs and golden vectors
* version_1:       the older JSON format of a problem
* discontinuities: the distance of a problem from kinks and from borders between classes
* dyadic:          random problems of dyadic numbers, from which the fixed problems are chosen
* cases:           fixed problems that combine each transfer function with each objective
* fixed:           small fixed problems, each of which detects one kind of mistake
* further:         further small problems for a function that supports few fixed problems
* variations:      the changes that make fixed problems from random problems
* real:            two problems of real size
* shared_weights:  problems with shared weights

The package `problem_sets` makes the problems whose choice depends on computed quantities.
"""
