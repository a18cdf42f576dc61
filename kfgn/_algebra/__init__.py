"""Linear algebra, independent of networks.

matrices            small matrices and moments
layerwise           vectors that are tuples of one array per layer
kronecker_block     the Kronecker-factored block of a layer: products, solves, determinants
kronecker           the blocks of all layers, and omega (38)
eigen_block         a block with eigenvectors that are a Kronecker product
block_arguments     the checks that both kinds of blocks share
damping             the damped block and its inverses, (35)-(38)
leading_eigenvector the leading eigenvector of an operator, by the Lanczos iteration
conjugate_gradient  conjugate gradients
definiteness        the exception for a damped matrix that has no inverse in its dtype
"""
