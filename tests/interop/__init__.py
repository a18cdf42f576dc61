"""Tests of `kfgn.interop`.

    models                   the modules of PyTorch that several tests use
    test_reading             network_and_weights, compared with PyTorch
    test_chains              modules whose `forward` is a chain of layers, and forwards that are no chain
    test_convolutions        modules with convolutions, pooling and Flatten
    test_writing             write_back, which writes every parameter or none
    test_refused_modules     layers and parameters that are not supported
    test_overridden_methods  modules that compute something else than their layers
    test_refused_networks    activations, hooks and objectives that are not supported
    test_refused_weights     weights that do not fit the module
    test_imports             importing with and without PyTorch
    test_examples            the examples of docstrings

Without PyTorch only `test_imports` is run.
"""
