"""The start of a program: the time of `import kfgn`, the heavy modules that it imports, and the first call."""

import json
import statistics
import subprocess
import sys

from .child import ROOT
from .rows import Row
from .settings import Settings

HEAVY = ("torch", "jax", "cupy", "scipy", "matplotlib", "rich")

IMPORT = """
import json, sys
from time import perf_counter
if sys.argv[1] == "after NumPy":
    import numpy
start = perf_counter()
import kfgn
print(json.dumps([perf_counter() - start, [name for name in %r if name in sys.modules]]))
"""

FIRST_CALL = """
import json, sys
from time import perf_counter
from benchmarks.batch import batch
from benchmarks.calls import library_of
from benchmarks.sizes import SMALL, Sizes
from benchmarks.work import kfra
b = batch(library_of(sys.argv[1], "float32"), Sizes(SMALL, 128, "categorical"))
b.library.wait(b.X @ b.X.T)
start = perf_counter()
kfra(b)()
print(json.dumps([perf_counter() - start, []]))
"""


def start_of_program(settings: Settings) -> list[Row]:
    """Rows of wall times, each the median of fresh processes."""
    rows = [_row("import kfgn", IMPORT % (HEAVY,), name, settings) for name in ("with NumPy", "after NumPy")]
    return rows + [_row("first KFRA of 64-32-10", FIRST_CALL, name, settings) for name in settings.backends]


def _row(work: str, program: str, argument: str, settings: Settings) -> Row:
    found = [_run(program, argument) for _ in range(settings.rounds)]
    heavy = sorted({name for _, names in found for name in names})
    note = f"imports {', '.join(heavy)}" if heavy else ""
    return Row("start", work, argument, statistics.median(seconds for seconds, _ in found), note=note)


def _run(program: str, argument: str) -> tuple[float, list[str]]:
    command = [sys.executable, "-c", program, argument]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    seconds, names = json.loads(done.stdout)
    return seconds, names
