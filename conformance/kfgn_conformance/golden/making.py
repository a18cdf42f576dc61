"""The files of golden vectors, from the reference in ball arithmetic."""

import hashlib
import platform
from collections import defaultdict
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..diagnosis import MISTAKES, mistaken
from ..problems.problem import Problem
from ..problems.serialisation import as_json
from ..quantities import ROWS, Quantity, largest
from ..tolerances import ROUNDOFF, C, longest_sum, telling, tolerances, truth
from .decimals import in_decimals
from .flags import FLAGS, flags
from .form import FOLDER, FORMAT, SCHEMA
from .layout import lines
from .problems import Question, every_question
from .vector import MANIFEST

RULE = "|answer - truth| <= c (sqrt(n) u size + d u / u_float32), n of the vector, size and d of the array"


def regenerate(folder: Path = FOLDER, progress: Callable[[str], None] = lambda _quantity: None) -> None:
    """Write every file anew; `progress` is told of each quantity as it begins.

    Raises `ImportError` without python-flint, and `ValueError` for a vector that could prove nothing.
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
    for file, text in texts.items():  # once all of them are made
        (folder / file).write_text(text, encoding="utf-8")


def sha256(content: bytes) -> str:
    """The hash of a file, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def file_of(quantity: Quantity, questions: list[Question]) -> dict[str, Any]:
    """All vectors of a quantity, with what they have in common."""
    problems = [one.problem for one in questions]
    caught = {problem.id: catches(problem, quantity) for problem in problems}
    shown = set[str]().union(*caught.values())
    vectors = [vector_of(quantity, one, sorted(shown - caught[one.problem.id])) for one in questions]
    of_any = {flag for vector in vectors for flag in vector["flags"]}
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
        "notes": {name: flag.note for name, flag in FLAGS.items() if name in of_any},
        "mistakes": {name: says for name, says in mistakes().items() if name in shown},
        "vectors": vectors,
    }


def header(quantity: Quantity) -> dict[str, Any]:
    """What a file says of its quantity."""
    return {
        "format": FORMAT,
        "quantity": quantity.name,
        "equation": quantity.equation,
        "description": quantity.description,
        "tolerance": {"rule": RULE, "c": C, "u": ROUNDOFF},
    }


def mistakes() -> dict[str, str]:
    """What each mistake of the catalogue is."""
    return {name: mistake.says for name, mistake in MISTAKES.items()}


def vector_of(quantity: Quantity, one: Question, hides: list[str]) -> dict[str, Any]:
    """A vector. Raises `ValueError` if no tolerance tells a right answer from a wrong one."""
    problem = one.problem
    if not telling(problem, quantity):
        raise ValueError(f"{quantity.name} on {problem.id}: its tolerance proves nothing")
    return {
        "id": f"{quantity.name}-{problem.id}",
        "description": one.description,
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
        in_decimals(balls, oracle.integer)
        | {"size": (size := rounded(of)), "d": (d := rounded(change)), "tolerances": allowed(n, size, d)}
        for balls, of, change in zip(certified(problem, quantity), oracle.sizes, oracle.changes, strict=True)
    ]


def allowed(n: int, size: float, d: float) -> dict[str, float]:
    """The tolerances of an array, by the `RULE`."""
    return {dtype: rounded(C * (n**0.5 * u * size + d * u / ROUNDOFF["float32"])) for dtype, u in ROUNDOFF.items()}


def rounded(x: float) -> float:
    """To three digits: of what the last digits are of no account, and depend on the machine."""
    return float(f"{x:.3g}")


def catches(problem: Problem, quantity: Quantity) -> set[str]:
    """The mistakes whose answer is no right one, to the tolerance of float32."""
    right = list(zip(truth(problem, quantity).arrays, tolerances(problem, quantity, "float32"), strict=True))

    def caught(name: str) -> bool:
        made = mistaken(name, problem, quantity)
        return made is None or any(largest(m - q) > t for m, (q, t) in zip(made, right, strict=True))

    return set(filter(caught, MISTAKES))
