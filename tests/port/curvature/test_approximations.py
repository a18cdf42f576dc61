"""EKFAC, KFOC, TKFAC, TNT and FOOF of dense networks without positions, compared with the reference for T = 1.

Also: tests/port/positions/test_approximations.py for networks with positions, and the rows `ekfac_blocks`,
`ekfac_diagonal`, `kfoc_blocks`, `tkfac_blocks` and `tnt_blocks` of the conformance kit.
"""

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

import kfgn

from .by_hand import DEEP, OBJECTIVES, assert_layers, without_jax

FACTORS = {"tkfac": shared.tkfac, "tnt": shared.tnt, "kfoc": shared.kfoc, "foof": shared.foof}
NETWORK = kfgn.Network.dense((2, 3, 4), ("tanh",), "categorical")
BATCH = (
    NETWORK,
    tuple(np.linspace(-1, 1, D * P).reshape(D, P) for D, P in NETWORK.weight_shapes),
    np.array([[0.5, -1.0], [2.0, 0.25]]),
    np.array([0, 3]),
)
BASES = tuple(np.eye(P) for _, P in NETWORK.block_shapes), tuple(np.eye(D) for D, _ in NETWORK.block_shapes)


def pairs_of(backend, p, labelled):
    """The pairs of the reference for each layer, with one position."""
    layers = []
    for layer, W in zip(p.network.layers, map(backend.to_numpy, p.weights), strict=True):
        layers += [shared.Dense(W), shared.Elementwise(layer.transfer)][: 2 - (layer.transfer == "identity")]
    net = shared.Network(tuple(layers), p.network.objective, 1, p.network.psd)
    X, Y, labels = backend.to_numpy(p.X)[:, :, None], backend.to_numpy(p.Y)[:, None], backend.to_numpy(p.labels)
    found = shared.sampled_pairs(net, X, labels[:, :, None]) if labelled else shared.pairs(net, X, Y)
    return [found[key] for key in sorted(found)]


def dense(backend, came):
    return [np.kron(backend.to_numpy(Q), backend.to_numpy(G)) for Q, G in zip(came.Q, came.G, strict=True)]


@pytest.mark.parametrize("labelled", [False, True], ids=["roots", "labels"])
@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_reference(backend, problem, objective, labelled):
    p = problem(backend, objective, widths=DEEP)
    options = {"labels": p.labels} if labelled else {}
    pairs = pairs_of(backend, p, labelled)
    for method, by_reference in FACTORS.items():
        came = getattr(kfgn, method)(*p[:4], **({} if method == "foof" else options))
        assert_layers(
            backend, map(backend.asarray, dense(backend, came)), [by_reference(x).block for x in pairs], 1e-11
        )
    _, _, blocks = kfgn.ekfac(*p[:4], **options)
    assert_layers(
        backend,
        [block.S for block in blocks],
        [shared.ekfac_diagonal(x, *map(backend.to_numpy, block[:2])) for x, block in zip(pairs, blocks, strict=True)],
        1e-13,
    )


@without_jax
def test_one_datapoint_is_exact(backend, problem):
    """The exact block of one datapoint is a Kronecker product, which every method finds except FOOF."""
    p = problem(backend, "categorical", widths=DEEP, N=1)
    exact = list(map(backend.to_numpy, kfgn.gauss_newton_blocks(*p[:4])))
    for method in ("tkfac", "tnt", "kfoc"):
        assert_layers(backend, map(backend.asarray, dense(backend, getattr(kfgn, method)(*p[:4]))), exact, 1e-13)
    assert_layers(backend, [block.dense() for block in kfgn.ekfac(*p[:4]).blocks], exact, 1e-13)


@pytest.mark.parametrize("objective", OBJECTIVES)
@without_jax
def test_the_trace_of_the_exact_block(backend, problem, objective):
    p = problem(backend, objective, widths=DEEP)
    exact = [np.trace(backend.to_numpy(block)) for block in kfgn.gauss_newton_blocks(*p[:4])]
    _, _, blocks = kfgn.ekfac(*p[:4])
    np.testing.assert_allclose([float(block.trace()) for block in blocks], exact, rtol=1e-12)
    for method in ("tkfac", "tnt"):
        traces = [np.trace(block) for block in dense(backend, getattr(kfgn, method)(*p[:4]))]
        np.testing.assert_allclose(traces, exact, rtol=1e-12)


