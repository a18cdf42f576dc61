"""Linear networks of rationals with squared error, for the cases in which an approximation is exact or is not."""

import kfgn_reference.shared_weights as shared
from flint import fmpq

from .problems import Numbers, problem

SUM, MEAN = "sum", "mean"


def per_token(N=3):
    """Dense layers over 5 tokens and a loss per token."""
    n = Numbers(11, exact=True)
    return problem(n, (n.dense(4, 3), n.dense(2, 4)), "squared_error", (3, 5), N)


def pooled_tokens(kind, N=3):
    """Dense layers over 5 tokens, the sum or the mean over tokens, and a dense layer."""
    n = Numbers(12, exact=True)
    pooling = shared.Pooling(width=5, stride=1, kind=kind)
    return problem(n, (n.dense(4, 3), n.dense(3, 4), pooling, n.dense(2, 3)), "squared_error", (3, 5), N)


def convolutions(circular, N=3):
    """Two convolutions over 7 positions, with circular padding or without padding, and a sum over positions."""
    n = Numbers(13, exact=True)
    options = {"padding": (1, 1), "circular": True} if circular else {}
    first, second = n.convolution(3, 2, width=3, **options), n.convolution(4, 3, width=3, **options)
    positions = 7 if circular else 3
    layers = first, second, shared.Pooling(width=positions, stride=1, kind=SUM), n.dense(2, 4)
    return problem(n, layers, "squared_error", (2, 7), N)


def padded(N=3):
    """Two convolutions with zeros as padding, and a sum over all 7 positions."""
    n = Numbers(30, exact=True)
    first, second = n.convolution(3, 2, width=3, padding=(1, 1)), n.convolution(4, 3, width=3, padding=(1, 1))
    layers = first, second, shared.Pooling(width=7, stride=1, kind=SUM), n.dense(2, 4)
    return problem(n, layers, "squared_error", (2, 7), N)


def one_position(transfers=("leaky_relu",), N=3):
    """A dense network with one position, T = 1."""
    n = Numbers(15, exact=True)
    layers = n.dense(4, 3), *map(shared.Elementwise, transfers), n.dense(2, 4)
    return problem(n, layers, "squared_error", (3, 1), N)


def mixed(N=2, divisor=4, outputs=2, rational=fmpq):
    """A nonlinear network with groups, stride, both paddings, pooling and a loss over 4 positions."""
    n = Numbers(16, exact=True, rational=rational)
    layers = (
        n.convolution(4, 2, width=3, groups=2, padding=(2, 1), circular=True),
        shared.Elementwise("leaky_relu"),
        n.convolution(3, 4, width=2, padding=(1, 0)),
        shared.Elementwise("relu"),
        shared.Pooling(width=3, stride=1, kind=MEAN),
        n.dense(outputs, 3),
    )
    return problem(n, layers, "squared_error", (2, 5), N, divisor)
