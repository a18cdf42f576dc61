"""Conversion of models of other libraries, with a separate module for each library.

* torch: conversion of a module of PyTorch to a network and weights, and of weights back into the module
"""
