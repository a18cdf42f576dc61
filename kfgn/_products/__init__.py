"""Products of the exact matrices with vectors, and the equations that they solve.

full_matrix      the Jacobian, the Gauss-Newton matrix and the Hessian
diagonal_blocks  the block-diagonal Gauss-Newton matrix and Hessian
solves           the damped Gauss-Newton equations by conjugate gradients
"""
