"""Steps under `torch.compile`."""

import pytest

import kfgn

torch = pytest.importorskip("torch")


@pytest.mark.filterwarnings("ignore:Dynamo detected a call:UserWarning")
@pytest.mark.parametrize("widths", [(3, 2), pytest.param((3, 4, 2), marks=pytest.mark.thorough)], ids=str)
@pytest.mark.parametrize(
    "curvature",
    [
        pytest.param(kfgn.KroneckerFactored(), marks=pytest.mark.thorough),
        *(kfgn.KroneckerFactored(refresh=2), kfgn.HessianFree(iterations=1)),
        pytest.param(kfgn.KroneckerFactored("kfoc"), marks=pytest.mark.thorough),
        pytest.param(kfgn.EigenvalueCorrected(refresh=2), marks=pytest.mark.thorough),
    ],
    ids=str,
)
@pytest.mark.parametrize("stepped", [True, pytest.param(False, marks=pytest.mark.thorough)])
def test_a_compiled_step_is_in_few_graphs(curvature, widths, stepped):
    """The compiler leaves its graph where the form of the state is checked, and nowhere in the computation.

    stepped: True if an uncompiled step is made first. It records the form of the state, so the check is not traced.
    """
    network = kfgn.Network.dense(widths, ("tanh",) * (len(widths) - 2), "squared_error")
    optimiser = kfgn.GaussNewton(network, curvature)
    state = optimiser.init(tuple(torch.ones(shape) for shape in network.weight_shapes))
    if stepped:
        optimiser.step(state, torch.ones(7, 3), torch.ones(7, 2))
    found = torch._dynamo.explain(optimiser.step)(state, torch.ones(7, 3), torch.ones(7, 2))
    assert found.graph_count <= 4, found.break_reasons


@pytest.mark.filterwarnings("ignore:Dynamo detected a call:UserWarning")
@pytest.mark.thorough
@pytest.mark.parametrize("stepped", [True, False])
@pytest.mark.parametrize(("period", "combinations"), [(None, 2), (4, 3)])
def test_a_compiled_step_is_compiled_once_for_each_schedule(period, combinations, stepped):
    """After one step of each combination of heuristics, and one with a second t, the compiler has no more to do."""
    network = kfgn.Network.dense((3, 2), (), "squared_error")
    optimiser = kfgn.GaussNewton(network, tau=kfgn.Damping(1.0, 2), gamma=kfgn.Damping(1.0, period))
    graphs = []
    step = torch.compile(optimiser.step, backend=lambda graph, _: graphs.append(graph) or graph.forward)
    state, compiled = optimiser.init((torch.ones(2, 4),)), []
    if stepped:
        optimiser.step(state, torch.ones(7, 3), torch.ones(7, 2))
    for _ in range(9):
        state, _ = step(state, torch.ones(7, 3), torch.ones(7, 2))
        compiled.append(len(graphs))
    assert compiled[combinations] == compiled[-1]
    assert state.t == 9
