"""Floating-point arithmetic of a stated precision, the same to the last bit on every processor.

NumPy's `+ - * /` and `sqrt` of float64 are rounded correctly everywhere. Matrix products, sums and elementary functions
are not: their last bits depend on the vector instructions and on the BLAS kernel that a processor selects. Here every
operation is rounded to 24 or 40 bits of significand, sums are taken in one order, and elementary functions are rounded
correctly. The range of exponents is that of float64, so nothing overflows that float64 holds.

* rounded:     arrays that compute in this arithmetic, for the reference to run on
* rounding:    one float64 number, rounded to fewer bits
* elementary:  exp, log, tanh and their like
* summation:   sums and matrix products
* eigenvalues: the eigenvalues of a symmetric matrix, by Jacobi's method
"""

from .rounded import Rounded, Single, Triple, rounded_to

__all__ = ["Rounded", "Single", "Triple", "rounded_to"]
