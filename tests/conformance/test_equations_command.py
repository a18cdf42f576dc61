"""The output of `kfgn-check equations`: the table, equations in full, and the remarks on them."""

import inspect
import io
import re
import textwrap

import pytest
from kfgn_conformance import cli
from kfgn_conformance.equation_functions import cited, name, port_names, reference_functions
from kfgn_conformance.equation_places import ROOT
from kfgn_conformance.equation_request import requested
from kfgn_conformance.equations import in_short, print_equation, print_remarks, print_table
from kfgn_reference import EQUATIONS, Network
from kfgn_reference._printed_algorithm import ALGORITHM_1
from rich.console import Console

HEADS = ("no.", "kind", "title, functions and test")
WITHOUT_BIAS = "W_{λ+1} means the matrix without its bias column"


@pytest.fixture(autouse=True)
def in_the_root(monkeypatch):
    """Print the places of code and tests relative to the root of the repository."""
    monkeypatch.chdir(ROOT)


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
        module = f.__module__.rpartition(".")[2]
        line = inspect.getsourcelines(f)[1]
        head = f"kfgn_reference.{module}.{f.__name__} in reference/kfgn_reference/{module}.py:{line}"
        assert consecutive([head, *indented(docstring)], lines)
        assert text.count(docstring.splitlines()[0]) == 1
        assert consecutive(without_docstring(f), [line for line in lines if line])
    assert lines[-1] == f"tested by: pytest {equation.test}"


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
    assert out.endswith("tested by: pytest tests/reference/equations/test_section_3_2.py::test_equation_26\n")


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
    assert remarks["Note"].endswith(f"{WITHOUT_BIAS}, as in (8).")


def test_the_bias_column_is_one_convention_and_no_misprint():
    """The same equations have the note as the docstring of `Network.kernel` names, and none corrects its W."""
    noted = {n for n, e in EQUATIONS.items() if "W_{λ+1}" in e.statement.text and WITHOUT_BIAS in e.statement.note}
    assert noted | {28} == cited(Network.kernel.__doc__)
    noted_at_8 = "W_{λ+1} means the matrix without its bias column: the unit of footnote 2 has zero derivative."
    assert EQUATIONS[8].statement.note == noted_at_8
    assert not any("bias" in e.statement.misprint for e in EQUATIONS.values())


def corrections(statement):
    """The number of corrections of a misprint, each of which has one arrow."""
    return statement.misprint.count("→")


def remarks_in(out):
    """The place, the kind and the text of each row of a table of remarks."""
    starts = list(re.finditer(r"^ *(\d+|Alg\. 1) (Misprint|Gap|Choice|Note) +", out, re.MULTILINE))
    ends = [*(start.start() for start in starts), None][1:]
    return [(one[1], one[2], words(out[one.end() : end])) for one, end in zip(starts, ends, strict=True)]


def test_equations_misprints_prints_a_row_for_each_correction_and_gap(capsys):
    assert cli.main(["equations", "misprints"]) == cli.PASSED
    out = capsys.readouterr().out
    found = remarks_in(out)
    for number, equation in EQUATIONS.items():
        statement = equation.statement
        lines = [(kind, text) for place, kind, text in found if place == str(number)]
        assert [kind for kind, _ in lines] == ["Misprint"] * corrections(statement) + ["Gap"] * bool(statement.gap)
        assert " ".join(text for kind, text in lines if kind == "Misprint").startswith(statement.misprint)
        assert all(text.startswith(in_short("Gap", statement.gap)[0]) for kind, text in lines if kind == "Gap")
    misprints = sum(corrections(e.statement) for e in EQUATIONS.values())
    gaps = sum(bool(e.statement.gap) for e in EQUATIONS.values())
    places = {place for place, _, _ in found}
    count = f"{misprints} misprints and {gaps} gaps on {len(places)} of 71 equations. `kfgn-check equations 1` prints"
    assert count in words(out)


