"""Shapes, types, dtypes, libraries and devices, which are always checked, also under `check=False`."""

import numpy as np
import pytest

import kfgn

# objective, argument, change of the argument, fragments of the message
SHAPES = {
    "weight transposed": ("squared_error", "W_2", lambda W: W.T, [(3, 5), (5, 3)]),
    "weight without bias": ("categorical", "W_1", lambda W: W[:, :-1], [(4, 3), (4, 2), "bias"]),
    "weight with two biases": ("bernoulli", "W_2", lambda W: np.hstack([W, W[:, -1:]]), [(3, 5), (3, 6)]),
    "weight 1-d": ("squared_error", "W_1", np.ravel, [(4, 3), (12,)]),
    "weight 0-d": ("squared_error", "W_1", lambda W: W[0, 0], [(4, 3), ()]),
    "weight 3-d": ("squared_error", "W_1", lambda W: W[None], [(4, 3), (1, 4, 3)]),
    "weight empty": ("squared_error", "W_2", lambda W: W[:0], [(3, 5), (0, 5)]),
    "X transposed": ("squared_error", "X", lambda X: X.T, ["(N, 2)", (2, 7)]),
    "X with the unit": ("categorical", "X", lambda X: np.hstack([X, X[:, :1]]), ["(N, 2)", (7, 3)]),
    "X one datapoint": ("bernoulli", "X", lambda X: X[0], ["(N, 2)", (2,)]),
    "X 3-d": ("squared_error", "X", lambda X: X[None], ["(N, 2)", (1, 7, 2)]),
    "X 0-d": ("squared_error", "X", lambda X: X[0, 0], ["(N, 2)", ()]),
    "X empty": ("squared_error", "X", lambda X: X[:0], ["at least one datapoint", (0, 2)]),
    "Y transposed": ("squared_error", "Y", lambda Y: Y.T, [(7, 3), (3, 7), "squared_error"]),
    "Y too narrow": ("bernoulli", "Y", lambda Y: Y[:, :2], [(7, 3), (7, 2), "bernoulli"]),
    "Y too short": ("squared_error", "Y", lambda Y: Y[:1], [(7, 3), (1, 3)]),
    "Y of one output": ("squared_error", "Y", lambda Y: Y[:, 0], [(7, 3), (7,)]),
    "Y empty": ("bernoulli", "Y", lambda Y: Y[:0], [(7, 3), (0, 3)]),
    "Y one-hot": ("categorical", "Y", lambda Y: np.eye(3, dtype=Y.dtype)[Y], [(7,), (7, 3), "categorical"]),
    "Y a column": ("categorical", "Y", lambda Y: Y[:, None], [(7,), (7, 1)]),
    "Y 0-d": ("categorical", "Y", lambda Y: Y[0], [(7,), ()]),
    "labels of the data": ("squared_error", "labels", lambda y: y[:, 0, :], [(7, 3, 3), (7, 3)]),
    "labels of the data, indices": ("categorical", "labels", lambda y: y[:, 0], ["(N, S, ...)", (7,)]),
    "labels samples first": ("bernoulli", "labels", lambda y: y.swapaxes(0, 1), [(7, 7, 3), (6, 7, 3)]),
    "labels no sample": ("bernoulli", "labels", lambda y: y[:, :0], ["S of at least 1", (7, 0, 3)]),
    "labels no sample, indices": ("categorical", "labels", lambda y: y[:, :0], ["S of at least 1", (7, 0)]),
    "labels too narrow": ("squared_error", "labels", lambda y: y[..., :2], [(7, 6, 3), (7, 6, 2)]),
    "labels one-hot": ("categorical", "labels", lambda y: np.eye(3, dtype=y.dtype)[y], [(7, 6), (7, 6, 3)]),
    "labels 0-d": ("categorical", "labels", lambda y: y[0, 0], ["(N, S, ...)", ()]),
    "draws no sample": ("squared_error", "draws", lambda u: u[:, :0], ["S of at least 1", (7, 0, 3)]),
    "draws of each output": ("categorical", "draws", lambda u: np.stack([u, u], -1), [(7, 6), (7, 6, 2)]),
    "draws samples first": ("squared_error", "draws", lambda u: u.swapaxes(0, 1), [(7, 7, 3), (6, 7, 3)]),
    "draws without samples": ("categorical", "draws", lambda u: u[:, 0], ["(N, S, ...)", (7,)]),
    "draws of each output, mixture": ("mixture", "draws", lambda u: np.stack([u] * 3, -1), [(7, 6), (7, 6, 3)]),
    "Y of each output, mixture": ("mixture", "Y", lambda y: np.stack([y] * 3, -1), [(7,), (7, 3), "mixture"]),
    "labels of the data, mixture": ("mixture", "labels", lambda y: y[:, 0], ["(N, S, ...)", (7,)]),
    "projections without samples": ("bernoulli", "projections", lambda z: z[:, 0], [(7, 3, 3), (7, 3)]),
    "projections no sample": ("bernoulli", "projections", lambda z: z[:, :0], ["S of at least 1", (7, 0, 3)]),
    "projections samples first": ("categorical", "projections", lambda z: z.swapaxes(0, 1), [(7, 7, 3), (6, 7, 3)]),
    "projections too narrow": ("mixture", "projections", lambda z: z[..., :1], [(7, 6, 3), (7, 6, 1)]),
    "projections too wide": ("mixture scalar", "projections", lambda z: np.dstack([z] * 3), [(7, 6, 1), (7, 6, 3)]),
    "U transposed": ("squared_error", "U", lambda u: u.T, [(7, 3), (3, 7)]),
    "U of one datapoint": ("categorical", "U", lambda u: u[:1], [(7, 3), (1, 3)]),
    "U of one output": ("bernoulli", "U", lambda u: u[:, 0], [(7, 3), (7,)]),
    "V without bias": ("categorical", "V_1", lambda V: V[:, :-1], [(4, 3), (4, 2), "bias"]),
    "V transposed": ("squared_error", "V_2", lambda V: V.T, [(3, 5), (5, 3)]),
    "V raveled": ("mixture", "V_2", np.ravel, [(3, 5), (15,)]),
    "delta without bias": ("squared_error", "delta_2", lambda V: V[:, :-1], [(3, 5), (3, 4), "bias"]),
    "delta 0-d": ("bernoulli", "delta_1", lambda V: V[0, 0], [(4, 3), ()]),
    "b transposed": ("categorical", "b_1", lambda V: V.T, [(4, 3), (3, 4)]),
}

