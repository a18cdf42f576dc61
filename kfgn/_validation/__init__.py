"""Validation that knows nothing of networks.

scalars  counts, names, flags and numbers
arrays   the library, device, dtype and values of arrays
"""
