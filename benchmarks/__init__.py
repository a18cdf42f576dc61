"""Benchmarks of the port: `python -m benchmarks`, described in docs/performance.md.

sizes       the shapes of a network and its batch
floor       the operations of the cheapest known algorithm for each piece of work, by phase
rates       the fastest products of matrices among the libraries of a device
timing      times of interleaved rounds, and medians of ratios within rounds
machine     threads, processor and versions
libraries   how each array library waits for its results and compiles functions
batch       a network with its arrays in one library
work        the pieces of work that are timed
plain       the formulas of the paper as plain array code, and plain_step a step of the optimiser
autograd    the gradient by PyTorch's autograd, the unit of the tables
peers       the same work in other libraries
calls       the call of a piece of work by kfgn, a peer or plain code
child       one call in a fresh process: its time and its peak memory
cases       the tables by name, from timed, roots, classes, growth, start, primitives and trainer
launches    kernel launches and operators of PyTorch
report      tables on the terminal, and JSON
markdown    the tables of docs/performance.md, from JSON

The other programs in this folder measure training: training, headline, generalisation, directions and redraw. The
program newton_schulz counts refinements of inverses.
"""
