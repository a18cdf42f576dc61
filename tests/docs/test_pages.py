"""The Python blocks of the README and of the pages of docs/, run as they are printed, and what they print."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kfgn
from benchmarks.small_batches import spirals
from kfgn.lab.initialisation import initial_weights

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
"""A Python block, and the text block that follows it directly, which is its output."""

END = "-- the end of a block --"


def blocks(page):
    """The Python blocks of a page, each with the output that the page shows."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


PAGES = sorted(
    page for page in [*ROOT.glob("docs/**/*.md"), ROOT / "CONTRIBUTING.md", ROOT / "README.md"] if blocks(page)
)


def printed(programs):
    """The output of each of the programs. They share one process, in which warnings are errors."""
    joined = "".join(f"{program}\nprint({END!r})\n" for program in programs)
    done = subprocess.run([sys.executable, "-W", "error", "-c", joined], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.split(f"{END}\n")[:-1]


def test_the_doors_have_examples():
    assert {"README.md", "use.md", "check.md", "read.md", "methods.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_of_a_page(page):
    programs, shown = zip(*blocks(page), strict=True)
    assert printed(programs) == list(shown)


def test_a_wrong_output_is_found():
    assert printed(["print(1)", "print(2)"]) == ["1\n", "2\n"]
    with pytest.raises(AssertionError):
        printed(["import warnings; warnings.warn('a fault')"])


def test_the_diagnosis_of_the_page_on_checking(tmp_path):
    """The command prints the lines that docs/check.md shows."""
    page = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    program, command, shown = re.search(
        r"## Write an adapter.*?```python\n(.*?)```.*?```sh\nkfgn-check (--adapter.*?)\n```.*?```text\n(.*?)```",
        page,
        re.DOTALL,
    ).groups()
    (tmp_path / "mine.py").write_text(program)
    arguments = [*command.split(), "--examples", "0", "--jobs", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "kfgn_conformance", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    found = " ".join(done.stdout.split())
    diagnosis = shown[shown.index("FAIL:") :]
    assert " ".join(diagnosis.split()) in found


@pytest.mark.parametrize("seed", [0, 1])
def test_the_loop_that_goes_back_recovers_from_an_explosion(seed):
    """With tau = 0.01, batches of 16 spirals reach a loss above 10 in steps that are all accepted."""
    (program,) = (program for program, _ in blocks(ROOT / "docs" / "use.md") if "counts.failures" in program)
    weak = program.replace("initial=1.0", "initial=0.01")
    assert weak != program
    problem = spirals(seed)
    weights = tuple(W.astype("float64") for W in initial_weights(problem.network, seed))
    names = {"kfgn": kfgn, "rng": np.random.default_rng(1), "weights": weights, **vars(problem)}
    exec(weak, names)
    assert names["state"].counts.rejected == 0
    assert names["state"].tau >= 1
    assert names["after"] < 0.1
