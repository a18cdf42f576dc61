"""The expected loss of Section 2.1 and its gradient (3)."""

from .._linearisation.linearisation import linearise
from .._network.network import Network
from .._types import Array, Arrays, Weights
from ..backends import with_own_settings


@with_own_settings
def loss(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Array:
    """The objective E(h_L, y), summed over outputs and averaged over the N rows of X. 0-d.

    weights: W_l (D_l, D_{l-1} + 1). X: (N, D_0). Y: (N, D_L), or (N,) indices for the categorical.
    No autograd graph is recorded: in PyTorch this is a constant to `backward`, and transforms of `torch.func` raise
    `TypeError`; see `gradient`. JAX's transformations give its derivatives.
    Raises as described in the docstring of the package. `check=False` reads no values, and so never waits for the
    device.
    """
    return linearise(network, weights, X, Y, check=check).loss()


@with_own_settings
def gradient(network: Network, weights: Weights, X: Array, Y: Array, *, check: bool = True) -> Arrays:
    """The gradient of `loss`, equation (3): dE/dW_l (D_l, D_{l-1} + 1) of each layer, mean over N.

    Arguments and errors as in `loss`.
    """
    at = linearise(network, weights, X, Y, check=check)
    return at.mean_gradient(at.dE_dh())
