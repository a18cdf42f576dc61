"""The output of `kfgn-check equations`: the table, equations in full, and the remarks on them."""

import inspect
import io
import textwrap

import pytest
from kfgn_conformance import cli
from kfgn_conformance.equation_functions import cited, name, port_names, reference_functions
from kfgn_conformance.equations import in_short, print_equation, print_remarks, print_table
from kfgn_reference import EQUATIONS
from rich.console import Console

HEADS = ("no.", "kind", "title, functions and test")


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
        computed = ", ".join(map(name, reference_functions(number)))
        file = equation.test.partition("::")[0].rpartition("/")[2]
        assert " ".join(what) == f"{equation.statement.title} {computed}; {file}"


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("number", EQUATIONS)
def test_an_equation_in_full(number, width):
    """The statement, remarks, docstrings and sources are printed line by line at every width, then the test."""
    equation = EQUATIONS[number]
    text = printed(width, print_equation, number)
    lines = [line.rstrip() for line in text.splitlines()]
    statement = equation.statement
    assert lines[:3] == [f"({number}) {statement.title}", f"{statement.kind}, {statement.place}", ""]
    assert consecutive(indented(statement.text), lines)
    for kind in ("Misprint", "Gap", "Choice", "Note"):
        remark = getattr(statement, kind.lower())
        assert (f"\n{kind}: " in text) == bool(remark)
        assert words(remark) in words(text)
    for f in reference_functions(number):
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


def test_every_function_of_an_equation_is_printed():
    """The code of (36) and (38) calls two functions that compute the equation too."""
    for number, function in ((36, "damped_factors"), (38, "omega_squared")):
        assert function in [f.__name__ for f in reference_functions(number)]
        assert f"\ndef {function}(" in printed(80, print_equation, number)


@pytest.mark.parametrize("number", EQUATIONS)
def test_the_functions_of_an_equation_cite_it(number):
    functions = reference_functions(number)
    assert len(set(functions)) == len(functions)
    assert all(number in cited(f.__doc__) for f in functions)


@pytest.mark.parametrize(
    ("number", "port", "quantities"),
    [
        (26, "kfgn.kfra", "kfra, kfra_blocks"),
        (36, "kfgn.KroneckerBlock.solve", "solve_trace, solve_frobenius, solve_spectral, logdet_trace"),
        (42, "kfgn.reduction_ratio", "reduction_ratio"),
    ],
)
def test_the_port_and_the_quantities_of_an_equation(number, port, quantities):
    assert port in port_names(number)
    lines = printed(80, print_equation, number).splitlines()
    assert f"in the port: {', '.join(port_names(number))}" in lines
    assert f"as quantities of kfgn-check: {quantities}" in lines


def test_an_example_cites_no_equation_for_the_port():
    """`default_rng(3)` in an example of `kfgn.kfra` is no citation of (3)."""
    assert "kfgn.gradient" in port_names(3)
    assert "kfgn.kfra" not in port_names(3)


def test_the_remarks_of_26():
    """The nested expectation of KFRA is correct as printed."""
    remarks = EQUATIONS[26].statement.remarks
    assert list(remarks) == ["Gap", "Note"]
    assert remarks["Note"].startswith("The equation is correct as printed. The outer expectation applies to f' alone")


def test_equations_misprints_prints_a_row_for_each_misprint_and_gap(capsys):
    assert cli.main(["equations", "misprints"]) == cli.PASSED
    out = words(capsys.readouterr().out)
    rows = [(n, e.statement) for n, e in EQUATIONS.items() if e.statement.misprint or e.statement.gap]
    for number, statement in rows:
        assert not statement.misprint or f" {number} Misprint {statement.misprint}" in out
        assert not statement.gap or f" {number} Gap {in_short('Gap', statement.gap)}" in out
    assert " Note " not in out
    assert " Choice " not in out
    count = sum(bool(s.misprint) + bool(s.gap) for _, s in rows)
    assert f"{count} remarks on {len(rows)} of 71 equations. `kfgn-check equations 1` prints those of" in out


@pytest.mark.parametrize("width", [80, 120])
def test_most_misprints_have_one_line(width):
    table = printed(width, print_remarks, {"Misprint", "Gap"}).partition("\n 1")[2]
    lines = [line for line in table.splitlines() if line.startswith((" ", "1"))]
    assert sum(not line[:3].strip() for line in lines) <= len(lines) / 4


def test_a_remark_in_short():
    assert in_short("Gap", "No start is given. It is zero. See (4).") == "No start is given."
    assert in_short("Gap", "The letters T. and f. in (3).") == "The letters T. and f. in (3)."
    assert in_short("Misprint", "A → B. C → D.") == "A → B. C → D."
