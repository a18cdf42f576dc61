"""Processes that tests start, and the time for which a test waits for them."""

import time
from pathlib import Path

import pytest

LONG = 120.0
"""Seconds allowed for work that ends as soon as possible, on a busy machine."""

with_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")


def alive(pid):
    """True for a running process, and False for one that has ended, even if its parent has not waited for it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition):
    """Wait until the condition holds, at most `LONG` seconds."""
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, "the condition did not hold in time"
        time.sleep(0.02)
