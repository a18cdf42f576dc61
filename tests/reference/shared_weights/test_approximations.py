"""EKFAC, KFOC, TKFAC, TNT, FOOF and sums of products: their definitions by a second route, and their traces."""

import kfgn_reference as ref
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

from .problems import NETWORKS, Numbers
from .problems_of_rationals import mixed, one_position

BATCHES = {
    f"{name}-{l}.{j}": pairs for name, make in NETWORKS.items() for (l, j), pairs in shared.pairs(*make()).items()
}


@pytest.fixture(params=BATCHES.values(), ids=BATCHES)
def batch(request):
    """The pairs of every layer and group."""
    return request.param


def norm(A):
    return np.sqrt(np.sum(A * A))


def test_order_of_the_errors(batch):
    """EKFAC is at least as near to the exact block as expand, and KFOC as near as every Kronecker product."""
    exact = shared.exact_block(batch)
    factored = shared.expand, shared.reduce, shared.tkfac, shared.tnt
    errors = {approximation.__name__: norm(approximation(batch).block - exact) for approximation in factored}
    rounding = 1e-12 * norm(exact)
    assert norm(shared.ekfac(batch) - exact) <= errors["expand"] + rounding
    assert norm(shared.kfoc(batch).block - exact) <= min(errors.values()) + rounding


def test_traces(batch):
    """The traces of EKFAC and TNT are that of the exact block, and TKFAC has that of the terms t = t'."""
    trace = np.trace(shared.exact_block(batch))
    own = sum(np.sum(a * a) * np.sum(C * C) for one in batch for a, C in zip(one.a, one.C, strict=True)) / len(batch)
    assert abs(np.trace(shared.ekfac(batch)) - trace) < 1e-12 * trace
    assert abs(np.trace(shared.tnt(batch).block) - trace) < 1e-12 * trace
    assert abs(np.trace(shared.tkfac(batch).block) - own) < 1e-12 * own


def test_ekfac_diagonal_is_that_of_the_exact_block(batch, relative_error):
    """In the eigenbases of expand, and in random orthogonal bases."""
    Q, G = shared.expand(batch)
    rng = np.random.default_rng(5)
    random = tuple(np.linalg.qr(rng.normal(size=A.shape))[0] for A in (Q, G))
    for U_Q, U_G in (shared.eigenbases(shared.Factors(Q, G)), random):
        U = np.kron(U_Q, U_G)
        S = shared.ekfac_diagonal(batch, U_Q, U_G)
        rotated = U.T @ shared.exact_block(batch) @ U
        assert S.shape == (len(G), len(Q))
        assert relative_error(S.T.ravel(), np.diag(rotated)) < 1e-12
        assert relative_error(shared.ekfac_block(S, U_Q, U_G), U @ np.diag(np.diag(rotated)) @ U.T) < 1e-12


def test_eigenbases(batch, relative_error):
    factors = shared.expand(batch)
    for A, U in zip(factors, shared.eigenbases(factors), strict=True):
        assert relative_error(U.T @ U, np.eye(len(A))) < 1e-12
        assert relative_error(U @ np.diag(np.diag(U.T @ A @ U)) @ U.T, A) < 1e-12


def test_ekfac_diagonal_between_rationals():
    """In a basis of rationals, with the sum over positions inside the square."""
    pairs = shared.pairs(*mixed())[3, 1]
    Q, G = shared.expand(pairs)
    rotations = [np.eye(len(A), dtype=int) * 5 for A in (Q, G)]
    for U in rotations:
        U[:2, :2] = [[3, -4], [4, 3]]
    U_Q, U_G = (U * (Numbers(0, exact=True)(1)[0] * 0 + 1) / 5 for U in rotations)
    U = np.kron(U_Q, U_G)
    assert np.array_equal(U.T @ U, np.eye(len(U), dtype=int))
    S = shared.ekfac_diagonal(pairs, U_Q, U_G)
    assert np.array_equal(ref.vec(S), np.diagonal(U.T @ shared.exact_block(pairs) @ U))


