"""Floating-point arithmetic with 24 or 40 bits of significand, whose results are the same on every processor.

NumPy rounds `+ - * /` and `sqrt` of float64 correctly on every processor. The last bits of matrix products, sums and
elementary functions depend on the vector instructions and on the BLAS kernel of a processor. This package rounds every
operation to 24 or 40 bits of significand, adds in a fixed order, and rounds elementary functions correctly. The
eigenvalues and eigenvectors of a matrix are an exception: all steps of Jacobi's method are in float64, and only the
result is rounded. The range of exponents is that of float64, so an operation overflows only if its result rounds to a
number above the largest number of float64.

* rounded:     the class of arrays that compute in this arithmetic, so that the reference needs no change
* rounding:    rounding of float64 numbers to fewer bits
* elementary:  exp, log, tanh and similar functions
* summation:   sums and matrix products
* eigenvalues: the eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's method
"""

from .rounded import Rounded, Single, Triple, rounded_to

__all__ = ["Rounded", "Single", "Triple", "rounded_to"]
