"""`kfgn.interop.torch`: modules of PyTorch as networks and weights of kfgn, and back, against PyTorch itself."""

import copy
import subprocess
import sys
import warnings

import numpy as np
import pytest

import kfgn
from kfgn._network.transfers import TRANSFERS

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn.utils import parametrizations, parametrize, prune  # noqa: E402

from kfgn.interop import torch as interop  # noqa: E402

ACTIVATIONS = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.1),
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
    "softplus": nn.Softplus,
}

# as the docstring of network_and_weights has them
LOSSES = {
    "squared_error": lambda h, Y: 0.5 * nn.MSELoss(reduction="sum")(h, Y) / len(Y),
    "bernoulli": lambda h, Y: nn.BCEWithLogitsLoss(reduction="sum")(h, Y) / len(Y),
    "categorical": lambda h, Y: nn.CrossEntropyLoss()(h, Y),
}

DTYPES = {torch.float32: {}, torch.float64: {"rtol": 1e-12, "atol": 1e-12}}  # float32 as PyTorch itself compares it


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def batch(objective, dtype, N=7, D=(3, 2)):
    X = torch.randn(N, D[0], dtype=dtype)
    Y = {
        "squared_error": lambda: torch.randn(N, D[1], dtype=dtype),
        "bernoulli": lambda: torch.randint(2, (N, D[1])).to(dtype),
        "categorical": lambda: torch.randint(D[1], (N,)),
    }[objective]()
    return X, Y


def nested(dtype=torch.float64):
    """3, 5, 4, 2 units, and everything that is passed over."""
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(3, 5), nn.Dropout(0.0), nn.Tanh(), nn.Dropout(0.5).eval())
    middle = nn.Sequential(nn.Sequential(nn.Identity(), nn.Linear(5, 4)), nn.Identity(), nn.Sequential())
    model = nn.Sequential()
    model.add_module("encoder", encoder)
    model.add_module("middle", middle)
    model.add_module("head", nn.Linear(4, 2))
    model.add_module("end", nn.Identity())
    return model.to(dtype)


def joined(of, model):
    """Weights and biases, or what belongs to them, as kfgn has them."""
    linears = [part for part in model.modules() if isinstance(part, nn.Linear)]
    return [torch.cat([of(linear.weight), of(linear.bias)[:, None]], 1) for linear in linears]


def bits(model):
    return {name: value.detach().numpy().tobytes() for name, value in model.state_dict().items()}


def loss_and_gradient(model, objective, X, Y):
    loss = LOSSES[objective](model(X), Y)
    loss.backward()
    return loss.detach(), joined(lambda parameter: parameter.grad, model)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("objective", LOSSES)
@pytest.mark.parametrize("transfer", ACTIVATIONS)
def test_loss_and_gradient_are_those_of_torch(transfer, objective, dtype):
    model = nn.Sequential(nn.Linear(3, 5), ACTIVATIONS[transfer](), nn.Linear(5, 2)).to(dtype)
    X, Y = batch(objective, dtype)
    network, weights = interop.network_and_weights(model, objective)
    assert network == kfgn.Network.dense((3, 5, 2), (transfer,), objective)
    loss, gradient = loss_and_gradient(model, objective, X, Y)
    torch.testing.assert_close(kfgn.loss(network, weights, X, Y), loss, **DTYPES[dtype])
    torch.testing.assert_close(list(kfgn.gradient(network, weights, X, Y)), gradient, **DTYPES[dtype])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_nested_modules_and_what_is_passed_over(dtype):
    model = nested(dtype)
    X, Y = batch("squared_error", dtype)
    network, weights = interop.network_and_weights(model, "squared_error")
    assert network == kfgn.Network.dense((3, 5, 4, 2), ("tanh", "identity"), "squared_error")
    loss, gradient = loss_and_gradient(model, "squared_error", X, Y)
    torch.testing.assert_close(kfgn.loss(network, weights, X, Y), loss, **DTYPES[dtype])
    torch.testing.assert_close(list(kfgn.gradient(network, weights, X, Y)), gradient, **DTYPES[dtype])


