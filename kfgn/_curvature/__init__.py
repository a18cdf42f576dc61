"""The curvature of a batch: exact blocks, and the Kronecker factors of each method.

loss_and_gradient   the loss and its gradient (3)
gauss_newton        the exact Gauss-Newton blocks, (12)-(16), (22)
hessian             the exact Hessian blocks, (4)-(10)
kflr                the exact second factor, (25)
kfra                the recursive approximation of the second factor, (26)
kfac                the second factor from sampled labels, (59)
random_projections  the second factor from random projections
sharing             expand and reduce, for weights that are used at several positions
kflr_over_positions the second factor of KFLR for networks with positions
loss_and_factors    the result of KFLR, KFRA, KFAC and random projections
recursion           the step that the recursions (8) and (22) share, and the block (7)
factor_memory       the memory for Kronecker factors
"""
