"""One call in a fresh process: its time, and the increase of the peak memory of the process.

    python -m benchmarks.child '{"work": "KFLR", "library": "torch", ...}'

The process first makes the same call at a small size, which imports all that a call imports.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from .machine import use_threads
from .settings import Settings
from .sizes import Sizes

ROOT = Path(__file__).parents[1]

PAGES = Path("/proc/self/clear_refs")
STATUS = Path("/proc/self/status")


class Measured(NamedTuple):
    """The time in seconds of a call, and the increase of the peak memory in bytes."""

    seconds: float
    peak: int


def measured(work: str, library: str, sizes: Sizes, settings: Settings) -> Measured:
    """Measure a call in a child process. `library` is a backend, a peer, or "plain" and a backend."""
    task = {"work": work, "library": library, "sizes": sizes, "threads": settings.threads, "clock": settings.clock}
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.child", json.dumps(task | {"dtype": settings.dtype})]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"{work} by {library}: expected exit status 0, got {done.returncode}\n{done.stderr}")
    return Measured(*json.loads(done.stdout))


def main(text: str) -> None:
    """Measure the call that a JSON object describes, and print its time and its memory."""
    task = json.loads(text)
    use_threads(task["threads"])
    from .calls import call_of  # imports array libraries, which read the number of threads
    from .timing import CLOCKS, repeated

    widths, N, objective = task["sizes"]
    small = Sizes(tuple(min(D, 8) for D in widths), 4, objective)
    call_of(task["work"], task["library"], small, task["dtype"])()
    call = call_of(task["work"], task["library"], Sizes(tuple(widths), N, objective), task["dtype"])
    before = resident(reset=True)
    seconds = repeated(call, 1, CLOCKS[task["clock"]])
    print(json.dumps([seconds, resident() - before]))  # noqa: T201  (the result of the process)


def resident(*, reset: bool = False) -> int:
    """The peak of the resident memory of this process in bytes. With `reset`, the peak begins at the present size."""
    if reset:
        PAGES.write_text("5")
    (line,) = (line for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    main(sys.argv[1])
