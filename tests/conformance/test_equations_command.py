"""The commands `kfgn-check equations` and `kfgn-check certify`."""

import argparse
import inspect
import io
import re
import shlex
import subprocess
import sys
import textwrap
from importlib.metadata import version

import pytest
from kfgn_conformance import QUANTITIES, certified, cli
from kfgn_conformance.equation_search import matching
from kfgn_conformance.equations import print_equation, print_table
from kfgn_conformance.options import parser
from kfgn_conformance.quantities import REFERENCE_ONLY, ROWS
from kfgn_reference import EQUATIONS
from rich.console import Console

HEADS = ("no.", "kind", "title, functions and test")
CORRECT = (33, 43)
"""The equations with a remark although they are correct as printed."""


def printed(width, show, *arguments):
    """The output of `show` on a console of `width` columns, without colours."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    show(*arguments, console)
    return console.file.getvalue()


def words(text):
    """The text without line breaks and indentation."""
    return " ".join(text.split())


def rows(table):
    """The cells of each row of a table, as lists of lines. The heads give the start of each column."""
    first, *lines = table.splitlines()
    starts = [first.index(head) for head in HEADS]
    starts[0] = 0  # numbers are right-aligned
    found = []
    for line in lines[:-1]:
        cells = [line[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)]
        if cells[0]:
            found.append([[], [], []])
        for lines_of_cell, cell in zip(found[-1], cells, strict=True):
            lines_of_cell.extend([cell] * bool(cell))
    return found


def test_all_71_are_registered():
    assert list(EQUATIONS) == list(range(1, 72))


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_has_a_row_for_each_equation(width):
    table = printed(width, print_table)
    assert all(len(line) <= width for line in table.splitlines())
    assert "…" not in table  # nothing is cut off
    assert table.splitlines()[-1].startswith("71 of 71 equations.")
    found = rows(table)
    assert len(found) == 71
    for (number, equation), (no, kind, what) in zip(EQUATIONS.items(), found, strict=True):
        assert no == [str(number)]
        assert kind == [equation.statement.kind]
        computed = ", ".join(f"{f.__module__.rpartition('.')[2]}.{f.__name__}" for f in equation.functions)
        file = equation.test.partition("::")[0].rpartition("/")[2]
        assert " ".join(what) == f"{equation.statement.title} {computed}; {file}"


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("number", EQUATIONS)
def test_an_equation_in_full(number, width):
    """The statement, misprint, docstrings and sources are printed line by line at every width, then the test."""
    equation = EQUATIONS[number]
    text = printed(width, print_equation, number)
    lines = [line.rstrip() for line in text.splitlines()]
    statement = equation.statement
    place = f"{'' if statement.section.startswith('Appendix') else 'Section '}{statement.section}"
    assert lines[:3] == [f"({number}) {statement.title}", f"{statement.kind}, {place}", ""]
    assert consecutive(indented(statement.text), lines)
    label = "Note:" if number in CORRECT else "Misprint or gap:"
    assert (label in text.partition("kfgn_reference.")[0]) == bool(statement.misprint)
    assert words(statement.misprint) in words(text)
    for f in equation.functions:
        docstring = inspect.getdoc(f)
        name = f"kfgn_reference.{f.__module__.rpartition('.')[2]}.{f.__name__}"
        assert consecutive([name, *indented(docstring)], lines)
        assert text.count(docstring.splitlines()[0]) == 1
        assert consecutive(without_docstring(f), [line for line in lines if line])
    assert lines[-1] == f"tested by {equation.test}"


def without_docstring(f):
    """The lines of a function without its docstring and without blank lines."""
    before, _, after = inspect.getsource(f).split('"""', 2)
    return [line for line in (before + after).splitlines() if line.strip()]


def indented(text):
    return textwrap.indent(text, "    ").splitlines()


def consecutive(part, lines):
    """True if the lines of `part` are consecutive lines of `lines`."""
    return any(lines[i : i + len(part)] == part for i in range(len(lines)))


def test_equations_prints_the_table(capsys):
    assert cli.main(["equations"]) == cli.PASSED
    assert "71 of 71 equations." in capsys.readouterr().out


def test_equations_with_a_number_prints_that_equation(capsys):
    assert cli.main(["equations", "26"]) == cli.PASSED
    out = capsys.readouterr().out
    assert out.startswith("(26) ")
    assert "def kfra(net: Network, X: Array, Y: Array) -> PerLayer:\n" in out
    assert "    G = expectation({net.L: output_gauss_newton(net, h[net.L], y)} for h, y in passes)\n" in out
    assert out.endswith("tested by tests/reference/equations/test_section_3_2.py::test_equation_26\n")


