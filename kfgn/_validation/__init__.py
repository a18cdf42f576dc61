"""Validation of single arguments, independent of networks.

arrays   the library, device, dtype and values of arrays
scalars  numbers, counts, names and flags
"""
