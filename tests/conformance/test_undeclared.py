"""Conventions that an implementation does not declare are named if every answer is right with them."""

from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, SHARED_WEIGHTS, Conventions, Description, ScaleShift, check, cli, runner
from kfgn_conformance.adapters.conventions import CHOICES
from kfgn_conformance.consistent import _form
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.oracle import Oracle, Oracles
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.fixed import fixed
from kfgn_conformance.problems.shared_weights.fixed import shared_problems
from kfgn_conformance.runner import run
from kfgn_conformance.undeclared import _changes

SHARED = shared_problems()[0], SHARED_WEIGHTS["shared_gradient"]


def rows_of(quantity):
    """Return the blocks of W_l and of b_l, for the stacked rows of W_l."""

    def mine(problem):
        parts = []
        for layer, W, block in zip(problem.layers, problem.weights, QUANTITIES[quantity].value(problem), strict=True):
            D, P = W.shape
            n = D * (P - 1) if layer.bias else D * P
            order = np.arange(n).reshape(-1, D).T.ravel()
            parts.append(block[:n, :n][np.ix_(order, order)])
            parts += [block[n:, n:]] if layer.bias else []
        return parts

    return mine


@pytest.mark.parametrize("quantity", ["kflr_blocks", "gauss_newton_blocks"])
def test_undeclared_rows_are_named_if_biases_are_separate(quantity):
    mine = rows_of(quantity)
    result = check(quantity, mine, conventions=Conventions(bias="separate"), problems=cases()[:6])
    assert result.mistakes == ("undeclared-convention",)
    text = " ".join(str(result).split())
    assert 'Every answer is right with Conventions(stacking="rows") or with Conventions(layout="in_out")' in text
    declared = Conventions(bias="separate", stacking="rows")
    assert check(quantity, mine, conventions=declared, problems=cases()[:6]).passed


def test_two_undeclared_conventions_are_named():
    """The shapes are wrong on every problem."""
    result = check(
        "gradient", lambda p: [np.roll(g, 1, 1).T for g in QUANTITIES["gradient"].value(p)], problems=cases()
    )
    assert 'Conventions(layout="in_out", bias="first")' in " ".join(str(result).split())


def test_an_undeclared_layout_is_named_alone():
    mine = check("gradient", lambda p: [g.T for g in QUANTITIES["gradient"].value(p)])
    assert mine.mistakes == ("undeclared-convention",)


def test_a_convention_that_is_right_on_some_problems_only_is_not_named():
    """The answer on one batch is wrong with every convention."""
    rows, separate = rows_of("kflr_blocks"), Conventions(bias="separate", stacking="rows")

    def mine(problem):
        blocks = rows(problem)
        return [1.5 * block for block in blocks] if problem.N == 33 else blocks

    problems = [problem for problem in fixed() if problem.N in (2, 33)]
    result = check("kflr_blocks", mine, conventions=Conventions(bias="separate"), problems=problems)
    assert not result.passed
    assert "undeclared-convention" not in result.mistakes
    assert not check("kflr_blocks", mine, conventions=separate, problems=problems).passed


class WithoutUnit:
    """The gradient with the bias in the last column, and Q without the row and the column of the appended 1."""

    def __init__(self, conventions):
        self.conventions = conventions

    def describe(self):
        return Description("mine", "1", "float64", frozenset({"q", "gradient"}), conventions=self.conventions)

    def compute(self, problem, quantity):
        return tuple(a[:-1, :-1] if quantity == "q" else a for a in QUANTITIES[quantity].value(problem))


def names_of(report, quantity):
    (cell,) = report.rows[quantity]
    return [mistake.name for mistake in cell.diagnosis.mistakes]


def test_a_convention_that_another_quantity_contradicts_is_no_explanation():
    """Neither as long as it is not declared, nor when it is declared and the other quantity fails."""
    report = run([Implementation("mine", WithoutUnit(Conventions()))], cases()[:3], repeat=False)
    assert names_of(report, "q") == ["inconsistent-convention"]
    either = "so either the answers for q or those for gradient are wrong."
    assert str(report.rows["q"][0].diagnosis).endswith(either)
    report = run([Implementation("mine", WithoutUnit(Conventions(bias="separate")))], cases()[:3], repeat=False)
    assert report.rows["q"][0].status == "PASS"
    assert names_of(report, "gradient") == ["inconsistent-convention"]