@pytest.mark.parametrize(
    ("arguments", "places", "summary"),
    [
        (["misprints", "C.1"], {"36", "37", "38"}, "6 misprints and 2 gaps on 3 of 6 equations."),
        (["C.1", "Misprints"], {"36", "37", "38"}, "6 misprints and 2 gaps on 3 of 6 equations."),
        (["misprints", "Appendix", "C.1"], {"36", "37", "38"}, "6 misprints and 2 gaps on 3 of 6 equations."),
        (["misprints", "natural gradient"], {"47"}, "0 misprints and 1 gap on 1 of 2 equations."),
        (["gaps", "26"], {"26"}, "1 gap on 1 of 1 equations."),
        (["gaps", "1-3"], set(), "0 gaps on 0 of 3 equations."),
        (["gaps", "choices", "42", "44"], {"42", "44"}, "2 gaps and 2 choices on 2 of 2 equations."),
        (["misprints", "algorithm"], {"Alg. 1"}, "10 misprints and 0 gaps on Algorithm 1."),
        (["notes", "(35)", "Algorithm", "1"], {"35", "Alg. 1"}, "2 notes on 1 of 1 equations and Algorithm 1."),
    ],
)
def test_a_kind_of_remark_selects_among_the_equations_of_the_other_words(arguments, places, summary, capsys):
    assert cli.main(["equations", *arguments]) == cli.PASSED
    out = capsys.readouterr().out
    assert {place for place, _, _ in remarks_in(out)} == places
    assert summary in words(out)
    assert "tested by" not in out


@pytest.mark.parametrize(
    "sought", [["algorithm"], ["Algorithm 1"], ["Algorithm", "1"], ["algorithm_1"], ["Appendix", "H"], ["H"]]
)
def test_algorithm_1_is_printed_with_its_remarks_and_its_code(sought, capsys):
    assert cli.main(["equations", *sought]) == cli.PASSED
    out = capsys.readouterr().out
    assert out.startswith("Algorithm 1: one update of the weights by KFRA\n")
    assert consecutive(indented(ALGORITHM_1.text), [line.rstrip() for line in out.splitlines()])
    for remark in ALGORITHM_1.remarks.values():
        assert words(remark) in words(out)
    assert "\ndef algorithm_1(net: Network, " in out
    assert out.endswith("tested by: pytest tests/reference/test_algorithm_1.py\n")


@pytest.mark.parametrize("sought", [["26", "algorithm"], ["algorithm", "26"], ["Algorithm", "1", "26"]])
def test_an_equation_and_the_algorithm(sought, capsys):
    assert cli.main(["equations", *sought]) == cli.PASSED
    out = capsys.readouterr().out
    assert out.startswith("(26) ")
    assert "\nAlgorithm 1: " in out


@pytest.mark.parametrize(("columns", "length"), [(None, 80), ("40", 40), ("120", 80)])
def test_the_line_between_equations_fits_a_page_if_the_output_is_a_file(columns, length, capsys, monkeypatch):
    """A pipe or a file has no width, and no line of it is wrapped."""
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    assert cli.main(["equations", "23-25"]) == cli.PASSED
    drawn = [line for line in capsys.readouterr().out.splitlines() if set(line) == {"─"}]
    assert [len(line) for line in drawn] == [length] * 2


def test_rules_that_are_not_in_the_paper_come_last_and_are_named():
    text = printed(80, print_equation, 36)
    before, _, after = text.partition("\nThe functions below are rules of the optimiser that are not in the paper.\n")
    assert "kfgn_reference._damping.damped_factors" in before
    assert "kfgn_reference._safeguards" not in before
    assert "kfgn_reference._safeguards.visible_direction" in after
    assert "not in the paper" not in printed(80, print_equation, 35)


@pytest.mark.parametrize("width", [80, 120])
def test_most_misprints_have_one_line(width):
    table = printed(width, print_remarks, requested(["misprints"])).partition("\n 1")[2]
    lines = [line for line in table.splitlines() if line.startswith((" ", "1"))]
    assert sum(not line[:3].strip() for line in lines) <= len(lines) / 4


def test_a_remark_in_short():
    assert in_short("Gap", "No start is given. It is zero. See (4).") == ["No start is given."]
    assert in_short("Gap", "The letters T. and f. in (3).") == ["The letters T. and f. in (3)."]
    assert in_short("Misprint", "A → B. C → D.") == ["A → B.", "C → D."]
