"""Tests of `kfgn.interop`.

models         the modules of PyTorch that several tests use
test_reading   network_and_weights, compared with PyTorch
test_writing   write_back, which writes every parameter or none
test_refusals  modules and weights that are refused
test_imports   importing without PyTorch
test_examples  the examples of docstrings
"""
