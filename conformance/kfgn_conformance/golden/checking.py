"""Verification of the files of golden vectors: their format, their hashes, their texts and their expected values."""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

from ..decoding import FileError, checked, content_of, from_json
from ..diagnosis import mistakes_of
from ..diagnosis.answers import answer_of
from ..oracle import Oracle
from ..problems.problem import Array
from ..quantities import ROWS, Quantity, largest
from ..tolerances import longest_sum, quotient
from .decimals import each
from .flags import FLAGS, flags
from .form import FOLDER, FORMAT, MANIFEST, SCHEMA, decoded, sha256
from .making import allowed, header, mistakes
from .vector import ExpectedArray, Vector, files, read

ROUNDING = 1.01
"""The largest allowed ratio between a tolerance in a file, rounded to three digits, and the tolerance by the rule.

A mistake whose ratio error / tolerance is this near to 1 may be listed in `hides` or not.
"""

HALF_A_DIGIT = 0.00501
"""The allowed relative error of a field `size`, from rounding to three digits and from errors of condition numbers."""

CAN_CERTIFY = find_spec("flint") is not None
"""True if python-flint is installed, so that radii can be verified."""


def faults(folder: Path = FOLDER) -> Iterator[str]:
    """The faults of the files in a folder, one line per fault."""
    yield from faults_of_manifest(folder)
    seen: set[str] = set()
    for file in files(folder):
        try:
            written = decoded(file, file.name)
            vectors = list(read(written, file.name))
        except FileError as error:
            yield str(error)
            continue
        if written["quantity"] not in ROWS or file.stem != written["quantity"]:
            yield f"{file.name}: quantity: expected the quantity of the file's name, got {written['quantity']!r}"
            continue
        with np.errstate(all="ignore"):  # numbers of an altered file may overflow
            lines = [*faults_of_header(written), *faults_of_file(written, vectors, seen)]
        yield from (f"{file.name}: {line}" for line in lines)


class Entry(TypedDict):
    """The entry of a file in the manifest."""

    sha256: str
    vectors: NotRequired[int]


class Manifest(TypedDict):
    """The content of `manifest.json`."""

    format: int
    files: dict[str, Entry]
    vectors: NotRequired[int]


def faults_of_manifest(folder: Path) -> Iterator[str]:
    """Faults of the manifest and of the schema, such as files that are missing, not listed, or changed."""
    path, schema = folder / MANIFEST, folder / SCHEMA
    if schema.exists() and content_or_none(schema) != (FOLDER / SCHEMA).read_bytes():
        yield f"{SCHEMA}: expected the schema that ships with kfgn, got a different schema"
    if not path.exists():
        yield f"{folder}: expected a file {MANIFEST}, got none"
        return
    try:
        manifest = checked(from_json(content_of(path), MANIFEST), Manifest, MANIFEST)
    except FileError as error:
        yield str(error)
        return
    listed = manifest["files"]
    if manifest["format"] != FORMAT:
        yield f"{MANIFEST}: format: expected {FORMAT}, got {manifest['format']}"
    counts = [entry.get("vectors", 0) for entry in listed.values()]
    if manifest.get("vectors", sum(counts)) != sum(counts):
        yield f"{MANIFEST}: vectors: expected {sum(counts)}, got {manifest['vectors']}"
    present = {file.name: file for file in files(folder)}
    for name in sorted(set(listed) - set(present)):
        yield f"{name}: listed in {MANIFEST}, but missing"
    for name in sorted(set(present) - set(listed)):
        yield f"{name}: not listed in {MANIFEST}"
    for name, entry in listed.items():
        content = content_or_none(present[name]) if name in present else None
        if content is not None and sha256(content) != entry["sha256"]:
            yield f"{name}: the sha256 of the file differs from the sha256 in {MANIFEST}"


def content_or_none(path: Path) -> bytes | None:
    """The bytes of a file, or None if the file cannot be read. `faults` reports a file that cannot be read."""
    try:
        return content_of(path)
    except FileError:
        return None


def faults_of_header(written: dict[str, Any]) -> Iterator[str]:
    """Faults of the fields that all vectors of a file share.

    All of these fields except `provenance` must have the values that the code computes.
    """
    for name, expected in header(ROWS[written["quantity"]]).items():
        if written[name] != expected:
            yield f"{name}: expected {expected!r}, got {written[name]!r}"
    for kind, texts in (
        ("notes", {n: f.note for n, f in FLAGS.items()}),
        ("mistakes", mistakes(ROWS[written["quantity"]])),
    ):
        for name, text in written[kind].items():
            if text != texts.get(name):
                yield f"{kind}: {name}: expected {texts.get(name)!r}, got {text!r}"