DTYPES = {
    "X float32": ("squared_error", "X", "float32", "X", ["the dtype of W_1", "float64", "float32"]),
    "X int64": ("squared_error", "X", "int64", "X", ["float32 or float64", "int64"]),
    "X bool": ("bernoulli", "X", "bool", "X", ["float32 or float64", "bool"]),
    "X complex": ("categorical", "X", "complex128", "X", ["float32 or float64", "complex128"]),
    "X float16": ("squared_error", "X", "float16", "X", ["float32 or float64", "float16"]),
    "first weight float32": ("squared_error", "W_1", "float32", "W_1", ["the dtype of X", "float64", "float32"]),
    "weight float32": ("categorical", "W_2", "float32", "W_2", ["float64", "float32"]),
    "weight float16": ("categorical", "W_2", "float16", "W_2", ["float64", "float16"]),
    "weight int64": ("bernoulli", "W_2", "int64", "W_2", ["float64", "int64"]),
    "Y float32": ("squared_error", "Y", "float32", "Y", ["float64", "float32"]),
    "Y int64": ("bernoulli", "Y", "int64", "Y", ["float64", "int64"]),
    "Y bool": ("bernoulli", "Y", "bool", "Y", ["float64", "bool"]),
    "Y bool, indices": ("categorical", "Y", "bool", "Y", ["integer class indices", "bool"]),
    "Y float64, indices": ("categorical", "Y", "float64", "Y", ["integer class indices", "float64"]),
    "labels float32": ("squared_error", "labels", "float32", "labels", ["float64", "float32"]),
    "labels bool": ("bernoulli", "labels", "bool", "labels", ["float64", "bool"]),
    "labels float64, indices": ("categorical", "labels", "float64", "labels", ["integer", "float64"]),
    "draws float32": ("categorical", "draws", "float32", "draws", ["float64", "float32"]),
    "draws int64": ("squared_error", "draws", "int64", "draws", ["float64", "int64"]),
    "Y float64, mixture": ("mixture", "Y", "float64", "Y", ["integer class indices", "mixture", "float64"]),
    "Y bool, mixture": ("mixture", "Y", "bool", "Y", ["integer class indices", "bool"]),
    "projections float32": ("mixture", "projections", "float32", "projections", ["float64", "float32"]),
    "projections int64": ("squared_error", "projections", "int64", "projections", ["float64", "int64"]),
    "U float32": ("categorical", "U", "float32", "U", ["float64", "float32"]),
    "V float32": ("categorical", "V_2", "float32", "V_2", ["float64", "float32"]),
    "delta int64": ("bernoulli", "delta_1", "int64", "delta_1", ["float64", "int64"]),
    "b bool": ("squared_error", "b_2", "bool", "b_2", ["float64", "bool"]),
}


