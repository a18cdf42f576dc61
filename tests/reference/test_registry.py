"""The registry has all 71 numbered equations, each with functions that cite it and with its test."""

import ast
import re
from pathlib import Path

import kfgn_reference as ref
import pytest

NUMBERS = range(1, 72)
KINDS = {"definition", "identity", "approximation", "bound", "statement"}
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
# The equations with a row in docs/errata.md.
MISPRINTED = {
    *(1, 6, 7, 8, 10, 12, 14, 16, 17, 22, 23, 24, 26, 27, 28, 31),
    *(32, 33, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45),
    *(46, 47, 51, 52, 53, 54, 55, 59, 63, 64, 65, 66, 70, 71),
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
    assert statement.misprint == "" or statement.misprint.endswith(".")
    assert statement.misprint or number not in MISPRINTED


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
