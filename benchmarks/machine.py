"""The machine of a run: the number of threads, the processor and the versions.

The number of threads must be set before an array library is imported, so this module imports none.
"""

import importlib.metadata
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

DISTRIBUTIONS = (
    *("numpy", "scipy", "torch", "jax", "jaxlib", "cupy-cuda13x"),
    *("backpack-for-pytorch", "curvlinops-for-pytorch", "kfac-jax"),
)


def available_threads() -> int:
    """The number of processors that this process may use."""
    return len(_processors())


def _processors() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def use_threads(number: int) -> None:
    """Limit every array library to a number of threads. JAX uses as many as the process has processors."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(number)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, _processors()[:number])


def processor() -> str:
    """The name of the processor."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """The versions of Python and of the installed libraries."""
    found = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def blas() -> str:
    """The library for products of matrices of NumPy."""
    import numpy as np

    found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{found['name']} {found['version']}"


def commit() -> str:
    """The commit of the checkout, with a plus sign if files have changed."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def gpu() -> str:
    """The name of the GPU, or an empty string."""
    torch = sys.modules.get("torch")
    return torch.cuda.get_device_name() if torch is not None and torch.cuda.is_available() else ""


def description(threads: int) -> dict[str, object]:
    """The date, the commit, the machine, the versions and the command of this run."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "processor": processor(),
        "processors": os.cpu_count(),
        "gpu": gpu(),
        "threads": threads,
        "versions": versions(),
        "blas": blas(),
        "command": "python -m benchmarks " + " ".join(sys.argv[1:]),
    }
