"""The problems on which quantities are computed: networks with weights and a batch, whose numbers are exact in float32.

Read in this order:

* shapes:          the types of shapes and of transfer functions
* windows:         the windows of convolutions and of pooling layers
* window_layers:   the records of convolutions and of pooling layers
* token_layers:    the records of embeddings, of normalisations, and of scale-and-shift layers
* layers:          the records of all other layers, and the shapes of the activations and weights of a network
* problem:         the record of a problem, of its arguments and of an optimiser trajectory
* masked:          problems with a mask, and the masks of their activations
* arrays:          the functions that visit every array of a problem
* layer_json:      the records of layers in JSON
* serialisation:   a problem in JSON, for programs and golden vectors
* version_1:       the older JSON format of a problem
* digests:         hashes of problems and of arrays
* seeds:           the search for the seed of a fixed problem, and the seeds that ship
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
