"""The operations of the cheapest known algorithm for each piece of work, counted from the shapes, by phase.

A multiplication and an addition are two operations. Work on single elements, such as transfer functions, is not
counted, so a floor is a lower bound on time. A symmetric matrix A^T A with D rows needs D (D + 1) / 2 inner products,
about half of a full product. Numbers in parentheses are equations of the paper.
"""

from collections.abc import Iterable
from typing import NamedTuple

from .sizes import Sizes


class Term(NamedTuple):
    """A part of a phase whose operations run at the rate of one product of matrices.

    phase:      the name of the phase
    shape:      (m, k, n) of the product (m, k) by (k, n) whose rate applies
    operations: the number of operations
    """

    phase: str
    shape: tuple[int, int, int]
    operations: float


Terms = tuple[Term, ...]


def product(phase: str, m: int, k: int, n: int, count: float = 1) -> Term:
    """`count` products of (m, k) by (k, n): 2 m k n operations each."""
    return Term(phase, (m, k, n), 2.0 * m * k * n * count)


def moment(phase: str, rows: int, D: int, count: float = 1) -> Term:
    """`count` symmetric matrices A^T A for A (rows, D): D (D + 1) / 2 inner products of length `rows` each."""
    return Term(phase, (D, rows, D), float(rows) * D * (D + 1) * count)


def symmetric_product(phase: str, k: int, D: int) -> Term:
    """A symmetric matrix W^T B with W and B (k, D), B = M W: D (D + 1) / 2 inner products of length k."""
    return Term(phase, (D, k, D), float(k) * D * (D + 1))


def times(terms: Iterable[Term], factor: float) -> Terms:
    """The terms repeated `factor` times."""
    return tuple(term._replace(operations=term.operations * factor) for term in terms)


def forward(s: Sizes) -> Terms:
    """(1): h_l = W_l a_{l-1} for N datapoints, with the appended unit in a_{l-1}."""
    return tuple(product("forward", s.N, P + 1, D) for P, D in s.layers)


def backward(s: Sizes, vectors: int = 1, phase: str = "backward") -> Terms:
    """(3): dE/da_{l-1} = W_l^T dE/dh_l for l = L, ..., 2, for a number of vectors per datapoint."""
    return tuple(product(phase, s.N * vectors, D, P) for P, D in s.layers[1:])


def weight_gradients(s: Sizes) -> Terms:
    """(3): dE/dW_l = 1/N sum_n dE/dh_l a_{l-1}^T."""
    return tuple(product("weight gradients", D, s.N, P + 1) for P, D in s.layers)


def gradient(s: Sizes) -> Terms:
    """(3): a forward pass, a backward pass and the gradients of the weights."""
    return forward(s) + backward(s) + weight_gradients(s)


def input_moments(s: Sizes) -> Terms:
    """(21): Q_l = 1/N sum_n a_{l-1} a_{l-1}^T."""
    return tuple(moment("Q", s.N, P + 1) for P, _ in s.layers)


def mean_output_hessian(s: Sizes) -> Terms:
    """E[H_L]: the matrix E[p p^T] of softmax outputs. The other objectives have a diagonal H_L."""
    return (moment("E[H_L]", s.N, s.outputs),) if s.objective == "categorical" else ()


def kfra(s: Sizes) -> Terms:
    """(26): the gradient, Q_l, the mean of f' f'^T, and E[G_l] = (W^T E[G_{l+1}] W) * mean(f' f'^T).

    The first step of the recursion scales the rows of W_L if E[H_L] is diagonal. Every other step computes M W, and
    then the symmetric W^T (M W).
    """
    slopes = tuple(moment("slopes", s.N, D) for D in s.hidden)
    recursion: Terms = ()
    for l, (P, D) in enumerate(s.layers[1:], start=2):
        diagonal = l == len(s.layers) and s.objective != "categorical"
        recursion += () if diagonal else (product("recursion", D, D, P),)
        recursion += (symmetric_product("recursion", D, P),)
    return gradient(s) + input_moments(s) + mean_output_hessian(s) + slopes + recursion


def kflr(s: Sizes) -> Terms:
    """(24), (25): the gradient, Q_l, the roots C_l with K columns per datapoint, and E[G_l] from the roots.

    The first product C_L^T W_L scales rows of W_L. Softmax needs p^T W_L too. With H_L = I, E[G_{L-1}] is the first
    step of KFRA, which is exact there. `restart` describes a layer with D_l < K.
    """
    terms = gradient(s) + input_moments(s) + mean_output_hessian(s)
    K, last = s.outputs, len(s.layers) - 1
    if s.objective == "categorical" and last:
        terms += (product("roots", s.N, K, s.widths[last]),)
    for l in range(last, 0, -1):
        D, below = s.widths[l], s.widths[l - 1]
        if l == last and s.objective == "squared_error":
            terms += (moment("G", s.N, D), symmetric_product("G", K, D))
        else:
            terms += (moment("G", s.N * K, D),)
        if l > 1:
            terms += restart(s.N, D, below) if D < K else (product("roots", s.N * K, D, below),)
            K = min(K, D)
    return terms


