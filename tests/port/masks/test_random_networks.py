"""Random networks with random lengths of their datapoints, compared with the reference."""

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

import kfgn

from ..positions.problems import close, in_order
from ..positions.test_reference import check_factors, factors
from .problems import lengths, masked_problem, on
from .test_reference import kfra_factors

SEEDS = [seed if seed < 10 else pytest.param(seed, marks=pytest.mark.thorough) for seed in range(100)]


def random_layer(rng, axes):
    """A layer of each kind that takes a mask, with options that do not depend on the number of positions."""

    def per_axis(lower, upper):
        numbers = tuple(int(n) for n in rng.integers(lower, upper, axes))
        return numbers if axes == 2 else numbers[0]

    transfer = str(rng.choice(["tanh", "softplus", "logistic", "gelu"]))
    padding = tuple((int(first), int(last)) for first, last in rng.integers(0, 3, (axes, 2)))
    options = {
        "stride": per_axis(1, 3),
        "padding": padding if axes == 2 else padding[0],
        "dilation": per_axis(1, 3),
        "groups": int(rng.integers(1, 3)),
        "bias": bool(rng.integers(2)),
    }
    layers = [
        kfgn.Dense(4, transfer, bias=options["bias"]),
        kfgn.Pooling(per_axis(1, 3), per_axis(1, 4), str(rng.choice(["mean", "sum"]))),
        kfgn.Normalisation(0.3),
        kfgn.ScaleShift(transfer, bias=options["bias"]),
        *(kfgn.Convolution(4, per_axis(1, 4), transfer, **options) for _ in range(4)),
    ]
    return layers[rng.integers(len(layers))]


def random_problem(seed):
    """A network of at most three layers before its last one, and a mask; None if a layer does not fit its inputs."""
    rng = np.random.default_rng(seed)
    axes = 1 + seed % 3 // 2
    inputs = (4, 9) if axes == 1 else (4, 5, 4)
    layers = [random_layer(rng, axes) for _ in range(rng.integers(1, 4))]
    layers += [kfgn.Pooling(None, 1, "mean")] * int(rng.integers(0, 2))
    objective, divisor = rng.choice(["squared_error", "bernoulli", "categorical"]), rng.choice(["positions", "1"])
    sides = [lengths(*rng.integers(max(1, T - 5), T + 1, 3), T=T) for T in inputs[1:]]
    mask = sides[0] if axes == 1 else sides[0][:, :, None] & sides[1][:, None, :]
    divisor = "positions" if divisor == "positions" else 1
    try:
        return kfgn.Network(inputs, (*layers, kfgn.Dense(3)), str(objective), divisor=divisor), mask
    except ValueError:
        return None


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("backend", ["numpy", pytest.param("torch", marks=pytest.mark.thorough)], indirect=True)
def test_random_networks(backend, seed):
    """A mask that leaves a datapoint too short for a window is refused by both."""
    while (found := random_problem(seed)) is None:
        seed += 1000
    try:
        p, r = masked_problem(*found)
    except ValueError as error:
        if "window" not in str(error):
            raise
        q = masked_problem(found[0], np.ones_like(found[1]))[0]
        with pytest.raises(ValueError, match=r"^X\.mask: expected enough counted positions for a window"):
            kfgn.loss(*q[:2], kfgn.Padded(q.X.values, found[1]), q.Y)
        return
    q, pairs = on(backend, p)[:4], shared.pairs(r.net, r.X, r.Y)
    for sharing in ("expand", "reduce"):
        came = kfgn.kflr(*q, sharing=sharing)
        check_factors(backend, came, factors(r.net, pairs, sharing))
    close(backend, [came.loss], [shared.loss(r.net, r.X, r.Y)])
    close(backend, came.gradient, in_order(r.net, shared.gradient(r.net, r.X, r.Y)))
    close(backend, kfgn.hessian_blocks(*q), in_order(r.net, shared.hessian_blocks(r.net, r.X, r.Y)))
    close(backend, kfgn.kfra(*q).G, kfra_factors(r, shared.kfra_over_taps(r.net, r.X, r.Y)))
