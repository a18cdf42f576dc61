"""vec, theta and their inverses element by element, sums over layers, and networks with moved weights."""

from fractions import Fraction

import kfgn_reference as ref
import numpy as np
import pytest
from kfgn_reference import _vectors as vectors

SHAPES = ((3, 2), (2, 4), (1, 3))


@pytest.fixture
def layers():
    """Matrices of the different rationals 1/3, 2/3, ..., none of them symmetric."""
    numbers = (Fraction(i, 3) for i in range(1, 100))
    return {l: np.array([[next(numbers) for _ in range(b)] for _ in range(a)]) for l, (a, b) in enumerate(SHAPES, 1)}


@pytest.fixture
def net(layers):
    return ref.Network(tuple(layers.values()), ("relu", "identity"), "squared_error", "scalar")


def test_vec_stacks_columns():
    V = np.array([[1, 2, 3], [4, 5, 6]])
    assert ref.vec(V).tolist() == [1, 4, 2, 5, 3, 6]
    assert ref.unvec(np.array([1, 4, 2, 5, 3, 6]), 2).tolist() == V.tolist()
    assert ref.unvec(np.arange(6), 3).tolist() == [[0, 3], [1, 4], [2, 5]]


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (2, 3), (3, 2), (3, 3)])
def test_vec_by_elements(shape):
    """Row b D + a of vec V is V[a, b], and unvec is the inverse."""
    D, width = shape
    V = np.random.default_rng(1).normal(size=shape)
    v = ref.vec(V)
    assert v.shape == (V.size,)
    assert all(v[b * D + a] == V[a, b] for a in range(D) for b in range(width))
    back = ref.unvec(v, D)
    assert back.shape == shape
    assert np.array_equal(back, V)


def test_vec_and_kronecker_products():
    """(A kron B) vec(V) = vec(B V A^T), the convention of the whole package."""
    rng = np.random.default_rng(2)
    A, B, V = rng.integers(-9, 9, (3, 4)), rng.integers(-9, 9, (5, 2)), rng.integers(-9, 9, (2, 4))
    assert np.array_equal(np.kron(A, B) @ ref.vec(V), ref.vec(B @ V @ A.T))


def test_theta_by_elements(layers):
    """Layer 1 is first, for any order of the keys."""
    expected = [V[a, b] for V in layers.values() for b in range(V.shape[1]) for a in range(V.shape[0])]
    assert ref.theta(layers).tolist() == expected
    assert ref.theta(dict(reversed(layers.items()))).tolist() == expected


def test_per_layer_undoes_theta(net, layers):
    back = ref.per_layer(net, ref.theta(layers))
    assert back.keys() == layers.keys()
    for l in layers:
        assert back[l].shape == layers[l].shape
        assert back[l].tolist() == layers[l].tolist()
    other = ref.per_layer(net, np.arange(17))
    assert other[1].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert other[2].tolist() == [[6, 8, 10, 12], [7, 9, 11, 13]]
    assert other[3].tolist() == [[14, 15, 16]]


def test_one_layer():
    net = ref.Network((np.zeros((2, 3)),), (), "squared_error")
    assert ref.per_layer(net, np.arange(6)).keys() == {1}
    assert ref.per_layer(net, np.arange(6))[1].tolist() == [[0, 2, 4], [1, 3, 5]]


def test_weights(net):
    W = vectors.weights(net)
    assert W.keys() == {1, 2, 3}
    assert all(W[l] is net.weights[l - 1] for l in W)


def test_moved(net, layers):
    """Only the weights of the new network differ. The old network and delta are unchanged."""
    before = [W.tolist() for W in net.weights]
    delta = {l: layers[l] * l for l in reversed(layers)}
    there = ref.moved(net, delta)
    assert [W.tolist() for W in there.weights] == [(layers[l] * (1 + l)).tolist() for l in (1, 2, 3)]
    assert there[1:] == net[1:]
    assert type(there) is ref.Network
    assert [W.tolist() for W in net.weights] == before


def test_dot(layers):
    """The sum of products of elements, which is (1 + 4 + ... + 17^2) / 9 for the layers with themselves."""
    assert ref.dot(layers, layers) == Fraction(17 * 18 * 35, 6 * 9)
    other = {
        l: np.array([[Fraction(a + 10 * b) for b in range(n)] for a in range(m)]) for l, (m, n) in enumerate(SHAPES, 1)
    }
    expected = sum(layers[l][i] * other[l][i] for l in layers for i in np.ndindex(layers[l].shape))
    assert ref.dot(layers, other) == ref.dot(other, dict(reversed(layers.items()))) == expected
    assert type(ref.dot(layers, other)) is Fraction


def test_scaled(layers):
    result = vectors.scaled(Fraction(-3, 2), layers)
    assert result.keys() == layers.keys()
    assert all(result[l][i] == Fraction(-3, 2) * layers[l][i] for l in layers for i in np.ndindex(layers[l].shape))


def test_unit_vectors(net):
    """The identity matrix, column by column, in the arithmetic of the weights."""
    units = [ref.theta(unit) for unit in vectors.unit_vectors(net)]
    assert np.array_equal(np.array(units), np.eye(17, dtype=int))
    assert {type(value) for unit in units for value in unit} == {Fraction}
    first = next(vectors.unit_vectors(net))
    assert [first[l].shape for l in (1, 2, 3)] == list(SHAPES)
    floats = net._replace(weights=tuple(W.astype(float) for W in net.weights))
    assert all(unit[l].dtype == np.float64 for unit in vectors.unit_vectors(floats) for l in unit)
