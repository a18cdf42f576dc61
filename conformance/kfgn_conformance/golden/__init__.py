"""Golden vectors: problems with the certified values of their quantities, for readers in any language.

* problems: the problems, with traps among them, on which some mistake does not show
* flags:    special properties of a problem, which limit what it can show
* form:     the form of the files, and arrays that fit their problem
* vector:   a vector, and the files that it is read from
* decimals: arrays of balls as digits with a radius
* layout:   JSON for people
* making:   the files, from ball arithmetic
* checking: the check that the files are true

The files are in `kfgn_conformance/vectors/`, which needs nothing of this: docs/vectors.md says how to read them.
"""

from .checking import CAN_CERTIFY, faults
from .form import FOLDER
from .making import regenerate
from .vector import Vector, load

__all__ = ["CAN_CERTIFY", "FOLDER", "Vector", "faults", "load", "regenerate"]
