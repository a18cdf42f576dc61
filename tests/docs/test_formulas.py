"""The LaTeX of docs/equations.tex: all 71 equations, and each with the symbols of the registry in their order."""

import re

import pytest
from kfgn_reference import STATEMENTS

from .extensions import extension
from .plain_text import canonical, from_latex

FORMULAS = extension("formulas").read_formulas()


def test_every_equation_has_a_formula():
    assert list(FORMULAS) == list(STATEMENTS) == list(range(1, 72))


@pytest.mark.parametrize("number", FORMULAS)
def test_a_formula_is_the_statement_of_the_registry(number):
    assert canonical(from_latex(FORMULAS[number])) == canonical(STATEMENTS[number].text)


@pytest.mark.parametrize("number", FORMULAS)
def test_a_formula_can_be_set(number):
    mathtext = pytest.importorskip("matplotlib.mathtext")
    formula = re.sub(r"\\(begin|end)\{aligned\}|&|\\Big|\\bigg", "", FORMULAS[number])  # mathtext has none of them
    for line in formula.split("\\\\"):
        mathtext.MathTextParser("path").parse(f"${' '.join(line.split())}$")


@pytest.mark.parametrize(
    ("latex", "wrong"),
    [
        (r"\mathcal{H}_\lambda", "H_λ"),
        (r"\mathcal{G}_{\lambda+1}", "𝓖_λ"),
        (r"\tilde{C}^{-1}", "C⁻¹"),
        (r"\bar{G}", "G̃"),
        (r"W_\lambda^\top", "W_λ"),
        (r"\frac{1}{N}", "N/1"),
        (r"h^\lambda_a", "h^a_λ"),
    ],
)
def test_a_wrong_symbol_is_found(latex, wrong):
    assert canonical(from_latex(latex)) != canonical(wrong)


def test_the_same_in_both_notations():
    latex = r"\frac{\partial^2 E}{\partial {h^\lambda_a}^2} = \sum_k C^{k \top}_\lambda \hat{f}_a"
    assert canonical(from_latex(latex)) == canonical("∂²E/∂(h^λ_a)² = Σ_k C_λ^kᵀ f̂_a")
    with pytest.raises(KeyError):
        from_latex(r"\unknown")
