"""The recipe of docs/adapters.md for the CI of another project works in a repository with a checkout of kfgn."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
(RECIPE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
LINES = [shlex.split(line.removeprefix("- run: ")) for line in RECIPE.splitlines()]


def test_the_recipe_has_no_placeholder_and_installs_an_extra_that_exists():
    assert not re.search(r"\b[A-Z]{3,}\b", RECIPE)
    (program, action, requirement), *_ = LINES
    path, extra = re.fullmatch(r"(\./\S+)\[(\w+)\]", requirement).groups()
    assert (program, action) == ("pip", "install")
    assert path.removeprefix("./") in PAGE.replace(RECIPE, "")
    assert (
        extra
        in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    )


def test_its_last_line_runs_the_adapter(tmp_path):
    """In an empty folder with an adapter, on the rows and the dtype of one small test."""
    *_, (program, *options) = LINES
    package = tmp_path / "my_package"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "my_module.py").write_text(
        "from kfgn_conformance import QUANTITIES, Description\n\n\n"
        "class Mine:\n"
        "    def __init__(self, dtype):\n"
        "        self.dtype = dtype\n\n"
        "    def describe(self):\n"
        "        return Description('mine', '1', self.dtype, {'loss'})\n\n"
        "    def compute(self, problem, quantity):\n"
        "        return tuple(a.astype(self.dtype) for a in QUANTITIES[quantity].value(problem))\n",
        encoding="utf-8",
    )
    few = ["--kfgn-dtype=float64", "--kfgn-examples=0", "-k", "loss", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", program, *options, *few], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b1 passed", done.stdout)
