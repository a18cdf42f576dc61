"""The curvature of a batch: exact blocks, and Kronecker factors by each method.

loss_and_gradient   the loss and (3)
gauss_newton        the exact Gauss-Newton blocks, (12)-(16), (22)
hessian             the exact Hessian blocks, (4)-(10)
kflr                the exact second factor, (25)
kfra                the recursive approximation of the second factor, (26)
kfac                the sampled second factor, (59)
random_projections  the randomly projected second factor
loss_and_factors    the result of these four
recursion           the step that (8), (22) and (26) share
factor_memory       the memory that factors take
"""
