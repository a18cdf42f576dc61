"""Computation of the files of golden vectors, by the reference in ball arithmetic."""

import platform
from collections import defaultdict
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..diagnosis import Mistake, mistakes_of
from ..diagnosis.answers import answer_of
from ..oracle import Oracle
from ..problems.serialisation import as_json
from ..quantities import ROWS, Quantity, largest
from ..tolerances import ROUNDOFF, C, longest_sum
from .decimals import in_decimals
from .flags import FLAGS, flags
from .form import FOLDER, FORMAT, MANIFEST, SCHEMA, sha256
from .layout import lines
from .problems import Question, every_question

RULE = "|answer - truth| <= c (sqrt(n) u size + d u / u_float32), with the vector's n, and the array's size and d"


def regenerate(folder: Path = FOLDER, progress: Callable[[str], None] = lambda _quantity: None) -> None:
    """Compute and write every file.

    progress: a function that is called with the name of each quantity before the file of the quantity is computed

    Raises `ImportError` without python-flint, and `ValueError` for a vector whose tolerance is too wide to show any
    mistake, or whose values cannot be certified.
    """
    folder.mkdir(parents=True, exist_ok=True)
    by_quantity: dict[str, list[Question]] = defaultdict(list)
    for one in every_question():
        for name in one.quantities:
            by_quantity[name].append(one)
    texts: dict[str, str] = {}
    manifest: dict[str, dict[str, Any]] = {}
    for name, quantity in ROWS.items():
        progress(name)
        content = file_of(quantity, by_quantity[name])
        texts[f"{name}.json"] = text = lines(content) + "\n"
        manifest[f"{name}.json"] = {"sha256": sha256(text.encode()), "vectors": len(content["vectors"])}
    total = sum(entry["vectors"] for entry in manifest.values())
    texts[MANIFEST] = lines({"format": FORMAT, "vectors": total, "files": manifest}) + "\n"
    texts[SCHEMA] = (FOLDER / SCHEMA).read_text(encoding="utf-8")
    for file, text in texts.items():  # no file is written before all files are computed
        (folder / file).write_text(text, encoding="utf-8")


def file_of(quantity: Quantity, questions: list[Question]) -> dict[str, Any]:
    """The content of the file of a quantity: the vectors, and the fields that all vectors of the file share."""
    oracles = [Oracle(one.problem, quantity) for one in questions]
    caught = [catches(oracle) for oracle in oracles]
    shown = set[str]().union(*caught)
    each = zip(oracles, questions, caught, strict=True)
    vectors = [vector_of(oracle, one.description, sorted(shown - its_own)) for oracle, one, its_own in each]
    used = {flag for vector in vectors for flag in vector["flags"]}
    return {
        **header(quantity),
        "provenance": {
            "arithmetic": "balls of 256 bits (arb)",
            "command": "kfgn-check vectors regenerate",
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in ("kfgn", "numpy", "python-flint")},
            },
        },
        "notes": {name: flag.note for name, flag in FLAGS.items() if name in used},
        "mistakes": {name: text for name, text in mistakes(quantity).items() if name in shown},
        "vectors": vectors,
    }


def header(quantity: Quantity) -> dict[str, Any]:
    """The fields of a file that describe its quantity."""
    return {
        "format": FORMAT,
        "quantity": quantity.name,
        "equation": quantity.equation,
        "description": quantity.description,
        "tolerance": {"rule": RULE, "c": C, "u": ROUNDOFF},
    }


def mistakes(quantity: Quantity) -> dict[str, str]:
    """The descriptions of the known mistakes of the textbook that computes a quantity, by name of the mistake."""
    return {name: mistake.description for name, mistake in mistakes_of(quantity).items()}


def vector_of(oracle: Oracle, description: str, hides: list[str]) -> dict[str, Any]:
    """A vector as an object of JSON. Raises `ValueError` if the tolerance is too wide to show any mistake."""
    problem = oracle.problem
    if not oracle.is_conclusive:
        raise ValueError(f"{oracle}: expected a tolerance that can show a mistake, got a tolerance that is too wide")
    return {
        "id": f"{oracle.quantity.name}-{problem.id}",
        "description": description,
        "flags": list(flags(problem)),
        "hides": hides,
        "problem": as_json(problem),
        "n": longest_sum(problem),
        "expected": expected(oracle),
    }


def expected(oracle: Oracle) -> list[dict[str, Any]]:
    """The arrays of a quantity in decimals, with certified radii, tolerances, and the terms of the tolerances."""
    from ..certified import certified

    n, balls_of = longest_sum(oracle.problem), certified(oracle.problem, oracle.quantity)
    return [
        in_decimals(balls, oracle.value.integer)
        | {"size": (size := rounded(exact)), "d": (d := rounded(change)), "tolerances": allowed(n, size, d)}
        for balls, exact, change in zip(balls_of, oracle.sizes, oracle.changes, strict=True)
    ]


def allowed(n: int, size: float, d: float) -> dict[str, float]:
    """The tolerance of an array for each dtype, by `RULE`."""
    return {dtype: rounded(C * (n**0.5 * u * size + d * u / ROUNDOFF["float32"])) for dtype, u in ROUNDOFF.items()}


def rounded(x: float) -> float:
    """Round to three digits, because further digits are irrelevant and depend on the processor."""
    return float(f"{x:.3g}")


def catches(oracle: Oracle) -> set[str]:
    """The names of the mistakes without an answer on a problem, or with an answer outside the float32 tolerance."""
    right = list(zip(oracle.arrays, oracle.tolerances("float32"), strict=True))

    def is_caught(mistake: Mistake) -> bool:
        wrong = answer_of(mistake.textbook, oracle)
        return wrong is None or any(largest(a - q) > t for a, (q, t) in zip(wrong, right, strict=True))

    return {name for name, mistake in mistakes_of(oracle.quantity).items() if is_caught(mistake)}
