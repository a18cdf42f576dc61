"""Conversion of models of other libraries, with a separate module for each library.

* torch: conversion of an `nn.Sequential` of PyTorch to a network and weights, and of weights back into the module
"""
