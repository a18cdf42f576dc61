"""Validation that knows nothing of networks.

scalars        counts, names, flags and numbers
representable  the range of a number in the dtype of an array
arrays         the library, device, dtype and values of arrays
"""
