"""A matrix that two layers use, compared with PyTorch, for which both layers have one variable."""

import kfgn_reference.shared_weights as shared
import numpy as np
import pytest

from .problems import Numbers, problem

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script. is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def tied():
    """A network over 4 tokens whose first and third layer have the same matrix, with a convolution above them."""
    n = Numbers(51)
    dense, f = n.dense(3, 3), shared.Elementwise("tanh")
    layers = dense, f, dense, f, n.convolution(2, 3, width=3, padding=(1, 0))
    return problem(n, layers, "squared_error", (3, 4))


def test_exact_block(tied, relative_error):
    """The block of the joined pairs is J^T J for one variable, with the products of different uses."""
    torch = pytest.importorskip("torch")
    from . import networks_of_torch as networks

    net = tied.net
    above = torch.tensor(net.layers[4].weight)

    def output(theta, x):
        both = torch.cat([theta, theta, above.T.reshape(-1)])
        return networks.output(net, both, x)

    theta = torch.tensor(net.layers[0].weight.ravel(order="F"))
    jacobian = torch.func.jacrev(output)
    J = [jacobian(theta, torch.tensor(x)).reshape(-1, len(theta)).numpy() for x in tied.X]
    truth = np.mean([j.T @ j for j in J], axis=0)
    batch = shared.pairs(*tied)
    uses = batch[1, 1], batch[3, 1]
    assert relative_error(shared.exact_block(shared.joined(uses)), truth) < 1e-12
    assert relative_error(sum(map(shared.exact_block, uses)), truth) > 0.1


def test_uses_are_positions(tied, relative_error):
    """Expand divides by the positions of all uses, and the other factor is the sum over uses."""
    batch = shared.pairs(*tied)
    first, second = shared.expand(batch[1, 1]), shared.expand(batch[3, 1])
    both = shared.expand(shared.joined([batch[1, 1], batch[3, 1]]))
    assert relative_error(2 * both.Q, first.Q + second.Q) < 1e-12
    assert relative_error(both.G, first.G + second.G) < 1e-12
