"""That the files of golden vectors say what is true: their form, hashes, and every number that can be recomputed."""

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np

from ..diagnosis import MISTAKES, mistaken
from ..problems import Array
from ..quantities import ROWS, Quantity, largest
from .decimals import each
from .flags import flags
from .making import allowed, sha256
from .vector import FOLDER, MANIFEST, SCHEMA, ExpectedArray, Vector, files, read

CERTIFIED = find_spec("flint") is not None
"""Whether radii can be checked here: it takes python-flint."""


def faults(folder: Path = FOLDER) -> Iterator[str]:
    """What is wrong with the files, a line for each."""
    yield from faults_of_manifest(folder)
    form = jsonschema.Draft202012Validator(json.loads((FOLDER / SCHEMA).read_text(encoding="utf-8")))
    seen: set[str] = set()
    for file in files(folder):
        try:
            written = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            yield f"{file.name}: no JSON: {error}"
            continue
        if fault := next(form.iter_errors(written), None):
            yield f"{file.name}: {fault.json_path}: {fault.message[:200]}"
            continue
        if written["quantity"] not in ROWS or file.stem != written["quantity"]:
            yield f"{file.name}: quantity {written['quantity']!r}: expected the name of the file, a row of the table"
            continue
        yield from (f"{file.name}: {line}" for line in faults_of_file(written, seen))


def faults_of_manifest(folder: Path) -> Iterator[str]:
    """Files that are missing, not listed, or not what they were."""
    path = folder / MANIFEST
    if not path.is_file():
        yield f"{folder}: there is no {MANIFEST}"
        return
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        listed = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        yield f"{MANIFEST}: expected files with their sha256: {type(error).__name__}: {error}"
        return
    there = {file.name: file for file in files(folder)}
    for name in sorted(set(listed) - set(there)):
        yield f"{name}: in {MANIFEST}, but not there"
    for name in sorted(set(there) - set(listed)):
        yield f"{name}: there, but not in {MANIFEST}"
    for name, digest in listed.items():
        if name in there and sha256(there[name].read_bytes()) != digest:
            yield f"{name}: its sha256 is not that of {MANIFEST}"


def faults_of_file(written: dict[str, Any], seen: set[str]) -> Iterator[str]:
    """What a quantity's vectors say that is not so. seen: ids met so far, to which these are added."""
    quantity = ROWS[written["quantity"]]
    for vector, n in zip(read(written), (vector["n"] for vector in written["vectors"]), strict=True):
        if vector.id in seen or vector.id != f"{vector.quantity}-{vector.problem.id}":
            yield f"{vector.id}: expected quantity-problem, and once"
        seen.add(vector.id)
        found = [*faults_of_words(vector, written), *faults_of_arrays(vector, quantity, n)]
        yield from (f"{vector.id}: {fault}" for fault in found)


def faults_of_words(vector: Vector, written: dict[str, Any]) -> Iterator[str]:
    """Flags and mistakes: explained, and so."""
    if vector.flags != flags(vector.problem):
        yield f"flags: expected {', '.join(flags(vector.problem))}, got {', '.join(vector.flags)}"
    for flag in set(vector.flags) - set(written["notes"]):
        yield f"flags: {flag} has no note"
    for name in set(vector.hides) - set(written["mistakes"]):
        yield f"hides: {name} is no mistake of the file"


def faults_of_arrays(vector: Vector, quantity: Quantity, n: int) -> Iterator[str]:
    """Expected values: against each other, the reference in float64, the mistakes that have them, and balls."""
    oracle = quantity.value(vector.problem)
    if [array.float64.shape for array in vector.expected] != [np.shape(q) for q in oracle]:
        yield f"expected arrays of shapes {[np.shape(q) for q in oracle]}"
        return
    for i, (array, q) in enumerate(zip(vector.expected, oracle, strict=True), start=1):
        decimals, radius = each(Fraction, np.array(array.decimals, dtype=object)), Fraction(Decimal(array.radius))
        half_ulps = each(lambda x: Fraction(math.ulp(x)) / 2, array.float64)
        if np.any(abs(each(Fraction, array.float64) - decimals) > half_ulps + radius):
            yield f"array {i}: its float64 is not nearest to its decimals"
        if any(abs(array.tolerances[dtype] - t) > 0.01 * t for dtype, t in allowed(n, array.size, array.d).items()):
            yield f"array {i}: its tolerances are not those of the rule"
        if largest(q - array.float64) > array.tolerances["float64"]:
            yield f"array {i}: the reference is {largest(q - array.float64):.1e} from it, more than its tolerance"
    for name in set(vector.hides) & set(MISTAKES):
        made = mistaken(name, vector.problem, quantity)
        if made is None or any(map(beyond, made, vector.expected)):
            yield f"hides: {name} does show"
    if CERTIFIED:
        yield from faults_of_radii(vector, quantity)


def beyond(made: Array, array: ExpectedArray) -> bool:
    """Whether an array is no right answer in float32; the digits that tolerances were rounded to count for nothing."""
    return largest(made - array.float64) > 1.01 * array.tolerances["float32"]


def faults_of_radii(vector: Vector, quantity: Quantity) -> Iterator[str]:
    """Decimals that balls exclude."""
    from ..certified import bounds, certified

    for i, (balls, array) in enumerate(zip(certified(vector.problem, quantity), vector.expected, strict=True), start=1):
        low, high = bounds(balls)
        decimals, radius = each(Fraction, np.array(array.decimals, dtype=object)), Fraction(Decimal(array.radius))
        if np.any(low > decimals + radius) or np.any(high < decimals - radius):
            yield f"array {i}: its decimals are further from the truth than its radius"
