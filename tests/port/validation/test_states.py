"""States that `step` refuses: those of other optimisers, and those with a wrong field."""

import numpy as np
import pytest

import kfgn

NETWORK = kfgn.Network.dense((3, 5, 2), ("tanh",), "bernoulli")

OPTIMISERS = {
    "kfra": kfgn.GaussNewton(NETWORK),
    "refresh": kfgn.GaussNewton(NETWORK, kfgn.KroneckerFactored(refresh=2)),
    "momentum": kfgn.GaussNewton(NETWORK, momentum=0.5),
    "hf": kfgn.GaussNewton(NETWORK, kfgn.HessianFree(iterations=2)),
    "sgd": kfgn.SGD(NETWORK, 0.1),
    "adam": kfgn.Adam(NETWORK),
}


def started(backend, optimiser, widths=NETWORK.weight_shapes):
    return optimiser.init(tuple(backend.asarray(np.ones(s)) for s in widths))


@pytest.mark.parametrize("name", OPTIMISERS)
def test_states_of_others_are_refused(backend, name):
    if backend.name == "strict":
        pytest.skip("as NumPy")
    with backend.scope("float64"):
        optimiser = OPTIMISERS[name]
        X, Y = backend.asarray(np.ones((7, 3))), backend.asarray(np.ones((7, 2)))
        good = started(backend, optimiser)
        # a state without inverses is one of a user, who leaves them to the next step
        accepted = {name, "kfra"} if name == "refresh" else {name}
        for other in set(OPTIMISERS) - accepted:
            with pytest.raises((TypeError, ValueError), match=r"^state(\.|: )"):
                optimiser.step(started(backend, OPTIMISERS[other]), X, Y)
        single = backend.asarray(np.ones((), "float32"))
        for bad in (
            *(None, (), tuple(good), list(good), "state", good.weights, good.counts),
            *(good._replace(t=t) for t in (None, 1.5, True, -1, 10**400, "1")),
            *(good._replace(average=average) for average in (None, (), good.average[:1], good.average[::-1])),
            *(good._replace(counts=counts) for counts in (None, (1, 2, 3), good.weights)),
            good._replace(average=(single, single)),
        ):
            with pytest.raises((TypeError, ValueError), match=r"^state(\.|: )"):
                optimiser.step(bad, X, Y)
        for bad in (None, (), "W", good.weights[:1]):
            with pytest.raises((TypeError, ValueError), match=r"^weights: "):
                optimiser.step(good._replace(weights=bad), X, Y)


@pytest.mark.parametrize("name", ["kfra", "adam"])
@pytest.mark.parametrize("field", ["average", "counts"])
def test_every_array_of_a_state_is_on_the_device_of_the_weights(name, field):
    torch = pytest.importorskip("torch")
    optimiser = OPTIMISERS[name]
    state = optimiser.init(tuple(torch.ones(shape) for shape in NETWORK.weight_shapes))
    arrays = getattr(state, field)
    moved = [array.to("meta") for array in arrays]
    moved = type(arrays)(*moved) if hasattr(arrays, "_fields") else tuple(moved)
    with pytest.raises(
        ValueError, match=rf"^state\.{field}.*: expected an array on the device of W_1, cpu, got one on meta"
    ):
        optimiser.step(state._replace(**{field: moved}), torch.ones(7, 3), torch.ones(7, 2))
