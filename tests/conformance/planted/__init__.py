"""A batched implementation of the paper's quantities, and mistakes planted in it to measure the kit.

The implementation is written from docs/vectors.md and the paper. It shares no code with the reference, the port or the
kit's catalogue of mistakes.

* `elementary`, `objectives`, `curvature`, `optimiser`: the implementation, in that order
* `adapter`: its answers by name of quantity
* `mistakes`, `mistakes_of_state`, `further`: the planted mistakes, each an override of one step
"""
