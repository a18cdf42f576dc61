"""Products of the exact matrices with vectors, and solutions of damped equations.

full_matrix      products with the Jacobian, the Gauss-Newton matrix and the Hessian
diagonal_blocks  products with the diagonal blocks of the Gauss-Newton matrix and of the Hessian
solves           solutions of the damped Gauss-Newton equations by conjugate gradients
"""
