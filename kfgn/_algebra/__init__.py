"""Linear algebra, independent of networks.

matrices            small matrices and moments
layerwise           vectors that are tuples of one array per layer
kronecker           the Kronecker-factored block of a layer: products, solves, determinants
damping             the damped block and its inverses, (35)-(38)
conjugate_gradient  conjugate gradients
definiteness        the exception for a damped matrix that has no inverse in its dtype
"""