def test_one_layer():
    network, (W,) = interop.network_and_weights(nn.Sequential(nn.Linear(3, 2)), "bernoulli")
    assert network == kfgn.Network.dense((3, 2), (), "bernoulli")
    assert W.shape == (2, 4)


def test_psd_is_passed_on():
    network, _ = interop.network_and_weights(nn.Sequential(nn.Linear(2, 3)), "mixture", psd="scalar")
    assert network == kfgn.Network.dense((2, 3), (), "mixture", "scalar")


def test_one_activation_may_come_twice():
    tanh = nn.Tanh()
    model = nn.Sequential(nn.Linear(3, 4), tanh, nn.Linear(4, 4), tanh, nn.Linear(4, 2))
    network, _ = interop.network_and_weights(model, "categorical")
    assert network.transfers == ("tanh", "tanh")


def test_subclasses_that_compute_the_same():
    class Head(nn.Linear):
        pass

    class Model(nn.Sequential):
        pass

    network, _ = interop.network_and_weights(Model(nn.Linear(3, 4), Model(nn.ReLU(), Head(4, 2))), "categorical")
    assert network == kfgn.Network.dense((3, 4, 2), ("relu",), "categorical")


def test_widths_are_those_of_the_parameters():
    linear = nn.Linear(3, 2)
    linear.weight = nn.Parameter(torch.zeros(2, 5))  # in_features is still 3, which forward does not read
    network, (W,) = interop.network_and_weights(nn.Sequential(linear), "categorical")
    assert network.widths == (5, 2)
    assert W.shape == (2, 6)


def test_softplus_above_its_threshold():
    # PyTorch's is the identity there
    h = torch.linspace(15.0, 25.0, 2001, dtype=torch.float64)
    difference = TRANSFERS["softplus"].value_and_derivative(torch, h)[0] - nn.Softplus()(h)
    assert 2e-9 < difference.abs().max() < 3e-9
    assert interop.network_and_weights(nn.Sequential(nn.Linear(1, 1), nn.Softplus(1, 30), nn.Linear(1, 1)), "bernoulli")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_weights_are_a_copy_outside_any_graph(dtype):
    model = nested(dtype)
    before = bits(model)
    _, weights = interop.network_and_weights(model, "categorical")
    for W, expected in zip(weights, joined(torch.Tensor.detach, model), strict=True):
        assert type(W) is torch.Tensor
        assert W.dtype == dtype
        assert not W.requires_grad
        assert W.grad_fn is None
        assert torch.equal(W, expected)
        W.fill_(torch.nan)
    assert bits(model) == before


def test_on_the_device_of_the_module():
    model = nested().to("meta")
    _, weights = interop.network_and_weights(model, "categorical")
    assert all(W.is_meta for W in weights)
    interop.write_back(model, weights)
    with pytest.raises(ValueError, match=r"^W_1: expected an array on the device of encoder\.1\.weight, meta, got"):
        interop.write_back(model, [torch.zeros_like(W, device="cpu") for W in weights])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_round_trip(dtype):
    source, target = nested(dtype), nested(dtype)
    with torch.no_grad():
        source.head.bias.copy_(torch.tensor([-0.0, torch.inf]))
    assert bits(source) != bits(target)
    _, weights = interop.network_and_weights(source, "categorical")
    interop.write_back(target, weights)
    assert bits(target) == bits(source)
    for W in weights:
        W.zero_()
    assert bits(target) == bits(source)