def numbers(out):
    """The numbers of the equations in an output, of a table or in full."""
    pattern = r"^(?:\((\d+)\) | {0,2}(\d+) (?:definition|identity|approximation|bound|statement))"
    return [int(match[1] or match[2]) for match in re.finditer(pattern, out, re.MULTILINE)]


@pytest.mark.parametrize(
    ("sought", "expected"),
    [
        (["26", "30"], [26, 30]),
        (["30", "26", "26"], [30, 26]),
        (["(26)"], [26]),
        (["26-31"], [26, 27, 28, 29, 30, 31]),
        (["(44)-(45)", "3"], [44, 45, 3]),
    ],
)
def test_equations_by_number_are_printed_in_full(sought, expected, capsys):
    assert cli.main(["equations", *sought]) == cli.PASSED
    out = capsys.readouterr().out
    assert numbers(out) == expected
    assert out.count("tested by") == len(expected)


@pytest.mark.parametrize(
    "sought", ["KFRA", "kfra", "_kfra.kfra", "kfgn_reference.kfra", "3.5", "section 3.5", " KFRA "]
)
def test_a_search_that_finds_one_equation_prints_it_in_full(sought, capsys):
    assert cli.main(["equations", sought]) == cli.PASSED
    assert capsys.readouterr().out.startswith("(26) KFRA")


@pytest.mark.parametrize(
    ("sought", "expected"),
    [
        (["q"], [18, 21]),
        (["Damping"], [36, 37]),
        (["trace", "factored_damped_block"], [71, 36]),
        (["appendix c.1"], [33, 34, 35, 36, 37, 38]),
        (["C"], [*range(32, 46)]),
        (["gauss_newton_blocks"], [12, 13, 14, 15, 16]),
        (["optimiser_step"], [*range(32, 46)]),
        (["inner mean"], [50, 51]),
        (["40", "omega"], [40, 38]),
    ],
)
def test_a_search_that_finds_several_equations_prints_their_table(sought, expected, capsys):
    assert cli.main(["equations", *sought]) == cli.PASSED
    out = capsys.readouterr().out
    assert numbers(out) == expected
    assert "tested by" not in out
    assert f"{len(expected)} of 71 equations. `kfgn-check equations {expected[0]}` prints" in words(out)


@pytest.mark.parametrize("name", ROWS)
def test_every_quantity_finds_equations(name):
    """The equations are those of the row of the table, or of its section."""
    equations = matching(name)
    printed = {int(n) for n in re.findall(r"\((\d+)\)", ROWS[name].equation)}
    assert printed <= set(equations)
    assert equations


@pytest.mark.parametrize("number", EQUATIONS)
def test_every_title_and_function_is_found(number):
    equation = EQUATIONS[number]
    for text in (equation.statement.title, *(f.__name__.upper() for f in equation.functions)):
        assert number in matching(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["equations", "99"], "equations: expected a number from 1 to 71, got 99"),
        (["equations", "0"], "equations: expected a number from 1 to 71, got 0"),
        (["equations", "26", "72"], "equations: expected a number from 1 to 71, got 72"),
        (["equations", "26-99999"], "equations: expected a number from 1 to 71, got 99999"),
        (["equations", "31-26"], "equations: expected a range with the smaller number first, got 31-26"),
        (["equations", "KFRB"], "got 'KFRB' (did you mean kfra?)"),
        (["equations", "26", "kfac_block"], "got 'kfac_block' (did you mean kfac_blocks?)"),
        (["equations", "Hesian"], "got 'Hesian' (did you mean hessian?)"),
        (["equations", ""], "or a word of the table, got ''"),
        (["certify", "--examples", "0"], "--examples: expected 1 or more, got 0"),
        (["certify", "--examples", "-1"], "--examples: expected 1 or more, got -1"),
        (["certify", "--backend", "numpy"], "arguments: expected options of kfgn-check certify, got --backend numpy"),
        (["prove"], "got prove"),
    ],
)
def test_wrong_usage(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    assert exit_.value.code == cli.USAGE
    assert message in words(capsys.readouterr().err)


def test_certify_prints_every_quantity(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert cli.main(["certify", "--examples", "2"]) == cli.PASSED
    out = capsys.readouterr().out
    assert "…" not in out
    first = [line.split()[0] for line in out.splitlines() if line.strip()]
    for quantity in (*QUANTITIES.values(), *REFERENCE_ONLY):
        assert first.count(quantity.name) == 1
    assert "compared with balls of 256 bits on 2 drawn problems" in " ".join(out.split())


def found(**changes):
    """A good accuracy, with the given changes."""
    return certified.Accuracy(QUANTITIES["loss"], **{"ratio": 0.5, "asked": 1, **changes})


@pytest.mark.parametrize(
    ("accuracies", "status"),
    [
        ([found(), found()], "PASSED"),
        ([found(ratio=1.0)], "PASSED"),
        ([found(), found(ratio=1.01)], "FAILED"),
        ([found(ratio=float("nan"))], "FAILED"),
        ([found(), found(asked=0, undecided=1)], "NOTHING_CHECKED"),
    ],
)
def test_the_exit_status_of_certify(accuracies, status, monkeypatch):
    monkeypatch.setattr(certified, "certify", lambda problems, progress: accuracies)
    assert cli.main(["certify", "--examples", "1"]) == getattr(cli, status)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {"examples": 15, "seed": 0, "backend": None}),
        (["--examples", "3", "--backend", "numpy"], {"examples": 3, "backend": ["numpy"]}),
        (["run", "--seed", "7"], {"examples": 15, "seed": 7}),
    ],
)
def test_bare_options_mean_run(arguments, expected, monkeypatch):
    seen = []
    monkeypatch.setattr(cli, "_run", lambda options, given: seen.append(vars(given)) or cli.PASSED)
    assert cli.main(arguments) == cli.PASSED
    (given,) = seen
    assert given["command"] == "run"
    assert expected.items() <= given.items()


