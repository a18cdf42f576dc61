"""PyTorch's transforms of functions: results have no derivatives, so tensors of a transform are refused."""

import functools

import pytest

import kfgn

torch = pytest.importorskip("torch")
func, forward_ad = torch.func, torch.autograd.forward_ad

pytestmark = [
    pytest.mark.parametrize("backend", ["torch"], indirect=True),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),  # raised by make_dual
]
SAYS = r"expected a tensor outside transforms of torch\.func .* call kfgn\.gradient"


def first(result):
    """The first tensor of a result, summed to a number."""
    while isinstance(result, tuple):
        result = result[0]
    return result.double().sum()


TRANSFORMS = {
    "grad": lambda f, x: func.grad(f)(x),
    "vjp": lambda f, x: func.vjp(f, x),
    "jvp": lambda f, x: func.jvp(f, (x,), (x,)),
    "jacrev": lambda f, x: func.jacrev(f)(x),
    "jacfwd": lambda f, x: func.jacfwd(f)(x),
    "hessian": lambda f, x: func.hessian(f)(x),
    "vmap": lambda f, x: func.vmap(f)(torch.stack([x, x])),
    "vmap of grad": lambda f, x: func.vmap(func.grad(f))(torch.stack([x, x])),
    "forward mode": lambda f, x: dual(f, x),
    "jacobian": lambda f, x: torch.autograd.functional.jacobian(f, x, strategy="forward-mode", vectorize=True),
}


def dual(f, x):
    with forward_ad.dual_level():
        return f(forward_ad.make_dual(x, torch.ones_like(x)))


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_every_function(backend, problem, functions, transform):
    p = problem(backend, "squared_error")
    for function in functions():
        for name in ("W_1", "W_2", "X", *(n for n in ("Y", "V_1", "delta_2", "b_1", "U") if function in functions(n))):
            with pytest.raises(TypeError, match=rf"^{name}: {SAYS}"):
                TRANSFORMS[transform](lambda x, f=function, n=name: first(f(p.having(n, x))), p.argument(name))


@pytest.mark.parametrize("name", ["W_1", "W_2", "X"])
def test_linearize(backend, problem, functions, name):
    # linearize traces with make_fx, which has its own error if a value of another array is read first
    p = problem(backend, "squared_error")
    for function in functions():
        with pytest.raises(TypeError, match=rf"^{name}: {SAYS}"):
            func.linearize(lambda x, f=function: first(f(p.having(name, x))), p.argument(name))


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_optimisers_and_blocks(backend, problem, transform):
    p = problem(backend, "bernoulli")
    Q, G = (kfgn.kfra(*p[:4])[i][0] for i in (2, 3))
    gauss_newton, adam = kfgn.GaussNewton(p.network), kfgn.Adam(p.network)
    of_gauss_newton, of_adam = gauss_newton.init(p.weights), adam.init(p.weights)
    calls = {
        r"W_1": lambda W: kfgn.SGD(p.network, 0.1).init((W, p.weights[1])).weights,
        r"X": lambda X: gauss_newton.step(of_gauss_newton, X, p.Y)[0].weights,
        r"Y": lambda Y: adam.step(of_adam, p.X, Y)[0].weights,
        r"Q": lambda Q: kfgn.KroneckerBlock(Q, G).logdet(damping=0.5),
        r"G_1": lambda G: kfgn.kronecker_blocks((Q,), (G,))[0],
        r"V": lambda V: kfgn.KroneckerBlock(Q, G).solve(V, damping=0.5),
        r"damping": lambda k: kfgn.KroneckerBlock(Q, G).logdet(damping=k.sum()),
        r"tau": lambda k: kfgn.step_size(*p[:4], p.delta, tau=k.sum(), eta=0.5),
    }
    given = {"W_1": p.weights[0], "X": p.X, "Y": p.Y, "Q": Q, "G_1": G, "V": p.V[0], "damping": p.X[0], "tau": p.X[0]}
    for name, call in calls.items():
        with pytest.raises(TypeError, match=rf"^{name}: {SAYS}"):
            TRANSFORMS[transform](lambda x, c=call: first(c(x)), given[name])


def test_modules(backend, problem):
    from kfgn.interop.torch import network_and_weights, write_back

    p = problem(backend, "squared_error")
    model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3)).double()

    class Loss(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, X):
            network, weights = network_and_weights(self.model, "squared_error")
            return kfgn.loss(network, weights, X, p.Y)

    parameters = {name: value.detach() for name, value in Loss().named_parameters()}
    with pytest.raises(TypeError, match=rf"^module\.0\.weight: {SAYS}"):
        func.grad(lambda values: func.functional_call(Loss(), values, (p.X,)))(parameters)
    before = [value.clone() for value in model.parameters()]
    with pytest.raises(TypeError, match=rf"^W_1: {SAYS}"):
        func.grad(lambda W: first((write_back(model, (W, p.weights[1])), W)[1:]))(p.weights[0])
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_constants_of_a_transform(backend, problem):
    # constants of a transform and of forward mode are computed as usual
    p = problem(backend, "squared_error")
    p = p._replace(X=torch.nn.Parameter(p.X), weights=tuple(map(torch.nn.Parameter, p.weights)))
    expected = kfgn.loss(*p[:4])
    scaled = func.grad(lambda c: c * kfgn.loss(*p[:4]))(torch.tensor(2.0, dtype=torch.float64))
    with forward_ad.dual_level():
        inside = kfgn.loss(*p[:4])
    assert scaled.item() == inside.item() == expected.item()


def test_parameters_are_constants(backend, problem):
    p = problem(backend, "squared_error")
    loss = functools.partial(kfgn.loss, p.network)(tuple(W.requires_grad_() for W in p.weights), p.X, p.Y)
    assert not loss.requires_grad
