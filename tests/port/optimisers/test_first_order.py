"""`SGD` and `Adam`: the same updates as PyTorch's optimisers, and the halving of the learning rate."""

import pytest

import kfgn

from .runs import NETWORK, data, numpy_alone, run, weights

RULES = {
    "sgd": (kfgn.SGD(NETWORK, 0.1), lambda torch, p: torch.optim.SGD(p, 0.1)),
    "momentum": (kfgn.SGD(NETWORK, 0.1, momentum=0.9), lambda torch, p: torch.optim.SGD(p, 0.1, momentum=0.9)),
    "nesterov": (
        kfgn.SGD(NETWORK, 0.1, momentum=0.9, nesterov=True),
        lambda torch, p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    ),
    "adam": (kfgn.Adam(NETWORK, 0.01, eta=0.5), lambda torch, p: torch.optim.Adam(p, 0.01, weight_decay=0.5)),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("backend", ["torch"], indirect=True)
def test_first_order_rules_are_those_of_pytorch(backend, rule):
    import torch

    optimiser, theirs = RULES[rule]
    parameters = [torch.tensor(W, requires_grad=True) for W in weights()]
    other = theirs(torch, parameters)
    states, _ = run(optimiser, backend, 20)
    for t in range(1, 21):
        X, Y = map(torch.tensor, data(seed=t))
        for parameter, g in zip(parameters, kfgn.gradient(NETWORK, parameters, X, Y), strict=True):
            parameter.grad = g
        other.step()
    for ours, parameter in zip(states[-1].weights, parameters, strict=True):
        torch.testing.assert_close(ours, parameter.detach(), rtol=1e-9, atol=1e-12)


@numpy_alone
def test_the_rate_is_halved(backend):
    _, infos = run(kfgn.Adam(NETWORK, 0.5, halving=3), backend, 8)
    assert [float(info.step_size) for info in infos] == [-x for x in [0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125]]
    _, infos = run(kfgn.SGD(NETWORK, 0.5), backend, 4)
    assert [float(info.step_size) for info in infos] == [-0.5] * 4
