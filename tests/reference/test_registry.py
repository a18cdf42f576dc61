"""The registry has all 71 numbered equations, each with functions that cite it and with its test."""

import ast
import re
from pathlib import Path

import kfgn_reference as ref
import pytest
from kfgn_reference._printed_algorithm import ALGORITHM_1

NUMBERS = range(1, 72)
KINDS = {"definition", "identity", "approximation", "bound", "statement"}
REMARKS = ("Misprint", "Gap", "Choice", "Note")
PLACED = "(Above|Below) the equation: |Algorithm 1: |Section 4: |Lemma [12]: |The proof: "
"""The beginnings of a misprint that is not in the equation, but in the text about it."""

SECTIONS = {
    "test_section_2.py": {"2.1", "2.2", "2.2.1", "2.2.2"},
    "test_section_3_1.py": {"3", "3.1"},
    "test_section_3_2.py": {"3.2", "3.3", "3.4", "3.5"},
    "test_section_5.py": {"5.2"},
    "test_appendix_b.py": {"Appendix B"},
    "test_appendix_c_1.py": {"Appendix C", "Appendix C.1"},
    "test_appendix_c_2.py": {"Appendix C.2"},
    "test_appendix_c_3.py": {"Appendix C.3.1", "Appendix C.3.2", "Appendix C.4"},
    "test_appendix_d_1.py": {"Appendix D.1"},
    "test_appendix_d_2.py": {"Appendix D.2"},
    "test_appendix_d_3.py": {"Appendix D.3"},
    "test_appendix_e.py": {"Appendix E"},
    "test_appendix_f.py": {"Appendix F"},
}
NAMES = {f: name for name in ref.__all__ if callable(f := getattr(ref, name))}


def cited(docstring):
    """The equations that a docstring cites: (7) is 7, and (23)-(25) is 23, 24 and 25."""
    ranges = [range(int(a), int(b) + 1) for a, b in re.findall(r"\((\d+)\)-\((\d+)\)", docstring)]
    return {int(n) for n in re.findall(r"\((\d+)\)", docstring)}.union(*ranges)


def test_what_counts_as_a_citation():
    assert cited("Equations (4), (7)-(9) and (12, 13), of a (D, 1) vector: 5 or a_(6) in theta_(l-1).") == {
        4,
        6,
        7,
        8,
        9,
    }
    assert cited("(23)-(25); (30)-x") == {23, 24, 25, 30}


def test_no_number_is_missing():
    assert list(ref.EQUATIONS) == list(NUMBERS)
    assert list(ref.STATEMENTS) == list(NUMBERS)
    assert all(ref.EQUATIONS[n].statement is ref.STATEMENTS[n] for n in NUMBERS)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_statement(number):
    statement = ref.EQUATIONS[number].statement
    assert statement.kind in KINDS
    assert statement.title
    assert statement.title[0].islower() or statement.title.startswith(("KFLR", "KFRA", "KFAC"))
    assert statement.text.strip() == statement.text != ""
    assert max(map(len, statement.text.splitlines())) <= 78
    assert statement.place.startswith((f"Section {statement.section}, ", f"{statement.section}, "))


@pytest.mark.parametrize("statement", [*ref.STATEMENTS.values(), ALGORITHM_1], ids=[*map(str, NUMBERS), "algorithm"])
def test_the_remarks(statement):
    """Only a misprint has an arrow. What it corrects is in the equation, or in a place that the remark names."""
    for kind, remark in statement.remarks.items():
        assert kind in REMARKS
        assert remark == getattr(statement, kind.lower()).strip()
        assert remark.endswith(".")
        assert ("→" in remark) == (kind == "Misprint")
    for correction in statement.misprint.split(". ") if statement.misprint else ():
        printed, _, right = correction.partition(" → ")
        assert right
        assert printed in statement.text or re.match(PLACED, printed), printed


def errata():
    """The kinds and the cited equations of each row of docs/errata.md."""
    page = (Path(__file__).parents[2] / "docs" / "errata.md").read_text(encoding="utf-8")
    rows = [row.split(" | ") for row in page.splitlines() if row.startswith("| ") and not row.startswith("| -")]
    return [(set(kinds.split(", ")), cited(where)) for where, kinds, *_ in rows if kinds != "kind"]


def test_algorithm_1_as_printed():
    """Every line fits in a terminal, and each misprint of the algorithm occurs on the page of misprints."""
    assert max(map(len, ALGORITHM_1.text.splitlines())) <= 78
    assert ALGORITHM_1.place == "Appendix H, Algorithm for a Single Backward Pass"
    assert len(sections_of_errata()["Algorithm 1"]) >= len(ALGORITHM_1.misprint.split(". "))


def sections_of_errata():
    """The rows of each section of docs/errata.md."""
    page = (Path(__file__).parents[2] / "docs" / "errata.md").read_text(encoding="utf-8")
    parts = [part.partition("\n") for part in page.split("\n## ")[1:]]
    return {title: [row for row in text.splitlines() if row.startswith("| ")][2:] for title, _, text in parts}


def test_the_kinds_of_the_errata_page_are_those_of_the_registry():
    for kinds, numbers in errata():
        assert kinds <= set(REMARKS)
        for number in numbers:
            assert kinds <= ref.STATEMENTS[number].remarks.keys(), number


@pytest.mark.parametrize("kind", ["Misprint", "Gap"])
def test_the_errata_page_has_every_misprint_and_gap(kind):
    listed = set().union(*(numbers for kinds, numbers in errata() if kind in kinds))
    assert listed == {number for number in NUMBERS if kind in ref.STATEMENTS[number].remarks}


@pytest.mark.parametrize("number", NUMBERS)
def test_each_function_is_exported_and_cites_the_number(number):
    functions = ref.EQUATIONS[number].functions
    assert functions
    for function in functions:
        exported = {"probability": "mixture_probability"}.get(function.__name__, function.__name__)
        assert NAMES.get(function) == exported
        assert number in cited(function.__doc__), f"the docstring of {function.__name__} does not cite ({number})"


def test_the_parts_of_the_paper():
    for number, equation in ref.EQUATIONS.items():
        file = equation.test.split("::")[0].rpartition("/")[2]
        assert equation.statement.section in SECTIONS[file], number


@pytest.mark.parametrize("number", NUMBERS)
def test_the_test_exists(number):
    """The named file has a function of this name at its top level."""
    path, _, name = ref.EQUATIONS[number].test.partition("::")
    assert name == f"test_equation_{number}"
    assert path.rpartition("/")[0] == "tests/reference/equations"
    file = Path(__file__).with_name("equations") / path.rpartition("/")[2]
    found = [node for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    assert [node.name for node in found].count(name) == 1
