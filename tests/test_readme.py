"""The examples of the README, run as they are printed, in their order."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_examples():
    program = "\n".join(re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL))
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    curvature, step, optimised, module = done.stdout.splitlines()
    loss, rows = re.fullmatch(r"(\S+) \((\d+), \2\)", curvature).groups()
    assert float(loss) > 0
    assert int(rows) == 16 * (64 + 1)
    alpha, rho = map(float, step.split())
    assert alpha < 0 < rho
    last, averaged = map(float, optimised.split())
    assert last < float(loss) / 2
    assert averaged < float(loss)
    before, after = map(float, module.split())
    assert after < before
