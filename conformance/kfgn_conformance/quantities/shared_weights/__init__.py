"""Quantities of networks with shared weights: exact blocks and their Kronecker approximations, beyond the paper.

The definitions are those of `kfgn_reference.shared_weights`, whose docstring has a table with every sum and divisor. An
s after the number of an equation of the paper marks its form for shared weights. Read in this order:

* pairs:          the pairs from which approximations are computed, and numbers of elements
* exact:          the loss, its gradient, and the exact blocks of the Hessian and of the Gauss-Newton matrix
* factors:        the factors and the blocks of expand and reduce, and the matrices of KFRA
* uniqueness:     the change of a block if eigenvectors or singular vectors change by rounding
* approximations: the blocks of EKFAC, KFOC, TKFAC and TNT, and the diagonal of EKFAC in given bases

The arrays are in the order of the layers with weights, and of the groups within a layer.
"""
