"""The example of the README runs as it is printed."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_example():
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    loss, rows = re.fullmatch(r"(\S+) \((\d+), \2\)\n", done.stdout).groups()
    assert float(loss) > 0
    assert int(rows) == 16 * (64 + 1)
