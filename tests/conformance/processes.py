"""Processes that tests start, and how long a test waits for them."""

import time
from pathlib import Path

import pytest

LONG = 120.0
"""Seconds for work that ends as soon as it can, on a machine that has much else to do."""

with_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc to see processes in")


def alive(pid):
    """True for a process that runs, and False for one that has ended, even if nobody has waited for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition):
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