def restart(N: int, D: int, below: int) -> Terms:
    """(22), (24): the cheaper way on from a layer where the matrices G_l (D, D) of N datapoints replace the roots.

    Either G_l multiplies W_l, or G_l has a Cholesky factor, whose product with W_l costs half since it is triangular.
    """
    matrices = (product("roots", D, D, below, count=N),)
    triangular = (Term("roots", (D, D, D), N * D**3 / 3), product("roots", D, D, below, count=N / 2))
    return min(matrices, triangular, key=operations)


def kfac(s: Sizes, samples: int = 1) -> Terms:
    """(59): the gradient, Q_l, and the moments of the backpropagated gradients at S sampled labels per datapoint."""
    sampled = backward(s, samples, "sampled gradients")
    moments = tuple(moment("G", s.N * samples, D) for _, D in s.layers)
    return gradient(s) + input_moments(s) + sampled + moments


def tangents(s: Sizes) -> Terms:
    """The R-operator applied to (1): R{h_l} = V_l a_{l-1} + W_l R{a_{l-1}}, with R{a_0} = 0."""
    along = tuple(product("tangents", s.N, P + 1, D) for P, D in s.layers)
    return along + tuple(product("tangents", s.N, P, D) for P, D in s.layers[1:])


def gauss_newton_product(s: Sizes) -> Terms:
    """(13): J^T H_L J v from an existing forward pass: a pass of tangents, a backward pass, and the mean over N."""
    return tangents(s) + backward(s) + weight_gradients(s)


def conjugate_gradients(s: Sizes, iterations: int) -> Terms:
    """(33): a forward pass, and one product per iteration."""
    return forward(s) + times(gauss_newton_product(s), iterations)


def inversion(s: Sizes) -> Terms:
    """(36): Cholesky factors of both damped factors of each layer, D^3 / 3 operations each."""
    return tuple(Term("Cholesky", (D, D, D), D**3 / 3) for P, out in s.layers for D in (P + 1, out))


def solves(s: Sizes) -> Terms:
    """(34): four triangular solves per layer, which are as expensive as a product with G_l and one with Q_l."""
    both = ((product("solves", D, D, P + 1), product("solves", D, P + 1, P + 1)) for P, D in s.layers)
    return tuple(term for pair in both for term in pair)


def damped_direction(s: Sizes) -> Terms:
    """(34), (36): the inversion of the damped blocks, and the direction."""
    return inversion(s) + solves(s)


def gauss_newton_steps(s: Sizes, steps: int, tau_period: int = 5, gamma_period: int = 20) -> Terms:
    """Algorithm 1 with KFRA, whose factors and inverses are computed in every step.

    A step has the factors with the gradient, a direction, and a pass of tangents for the step size (40). A step that
    adapts tau has one more forward pass (42). A step that adapts gamma has two more directions with passes of tangents.
    """
    candidate = damped_direction(s) + tangents(s)
    every = times(kfra(s) + candidate, steps)
    adaptation = times(forward(s), steps // tau_period) + times(candidate, 2 * (steps // gamma_period))
    return every + adaptation


def hessian_free_step(s: Sizes, iterations: int) -> Terms:
    """(33), (40): the gradient, conjugate gradients at its forward pass, and a pass of tangents for the step size."""
    return gradient(s) + times(gauss_newton_product(s), iterations) + tangents(s)


def operations(terms: Iterable[Term]) -> float:
    """The number of operations of all terms."""
    return sum(term.operations for term in terms)


def by_phase(terms: Iterable[Term]) -> dict[str, float]:
    """The number of operations of each phase, in the order of the phases."""
    totals: dict[str, float] = {}
    for term in terms:
        totals[term.phase] = totals.get(term.phase, 0.0) + term.operations
    return totals


def of_phase(terms: Iterable[Term], phase: str) -> Terms:
    """The terms of one phase."""
    return tuple(term for term in terms if term.phase == phase)


def seconds(terms: Iterable[Term], rates: dict[tuple[int, int, int], float]) -> float:
    """The floor in seconds, from the rate in operations per second of each shape."""
    return sum(term.operations / rates[term.shape] for term in terms)
