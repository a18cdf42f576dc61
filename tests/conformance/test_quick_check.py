"""The function `check`: verdicts and diagnoses on the fixed problems, its text, and wrong arguments."""

import inspect
import io
import subprocess
import sys

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, SHARED_WEIGHTS, Conventions, UnsupportedError, check
from kfgn_conformance.diagnosis import MISTAKES
from kfgn_conformance.output import Output
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, trajectory_problem
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.fixed import fixed
from kfgn_conformance.reports import print_report


def right(quantity, dtype="float64"):
    """The reference as a function of a problem."""
    return lambda problem: [np.asarray(array, dtype) for array in QUANTITIES[quantity].value(problem)]


def wrong(problem):
    return tuple(problem.N * G for G in QUANTITIES["kfra"].value(problem))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_function_passes_on_every_fixed_problem(dtype):
    result = check("kfac", right("kfac", dtype), dtype=dtype)
    assert result.passed
    assert result.mistakes == ()
    (cell,) = result.report.cells
    chosen = [problem for problem in (*cases(), *fixed()) if dtype in problem.dtypes]
    assert cell.supported == len(chosen) > 60


def test_an_answer_in_the_wrong_dtype_fails():
    result = check("q", right("q", "float32"))
    assert not result.passed
    assert "expected dtype float64, got float32" in " ".join(str(result).split())


@pytest.mark.parametrize("name", ["slope-twice", "outputs-empirical", "slopes-averaged-first", "outputs-diagonal"])
def test_a_planted_mistake_is_named(name):
    result = check("kfra", lambda problem: MISTAKES[name].textbook(problem).answer("kfra"))
    assert not result.passed
    assert result.mistakes == (name,)
    assert MISTAKES[name].description in " ".join(str(result).split())


def test_mistakes_with_equal_answers_are_named_together():
    """G does not depend on the appended input, which is 0 for one of the two mistakes and 1 for the other."""
    result = check("kfra", lambda problem: MISTAKES["bias-forgotten"].textbook(problem).answer("kfra"))
    assert result.mistakes == ("bias-forgotten", "bias-not-added")


def test_a_failed_assertion_has_the_printed_result():
    result = check("kfra", wrong, problems=cases()[:2])
    with pytest.raises(AssertionError) as raised:
        result.assert_passed()
    assert str(raised.value) == f"check: expected that every answer passes, got\n{result}"


def test_the_assertion_holds_for_right_answers_and_fails_without_answers():
    def nothing(_problem):
        raise UnsupportedError("no network")

    check("q", right("q"), problems=cases()[:2]).assert_passed()
    with pytest.raises(AssertionError, match="no network: 2 of 2 problems"):
        check("q", nothing, problems=cases()[:2]).assert_passed()


def test_conventions_are_translated():
    assert not check("kfra", wrong).passed
    result = check("kfra", wrong, conventions=Conventions(reduction="sum"))
    assert result.passed
    assert "divided by N, as the answer is a sum over the datapoints: kfra" in " ".join(str(result).split())


def test_a_declared_sum_does_not_apply_to_q():
    """The message states it, and only if the adapter declares sums."""
    summed = lambda problem: [problem.N * Q for Q in QUANTITIES["q"].value(problem)]  # noqa: E731
    sentence = 'The declared reduction="sum" does not apply to q, which is a mean with every reduction.'
    for conventions in (Conventions(reduction="sum"), Conventions()):
        result = check("q", summed, conventions=conventions, problems=cases()[:2])
        assert result.mistakes == ("summed-over-datapoints",)
        assert (sentence in " ".join(str(result).split())) == (conventions.reduction == "sum")


@pytest.mark.parametrize("quantity", ["expand_q", "reduce_q"])
def test_a_declared_sum_does_not_apply_to_q_of_shared_weights(quantity):
    summed = lambda problem: [problem.N * Q for Q in SHARED_WEIGHTS[quantity].value(problem)]  # noqa: E731
    sentence = (
        f'The declared reduction="sum" does not apply to {quantity}, which is a mean with every reduction, unless'
    )
    for conventions in (Conventions(reduction="sum"), Conventions()):
        result = check(quantity, summed, conventions=conventions)
        assert result.mistakes == ("shared-summed-over-datapoints",)
        assert (sentence in " ".join(str(result).split())) == (conventions.reduction == "sum")


def test_a_single_array_needs_no_tuple():
    assert check("loss", lambda problem: QUANTITIES["loss"].value(problem)[0]).passed