NAMES = ["X", "W_2", "Y", "labels", "draws", "projections", "U", "V_1", "delta_2", "b_2"]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("case", SHAPES)
def test_wrong_shape(backend, problem, functions, refuses, case, check):
    objective, name, change, fragments = SHAPES[case]
    good = problem(backend, objective)
    bad = good.having(name, backend.asarray(change(backend.to_numpy(good.argument(name)))))
    for function in functions(name):
        refuses(backend, function, bad, ValueError, name, *fragments, check=check)


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("case", DTYPES)
def test_wrong_dtype(backend, problem, functions, refuses, case, check):
    objective, name, dtype, blamed, fragments = DTYPES[case]
    if backend.name == "strict" and dtype == "float16":
        pytest.skip("array-api-strict has no float16")
    good = problem(backend, objective)
    bad = good.having(name, backend.asarray(backend.to_numpy(good.argument(name)).astype(dtype)))
    for function in functions(name):
        refuses(backend, function, bad, TypeError, blamed, *fragments, check=check)


@pytest.mark.parametrize("name", ["weights", "V", "delta", "b"])
@pytest.mark.parametrize(("count", "change"), [(1, lambda W: W[:1]), (3, lambda W: (*W, W[0])), (0, lambda W: [])])
def test_wrong_number_of_weights(backend, problem, functions, refuses, name, count, change):
    good = problem(backend, "categorical")
    bad = good.having(name, change(good.argument(name)))
    for function in functions(name):
        refuses(backend, function, bad, ValueError, name, "expected 2", f"got {count}")


@pytest.mark.parametrize("name", NAMES)
def test_mixed_libraries(backend, problem, functions, refuses, name):
    good = problem(backend, "categorical")
    other = np.asarray if backend.name != "numpy" else pytest.importorskip("array_api_strict").asarray
    bad = good.having(name, other(backend.to_numpy(good.argument(name))))
    like = "W_1" if name == "X" else "X"
    came = [type(bad.argument(n)).__qualname__ for n in (like, name)]
    for function in functions(name):
        refuses(backend, function, bad, TypeError, name, f"library of {like}", *came, check=False)


def test_arrays_of_numpy_for_weights_of_torch():
    """The message blames X, and names the function that converts an array of NumPy."""
    torch = pytest.importorskip("torch")
    network = kfgn.Network.dense((2, 3, 1), ("tanh",), "squared_error")
    weights = torch.zeros(3, 3), torch.zeros(1, 4)
    X, Y = np.zeros((5, 2), "f4"), np.zeros((5, 1), "f4")
    convert = "got numpy.ndarray; torch.as_tensor converts the array"
    with pytest.raises(TypeError, match=f"^X: expected an array of the library of W_1, torch.Tensor.*, {convert}$"):
        kfgn.loss(network, weights, X, Y)
    with pytest.raises(TypeError, match=f"^Y: expected an array of the library of X, torch.Tensor.*, {convert}$"):
        kfgn.GaussNewton(network).step(kfgn.GaussNewton(network).init(weights), torch.as_tensor(X), Y)


def test_separate_biases_are_explained():
    """The parameters of a PyTorch model are twice as many as its layers, and biases have one axis."""
    optimiser = kfgn.GaussNewton(kfgn.Network.dense((2, 3, 1), ("tanh",), "squared_error"))
    parameters = [np.zeros((3, 2)), np.zeros(3), np.zeros((1, 3)), np.zeros(1)]
    said = "weights: expected 2 arrays W_1, ..., W_L, got 4; put each bias into the last column of its W_l, as "
    with pytest.raises(ValueError, match=f"^{said}kfgn.interop.torch.network_and_weights does$"):
        optimiser.init(parameters)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("backend", "elsewhere"), [("torch", "meta"), ("strict", "device1")], indirect=["backend"])
def test_mixed_devices(backend, problem, functions, refuses, name, elsewhere):
    good = problem(backend, "categorical")
    place = backend.xp.Device(elsewhere) if backend.name == "strict" else elsewhere
    bad = good.having(name, backend.xp.asarray(good.argument(name), device=place))
    home, like = str(good.X.device), "W_1" if name in ("X", "W_2") else "X"
    for function in functions(name):
        refuses(backend, function, bad, ValueError, name, f"device of {like}", elsewhere, home)
