"""Hashes of problems and of arrays, with the same result on every machine."""

import hashlib
import json

import numpy as np

from .arrays import Array
from .problem import Problem
from .serialisation import as_json


def digest_of(problem: Problem) -> str:
    """Compute a hash of all fields of a problem except `dtypes`."""
    return hashlib.sha256(json.dumps(as_json(problem, _hashed), sort_keys=True).encode()).hexdigest()


def _hashed(_path: str, array: Array) -> str:
    return f"{array.dtype.name} {array.shape} {hash_of(array)}"


def hash_of(array: Array) -> str:
    """Compute a hash of the numbers of an array."""
    little_endian = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return hashlib.sha256(little_endian.tobytes()).hexdigest()
