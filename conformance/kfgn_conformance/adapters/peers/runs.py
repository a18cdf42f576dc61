"""The methods of a library that run on a module with inputs and labels, as `transformer_block` makes it.

The module of an adapter has a table `RUNS` of its methods. Each method is a function from a `ModuleProblem` to a block
for each linear layer. The name of a block is the one that the oracle of the problem has for the parameters of the
block.
"""

from collections.abc import Callable, Mapping

from ...functions import ModuleProblem
from ...problems.problem import Array

Blocks = Mapping[str, Array]
"""The block of each matrix of parameters, by its name."""

Runs = Mapping[str, Callable[[ModuleProblem], Blocks]]
"""The functions that compute blocks, by the name of the method."""