def test_parameters_stay_what_they_are():
    model = nested()
    X, Y = batch("categorical", torch.float64)
    network, weights = interop.network_and_weights(model, "categorical")
    loss_and_gradient(model, "categorical", X, Y)

    def held():
        return [(id(p), p.data_ptr(), p.requires_grad, id(p.grad), p.is_leaf) for p in model.parameters()]

    before = held()
    interop.write_back(model, [(W + 1).requires_grad_() for W in weights])
    assert held() == before
    after = interop.network_and_weights(model, "categorical")
    assert after[0] == network
    torch.testing.assert_close(list(after[1]), [W + 1 for W in weights], rtol=0, atol=0)


@pytest.mark.parametrize("objective", LOSSES)
def test_a_gradient_step_is_that_of_sgd(objective):
    model = nested()
    expected = copy.deepcopy(model)
    X, Y = batch(objective, torch.float64)
    loss, _ = loss_and_gradient(expected, objective, X, Y)
    torch.optim.SGD(expected.parameters(), lr=0.1).step()

    network, weights = interop.network_and_weights(model, objective)
    gradient = kfgn.gradient(network, weights, X, Y)
    interop.write_back(model, [W - 0.1 * g for W, g in zip(weights, gradient, strict=True)])
    torch.testing.assert_close(dict(model.state_dict()), dict(expected.state_dict()), rtol=1e-12, atol=1e-12)
    assert LOSSES[objective](model(X), Y) < loss


@pytest.mark.parametrize("change", [nn.Module.train, lambda model: model.head.register_forward_hook(print)])
def test_write_back_takes_no_notice_of_mode_and_hooks(change):
    model = nested()
    _, weights = interop.network_and_weights(model, "categorical")
    change(model)
    with pytest.raises(ValueError, match=r"^(encoder\.4|head): "):
        interop.network_and_weights(model, "categorical")
    interop.write_back(model, [0 * W for W in weights])
    assert not any(parameter.any() for parameter in model.parameters())


def linear(D=3, K=3, **options):
    return nn.Linear(D, K, **options)


def having(model, **attributes):
    for name, value in attributes.items():
        setattr(model, name, value)
    return model


def hooked(model, register, at=""):
    getattr(model.get_submodule(at), register)(lambda *_: None)
    return model


def tied():
    first, second = linear(), linear()
    second.weight = first.weight
    return nn.Sequential(first, nn.Tanh(), second)


def overlapping():
    # another object, in the same memory
    first, second = linear(), linear()
    second.weight = nn.Parameter(first.weight.data.T)
    return nn.Sequential(first, nn.Tanh(), second)


def within(*layers):
    """Layers where errors have to name encoder.0, encoder.1, ..."""
    model = nn.Sequential()
    model.add_module("encoder", nn.Sequential(*layers))
    return model


class Scaled(nn.Linear):
    def forward(self, X):
        return 2 * super().forward(X)


class Residual(nn.Sequential):
    def forward(self, X):
        return X + super().forward(X)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = linear()


