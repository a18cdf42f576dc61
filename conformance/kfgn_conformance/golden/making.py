"""The files of golden vectors, from the reference in ball arithmetic."""

import hashlib
import json
import platform
from collections import defaultdict
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ..diagnosis import MISTAKES, mistaken
from ..exchange import as_json
from ..problems import Array, Problem
from ..quantities import ROWS, Quantity, largest
from ..tolerances import ROUNDOFF, C, longest_sum, telling, tolerances, truth
from .flags import FLAGS, flags
from .problems import Asked, asked
from .vector import FOLDER, MANIFEST

FORMAT = 1

DIGITS = 36
"""Decimal digits of the largest element of an array; the others are as accurate."""

RULE = "|answer - truth| <= c (sqrt(n) u size + d u / u_float32), n and size and d of the vector"


def regenerate(folder: Path = FOLDER, progress: Callable[[str], None] = lambda _quantity: None) -> None:
    """Write every file anew; `progress` is told of each quantity as it begins.

    Raises `ImportError` without python-flint, and `ValueError` for a vector that could prove nothing.
    """
    by_quantity: dict[str, list[Asked]] = defaultdict(list)
    for one in asked():
        for name in one.quantities:
            by_quantity[name].append(one)
    texts: dict[str, str] = {}
    manifest: dict[str, dict[str, Any]] = {}
    for name, quantity in ROWS.items():
        progress(name)
        written = file_of(quantity, by_quantity[name])
        texts[f"{name}.json"] = text = lines(written) + "\n"
        manifest[f"{name}.json"] = {"sha256": sha256(text.encode()), "vectors": len(written["vectors"])}
    total = sum(entry["vectors"] for entry in manifest.values())
    texts[MANIFEST] = lines({"format": FORMAT, "vectors": total, "files": manifest}) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():  # once all of them are made
        (folder / file).write_text(text, encoding="utf-8")


def sha256(content: bytes) -> str:
    """The hash of a file, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def file_of(quantity: Quantity, questions: list[Asked]) -> dict[str, Any]:
    """All vectors of a quantity, with what they have in common."""
    problems = [one.problem for one in questions]
    caught = {problem.id: catches(problem, quantity) for problem in problems}
    shown = set[str]().union(*caught.values())
    vectors = [vector_of(quantity, one, sorted(shown - caught[one.problem.id])) for one in questions]
    of_any = {flag for vector in vectors for flag in vector["flags"]}
    return {
        "format": FORMAT,
        "quantity": quantity.name,
        "equation": quantity.equation,
        "description": quantity.says,
        "tolerance": {"rule": RULE, "c": C, "u": ROUNDOFF},
        "provenance": {
            "arithmetic": "balls of 256 bits (arb)",
            "command": "kfgn-check vectors regenerate",
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in ("kfgn", "numpy", "python-flint")},
            },
        },
        "notes": {name: flag.note for name, flag in FLAGS.items() if name in of_any},
        "mistakes": {name: MISTAKES[name].says for name in MISTAKES if name in shown},
        "vectors": vectors,
    }


def vector_of(quantity: Quantity, one: Asked, hides: list[str]) -> dict[str, Any]:
    """A vector. Raises `ValueError` if no tolerance tells a right answer from a wrong one."""
    problem = one.problem
    if not telling(problem, quantity):
        raise ValueError(f"{quantity.name} on {problem.id}: its tolerance proves nothing")
    return {
        "id": f"{quantity.name}-{problem.id}",
        "description": one.says,
        "flags": list(flags(problem)),
        "hides": hides,
        "problem": as_json(problem),
        "n": longest_sum(problem),
        "expected": expected(problem, quantity),
    }


def expected(problem: Problem, quantity: Quantity) -> list[dict[str, Any]]:
    """The arrays of a quantity, with certified radii and what their tolerances are made of."""
    from ..certified import certified

    oracle, n = truth(problem, quantity), longest_sum(problem)
    return [
        written(balls, oracle.integer)
        | {"size": (size := rounded(of)), "d": (d := rounded(change)), "tolerances": allowed(n, size, d)}
        for balls, of, change in zip(certified(problem, quantity), oracle.sizes, oracle.changes, strict=True)
    ]


def allowed(n: int, size: float, d: float) -> dict[str, float]:
    """The tolerances of an array, by the `RULE`."""
    return {dtype: rounded(C * (n**0.5 * u * size + d * u / ROUNDOFF["float32"])) for dtype, u in ROUNDOFF.items()}


def rounded(x: float) -> float:
    """To three digits: of what the last digits are of no account, and depend on the machine."""
    return float(f"{x:.3g}")


def each(f: Callable[[Any], Any], array: Array) -> Array:
    """f of every element, as an array of objects, also of one that has no axis."""
    return np.asarray(np.frompyfunc(f, 1, 1)(array), dtype=object)


def written(balls: Array, integers: bool) -> dict[str, Any]:
    """An array of balls as decimals with a radius that holds for each, and as the nearest numbers of float64."""
    if integers:
        return {"decimals": each(str, balls).tolist(), "radius": "0", "float64": balls.tolist()}
    from ..certified import bounds

    low, high = bounds(balls)
    centres = np.asarray((low + high) / 2, dtype=object)
    quantum = decimal_quantum(max((abs(centre) for centre in centres.flat), default=Fraction(0)))
    decimals = each(lambda centre: decimal(centre, quantum), centres)
    printed = each(Fraction, decimals)
    edges = np.asarray(np.maximum(abs(printed - low), abs(high - printed)), dtype=object)
    return {
        "decimals": each(plainly, decimals).tolist(),
        "radius": rounded_up(max(edges.flat, default=Fraction(0))),
        "float64": each(float, centres).tolist(),
    }


def decimal_quantum(most: Fraction) -> Decimal:
    """The place of the last digit, so that the largest element has `DIGITS` of them."""
    exponent = Decimal(most.numerator) / Decimal(most.denominator) if most else Decimal(1)
    return Decimal(1).scaleb(exponent.adjusted() - DIGITS + 1)


def decimal(x: Fraction, quantum: Decimal) -> Decimal:
    """Rounded to this place."""
    context = Context(prec=4 * DIGITS, rounding=ROUND_HALF_EVEN)
    return context.quantize(context.divide(Decimal(x.numerator), Decimal(x.denominator)), quantum)


def plainly(x: Decimal) -> str:
    """Digits without an exponent and without zeros at the end, which a 0 has none of."""
    text = format(x, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) if x else "0"


def rounded_up(radius: Fraction) -> str:
    """Two digits, no less than the radius."""
    if radius == 0:
        return "0"
    text = f"{float(radius * Fraction(21, 20)):.1e}"
    assert Fraction(Decimal(text)) >= radius
    return text


def catches(problem: Problem, quantity: Quantity) -> set[str]:
    """The mistakes whose answer is no right one, to the tolerance of float32."""
    oracle, allowed = truth(problem, quantity), tolerances(problem, quantity, "float32")
    found = set()
    for name in MISTAKES:
        made = mistaken(name, problem, quantity)
        if made is None or any(largest(m - q) > t for m, q, t in zip(made, oracle.arrays, allowed, strict=True)):
            found.add(name)
    return found


def lines(value: Any, indent: str = "") -> str:
    """JSON whose lists of numbers, or of lists of them, have a line for each row: to be read by people too."""
    if isinstance(value, dict) and value:
        inner = indent + "  "
        items = [f"{inner}{json.dumps(key)}: {lines(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        inner = indent + "  "
        return "[\n" + ",\n".join(f"{inner}{lines(item, inner)}" for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)