def singular_values(batch):
    """The rearrangement of the exact block, written with its indices, and its singular values."""
    I, O = batch[0].a.shape[1], batch[0].C.shape[1]
    F = shared.exact_block(batch)
    rows = [
        [F[i * O + o, j * O + p] for p in range(O) for o in range(O)]  # a row has vec of the block i, j
        for j in range(I)
        for i in range(I)
    ]
    return np.array(rows), np.linalg.svd(np.array(rows), compute_uv=False)


def test_rearrangement(batch):
    R, _ = singular_values(batch)
    assert np.array_equal(shared.rearranged(shared.exact_block(batch), batch[0].a.shape[1]), R)
    n = Numbers(6)
    Q, G = n(3, 3), n(2, 2)
    assert np.allclose(shared.rearranged(np.kron(Q, G), 3), np.outer(ref.vec(Q), ref.vec(G)), rtol=1e-14, atol=0)


def test_sums_of_products(batch):
    """The error of r products is that of the singular values after the first r, and all products give the block."""
    exact = shared.exact_block(batch)
    _, values = singular_values(batch)
    assert norm(values[1:2]) < 0.999 * values[0]
    for r in {1, len(values) // 2 + 1, len(values)}:
        terms = shared.kronecker_terms(batch, r)
        error = norm(shared.kronecker_sum(terms) - exact)
        assert abs(error - norm(values[r:])) < 1e-7 * values[0]  # R^T R has the squares of singular values
        V = Numbers(7)(len(terms[0].G), len(terms[0].Q))
        product = shared.kronecker_sum_product(terms, V)
        assert np.allclose(ref.vec(product), shared.kronecker_sum(terms) @ ref.vec(V), rtol=0, atol=1e-12 * values[0])
    first = shared.kfoc(batch)
    assert abs(norm(first.block) - values[0]) < 1e-12 * values[0]
    assert all(np.min(np.linalg.eigvalsh(A)) > -1e-10 * norm(A) for A in first)


def test_the_number_of_products_is_checked(batch):
    most = min(len(factor) ** 2 for factor in shared.expand(batch))
    with pytest.raises(ValueError, match=f"r: expected 1 to {most} Kronecker products, got 0"):
        shared.kronecker_terms(batch, 0)


def test_tnt_and_tkfac_by_definition():
    """The two differ if a column of the root has several positions, so not at the last layer, and not for T = 1."""
    for (l, _), pairs in shared.pairs(*mixed()).items():
        P = [
            sum(np.outer(C[:, c], a) for a, C in zip(*one, strict=True)) for one in pairs for c in range(one.C.shape[2])
        ]
        Q, G = (sum(map(f, P)) / len(pairs) for f in (lambda p: p.T @ p, lambda p: p @ p.T))
        assert np.array_equal(shared.tnt(pairs).block, np.kron(Q, G) / ref.trace(Q))
        Q = sum(np.sum(C * C) * np.outer(a, a) for one in pairs for a, C in zip(*one, strict=True)) / len(pairs)
        G = sum(np.sum(a * a) * C @ C.T for one in pairs for a, C in zip(*one, strict=True)) / len(pairs)
        assert np.array_equal(shared.tkfac(pairs).block, np.kron(Q, G) / ref.trace(Q))
        assert np.array_equal(shared.tnt(pairs).block, shared.tkfac(pairs).block) == (l == 6)
    for pairs in shared.pairs(*one_position()).values():
        assert np.array_equal(shared.tnt(pairs).block, shared.tkfac(pairs).block)


def test_foof():
    for pairs in shared.pairs(*mixed()).values():
        Q, G = shared.foof(pairs)
        assert np.array_equal(Q, shared.expand(pairs).Q)
        assert np.array_equal(G, np.eye(pairs[0].C.shape[1], dtype=int))


def test_a_rotated_basis_gives_another_ekfac():
    """Two bases of a factor with a repeated eigenvalue are both right, and the blocks differ."""
    rng = np.random.default_rng(8)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    batch = [shared.Pairs(a=rng.normal(size=(2, 4)), C=rng.normal(size=(2, 3, 2))) for _ in range(3)]
    U_Q = np.linalg.eigh(shared.expand(batch).Q)[1]
    blocks = [shared.ekfac_block(shared.ekfac_diagonal(batch, U_Q, U), U_Q, U) for U in (np.eye(3), rotation)]
    assert norm(blocks[0] - blocks[1]) > 0.05 * norm(blocks[0])
