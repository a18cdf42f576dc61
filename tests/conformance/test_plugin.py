"""The pytest plug-in, run as an implementer runs it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from kfgn_conformance.problem_sets import standard
from kfgn_conformance.problems.fixed import fixed

HERE = Path(__file__).parent

DOUBLED = """
from small_kfac import SmallKfac

class Doubled(SmallKfac):
    def compute(self, problem, quantity):
        return tuple(2 * array for array in super().compute(problem, quantity))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, which is empty except for the adapter `doubled:Doubled`."""
    (tmp_path / "doubled.py").write_text(DOUBLED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


OPTIONS = ("-ra", "--pyargs", "kfgn_conformance", "--kfgn-examples=0")


@pytest.fixture
def pytest_with(folder, only, monkeypatch, capsys):
    """Run pytest in this process with the plug-in alone, on a few problems, without the settings of this project."""
    only("-tanh")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "200")
    for place in (HERE, folder):
        monkeypatch.syspath_prepend(place)

    def run(*arguments):
        outer = ("faulthandler", "cacheprovider", "unraisableexception")  # the last collects garbage, for a second
        plugins = ("-p", "kfgn_pytest", "-Wdefault", *(part for name in outer for part in ("-p", f"no:{name}")))
        code = pytest.main([*OPTIONS, *plugins, f"--rootdir={folder}", *arguments])
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run


@pytest.fixture
def process_with(folder):
    """Run pytest in a separate process, without the settings of this project, where the plug-in is found."""
    path = os.pathsep.join([str(HERE), str(folder), *(entry for entry in sys.path if entry)])
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}

    def run(*arguments, pytest=("-m", "pytest")):
        command = [sys.executable, *pytest, *OPTIONS, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def test_a_right_implementation_passes(process_with, tmp_path):
    """On all problems of the kit."""
    junit = tmp_path / "junit.xml"
    ran = process_with("--kfgn-adapter=small_kfac:SmallKfac", "-v", "-k", "gradient", f"--junitxml={junit}")
    assert ran.returncode == 0, ran.stdout
    assert "test_is_the_reference[gradient-float32] PASSED" in ran.stdout
    assert "2 passed, 4 deselected" in ran.stdout
    assert len(re.findall(r'name="problems" value="\d+ of \d+"', junit.read_text())) == 2


def test_questions_in_other_orders_are_a_test_for_each_dtype(pytest_with):
    right = pytest_with("--kfgn-adapter=stateful:CachesRightly", "--kfgn-dtype=float64", "-k", "any_order")
    assert right.returncode == 0, right.stdout
    assert "1 passed, 4 deselected" in right.stdout
    spoilt = pytest_with("--kfgn-adapter=stateful:SpoiltByAnother", "--kfgn-dtype=float64", "-k", "any_order")
    assert spoilt.returncode == 1
    assert "FAIL: gradient: right when asked alone, wrong after kflr on case-" in spoilt.stdout


SCRIPT = "import sys; sys.path.pop(0); import pytest; sys.exit(pytest.console_main())"
"""The console script `pytest`. Unlike `python -m pytest`, it does not look for modules in the current folder."""


def test_a_module_in_the_current_folder_is_found(process_with, tmp_path):
    (tmp_path / "my_kfac.py").write_text("from small_kfac import SmallKfac as Mine")
    given = ("--kfgn-adapter=my_kfac:Mine", "--kfgn-dtype=float32", "--collect-only", "-q")
    ran = process_with(*given, pytest=("-c", SCRIPT))
    assert ran.returncode == 0, ran.stdout
    assert "test_is_the_reference[gradient-float32]" in ran.stdout


def test_a_number_of_examples_below_0_is_a_usage_error(pytest_with):
    ran = pytest_with("--kfgn-adapter=small_kfac:SmallKfac", "--kfgn-examples=-1")
    assert ran.returncode in (2, 4)
    assert "--kfgn-examples: expected 0 or more, got -1" in ran.stdout + ran.stderr


def test_drawn_problems_are_among_those_of_the_tests(pytest_with, tmp_path):
    junit = tmp_path / "junit.xml"
    given = ("--kfgn-adapter=small_kfac:SmallKfac", "--kfgn-dtype=float64", "-k", "gradient", f"--junitxml={junit}")
    ran = pytest_with(*given, "--kfgn-examples=1")
    assert ran.returncode == 0, ran.stdout
    drawn = int(re.search(r"value=\"\d+ of (\d+)", junit.read_text()).group(1))
    ran = pytest_with(*given)
    assert int(re.search(r"value=\"\d+ of (\d+)", junit.read_text()).group(1)) == drawn - 1


@pytest.mark.parametrize("limit", ["0", *(pytest.param(limit, marks=pytest.mark.thorough) for limit in ("-1", "nan"))])
def test_a_limit_that_is_none_is_a_usage_error(pytest_with, limit):
    ran = pytest_with("--kfgn-adapter=small_kfac:SmallKfac", f"--kfgn-limit={limit}")
    assert ran.returncode in (2, 4)
    assert f"--kfgn-limit: expected seconds above 0, got {limit}" in ran.stdout + ran.stderr


def test_a_mistake_is_named(pytest_with):
    ran = pytest_with("--kfgn-adapter=doubled:Doubled", "--kfgn-dtype=float64", "-k", "gradient")
    assert ran.returncode == 1
    assert "FAIL on " in ran.stdout
    assert "loss-without-its-half: The squared error lacks its factor 1/2" in ran.stdout
    assert "translated: divided by N, as the answer is a sum over the datapoints" in ran.stdout


def test_without_an_adapter_the_test_is_skipped(pytest_with):
    ran = pytest_with()
    assert "no --kfgn-adapter=MODULE:NAME" in ran.stdout
    assert "2 skipped" in ran.stdout


def test_without_a_problem_in_its_dtype_the_test_is_skipped(pytest_with, monkeypatch):
    (in_float64,) = (problem for problem in fixed() if problem.id == "saturated-units-800-tanh-squared_error")
    for other in ("cases", "added_cases"):
        monkeypatch.setattr(standard, other, tuple)
    monkeypatch.setattr(standard, "fixed", lambda: (in_float64,))
    ran = pytest_with("--kfgn-adapter=small_kfac:SmallKfac", "--kfgn-dtype=float32", "-k", "gradient")
    assert ran.returncode == 0, ran.stdout
    assert "1 skipped" in ran.stdout
    assert "saturated-units-800-tanh-squared_error is run only in float64" in ran.stdout


def test_an_adapter_that_cannot_be_asked_is_a_usage_error(pytest_with):
    ran = pytest_with("--kfgn-adapter=small_kfac:Nobody", "--kfgn-dtype=float64")
    assert ran.returncode in (2, 4)
    assert "--kfgn-adapter: small_kfac:Nobody: AttributeError" in ran.stdout + ran.stderr


KNOWN = """
[[failure]]
adapter = "small"
dtype = "{dtype}"
quantity = "gradient"
problems = "*"
status = "FAIL"
reason = "it has no half yet"
"""


@pytest.mark.parametrize(
    ("adapter", "dtype", "code", "said"),
    [
        ("doubled:Doubled", "float64", 0, "it has no half yet"),
        ("doubled:Doubled", "float32", 1, "1 failed"),
        ("small_kfac:SmallKfac", "float64", 1, "unexpectedly passing: FAIL of gradient by small"),
    ],
)
def test_failures_that_are_known(pytest_with, tmp_path, adapter, dtype, code, said):
    """Expected failures are xfailed in their dtype alone, and an expected failure that passes fails."""
    file = tmp_path / "known.toml"
    file.write_text(KNOWN.format(dtype=dtype))
    options = (f"--kfgn-adapter={adapter}", f"--kfgn-expected={file}", "--kfgn-dtype=float64", "-k", "gradient")
    ran = pytest_with(*options)
    assert ran.returncode == code, ran.stdout
    assert said in ran.stdout
    assert ("1 xfailed" in ran.stdout) == (code == 0)


def test_a_file_of_known_failures_that_says_nothing_is_a_usage_error(pytest_with, tmp_path):
    file = tmp_path / "known.toml"
    file.write_text("[[failure]]\nadapter = 'small_kfac'\n")
    ran = pytest_with("--kfgn-adapter=small_kfac:SmallKfac", f"--kfgn-expected={file}", "-k", "gradient")
    assert ran.returncode == 2
    assert "known.toml: failure[0]: expected a field dtype" in ran.stdout + ran.stderr


def test_the_entry_point_imports_nothing_but_pytest():
    program = "import sys, kfgn_pytest; print(sorted({'numpy', 'hypothesis', 'rich', 'kfgn'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
