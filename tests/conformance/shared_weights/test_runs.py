"""Runs with shared weights: what an adapter sees, and what a report shows."""

from dataclasses import replace
from io import StringIO

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, SHARED_WEIGHTS, Dense, Description, Status, check, judge
from kfgn_conformance.adapters import kfgn_port, kfgn_problem
from kfgn_conformance.diagnosis.textbook import Textbook
from kfgn_conformance.diagnosis.textbook.shared_weights import SharedTextbook
from kfgn_conformance.implementation import Implementation
from kfgn_conformance.problem_sets.standard import problem_set
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.shared_weights.fixed import shared_problems
from kfgn_conformance.problems.shared_weights.masked_sequences import masked_problems
from kfgn_conformance.quantities.shared_weights.pairs import batches
from kfgn_conformance.reports import print_report
from kfgn_conformance.runner import run, run_in_other_orders
from rich.console import Console

PAPER = cases()[0]
SOME = shared_problems()[:3]


class Mine:
    """A right implementation of some quantities."""

    def __init__(self, *quantities):
        self.quantities = frozenset(quantities)

    def describe(self):
        return Description("mine", "1", "float64", self.quantities)

    def compute(self, problem, quantity):
        return (SharedTextbook if problem.is_shared else Textbook)(problem).answer(quantity)


def printed(report):
    file = StringIO()
    print_report(report, Console(width=160, emoji=False, file=file))
    return file.getvalue()


def test_an_adapter_without_these_quantities_never_sees_a_problem_with_shared_weights():
    assert not any(problem.is_shared for problem in problem_set(0, 0, offered={"gradient", "kfra"}))
    shared = [problem for problem in problem_set(0, 0, offered={"gradient", "expand_q"}) if problem.is_shared]
    assert tuple(shared) == (*shared_problems(), *masked_problems())


def test_a_report_counts_problems_with_shared_weights_only_for_those_that_offer_them():
    adapters = [Implementation("", Mine("gradient")), Implementation("", Mine("gradient", "expand_q"))]
    report = run(adapters, [PAPER, *SOME], quantities=("gradient", "expand_q"), repeat=False)
    assert report.passed
    assert [len(report.supported(i)[0]) for i in (0, 1)] == [1, 4]
    assert [report.supported(i)[1] for i in (0, 1)] == [1, 4]


def test_a_report_without_these_quantities_has_no_line_of_them():
    alone = run([Implementation("", Mine("gradient"))], [PAPER], repeat=False)
    assert not any(name in printed(alone) for name in SHARED_WEIGHTS)
    both = run([Implementation("", Mine("gradient", "expand_q"))], [PAPER, *SOME], repeat=False)
    assert "expand_q" in printed(both)
    assert "Eschenhagen et al. 2023" in printed(both)


def test_a_block_that_is_not_unique_is_not_asked_and_the_report_says_so():
    result = check("ekfac_blocks", lambda problem: SharedTextbook(problem).answer("ekfac_blocks"))
    assert result.passed
    asked = {verdict.problem for cell in result.report.cells for verdict in cell.verdicts}
    left_out = {problem.id for problem in shared_problems()} - asked
    names = {"circular-categorical", "digits", "padded-categorical"}
    of_images = {f"images-{name}" for name in ("circular-bernoulli", "strided-categorical", "grouped-mixture")}
    embeddings = {"embedding-bernoulli", "embedding-normalised-categorical"}
    assert left_out == {f"shared-{name}" for name in names | of_images | embeddings}
    assert any("ekfac_blocks is not run on shared-digits: the eigenvalues" in note for note in result.report.notes)


def with_repeated_eigenvalues():
    """A problem whose Q is a multiple of the identity, while the exact block is not a product of factors."""
    problem = next(p for p in shared_problems() if p.id == "shared-without-biases-bernoulli")
    X = np.zeros((4, *problem.X.shape[1:]))
    layers = tuple(replace(layer, bias=False) for layer in (Dense(5, "tanh"), Dense(4)))
    for n in range(4):
        X[n, n % 2] = 1 - n // 2 * 2
    weights = problem.weights[0][:, :2], problem.weights[2][:4, :5]
    return replace(problem, layers=layers, weights=weights, X=X, Y=np.tile(problem.Y[:4, :1], (1, 9, 1)), bases=())