def test_the_report_of_an_interrupted_run_has_no_such_convention(capsys):
    implementation, problems = Implementation("mine", WithoutUnit(Conventions())), list(cases()[:3])
    rows = {name: runner.row(name, [implementation], problems, Oracles()) for name in ("gradient", "q")}
    given = Namespace(jsonl=None, html=None, quantity=list(rows))
    assert cli._interrupted([implementation.column], problems, rows, [], given) == cli.INTERRUPTED
    out = capsys.readouterr().out
    assert "inconsistent-convention" in out
    assert "undeclared-convention" not in out


class WithoutMeans:
    """Sums over the datapoints, which are declared for `expand_g` alone, and the gradient as (inputs, outputs)."""

    def describe(self):
        conventions = Conventions(divisors={"expand_g": "none"})
        quantities = frozenset({"expand_g", "shared_gradient"})
        return Description("mine", "1", "float64", quantities, conventions=conventions)

    def compute(self, problem, quantity):
        return tuple(problem.N * a.T for a in SHARED_WEIGHTS[quantity].value(problem))


def test_a_declared_divisor_does_not_contradict_sums_in_other_quantities():
    report = run([Implementation("mine", WithoutMeans())], shared_problems()[:3], repeat=False)
    assert report.rows["expand_g"][0].status == "PASS"
    assert names_of(report, "shared_gradient") == ["undeclared-convention"]
    text = str(report.rows["shared_gradient"][0].diagnosis)
    assert 'Conventions(reduction="sum", layout="in_out")' in text


def test_a_scale_and_shift_has_a_bias_in_its_weights_but_not_in_its_factors():
    """The convention of the bias changes the gradient, and neither the factor Q nor the block of vec(W_l)."""
    problem = replace(SHARED[0], layers=(ScaleShift(),), weights=(np.ones((3, 2)),))
    for quantity, is_changed in (("shared_gradient", True), ("expand_q", False), ("expand_blocks", False)):
        forms = [[*_form(Conventions(bias=bias), SHARED_WEIGHTS[quantity], problem)] for bias in ("last", "first")]
        assert (forms[0] != forms[1]) == is_changed


class Rows(WithoutUnit):
    """Blocks in the order of the stacked rows, which two conventions explain, and the gradient."""

    def describe(self):
        return replace(super().describe(), quantities=frozenset({"kflr_blocks", "gradient"}))

    def compute(self, problem, quantity):
        if quantity == "gradient":
            parts = [(g[:, :-1], g[:, -1]) for g in QUANTITIES["gradient"].value(problem)]
            return tuple(part for pair in parts for part in pair)
        return tuple(rows_of(quantity)(problem))


def test_only_the_conventions_that_fit_the_other_quantities_are_named():
    report = run([Implementation("mine", Rows(Conventions(bias="separate")))], cases()[:3], repeat=False)
    assert report.rows["gradient"][0].status == "PASS"
    text = str(report.rows["kflr_blocks"][0].diagnosis)
    assert text.startswith('undeclared-convention: Every answer is right with Conventions(stacking="rows"), which')


@pytest.mark.parametrize("quantity", ["q", "gradient"])
def test_a_missing_unit_is_named_next_to_separate_biases(quantity):
    """For Q alone: an answer with the shapes of the weights has separate arrays for the biases."""
    cut = WithoutUnit(Conventions()).compute
    parts = lambda problem: Rows(Conventions()).compute(problem, "gradient")  # noqa: E731
    result = check(quantity, (lambda p: cut(p, "q")) if quantity == "q" else parts, problems=cases()[:3])
    assert result.mistakes == ("undeclared-convention",)
    missing = "the row and the column of the appended 1 are missing."
    assert (missing in " ".join(str(result).split())) == (quantity == "q")


def test_the_conventions_that_are_tried():
    """All others, and each once. The order of a patch is tried with shared weights alone."""
    for problem, row, left_out in ((cases()[0], QUANTITIES["q"], {"patch"}), (*SHARED, set())):
        oracle = Oracle(problem, row)
        tried = [tuple(changes.items()) for changes in _changes(Conventions(bias="separate"), oracle)]
        sizes = [len(values) for name, values in CHOICES.items() if name not in left_out]
        assert len(tried) == len(set(tried)) == int(np.prod(sizes)) - 1


def test_another_mistake_is_no_convention():
    rng = np.random.default_rng(0)
    result = check(
        "kflr_blocks", lambda p: [a + rng.random(a.shape) for a in rows_of("kflr_blocks")(p)], problems=fixed()
    )
    assert result.mistakes == ()