# what is no module of dense layers with parameters of their own, for both functions: module, error, name, what is said
LAYERS = {
    "no module": (lambda: np.zeros(3), TypeError, "module", ["nn.Sequential", "numpy.ndarray"]),
    "a class": (lambda: nn.Sequential, TypeError, "module", ["nn.Sequential", "type"]),
    "a Linear": (linear, TypeError, "module", ["nn.Sequential", "Linear(in_features=3"]),
    "another module": (Net, TypeError, "module", ["nn.Sequential", "Net"]),
    "forward of a Sequential": (lambda: Residual(linear()), TypeError, "module", ["own forward", "Residual"]),
    "no layer": (nn.Sequential, ValueError, "module", ["at least one Linear", "got none"]),
    "no Linear": (lambda: nn.Sequential(nn.Tanh()), ValueError, "module", ["at least one Linear", "got none"]),
    "Conv2d": (lambda: within(linear(), nn.Conv2d(3, 4, 2)), TypeError, "encoder.1", ["Linear, ", "got Conv2d(3, 4"]),
    "GELU": (lambda: within(linear(), nn.GELU(), linear()), TypeError, "encoder.1", ["Softplus", "got GELU("]),
    "deeper": (lambda: nn.Sequential(linear(), within(nn.GELU())), TypeError, "1.encoder.0", ["got GELU("]),
    "ModuleList": (lambda: within(nn.ModuleList([linear()])), TypeError, "encoder.0", ["ModuleList"]),
    "Dropout1d": (lambda: within(linear(), nn.Dropout1d(0.0)), TypeError, "encoder.1", ["got Dropout1d("]),
    "forward of a Linear": (lambda: within(Scaled(3, 2)), TypeError, "encoder.0", ["own forward", "got Scaled("]),
    "inner forward": (
        lambda: within(linear(), Residual(linear())),
        TypeError,
        "encoder.1",
        ["own forward", "Residual"],
    ),
    "forward of an object": (lambda: within(having(linear(), forward=torch.tanh)), TypeError, "encoder.0", ["forward"]),
    "Softmax": (lambda: within(linear(), nn.Softmax(1)), TypeError, "encoder.1", ["categorical takes logits: leave"]),
    "LogSoftmax": (
        lambda: within(linear(), nn.LogSoftmax(1)),
        TypeError,
        "encoder.1",
        ["leave out a final LogSoftmax"],
    ),
    "no bias": (
        lambda: within(linear(bias=False)),
        ValueError,
        "encoder.0",
        ["weight and bias, got weight of Linear("],
    ),
    "lazy": (
        lambda: within(nn.LazyLinear(3)),
        TypeError,
        "encoder.0.weight",
        ["initialised", "UninitializedParameter"],
    ),
    "weight_norm": (
        lambda: within(parametrizations.weight_norm(linear())),
        ValueError,
        "encoder.0",
        ["got bias, parametrizations.weight.original0", "ParametrizedLinear"],
    ),
    "weight_norm of old": (
        lambda: within(nn.utils.weight_norm(linear())),
        ValueError,
        "encoder.0",
        ["got bias, weight_g, weight_v of Linear("],
    ),
    "parametrised bias": (
        lambda: within(linear(), parametrize.register_parametrization(linear(), "bias", nn.Tanh())),
        ValueError,
        "encoder.1",
        ["got weight, parametrizations.bias.original"],
    ),
    "pruned": (
        lambda: within(prune.l1_unstructured(linear(), "weight", 2)),
        ValueError,
        "encoder.0",
        ["got bias, weight_orig of Linear("],
    ),
    "no units": (lambda: within(linear(0, 3)), ValueError, "encoder.0", ["none empty", "(3, 0) and (3,)"]),
    "bias of another length": (
        lambda: within(having(linear(), bias=nn.Parameter(torch.zeros(1)))),
        ValueError,
        "encoder.0",
        ["bias (D_l,)", "(3, 3) and (1,)"],
    ),
    "bfloat16": (
        lambda: within(linear(dtype=torch.bfloat16)),
        TypeError,
        "encoder.0.weight",
        ["float32 or float64, got torch.bfloat16"],
    ),
    "complex": (
        lambda: within(linear(dtype=torch.complex64)),
        TypeError,
        "encoder.0.weight",
        ["float32 or float64, got torch.complex64"],
    ),
    "dtypes of layers": (
        lambda: within(linear(), nn.ReLU(), linear().double()),
        TypeError,
        "encoder.2.weight",
        ["the dtype of encoder.0.weight, torch.float32, got torch.float64"],
    ),
    "dtype of a bias": (
        lambda: within(having(linear(), bias=nn.Parameter(torch.zeros(3).double()))),
        TypeError,
        "encoder.0.bias",
        ["the dtype of encoder.0.weight, torch.float32, got torch.float64"],
    ),
    "devices": (
        lambda: within(linear(), nn.ReLU(), linear(device="meta")),
        ValueError,
        "encoder.2.weight",
        ["the device of encoder.0.weight, cpu, got one on meta"],
    ),
    "sparse": (
        lambda: within(having(linear(), weight=nn.Parameter(torch.eye(3).to_sparse()))),
        TypeError,
        "encoder.0.weight",
        ["expected an array", "sparse"],
    ),
    "widths": (
        lambda: within(linear(3, 2), nn.ReLU(), linear(3, 4)),
        ValueError,
        "encoder.2",
        ["expected 2 inputs, the outputs of encoder.0, got 3"],
    ),
    "one Linear twice": (
        lambda: within(*[linear()] * 2),
        ValueError,
        "encoder.1.weight",
        ["a parameter of its own, got that of encoder.0.weight"],
    ),
    "one Linear twice, no memory": (
        lambda: within(*[linear(device="meta")] * 2),
        ValueError,
        "encoder.1.weight",
        ["a parameter of its own, got that of encoder.0.weight"],
    ),
    "one weight twice": (tied, ValueError, "2.weight", ["a parameter of its own, got that of 0.weight"]),
    "one memory twice": (overlapping, ValueError, "2.weight", ["a parameter of its own, got that of 0.weight"]),
}