def faults_of_file(written: dict[str, Any], vectors: Sequence[Vector], seen: set[str]) -> Iterator[str]:
    """Faults of the vectors of a file.

    seen: ids of the vectors of earlier files, to which this function adds the ids of this file
    """
    for vector, n in zip(vectors, (vector["n"] for vector in written["vectors"]), strict=True):
        if vector.id in seen or vector.id != f"{vector.quantity}-{vector.problem.id}":
            yield f"{vector.id}: expected the id {vector.quantity}-{vector.problem.id}, which no other vector may have"
        seen.add(vector.id)
        try:
            oracle = Oracle(vector.problem, ROWS[vector.quantity])
            found = [*faults_of_names(vector, written), *faults_of_arrays(vector, oracle, n)]
            found += faults_of_hides(vector, oracle, set(written["mistakes"]))
        except Exception as error:  # the reference may raise any exception for a meaningless problem
            found = [f"the problem cannot be evaluated: {type(error).__name__}: {error}"]
        yield from (f"{vector.id}: {fault}" for fault in found)


def faults_of_names(vector: Vector, written: dict[str, Any]) -> Iterator[str]:
    """Faults of the names in a vector: wrong flags, and flags or mistakes that the file does not explain."""
    if vector.flags != flags(vector.problem):
        yield f"flags: expected {', '.join(flags(vector.problem))}, got {', '.join(vector.flags)}"
    for flag in set(vector.flags) - set(written["notes"]):
        yield f"flags: {flag} has no note in the file"
    for name in set(vector.hides) - set(written["mistakes"]):
        yield f"hides: {name} is not among the mistakes of the file"


def faults_of_arrays(vector: Vector, oracle: Oracle, n: int) -> Iterator[str]:
    """Faults of `n` and of the expected arrays of a vector: wrong shapes, values, sizes, tolerances, radii or `d`."""
    if n != longest_sum(vector.problem):
        yield f"n: expected {longest_sum(vector.problem)}, got {n}"
    shapes, right_shapes = [array.float64.shape for array in vector.expected], [q.shape for q in oracle.arrays]
    if shapes != right_shapes:
        yield f"expected arrays of shapes {right_shapes}, got {shapes}"
        return
    of_each = zip(vector.expected, oracle.arrays, oracle.sizes, oracle.changes, strict=True)
    for i, (array, q, size, d) in enumerate(of_each, start=1):
        decimals, radius = array.exact()
        half_ulps = each(lambda x: Fraction(math.ulp(x)) / 2, array.float64)
        if np.any(abs(each(Fraction, array.float64) - decimals) > half_ulps + radius):
            yield f"array {i}: the float64 values are not the numbers nearest to the decimals"
        by_the_rule = allowed(n, array.size, array.d)
        if any(abs(array.tolerances[dtype] - t) > (ROUNDING - 1) * t for dtype, t in by_the_rule.items()):
            yield f"array {i}: the tolerances differ from the values that the rule of tolerances gives"
        if array.d != d:
            yield f"array {i}: d: expected {d}, got {array.d}"
        if abs(size - array.size) > HALF_A_DIGIT * size:
            yield f"array {i}: size: expected {size:.3g}, got {array.size}"
        if (error := largest(q - array.float64)) > array.tolerances["float64"]:
            yield f"array {i}: the values differ from the reference by {error:.1e}, more than the tolerance"
    if CAN_CERTIFY:
        yield from faults_of_radii(vector, oracle.quantity)


def faults_of_hides(vector: Vector, oracle: Oracle, shown: set[str]) -> Iterator[str]:
    """Faults of the field `hides` of a vector, and of the field `mistakes` of the file.

    shown: names in the field `mistakes` of the file
    """
    for name, mistake in mistakes_of(oracle.quantity).items():
        error = in_tolerances(answer_of(mistake.textbook, oracle), vector.expected)
        if error > ROUNDING and name in vector.hides:
            yield f"hides: {name} is listed, but this mistake is visible on the problem"
        elif error > ROUNDING and name not in shown:
            yield f"mistakes: {name} is missing, but this mistake is visible on the problem"
        elif error < 1 / ROUNDING and name in shown and name not in vector.hides:
            yield f"hides: {name} is missing, but this mistake is not visible on the problem"


def in_tolerances(arrays: Sequence[Array] | None, expected: Sequence[ExpectedArray]) -> float:
    """The largest ratio of the error of an answer to the float32 tolerance, or infinity if the answer is None."""
    if arrays is None:
        return math.inf
    return max(
        quotient(largest(a - array.float64), array.tolerances["float32"])
        for a, array in zip(arrays, expected, strict=True)
    )


def faults_of_radii(vector: Vector, quantity: Quantity) -> Iterator[str]:
    """Faults of the radii: decimals that certainly differ from the exact values by more than the radius."""
    from ..certified import bounds, certified

    for i, (balls, array) in enumerate(zip(certified(vector.problem, quantity), vector.expected, strict=True), start=1):
        low, high = bounds(balls)
        decimals, radius = array.exact()
        if np.any(low > decimals + radius) or np.any(high < decimals - radius):
            yield f"array {i}: the decimals differ from the exact values by more than the radius"
