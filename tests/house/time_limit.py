"""Run a command with a time limit for quiet processors: `python -m tests.house.time_limit SECONDS COMMAND ...`.

Machines differ in speed, and other programs may share them. So a fixed program measures the speed of all processors
before the command and after it. If the fixed program takes k times as long as on the machine for which the limit was
set, the command may take k times as long, too. A faster machine does not shorten the limit.
"""

import argparse
import os
import subprocess
import sys
import time

QUIET = 1.9
"""The seconds of the fixed program on two quiet virtual processors of an AMD EPYC of family 25, with Python 3.11."""

TEXT = """\
def f_{0}(a, b):
    kinds = {{"a": a, "b": b, "numbers": [a * {0}, b - {0}, (a, b)]}}
    for name, value in kinds.items():
        if name != "numbers" and value > {0}:
            yield f"{{name}}: {{value}}"
"""


def fixed_program() -> None:
    """Compile a long text to byte code, again and again."""
    text = "".join(TEXT.format(i) for i in range(1000))
    for _ in range(24):
        compile(text, "text", "exec")


def slowness() -> float:
    """The time of the fixed program on all processors at once, over `QUIET`."""
    start = time.monotonic()
    command = [sys.executable, "-c", "from tests.house.time_limit import fixed_program; fixed_program()"]
    for process in [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]:
        process.wait()
    return (time.monotonic() - start) / QUIET


def main(argv: list[str] | None = None) -> int:
    """Run the command and print its time. Return its exit status, or 1 if it took longer than it may."""
    parser = argparse.ArgumentParser(description="Run a command with a time limit for quiet processors.")
    parser.add_argument("seconds", type=float, help="the limit on two quiet processors")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="the command and its arguments")
    options = parser.parse_args(argv)
    before = slowness()
    start = time.monotonic()
    status = subprocess.run(options.command, check=False).returncode
    took = time.monotonic() - start
    k = max(1.0, (before + slowness()) / 2)
    name, limit = options.command[0], options.seconds * k
    print(f"{name} took {took:.0f} s, on processors that are {k:.2f} times as slow as the quiet ones", flush=True)
    if status == 0 and took > limit:
        expected = f"{options.seconds:g} s * {k:.2f} = {limit:.0f} s"
        print(f"{name}: expected at most {expected}, got {took:.0f} s", file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