def test_the_bases_are_those_of_kflr():
    _, _, blocks = kfgn.ekfac(*BATCH)
    _, _, Q, G = kfgn.kflr(*BATCH)
    for block, Q_l, G_l in zip(blocks, Q, G, strict=True):
        for U, A in ((block.U_Q, Q_l), (block.U_G, G_l)):
            np.testing.assert_allclose(U.T @ A @ U, np.diag(np.linalg.eigvalsh(A)), rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@without_jax
def test_columns_that_are_zero_or_tiny(backend, dtype):
    """Without curvature all factors are 0 and no result is NaN. A tiny block does not underflow."""
    with backend.scope(dtype):
        for scale in (0.0, 1e-12):
            weights = tuple(backend.asarray((scale * W).astype(dtype)) for W in BATCH[1])
            X, Y = backend.asarray(BATCH[2].astype(dtype)), backend.asarray(BATCH[3])
            first = [getattr(kfgn, method)(NETWORK, weights, X, Y) for method in ("tkfac", "tnt", "kfoc")]
            exact = backend.to_numpy(kfgn.gauss_newton_blocks(NETWORK, weights, X, Y)[0])
            for came in first:
                block = dense(backend, came)[0]
                assert block.dtype == dtype
                np.testing.assert_allclose(block, exact, rtol=0, atol=1e-2 * np.abs(exact).max())


def test_more_steps_are_nearer():
    """The error of KFOC falls with the number of steps, to that of the singular value decomposition."""
    rng = np.random.default_rng(0)
    network = kfgn.Network.dense((8, 7, 6), ("tanh",), "categorical")
    weights = tuple(rng.normal(size=shape) for shape in network.weight_shapes)
    batch = network, weights, rng.normal(size=(30, 8)), rng.integers(0, 6, 30)
    F = kfgn.gauss_newton_blocks(*batch)[0]
    values = np.linalg.svd(shared.rearranged(F, 9), compute_uv=False)
    errors = []
    for iterations in (1, 2, 4, 8):
        _, _, Q, G = kfgn.kfoc(*batch, iterations=iterations)
        errors.append(np.sum((F - np.kron(Q[0], G[0])) ** 2) - np.sum(values[1:] ** 2))
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert abs(errors[3]) < 1e-12 * np.sum(values**2)


WRONG = {
    "labels of a wrong shape": (lambda f: f(*BATCH, labels=np.zeros(2, int)), r"^labels: expected shape"),
    "labels out of range": (lambda f: f(*BATCH, labels=np.full((2, 1), 4)), r"^labels: expected class indices"),
    "memory": (lambda f: f(*BATCH, memory=0), r"^memory: expected a positive integer"),
    "X": (lambda f: f(NETWORK, BATCH[1], BATCH[2].T[:, :1], BATCH[3]), r"^X: expected shape"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("method", ["tkfac", "tnt", "kfoc", "ekfac"])
def test_bad_arguments(method, wrong):
    call, message = WRONG[wrong]
    with pytest.raises((TypeError, ValueError), match=message):
        call(getattr(kfgn, method))


WRONG_BASES = {
    "not a tuple": (BASES[0][0], r"^U_Q: expected a tuple or list of arrays U_Q_1, \.\.\., got "),
    "too few": (BASES[0][:1], r"^U_Q: expected 2 arrays, one per Kronecker block, got 1"),
    "too large": ((np.eye(3), np.eye(5)), r"^U_Q_2: expected shape \(4, 4\), got \(5, 5\)"),
    "not finite": ((np.eye(3), np.full((4, 4), np.nan)), r"^U_Q_2: expected finite values"),
    "dtype": ((np.eye(3), np.eye(4, dtype="float32")), r"^U_Q_2: expected the dtype of X"),
    "lists": (([[1.0]], np.eye(4)), r"^U_Q_1: expected an array"),
}


@pytest.mark.parametrize("wrong", WRONG_BASES)
def test_bad_bases(wrong):
    U_Q, message = WRONG_BASES[wrong]
    with pytest.raises((TypeError, ValueError), match=message):
        kfgn.ekfac_diagonal(*BATCH, U_Q, BASES[1])


def test_further_bad_arguments():
    with pytest.raises(ValueError, match=r"^iterations: expected a positive integer"):
        kfgn.kfoc(*BATCH, iterations=0)
    with pytest.raises(ValueError, match=r"^sharing: expected one of expand, reduce"):
        kfgn.ekfac(*BATCH, sharing="sum")
    with pytest.raises(TypeError, match=r"^network: expected a kfgn\.Network"):
        kfgn.ekfac_diagonal("network", *BATCH[1:], *BASES)
    indefinite = kfgn.Network.dense((2, 3), (), "mixture", "raise")
    for method in ("tkfac", "tnt", "kfoc", "ekfac"):
        with pytest.raises(ValueError, match=r"^psd: expected"):
            getattr(kfgn, method)(indefinite, (np.ones((3, 3)),), BATCH[2], np.zeros(2, int))