@pytest.mark.parametrize("sought", ["C.3", "appendix c", "Section 3"])
def test_a_section_finds_the_equations_of_its_parts(sought):
    part = sought.lower().rpartition(" ")[2]
    inside = [
        number
        for number, equation in EQUATIONS.items()
        if f"{equation.statement.section.lower().rpartition(' ')[2]}.".startswith(f"{part}.")
    ]
    assert matching(sought) == inside
    assert len({EQUATIONS[number].statement.section for number in inside}) > 1


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"kfgn-check {version('kfgn')}\n"


def parsers():
    """The parser of the command line, and those of its commands, by name."""
    top = parser()
    (commands,) = (action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    return {"": top, **commands.choices}


@pytest.mark.parametrize("command", parsers())
def test_every_option_is_explained_in_sentences(command):
    for action in parsers()[command]._actions:
        if not isinstance(action, argparse._SubParsersAction):
            assert action.help[0].isupper() or action.help.startswith("list: "), action.dest
            assert action.help.endswith("."), action.dest


@pytest.mark.parametrize("command", parsers())
def test_every_help_has_examples_that_are_valid_and_fit_a_terminal(command, capsys, monkeypatch):
    """Each example is a command that the parser accepts, below a sentence."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main([*[command] * bool(command), "--help"])
    out = capsys.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines())
    lines = out.partition("examples:\n")[2].partition("\n\n")[0].splitlines()
    assert lines
    for purpose, line in zip(lines[::2], lines[1::2], strict=True):
        assert re.fullmatch(r"  # [A-Z].*\.", purpose)
        program, *given = shlex.split(line)
        assert program == "kfgn-check"
        if "--help" not in given:
            parser().parse_args(given if given and given[0] in parsers() else ["run", *given])


def test_the_options_of_a_run_are_in_groups():
    groups = {
        group.title: [action.dest for action in group._group_actions] for group in parsers()["run"]._action_groups
    }
    assert list(groups)[2:] == ["what to check", "problems", "limits and processes", "reports"]
    assert groups["options"] == ["help"]


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_the_commands(flag, capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main([flag])
    assert exit_.value.code == 0
    assert "{run,report,certify,vectors,equations}" in capsys.readouterr().out


def without(library, *arguments):
    """Run the command in a process in which the library cannot be imported."""
    program = (
        f"import sys; sys.modules[{library!r}] = None; sys.argv[1:] = {list(arguments)!r}; "
        "from kfgn_conformance.__main__ import main; sys.exit(main())"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_without_flint_certify_prints_the_command_that_installs_it():
    done = without("flint", "certify", "--examples", "1")
    assert done.returncode == cli.USAGE
    assert done.stderr.endswith("kfgn-check: flint is not installed: pip install 'kfgn[exact]'\n")
    assert "Traceback" not in done.stderr


def test_without_flint_the_equations_are_printed():
    done = without("flint", "equations", "26")
    assert (done.returncode, done.stderr) == (cli.PASSED, "")
