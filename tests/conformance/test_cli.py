"""The command `kfgn-check run`: exit statuses, columns with a reason, and the file of JSON lines."""

import subprocess
import sys
from dataclasses import replace
from functools import cache

import pytest
from kfgn_conformance import cli
from kfgn_conformance.adapters import kfgn_port
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.problem_sets import standard
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, trajectory_problem
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.quantities import ROWS
from kfgn_conformance.reports import read_records

NUMPY = ["--backend", "numpy", "--examples", "1"]
FIXED = ["--backend", "numpy", "--examples", "0"]
"""Without drawn problems, for which most of the time goes to their tolerances."""

OF_THE_PAPER = [name for name, row in ROWS.items() if not row.of_shared_weights]
SOME = ["loss", "q", "kfra", "jacobian_product", "solve_trace", "optimiser_step"]
"""Some rows, in the order of the table."""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Leave a few cases, of which one replaces the real problems, and two steps of a trajectory.

    The oracles of the cases ship with the kit by their ids.
    """
    monkeypatch.setattr(standard, "REAL_PROBLEMS", {cases()[3].id: lambda: cases()[3]})
    monkeypatch.setattr(standard, "cases", lambda: cases()[:3])
    monkeypatch.setattr(standard, "added_cases", tuple)
    monkeypatch.setattr(standard, "fixed", tuple)
    monkeypatch.setattr(standard, "shared_problems", tuple)
    monkeypatch.setattr(standard, "masked_problems", tuple)
    monkeypatch.setattr(standard, "trajectory_problems", lambda: (two_steps(),))


@cache
def two_steps():
    whole = trajectory_problem("kfra", *TRAJECTORIES["kfra"])
    return replace(whole, trajectory=whole.trajectory._replace(checkpoints=whole.trajectory.checkpoints[3:5]))


@pytest.fixture
def any_random_problem(monkeypatch):
    """Take the first random problem, whose tolerances are not computed."""
    monkeypatch.setattr("kfgn_conformance.problem_sets.drawn.is_conclusive", lambda problem: True)


@pytest.fixture
def no_cupy(monkeypatch):
    """Make CuPy impossible to import, even if it was imported before. SciPy fails on a None in `sys.modules`."""

    class Absent:
        def find_spec(self, name, *_):
            if name.split(".")[0] == "cupy":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    for name in [name for name in sys.modules if "cupy" in name.split(".")[:2]]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])


def test_some_rows_alone(tmp_path):
    file = tmp_path / "report.jsonl"
    chosen = ["--quantity", "kfra", "loss"]
    assert cli.main([*FIXED, *chosen, "--jsonl", str(file)]) == cli.PASSED
    assert [cell["quantity"] for cell in read_records(file).cells] == ["loss", "loss", "kfra", "kfra"]


@pytest.mark.parametrize(
    ("given", "rows", "problems"),
    [(FIXED, OF_THE_PAPER, 4), ([*NUMPY, "--quantity", *SOME], SOME, 5)],
    ids=["all rows", "drawn problems"],
)
def test_all_pass_and_the_lines_say_the_same_as_the_table(given, rows, problems, monkeypatch, capsys, tmp_path):
    """Questions in other orders are left out, since the table has no line for them."""
    monkeypatch.setattr("kfgn_conformance.runner.small_problems", lambda problems: [])
    file = tmp_path / "report.jsonl"
    assert cli.main([*given, "--jsonl", str(file)]) == cli.PASSED
    table = capsys.readouterr().out
    run, cells = read_records(file)
    assert [(c["name"], c["dtype"]) for c in run["columns"]] == [("numpy", "float32"), ("numpy", "float64")]
    assert [(cell["quantity"], cell["column"]) for cell in cells] == [(name, i) for name in rows for i in (0, 1)]
    for cell in cells:
        assert cell["quantity"] in table
        assert cell["status"] == "PASS"
        assert cell["ratio"] <= 1
        assert cell["supported"] == cell["problems"] == (1 if cell["quantity"] == "optimiser_step" else problems)
        assert f"{cell['ratio']:.2f}" in table


def test_a_wrong_answer_fails_and_is_named(monkeypatch, capsys):
    right = kfgn_port.COMPUTE["kfra"]
    monkeypatch.setitem(kfgn_port.COMPUTE, "kfra", lambda p: tuple(2 * G for G in right(p)))
    assert cli.main([*FIXED, "--dtype", "float32", "--quantity", "loss", "kfra"]) == cli.FAILED
    assert "FAIL: kfra by numpy float32" in capsys.readouterr().out


@pytest.mark.usefixtures("no_cupy")
def test_a_backend_that_is_not_usable_is_a_column_that_says_why(capsys):
    assert cli.main(["--backend", "numpy", "cupy", "--examples", "0", "--quantity", "loss"]) == cli.PASSED
    assert "cupy: not usable: cupy is not installed: pip install 'kfgn[cupy]'" in capsys.readouterr().out


@pytest.mark.usefixtures("no_cupy")
def test_a_required_backend_that_is_not_usable_is_an_error(capsys):
    assert cli.main(["--backend", "numpy", "cupy", "--require", "numpy", "cupy"]) == cli.USAGE
    assert "required, but not usable or not selected: cupy" in " ".join(capsys.readouterr().err.split())


def test_a_required_backend_that_was_not_asked_for_is_an_error(capsys):
    assert cli.main([*NUMPY, "--require", "strict"]) == cli.USAGE
    assert "required, but not usable or not selected: strict" in " ".join(capsys.readouterr().err.split())


@pytest.mark.usefixtures("no_cupy")
def test_nothing_checked_is_no_success(capsys):
    assert cli.main(["--backend", "cupy", "--examples", "1"]) == cli.NOTHING_CHECKED
    assert "nothing was checked" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backend", "nunpy"], "error: --backend: expected one of numpy, strict, torch, torch-cuda, jax, jax-cuda, "),
        (["--backend", "nunpy"], "got nunpy (did you mean numpy?)"),
        (["--require", "tensorflow"], "error: --require: expected one of numpy, "),
        (
            ["--dtype", "float23"],
            "error: --dtype: expected one of float32, float64, got float23 (did you mean float32?)",
        ),
        (["--device", "tpu"], "error: --device: expected one of cpu, cuda, got tpu"),
        (["--adapter", "mine"], "error: --adapter: expected package.module:Adapter or exec:COMMAND, got mine"),
        (["--adapter", "exec:"], "error: --adapter: expected package.module:Adapter or exec:COMMAND, got exec:"),
        (["--limit", "x"], "error: --limit: expected a number of seconds, got x"),
        (["--jobs", "two"], "error: --jobs: expected an integer, got two"),
        (["--quantities", "q"], "got --quantities q (did you mean --quantity?)"),
        (["--quantit", "q"], "got --quantit q (did you mean --quantity?)"),
        (["--examples", "-1"], "expected 0 or more, got -1"),
        (["--jobs", "0"], "expected 1 or more, got 0"),
        (["--quantity", "kfrb"], "error: --quantity: expected one of loss, gradient, "),
        (["--jsonl", "/no/such/folder/report.jsonl"], "--jsonl: the folder /no/such/folder does not exist"),
        (["--html", "/no/such/folder/page.html"], "--html: the folder /no/such/folder does not exist"),
        (
            ["--problem", "case-bernouli*", "--examples", "0"],
            "--problem: expected a pattern that matches an id, got case-bernouli* (did you mean case-",
        ),
        (
            ["--problem", "case-*", "drown-2", "walk-kfr"],
            "--problem: expected a pattern that matches an id, got drown-2 walk-kfr (did you mean drawn-2, walk-kfra?)",
        ),
        (["--problem", "drawn-3", "--examples", "2"], "walk-kfra, and drawn-1 to drawn-2"),
        (["walk"], "error: command: expected one of run, report, certify, vectors, equations, mistakes, got walk"),
        (["vectors", "lst"], "error: action: expected one of list, verify, regenerate, got lst (did you mean list?)"),
    ],
)
def test_wrong_usage(arguments, message, monkeypatch, capsys):
    """No problem is drawn and no implementation is opened before the arguments are checked."""
    monkeypatch.setattr("kfgn_conformance.problem_sets.drawn.drawn_problems", None)
    monkeypatch.setattr(cli, "open_implementations", None)
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    assert exit_.value.code == cli.USAGE
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("any_random_problem")
@pytest.mark.parametrize(("pattern", "counts"), [("drawn-2", [2]), ("walk-*", []), ("*", [3])])
def test_no_more_random_problems_are_drawn_than_match(pattern, counts, monkeypatch, capsys):
    """The ids of drawn problems are those of the message, and a line of a pipe announces the drawing.

    With three problems of the paper, one with shared weights is drawn.
    """
    found, drawn = [], [replace(cases()[0], id=name) for name in ("drawn-1", "drawn-2", "drawn-3")]
    monkeypatch.setattr("kfgn_conformance.problem_sets.drawn.drawn_problems", lambda n, _: found.append(n) or drawn[:n])
    some = ["--backend", "numpy", "--dtype", "float64", "--quantity", "loss", "optimiser_step"]
    assert cli.main([*some, "--examples", "3", "--problem", pattern]) == cli.PASSED
    assert found == counts
    out, err = capsys.readouterr()
    assert [line for line in err.splitlines() if "drawing" in line and "shared weights" not in line] == [
        f"kfgn-check: drawing {n} random problems and computing their tolerances" for n in counts
    ]
    assert {"drawn-2": "1 random problem.", "walk-*": "1 optimiser run.", "*": "4 random problems"}[pattern] in out


@pytest.mark.usefixtures("any_random_problem")
def test_the_same_seed_draws_the_same_problems(tmp_path, monkeypatch):
    monkeypatch.setattr(standard, "REAL_PROBLEMS", {})
    monkeypatch.setattr(standard, "cases", list)
    monkeypatch.setattr(standard, "fixed", tuple)
    monkeypatch.setattr(standard, "trajectory_problems", tuple)
    files = [tmp_path / name for name in ("a", "b", "c")]
    for file, seed in zip(files, ("1", "1", "2"), strict=True):
        cli.main([*NUMPY, "--dtype", "float64", "--quantity", "loss", "--seed", seed, "--jsonl", str(file)])
    first, second, other = (read_records(file).run["problems"] for file in files)
    assert first == second
    assert first != other


def test_processes_share_the_work_and_say_the_same(tmp_path):
    """The rows are asked in another order than that of the table."""
    files = [tmp_path / "one", tmp_path / "two"]
    rows = ["--quantity", "gradient", "loss", "kfra", "kflr", "optimiser_step"]
    for file, jobs in zip(files, ("1", "2"), strict=True):
        options = [*FIXED, "--dtype", "float64", *rows, "--jobs", jobs, "--jsonl", str(file)]
        assert cli.main(options) == cli.PASSED
    one, two = map(read_records, files)
    assert one == two
    assert one.cells


def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "kfgn_conformance", "run", "--help"], capture_output=True, text=True, check=True
    )
    assert "Exit status: 0 if every answer passed" in " ".join(done.stdout.split())


def test_a_run_needs_no_more_than_the_readme_says():
    """Only NumPy, array-api-compat, Hypothesis and rich can be imported."""
    others = ["jinja2", "jsonschema", "msgspec", "safetensors", "flint", "torch", "jax"]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({others}));"
        "from kfgn_conformance.cli import main; main(['--backend', 'strict', 'nothing'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "got nothing" in done.stderr


@pytest.mark.parametrize("library", ["hypothesis", "rich"])
def test_a_missing_library_is_answered_by_the_line_that_installs_it(library):
    program = (
        f"import sys; sys.modules[{library!r}] = None; from kfgn_conformance.__main__ import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", program, *NUMPY]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == cli.USAGE
    assert done.stderr.endswith(f"kfgn-check: {library} is not installed: pip install 'kfgn[conformance]'\n")


def test_the_catalogue_is_printed(capsys):
    """Each mistake has a line with its name, its description and the library that made it."""
    assert cli.main(["mistakes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for mistake in MISTAKES.values():
        (line,) = (line for line in lines if line.startswith(f"  {mistake.name}: {mistake.description}"))
        assert mistake.seen in line
    assert len(lines) == len(MISTAKES) + len({mistake.family for mistake in MISTAKES.values()})
