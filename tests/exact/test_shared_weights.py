"""The functions of shared weights in ball arithmetic and in 24 bits, with no change of their code."""

from fractions import Fraction

import flint
import kfgn_reference.shared_weights as shared
import numpy as np
import pytest
from kfgn_conformance.arithmetic.rounded import Single, rounded_to
from kfgn_conformance.certified import PRECISION, radius, to_ball

from ..reference.shared_weights.problems import NETWORKS, Numbers, problem as random_problem


def of_pairs(function):
    """The result of a function of the pairs of each layer and group."""

    def evaluate(*problem):
        results = {key: function(pairs) for key, pairs in shared.pairs(*problem).items()}
        return {key: getattr(result, "block", result) for key, result in results.items()}

    return evaluate


BY_RECURSION = ("gradient", "hessian_blocks", "gauss_newton_blocks", "kfra_over_positions", "kfra_over_taps")
FROM_PAIRS = ("exact_block", "expand", "reduce", "tkfac", "tnt", "foof")
FUNCTIONS = {name: getattr(shared, name) for name in BY_RECURSION}
FUNCTIONS |= {name: of_pairs(getattr(shared, name)) for name in FROM_PAIRS}
WITH_EIGENVALUES = {name: of_pairs(getattr(shared, name)) for name in ("ekfac", "kfoc")}


def converted(problem, convert):
    """The problem with every real number converted."""
    net, X, Y = problem
    layers = dict(enumerate(net.layers, 1))
    layers |= {l: layer._replace(weight=convert(layer.weight)) for l, layer in net.weighted.items()}
    X, Y = (array if array.dtype.kind == "i" else convert(array) for array in (X, Y))
    return net._replace(layers=tuple(layers.values())), X, Y


def pixels():
    """The kinds of layers of the network `pixels`, for few pixels, since a product of balls takes a microsecond."""
    n = Numbers(8)
    depthwise = n.convolution(
        2, 2, width=(2, 2), groups=2, dilation=(1, 2), padding=((1, 0), (2, 1)), circular=True, bias=False
    )
    layers = (
        *(depthwise, shared.Elementwise("tanh"), n.convolution(4, 2, width=(2, 3), groups=2)),
        *(shared.Elementwise("silu"), shared.Pooling(width=(2, 2), stride=(1, 1), kind="mean"), n.dense(3, 4)),
    )
    return random_problem(n, layers, "bernoulli", (2, 3, 4), N=2, divisor=2)


@pytest.fixture(scope="module", params=[NETWORKS["grouped"], NETWORKS["tokens"], pixels, NETWORKS["sentence"]])
def problem(request):
    return request.param()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64_is_near_the_certified_value(name, problem):
    """float64 is within 1e-12 of the largest element, and the balls are much narrower than any rounding."""
    with flint.ctx.workprec(PRECISION):
        balls = FUNCTIONS[name](*converted(problem, lambda x: np.asarray(to_ball(x), dtype=object)))
        for key, value in FUNCTIONS[name](*problem).items():
            size = np.max(np.abs(value))
            assert max(float(r) for r in np.ravel(radius(balls[key]))) < 1e-50 * size
            errors = np.ravel(to_ball(value) - balls[key])
            assert max(float(abs(flint.arb(e)).abs_upper()) for e in errors) < 1e-12 * size, key


@pytest.mark.parametrize("name", FUNCTIONS | WITH_EIGENVALUES)
def test_24_bits(name, problem):
    """Every function that the code calls is known to the arithmetic of 24 bits, and no number leaves it.

    EKFAC of an embedding is not compared. Tokens with equal counts are equal eigenvalues, so the block is not unique.
    """
    function = (FUNCTIONS | WITH_EIGENVALUES)[name]
    rounded, exact = function(*converted(problem, lambda x: rounded_to(Single, x))), function(*problem)
    assert all(isinstance(value, Single) for value in rounded.values())
    unique = {key for key in exact if name != "ekfac" or not isinstance(problem.net.weighted[key[0]], shared.Embedding)}
    for key in unique:
        value = exact[key]
        assert np.max(np.abs(np.asarray(rounded[key]) - value)) < 1e-4 * np.max(np.abs(value)), key


def masked(problem):
    """The problem without a few of its positions, which differ by datapoint."""
    net, X, Y = problem
    mask = np.arange(X.shape[1]) < np.array([5, 2, 4, 3])[:, None]
    return net._replace(divisor=Fraction(7, 2)), *shared.counted(X, Y, mask)


def masked_tokens(*problem):
    """The closed forms of an embedding, for masked sequences."""
    batch = shared.token_pairs(*masked(problem))
    q, G = shared.expand_tokens(batch, V=8)
    return {"q": q, "G": G, **shared.exact_token_blocks(batch)}


def masked_expand(*problem):
    return of_pairs(shared.expand)(*masked(problem))


@pytest.mark.parametrize("function", [masked_tokens, masked_expand])
def test_masks(function):
    """Masked sequences of tokens, with a divisor that is no integer, in balls and in 24 bits."""
    problem = NETWORKS["sentence"]()
    rounded = function(*converted(problem, lambda x: rounded_to(Single, x)))
    with flint.ctx.workprec(PRECISION):
        balls = function(*converted(problem, lambda x: np.asarray(to_ball(x), dtype=object)))
        for key, value in function(*problem).items():
            size = np.max(np.abs(value))
            errors = np.ravel(to_ball(value) - balls[key])
            assert max(float(abs(flint.arb(e)).abs_upper()) for e in errors) <= 1e-12 * size, key
            assert isinstance(rounded[key], Single)
            assert np.max(np.abs(np.asarray(rounded[key]) - value)) <= 1e-4 * size, key
