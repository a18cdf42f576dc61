"""That the files of golden vectors say what is true: their form, hashes, and every number that can be recomputed."""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

from ..decoding import FileError, checked, content_of, from_json
from ..diagnosis import MISTAKES, mistaken
from ..problems.problem import Array
from ..quantities import ROWS, Quantity, largest
from ..tolerances import longest_sum, quotient, truth
from .decimals import each
from .flags import FLAGS, flags
from .form import FOLDER, FORMAT, SCHEMA, decoded
from .making import allowed, header, mistakes, sha256
from .vector import MANIFEST, ExpectedArray, Vector, files, read

ROUNDED = 1.01
"""How much the tolerances of a file, which have three digits, may be off."""

HALF_A_DIGIT = 0.00501
"""The relative error that a size in a file may have: half a unit of three digits, and the bits lost in a condition."""

CAN_CERTIFY = find_spec("flint") is not None
"""Whether radii can be checked here: it takes python-flint."""


def faults(folder: Path = FOLDER) -> Iterator[str]:
    """What is wrong with the files, a line for each."""
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
            yield f"{file.name}: quantity {written['quantity']!r}: expected the name of the file, a row of the table"
            continue
        with np.errstate(all="ignore"):  # what altered numbers come to
            lines = [*faults_of_header(written), *faults_of_file(written, vectors, seen)]
        yield from (f"{file.name}: {line}" for line in lines)


class Entry(TypedDict):
    """A file in the manifest."""

    sha256: str
    vectors: NotRequired[int]


class Manifest(TypedDict):
    """`manifest.json`."""

    format: int
    files: dict[str, Entry]
    vectors: NotRequired[int]


def faults_of_manifest(folder: Path) -> Iterator[str]:
    """Files that are missing, not listed, or not what they were."""
    path, schema = folder / MANIFEST, folder / SCHEMA
    if schema.exists() and content_or_none(schema) != (FOLDER / SCHEMA).read_bytes():
        yield f"{SCHEMA}: expected the one that kfgn ships with, got another"
    if not path.exists():
        yield f"{folder}: there is no {MANIFEST}"
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
    there = {file.name: file for file in files(folder)}
    for name in sorted(set(listed) - set(there)):
        yield f"{name}: in {MANIFEST}, but not there"
    for name in sorted(set(there) - set(listed)):
        yield f"{name}: there, but not in {MANIFEST}"
    for name, entry in listed.items():
        content = content_or_none(there[name]) if name in there else None
        if content is not None and sha256(content) != entry["sha256"]:
            yield f"{name}: its sha256 is not that of {MANIFEST}"


def content_or_none(path: Path) -> bytes | None:
    """The bytes of a file; None if it cannot be read, which is a fault of its own."""
    try:
        return content_of(path)
    except FileError:
        return None


def faults_of_header(written: dict[str, Any]) -> Iterator[str]:
    """What the vectors of a file have in common, and is said otherwise in the code."""
    for name, expected in header(ROWS[written["quantity"]]).items():
        if written[name] != expected:
            yield f"{name}: expected {expected!r}, got {written[name]!r}"
    for kind, texts in (("notes", {n: f.note for n, f in FLAGS.items()}), ("mistakes", mistakes())):
        for name, text in written[kind].items():
            if text != texts.get(name):
                yield f"{kind}: {name}: expected {texts.get(name)!r}, got {text!r}"


def faults_of_file(written: dict[str, Any], vectors: Sequence[Vector], seen: set[str]) -> Iterator[str]:
    """What a quantity's vectors say that is not so. seen: ids met so far, to which these are added."""
    for vector, n in zip(vectors, (vector["n"] for vector in written["vectors"]), strict=True):
        if vector.id in seen or vector.id != f"{vector.quantity}-{vector.problem.id}":
            yield f"{vector.id}: expected quantity-problem, and once"
        seen.add(vector.id)
        try:
            found = [*faults_of_words(vector, written), *faults_of_arrays(vector, ROWS[vector.quantity], n)]
            found += faults_of_hides(vector, ROWS[vector.quantity], set(written["mistakes"]))
        except Exception as error:  # the reference may raise anything for a problem that has no meaning
            found = [f"its problem has no value: {type(error).__name__}: {error}"]
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
    """Expected values: against each other, the rule of tolerances, the reference in float64, and balls."""
    right = truth(vector.problem, quantity)
    if n != longest_sum(vector.problem):
        yield f"n: expected {longest_sum(vector.problem)}, got {n}"
    shapes, right_shapes = [array.float64.shape for array in vector.expected], [q.shape for q in right.arrays]
    if shapes != right_shapes:
        yield f"expected arrays of shapes {right_shapes}, got {shapes}"
        return
    of_each = zip(vector.expected, right.arrays, right.sizes, right.changes, strict=True)
    for i, (array, q, size, d) in enumerate(of_each, start=1):
        decimals, radius = array.exact()
        half_ulps = each(lambda x: Fraction(math.ulp(x)) / 2, array.float64)
        if np.any(abs(each(Fraction, array.float64) - decimals) > half_ulps + radius):
            yield f"array {i}: its float64 is not nearest to its decimals"
        by_the_rule = allowed(n, array.size, array.d)
        if any(abs(array.tolerances[dtype] - t) > (ROUNDED - 1) * t for dtype, t in by_the_rule.items()):
            yield f"array {i}: its tolerances are not those of the rule"
        if array.d != d:
            yield f"array {i}: its d: {array.d} in the file, but computing it gives {d}"
        if abs(size - array.size) > HALF_A_DIGIT * size:
            yield f"array {i}: its size: {array.size} in the file, but computing it gives {size:.3g}"
        if largest(q - array.float64) > array.tolerances["float64"]:
            yield f"array {i}: the reference is {largest(q - array.float64):.1e} from it, more than its tolerance"
    if CAN_CERTIFY:
        yield from faults_of_radii(vector, quantity)


def faults_of_hides(vector: Vector, quantity: Quantity, shown: set[str]) -> Iterator[str]:
    """Mistakes that show here and should not, or the reverse. shown: those that some vector of the file shows."""
    for name in MISTAKES:
        error = in_tolerances(mistaken(name, vector.problem, quantity), vector.expected)
        if error > ROUNDED and name in vector.hides:
            yield f"hides: {name} does show"
        elif error > ROUNDED and name not in shown:
            yield f"mistakes: {name} shows, and is not there"
        elif error < 1 / ROUNDED and name in shown and name not in vector.hides:
            yield f"hides: {name} does not show, and is not there"


def in_tolerances(made: Sequence[Array] | None, expected: Sequence[ExpectedArray]) -> float:
    """How far arrays are from what is expected, in tolerances of float32; infinite for what has no such arrays."""
    if made is None:
        return math.inf
    return max(
        quotient(largest(m - array.float64), array.tolerances["float32"])
        for m, array in zip(made, expected, strict=True)
    )


def faults_of_radii(vector: Vector, quantity: Quantity) -> Iterator[str]:
    """Decimals that balls exclude."""
    from ..certified import bounds, certified

    for i, (balls, array) in enumerate(zip(certified(vector.problem, quantity), vector.expected, strict=True), start=1):
        low, high = bounds(balls)
        decimals, radius = array.exact()
        if np.any(low > decimals + radius) or np.any(high < decimals - radius):
            yield f"array {i}: its decimals are further from the truth than its radius"
