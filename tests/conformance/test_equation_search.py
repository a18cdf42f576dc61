"""The search for equations by number, range, section, name, topic or remark, in `kfgn-check equations`."""

import re

import pytest
from kfgn_conformance import cli
from kfgn_conformance.equation_functions import reference_functions
from kfgn_conformance.equation_search import REMARKS, matching
from kfgn_conformance.quantities import ROWS, SHARED_WEIGHTS
from kfgn_reference import EQUATIONS

KIND = "(?:definition|identity|approximation|bound|statement)"


def numbers(out):
    """The numbers of the equations in an output, of a table or in full."""
    found = re.finditer(rf"^(?:\((\d+)\) .*\n{KIND}, | {{0,2}}(\d+) {KIND} )", out, re.MULTILINE)
    return [int(match[1] or match[2]) for match in found]


def words(text):
    """The text without line breaks and indentation."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("sought", "expected"),
    [
        (["26", "30"], [26, 30]),
        (["30", "26", "26"], [30, 26]),
        (["(26)"], [26]),
        (["26-31"], [26, 27, 28, 29, 30, 31]),
        (["(44)-(45)", "3"], [44, 45, 3]),
        (["rho"], [42]),
        (["bias"], [1]),
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
        (["Damping"], [*range(33, 44)]),
        (["D"], [10, 31, *range(46, 63)]),
        (["trace", "factored_damped_block"], [38, 70, 71, 36]),
        (["step size"], [39, 40, 41]),
        (["natural gradient"], [46, 47]),
        (["averaging"], [44, 45]),
        (["rank"], [23, 24, 25, 63, 64]),
        (["kfac"], [*range(55, 63)]),
        (["appendix c.1"], [33, 34, 35, 36, 37, 38]),
        (["Appendix", "C.1"], [33, 34, 35, 36, 37, 38]),
        (["Section", "3.4", "40"], [23, 24, 25, 40]),
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


@pytest.mark.parametrize("name", [name for name in ROWS if name not in SHARED_WEIGHTS])
def test_every_quantity_finds_equations(name):
    """The equations are those of the row of the table, or of its section."""
    equations = matching(name)
    printed = {int(n) for n in re.findall(r"\((\d+)\)", ROWS[name].equation)}
    assert printed <= set(equations)
    assert equations


@pytest.mark.parametrize("number", EQUATIONS)
def test_every_title_and_function_is_found(number):
    equation = EQUATIONS[number]
    for text in (equation.statement.title, *(f.__name__.upper() for f in reference_functions(number))):
        assert number in matching(text)


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


@pytest.mark.parametrize(("word", "kinds"), REMARKS.items())
def test_a_kind_of_remark_finds_its_equations(word, kinds):
    expected = [n for n, e in EQUATIONS.items() if any(kind in e.statement.remarks for kind in kinds)]
    assert matching(word.upper()) == expected
    assert 0 < len(expected) < 71


@pytest.mark.parametrize("sought", ["andd", "witth", "thee"])
def test_no_suggestion_is_a_word_without_a_meaning(sought, capsys):
    with pytest.raises(SystemExit):
        cli.main(["equations", sought])
    assert not re.search(r"did you mean (and|with|the)\?", capsys.readouterr().err)


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
        (["equations", "misprnts"], "got 'misprnts' (did you mean misprints?)"),
        (["equations", "algoritm"], "got 'algoritm' (did you mean algorithm?)"),
        (["equations", "D.4"], "expected a section with numbered equations, got 'D.4': docs/errata.md has the remarks"),
        (["equations", "Section", "4"], "expected a section with numbered equations, got 'Section 4': docs/errata.md"),
        (["equations", "convolution"], "expected a topic of the paper, got 'convolution': docs/shared_weights.md"),
        (["equations", "expand"], "expected a topic of the paper, got 'expand': docs/shared_weights.md"),
        (["equations", ""], "a word of the table, 'algorithm', or a kind of remark such as 'misprints', got ''"),
    ],
)
def test_wrong_usage(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    assert exit_.value.code == cli.USAGE
    assert message in words(capsys.readouterr().err)
