"""Conversion of models of other libraries. Each library has a separate module, which imports it.

* torch: a module of PyTorch as a network and weights, and weights back into the module
"""