def test_problems_that_are_not_supported_are_counted():
    def mine(problem):
        if problem.objective != "bernoulli":
            raise UnsupportedError("only the Bernoulli objective")
        return QUANTITIES["q"].value(problem)

    result = check("q", mine)
    assert result.passed
    left = sum(problem.objective != "bernoulli" for problem in (*cases(), *fixed()))
    total = len(cases()) + len(fixed()) + result.added
    assert f"only the Bernoulli objective: {left} of {total} problems" in " ".join(str(result).split())


def test_a_result_on_few_problems_has_a_note():
    """No problems are added, since an added problem has a hidden layer."""

    def mine(problem):
        if problem.transfers:
            raise UnsupportedError("only networks without hidden layers")
        return QUANTITIES["q"].value(problem)

    total = len(cases()) + len(fixed())
    few = check("q", mine)
    number = few.report.cells[0].supported
    assert few.passed
    assert str(few).splitlines()[-1] == f"note: this result rests on only {number} of {total} problems"
    assert "note: " not in str(check("q", right("q"), problems=cases()[:1]))


def test_a_function_that_supports_nothing_has_not_passed():
    def mine(_problem):
        raise UnsupportedError("nothing")

    assert not check("q", mine).passed


def test_an_exception_is_an_error_with_its_message():
    result = check("q", lambda problem: problem.nonsense)
    assert not result.passed
    assert "has no attribute 'nonsense'" in " ".join(str(result).split())


def test_the_line_that_raised_an_exception_is_named():
    """The line is that of the function, also if an installed package raises the exception."""

    def mine(problem):
        return np.linalg.solve(problem.X, problem.X)

    line = inspect.getsourcelines(mine)[1] + 1
    (cell,) = check("q", mine, problems=cases()[:1]).report.cells
    assert cell.worst.detail.startswith("LinAlgError: ")
    assert cell.worst.detail.endswith(f" (test_quick_check.py:{line})")


def test_an_exception_of_a_built_in_function_has_no_line():
    (cell,) = check("q", int, problems=cases()[:1]).report.cells
    assert cell.worst.detail.startswith("TypeError: int() argument must be")
    assert ".py:" not in cell.worst.detail


def test_the_text_is_a_part_of_what_the_command_prints():
    """The lines are those of the report, in the same order."""
    result = check("kfra", wrong, problems=cases()[:2])
    console = Output(file=io.StringIO(), width=80, color_system=None)
    print_report(result.report, console)
    lines = iter(line.rstrip() for line in console.file.getvalue().splitlines())
    assert all(line in lines for line in str(result).splitlines())
    assert repr(result) == str(result)
    assert "second-factor-summed" in str(result)
    assert str(result).startswith("error / tolerance\n")


def test_the_text_is_the_same_in_a_notebook_and_with_colours(monkeypatch):
    """rich would display the text in a notebook instead of writing it."""
    result = check("kfra", wrong, problems=cases()[:2])
    text = str(result)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    assert str(result) == text != ""


def test_given_problems_replace_the_fixed_problems():
    problems = cases()[3:5]
    seen = []
    check("q", lambda problem: seen.append(problem.id) or right("q")(problem), problems=(p for p in problems))
    assert seen == [problem.id for problem in problems]


def test_a_trajectory_may_be_given():
    result = check("optimiser_step", lambda problem: (), problems=[trajectory_problem("kfra", *TRAJECTORIES["kfra"])])
    assert not result.passed


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("kfrb", wrong), ValueError, r"expected the name of a quantity, got 'kfrb' \(did you mean kfra\?\); the"),
        (([], wrong), ValueError, r"quantity: expected the name of a quantity, got \[\]"),
        (("kfra", None), TypeError, "function: expected a function of a problem, got NoneType"),
        (
            ("optimiser_step", wrong),
            ValueError,
            "problems: expected a problem to which optimiser_step applies, got none",
        ),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        check(*arguments)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"dtype": "float16"}, ValueError, "dtype: expected float32 or float64, got 'float16'"),
        ({"conventions": "sum"}, TypeError, "conventions: expected Conventions, got str"),
        ({"problems": ["case-bernoulli-tanh"]}, TypeError, "problems: expected problems, got str"),
        ({"problems": cases()[0]}, TypeError, "problems: expected an iterable of problems, got Problem"),
        ({"masks": True}, ValueError, "masks: expected a quantity of networks with shared weights, got kfra"),
        ({"problems": []}, ValueError, "problems: expected a problem to which kfra applies, got none among 0"),
    ],
)
def test_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        check("kfra", wrong, **options)


def test_an_import_of_the_kit_needs_no_rich():
    """An adapter imports names of the package in environments without rich."""
    program = """
import sys
sys.modules["rich"] = None
from kfgn_conformance import QUANTITIES, check
print(check("q", lambda problem: QUANTITIES["q"].value(problem)).passed)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")
