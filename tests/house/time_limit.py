"""Run a command with a time limit for two quiet processors: `python tests/house/time_limit.py SECONDS COMMAND ...`.

Machines differ in speed, and other programs may share them. So two copies of a fixed program run at the same time,
before the command and again after it. If they take k times as long, on average, as on the machine for which the limit
was set, the command may take k times as long, too. A faster machine does not shorten the limit, and k is at most
`SLOWEST`.
"""

import argparse
import subprocess
import sys
import time

QUIET = 1.9
"""The seconds of two copies of the fixed program at once, on two quiet virtual processors of an AMD EPYC of family 25.

They were measured with Python 3.11.
"""

SLOWEST = 4
"""The largest factor of a limit. A larger measured factor means that the measurement or the machine is faulty."""

TEXT = """\
def f_{0}(a, b):
    kinds = {{"a": a, "b": b, "numbers": [a * {0}, b - {0}, (a, b)]}}
    for name, value in kinds.items():
        if name != "numbers" and value > {0}:
            yield f"{{name}}: {{value}}"
"""

FIXED_PROGRAM = "--fixed-program"
"""The option that runs the fixed program instead of a command."""


def fixed_program() -> None:
    """Compile a long text to byte code, again and again."""
    text = "".join(TEXT.format(i) for i in range(1000))
    for _ in range(24):
        compile(text, "text", "exec")


def slowness() -> float:
    """The time of two copies of the fixed program at once, divided by `QUIET`."""
    start = time.monotonic()
    processes = [subprocess.Popen([sys.executable, __file__, FIXED_PROGRAM]) for _ in range(2)]
    statuses = [process.wait() for process in processes]
    if any(statuses):
        raise RuntimeError(f"the fixed program: expected the status 0 twice, got {statuses}")
    return (time.monotonic() - start) / QUIET


def main(argv: list[str] | None = None) -> int:
    """Run the command and print its time. Return its exit status, or 1 if it took longer than it may."""
    parser = argparse.ArgumentParser(description="Run a command with a time limit for two quiet processors.")
    parser.add_argument("seconds", type=float, help="the limit on two quiet processors")
    parser.add_argument("program", help="the command")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")
    options = parser.parse_args(argv)
    before = slowness()
    start = time.monotonic()
    status = subprocess.run([options.program, *options.arguments], check=False).returncode
    took = time.monotonic() - start
    if status:
        return status
    measured = (before + slowness()) / 2
    limit = options.seconds * min(max(1.0, measured), SLOWEST)
    print(f"{options.program} took {took:.0f} s of {limit:.0f} s, at {measured:.2f} of the time of quiet processors")
    if took > limit:
        expected = f"{limit:.0f} s, which is {limit / options.seconds:.2f} times {options.seconds:g} s"
        print(f"{options.program}: expected at most {expected}, got {took:.0f} s", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(fixed_program() if sys.argv[1:] == [FIXED_PROGRAM] else main())
