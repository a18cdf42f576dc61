"""One step of each optimiser."""

import kfgn

OPTIMISERS = {
    "kfac": lambda network: kfgn.GaussNewton(network, kfgn.KroneckerFactored("kfac", sharing="reduce", samples=2)),
    "kfra": lambda network: kfgn.GaussNewton(network),
    "rp": lambda network: kfgn.GaussNewton(network, kfgn.KroneckerFactored("rp")),
    "tnt": lambda network: kfgn.GaussNewton(network, kfgn.KroneckerFactored("tnt", samples=1)),
    "ekfac": lambda network: kfgn.GaussNewton(network, "ekfac"),
    "hessian_free": lambda network: kfgn.GaussNewton(network, kfgn.HessianFree(iterations=5)),
    "blocks": lambda network: kfgn.GaussNewton(network, kfgn.HessianFree(blocks=True, iterations=5)),
    "sgd": lambda network: kfgn.SGD(network, learning_rate=0.1),
    "adam": lambda network: kfgn.Adam(network),
}


def step(p, name):
    """The weights and the loss after a step."""
    optimiser = OPTIMISERS[name](p.network)
    state, info = optimiser.step(optimiser.init(p.weights), p.X, p.Y, optimiser.draw(seed=0, t=1, N=3))
    assert bool(info.ok)
    return state.weights, info.loss
