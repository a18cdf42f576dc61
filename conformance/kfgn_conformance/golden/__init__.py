"""Golden vectors: problems with certified values of their quantities, for implementations in any language.

* problems: the problems of the vectors, and the quantities of each problem; `shared_recipes` has the recipes of the
            problems with shared weights
* flags:    special properties of problems, with a note on the consequences of each property
* form:     the format of the files, and the right shapes of the arrays of a problem
* vector:   golden vectors, and the reading of golden vectors from files
* decimals: conversion of balls, which are certified intervals, to decimal digits with a radius
* layout:   the layout of JSON in the files
* making:   computation of the files in ball arithmetic
* checking: verification of the files

The files are in `kfgn_conformance/vectors/`. docs/vectors.md describes the files for readers without this package.
"""

from .checking import CAN_CERTIFY, faults
from .form import FOLDER
from .making import regenerate
from .vector import Vector, load

__all__ = ["CAN_CERTIFY", "FOLDER", "Vector", "faults", "load", "regenerate"]
