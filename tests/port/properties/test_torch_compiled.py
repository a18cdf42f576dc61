"""Steps under `torch.compile`."""

import pytest

import kfgn

torch = pytest.importorskip("torch")


@pytest.mark.filterwarnings("ignore:Dynamo detected a call:UserWarning")
@pytest.mark.parametrize(
    ("curvature", "hidden"),
    [
        (kfgn.KroneckerFactored(refresh=2), (4,)),
        (kfgn.KroneckerFactored(), ()),
        (kfgn.HessianFree(iterations=2), ()),
    ],
    ids=str,
)
def test_a_compiled_step_is_in_few_graphs(curvature, hidden):
    """The compiler leaves its graph where the form of the state is checked, and nowhere in the computation.

    It takes seconds for each layer. test_torch.py compiles the functions that a step calls, with a hidden layer.
    """
    network = kfgn.Network.dense((3, *hidden, 2), ("tanh",) * len(hidden), "squared_error")
    optimiser = kfgn.GaussNewton(network, curvature)
    state = optimiser.init(tuple(torch.ones(shape) for shape in network.weight_shapes))
    found = torch._dynamo.explain(optimiser.step)(state, torch.ones(7, 3), torch.ones(7, 2))
    assert found.graph_count <= 4, found.break_reasons