# what alone hinders a module from being a network
NETWORKS = {
    "LeakyReLU": (
        lambda: within(linear(), nn.LeakyReLU(), linear()),
        "encoder.1",
        ["negative_slope 0.1", "leaky_relu", "got LeakyReLU(negative_slope=0.01)"],
    ),
    "Softplus, beta": (
        lambda: within(linear(), nn.Softplus(2), linear()),
        "encoder.1",
        ["beta 1 and a threshold from 20", "got Softplus(beta=2"],
    ),
    "Softplus, threshold": (
        lambda: within(linear(), nn.Softplus(threshold=5), linear()),
        "encoder.1",
        ["beta 1 and a threshold from 20", "threshold=5"],
    ),
    "Dropout": (lambda: within(linear(), nn.Dropout(0.5)), "encoder.1", ["p 0 or eval mode", "got Dropout(p=0.5"]),
    "Flatten of the batch": (
        lambda: within(nn.Flatten(0), linear()),
        "encoder.0",
        ["start_dim 1", "got Flatten(start"],
    ),
    "Sigmoid at the end": (
        lambda: within(linear(), nn.Sigmoid(), nn.Identity()),
        "encoder.1",
        ["a Linear at the end", "got Sigmoid()", "bernoulli takes logits: leave out a final Sigmoid"],
    ),
    "Tanh at the end": (lambda: within(linear(), nn.Tanh()), "encoder.1", ["a Linear at the end", "got Tanh()"]),
    "activation first": (lambda: within(nn.Tanh(), linear()), "encoder.0", ["a Linear before each", "got Tanh()"]),
    "two activations": (
        lambda: within(linear(), nn.Tanh(), nn.Identity(), nn.ReLU(), linear()),
        "encoder.3",
        ["a Linear before each", "got ReLU()"],
    ),
    "forward hook": (lambda: hooked(within(linear()), "register_forward_hook", "encoder.0"), "encoder.0", ["hooks"]),
    "forward pre-hook": (
        lambda: hooked(within(linear(), nn.Tanh(), linear()), "register_forward_pre_hook", "encoder.1"),
        "encoder.1",
        ["hooks"],
    ),
    "hook of a Sequential": (
        lambda: hooked(within(linear()), "register_forward_hook", "encoder"),
        "encoder",
        ["no forward hooks", "got 1"],
    ),
    "hook of the whole": (lambda: hooked(within(linear()), "register_forward_hook"), "module", ["got 1"]),
    "objective": (None, "objective", ["one of squared_error, bernoulli, categorical", "got 'hinge'"]),
    "psd": (None, "psd", ["one of project, scalar, raise", "got 'clip'"]),
    "outputs of the mixture": (None, "widths", ["3 outputs", "mixture", "(3, 5, 4, 2)"]),
}

