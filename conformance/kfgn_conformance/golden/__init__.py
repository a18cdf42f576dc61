"""Golden vectors: problems with certified values of their quantities, for readers in any language.

* problems: the problems, among them traps that hide a mistake
* flags:    special properties of a problem that limit the mistakes it can show
* form:     the format of the files, and the shapes of the arrays of a problem
* vector:   a vector, and reading from the files
* decimals: arrays of balls as decimal digits with a radius
* layout:   the layout of JSON in the files
* making:   computation of the files in ball arithmetic
* checking: verification of the files

The files are in `kfgn_conformance/vectors/`. They can be read without this package; docs/vectors.md describes them.
"""

from .checking import CAN_CERTIFY, faults
from .form import FOLDER
from .making import regenerate
from .vector import Vector, load

__all__ = ["CAN_CERTIFY", "FOLDER", "Vector", "faults", "load", "regenerate"]
