"""Facts that stand in several files of a release, and the pins of the workflows."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import kfgn

from .distributions import METADATA, PACKAGES, package_files, sdist_faults, wheel_faults

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_the_citation_and_the_newest_section_of_the_changelog_have_the_version():
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    section = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert (cited[1], section[1]) == (kfgn.__version__, kfgn.__version__)


def test_pre_commit_runs_the_ruff_of_the_session_lint():
    (ruff,) = (Requirement(r) for r in PROJECT["dependency-groups"]["lint"] if r.startswith("ruff"))
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert str(ruff.specifier) == "==" + re.search(r"ruff-pre-commit\s+rev: v(\S+)", hooks)[1]


def test_each_dependency_has_one_lower_bound():
    """The session `oldest` installs these releases, so each must have one value for the whole project."""
    project = PROJECT["project"]
    bounds = {}
    for text in (*project["dependencies"], *(r for part in project["optional-dependencies"].values() for r in part)):
        requirement = Requirement(text)
        if requirement.name != "kfgn":
            found = [bound.version for bound in requirement.specifier if bound.operator == ">="]
            bounds.setdefault(requirement.name, set()).add(tuple(found))
    assert {name: found for name, found in bounds.items() if len(found) != 1 or len(next(iter(found))) != 1} == {}


def test_all_extras_can_be_installed_on_macos():
    """There is no CUDA on macOS, and no CuPy for it."""
    (cupy,) = map(Requirement, PROJECT["project"]["optional-dependencies"]["cupy"])
    installed = {system: cupy.marker.evaluate({"sys_platform": system}) for system in ("darwin", "linux", "win32")}
    assert installed == {"darwin": False, "linux": True, "win32": True}


@pytest.mark.skipif(not WORKFLOWS, reason="the sdist has no workflows")
def test_actions_are_pinned_by_hash_with_their_version_in_a_comment():
    lines = [
        (path.name, line.strip())
        for path in WORKFLOWS
        for line in path.read_text().splitlines()
        if re.match(r"\s*(- )?uses:", line)
    ]
    assert len(lines) > 10
    pinned = re.compile(r"(- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [line for line in lines if not pinned.fullmatch(line[1])] == []


@pytest.mark.skipif(not WORKFLOWS, reason="the sdist has no workflows")
def test_an_action_has_the_same_hash_everywhere():
    pins = {}
    for path in WORKFLOWS:
        for action, pin in re.findall(r"uses: ([\w./-]+)@(.*)", path.read_text()):
            pins.setdefault(action, set()).add(pin)
    assert {action: found for action, found in pins.items() if len(found) > 1} == {}


def complete_wheel():
    """The names of the files of a wheel without a fault."""
    return package_files() | {f"kfgn-{kfgn.__version__}.dist-info/{name}" for name in METADATA}


def test_a_complete_wheel_has_no_fault():
    assert wheel_faults(complete_wheel(), package_files()) == []


@pytest.mark.parametrize(
    "name",
    [
        *(f"{package}/py.typed" for package in PACKAGES),
        "kfgn_conformance/reports/page.html.jinja",
        "kfgn_conformance/vectors/manifest.json",
        "kfgn/lab/data/digits.npz",
        f"kfgn-{kfgn.__version__}.dist-info/licenses/NOTICE",
    ],
)
def test_a_file_that_is_missing_in_a_wheel_is_named(name):
    assert name in complete_wheel()
    (fault,) = wheel_faults(complete_wheel() - {name}, package_files())
    assert name.split("/", 1)[1] in fault


def test_tests_in_a_wheel_are_named():
    assert wheel_faults(complete_wheel() | {"tests/conftest.py"}, package_files()) == [
        "wheel: expected no file tests/conftest.py"
    ]


def test_an_sdist_without_its_tests_or_with_the_workflows_is_named():
    assert "sdist: expected the file tests/test_gpu_script.py, got none" in sdist_faults({"pyproject.toml"})
    assert "sdist: expected no folder .github" in sdist_faults({".github/workflows/ci.yml"})
