"""The curvature of a batch: exact blocks, and the Kronecker factors of each method.

loss_and_gradient   the loss and its gradient (3)
gauss_newton        the exact Gauss-Newton blocks, (12)-(16), (19), (22)
hessian             the exact Hessian blocks, (4)-(10)
kflr                the exact second factor, (25)
kfra                the recursive approximation of the second factor, (26)
kfac                the second factor from sampled labels, (59)
random_projections  the second factor from random projections
sharing             expand and reduce, for weights that are used at several positions
columns             the columns of a root of H_L, or gradients at labels, carried back through the layers
kflr_over_positions the second factor of KFLR for networks with positions
pairs               the inputs and the columns of each group, in chunks of datapoints
tkfac, tnt, foof    further Kronecker factors
kfoc                the nearest Kronecker product to the exact block
ekfac               the eigenbases of Kronecker factors, and the diagonal of the exact block in these bases
loss_and_factors    the result of the methods that compute Kronecker factors
chunk_memory        the chunks of datapoints whose columns fit into a given memory
recursion           the step that the recursions (8) and (22) share, and the block (7)
factor_memory       the memory for Kronecker factors
"""