def test_repeated_eigenvalues_are_not_asked_where_the_block_depends_on_their_eigenvectors():
    problem = with_repeated_eigenvalues()
    (batch, _) = batches(problem)
    q = np.linalg.eigvalsh(shared.expand(batch).Q)
    assert q[0] == pytest.approx(q[1])
    other = np.array([[0.8, -0.6], [0.6, 0.8]])
    U_G = np.linalg.eigh(shared.expand(batch).G)[1]
    blocks = [shared.ekfac_block(shared.ekfac_diagonal(batch, U, U_G), U, U_G) for U in (np.eye(2), other)]
    assert np.max(np.abs(blocks[0] - blocks[1])) > 1e-3 * np.max(np.abs(blocks[0]))
    assert not SHARED_WEIGHTS["ekfac_blocks"].applies_to(problem)
    assert SHARED_WEIGHTS["expand_blocks"].applies_to(problem)


def test_repeated_eigenvalues_are_asked_where_the_block_does_not_depend_on_them():
    """The squared error has the identity as the Hessian of a position, and the exact block is a product there."""
    problem = next(p for p in shared_problems() if p.id == "shared-tokens-pooled-squared_error")
    g = np.linalg.eigvalsh(shared.expand(batches(problem)[-1]).G)
    np.testing.assert_allclose(g, g[0])
    assert SHARED_WEIGHTS["ekfac_blocks"].applies_to(problem)


def test_two_right_ekfacs_differ_by_less_than_the_tolerance():
    """The eigenvectors of slightly rounded factors give a block within the tolerance of float32."""
    rng = np.random.default_rng(0)

    class Rounded(SharedTextbook):
        def eigenbases(self, a, C):
            factors = self.expand_q(a), self.expand_g(C)
            noise = (2.0**-24 * np.max(np.abs(A)) * rng.standard_normal(A.shape) for A in factors)
            return tuple(np.linalg.eigh(A + E + E.T)[1] for A, E in zip(factors, noise, strict=True))

    def mine(problem):
        return tuple(a.astype(np.float32) for a in Rounded(problem).answer("ekfac_blocks"))

    assert check("ekfac_blocks", mine, dtype="float32").passed


@pytest.mark.parametrize(
    "quantity", ["shared_loss", "shared_gradient", "reduce_blocks", "kfra_over_taps", "kfoc_blocks"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_function_passes(quantity, dtype):
    result = check(quantity, lambda p: [a.astype(dtype) for a in SharedTextbook(p).answer(quantity)], dtype=dtype)
    assert result.passed, result


def test_a_wrong_answer_is_named():
    result = check("expand_kfac_blocks", backpack)
    assert not result.passed
    assert result.mistakes == ("inputs-expanded-roots-reduced",)


def backpack(problem):
    """T times Q of expand, with the sum of the derivatives of all positions."""
    t = SharedTextbook(problem)
    return [np.kron(a.shape[1] * t.expand_q(a), t.reduce_g(C)) for a, C in t.pairs(t.sampled_roots())]


class CachesByShape(Mine):
    """An implementation that keeps its first answer for each shape of the inputs."""

    def __init__(self, *quantities):
        super().__init__(*quantities)
        self.kept = {}

    def compute(self, problem, quantity):
        key = quantity, problem.id.partition("-other-")[0], problem.X.shape
        if key not in self.kept:
            self.kept[key] = super().compute(problem, quantity)
        return self.kept[key]


def test_a_stale_answer_to_a_relative_is_found():
    quantities = ("shared_gradient", "expand_q")
    right = run_in_other_orders(Implementation("", Mine(*quantities)), SOME, {})
    assert right.passed
    assert right.rows == {}
    wrong = run_in_other_orders(Implementation("", CachesByShape(*quantities)), SOME, {})
    assert set(wrong.rows) == set(quantities)
    assert all(cell.status is not Status.PASS for cell in wrong.cells)


def test_the_names_are_public_and_apart():
    assert not QUANTITIES.keys() & SHARED_WEIGHTS.keys()
    assert all(row.of_shared_weights and row.description for row in SHARED_WEIGHTS.values())


def test_the_port_says_which_layers_it_does_not_have(monkeypatch):
    """A kind of layer that is not in `kfgn` is UNIMPLEMENTED, and the report names it."""
    monkeypatch.delitem(kfgn_problem.PUBLIC, "Normalisation", raising=False)
    (problem,) = (each for each in shared_problems() if each.id == "shared-normalised-squared_error")
    port = kfgn_port.KfgnPort(kfgn_port.open_target("numpy"), "float64")
    verdict = judge(port, problem, SHARED_WEIGHTS["shared_loss"])
    assert verdict.status is Status.UNIMPLEMENTED
    assert "kfgn has no Normalisation layers" in verdict.detail