ARGUMENTS = {
    "objective": {"objective": "hinge"},
    "psd": {"objective": "categorical", "psd": "clip"},
    "outputs of the mixture": {"objective": "mixture"},
}

# what is done to the weights of `nested()`: 3, 5, 4, 2 units
WEIGHTS = {
    "no sequence": (lambda w: torch.zeros(3), TypeError, "weights", ["tuple or list of 3 tensors", "torch.Tensor"]),
    "a layer missing": (
        lambda w: w[:2],
        ValueError,
        "weights",
        ["3 tensors", "encoder.1, middle.0.1, head", "got 2"],
    ),
    "a layer too many": (lambda w: (*w, w[0]), ValueError, "weights", ["3 tensors", "got 4"]),
    "no array": (lambda w: (*w[:2], w[2].tolist()), TypeError, "W_3", ["an array", "list"]),
    "of NumPy": (lambda w: (*w[:2], w[2].numpy()), TypeError, "W_3", ["library of head.weight", "numpy.ndarray"]),
    "sparse": (lambda w: (*w[:2], w[2].to_sparse()), TypeError, "W_3", ["an array", "sparse"]),
    "dtype": (
        lambda w: (*w[:2], w[2].float()),
        TypeError,
        "W_3",
        ["the dtype of head.weight, torch.float64, got torch.float32"],
    ),
    "device": (
        lambda w: (*w[:2], w[2].to("meta")),
        ValueError,
        "W_3",
        ["the device of head.weight, cpu, got one on meta"],
    ),
    "no bias": (lambda w: (*w[:2], w[2][:, :-1]), ValueError, "W_3", ["(2, 5) for head", "bias", "got (2, 4)"]),
    "transposed": (lambda w: (w[0], w[1].T, w[2]), ValueError, "W_2", ["(4, 6) for middle.0.1", "got (6, 4)"]),
    "one row, which would broadcast": (lambda w: (*w[:2], w[2][:1]), ValueError, "W_3", ["(2, 5) for head", "(1, 5)"]),
}


def refused(call, error, name, fragments):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    message = str(caught.value)
    assert caught.type is error, message
    assert message.startswith(f"{name}: "), message
    for fragment in fragments:
        assert fragment in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "call",
    [
        lambda module: interop.network_and_weights(module, "squared_error"),
        lambda module: interop.write_back(module, [torch.zeros(3, 4)] * 2),
    ],
    ids=["network_and_weights", "write_back"],
)
@pytest.mark.parametrize("case", LAYERS)
def test_layers_that_kfgn_does_not_have(case, call):
    make, error, name, fragments = LAYERS[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is lazy, deprecated or empty
        module = make()
    refused(lambda: call(module), error, name, fragments)


@pytest.mark.parametrize("case", NETWORKS)
def test_networks_that_kfgn_does_not_have(case):
    make, name, fragments = NETWORKS[case]
    module = (make or nested)()
    options = ARGUMENTS.get(case, {"objective": "squared_error"})
    refused(lambda: interop.network_and_weights(module, **options), ValueError, name, fragments)


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_that_do_not_fit_write_nothing(case):
    change, error, name, fragments = WEIGHTS[case]
    model = nested()
    _, weights = interop.network_and_weights(model, "categorical")
    bad = change(tuple(W + 1 for W in weights))
    before = bits(model)
    refused(lambda: interop.write_back(model, bad), error, name, fragments)
    assert bits(model) == before


def run(program):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_room_imports_nothing():
    done = run("import sys, kfgn.interop; print('torch' in sys.modules)")
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_without_torch_the_error_says_what_installs_it():
    done = run("import sys; sys.modules['torch'] = None\nimport kfgn.interop.torch")
    last = done.stderr.splitlines()[-1]
    assert last == "ModuleNotFoundError: torch is not installed: pip install 'kfgn[torch]'"
