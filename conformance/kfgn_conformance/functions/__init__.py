"""Oracle for any function: the exact curvature of a model of PyTorch or JAX, without knowledge of its layers.

Read the modules in this order:

    uses            a use of parameters as a matrix in a product
    parameters      the vector theta of all parameters, and their names
    matrices        the matrices that products use, and their orders of entries
    outputs         the derivatives of the loss with respect to the outputs, and a root of the Hessian
    linearised      the outputs, Jacobians and uses that a library gives, and the checks of the model
    torch_products  calls of PyTorch that multiply by a matrix, as products
    torch_places    the entries of the parameters that make up a tensor
    torch_recorder  the record of the products in a run of a module of PyTorch
    torch_modules   a module of PyTorch, linearised
    jax_products    the operations of JAX that multiply by a matrix, as products
    jax_interpreter the run of a function of JAX that finds the products
    jax_functions   a function of JAX, linearised
    accounting      the check that no use of a matrix is missing
    matches         the search for the definition that a given matrix satisfies, up to a factor
    function_oracle the blocks, and the pairs of an input and a root from which approximations are computed
    opening         the functions that make an oracle
    torch_transformer a transformer block as a module of PyTorch
    transformer     the transformer block as a problem, with inputs and labels
"""

from .function_oracle import FunctionOracle
from .matches import Match
from .opening import jax_oracle, torch_oracle
from .transformer import ModuleProblem, transformer_block

__all__ = ["FunctionOracle", "Match", "ModuleProblem", "jax_oracle", "torch_oracle", "transformer_block"]
