"""The pairs (a_nt, C_ntc) of a layer, from which every approximation of its block except KFRA is computed.

>>> from kfgn_reference.shared_weights import pairs
>>> from kfgn_reference.shared_weights._example import X, Y, net
>>> first = pairs(net, X, Y)[1, 1][0]
>>> first.a.tolist(), first.C.tolist()
([[2.0, 1.0, 1.0], [1.0, 3.0, 1.0], [3.0, 1.0, 1.0]], [[[1.0]], [[0.0]], [[1.0]]])
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .._arithmetic import one
from .._objectives import OBJECTIVES
from .._types import Array, PerLayer
from ._batch import Datapoints, check_draws, datapoints, inputs, labelled
from ._layers import Weighted
from ._network import Network, forward
from ._outputs import sampled_output_root
from ._positions import matrix
from ._recursions import carried_back, sample_roots
from ._scale_shift import ScaleShift


class Pairs(NamedTuple):
    """The inputs and the roots of one datapoint at one layer, or at one group of a grouped convolution.

    The inputs of an embedding are one-hot vectors, and those of a scale-and-shift layer are 1.

    a: the inputs a_t of the weights at each position, (T, I), with a 1 at the end if the layer has a bias
    C: the roots C_t at each position, (T, O, K). The exact block of the datapoint is
       sum_t sum_t' (a_t a_t'^T) kron (C_t C_t'^T)
    """

    a: Array
    C: Array


Batch: TypeAlias = Sequence[Pairs]
"""The pairs of the N datapoints of a batch."""

PerGroup: TypeAlias = dict[tuple[int, int], list[Pairs]]
"""The pairs of a batch for group j of layer l, keyed (l, j), both from 1. Only a convolution can have a group j > 1."""


def pairs(net: Network, X: Datapoints, Y: Datapoints) -> PerGroup:
    """The pairs of every datapoint for every layer with weights, from the roots (25s).

    The result is a dictionary with the keys (l, j), for group j of layer l. A layer without groups has group 1 alone,
    so the pairs of layer 3 are `pairs(net, X, Y)[3, 1]`. A scale-and-shift layer also has group 1 alone. X is
    (N, C_0, T) or (N, C_0, H, W), with channels before positions, or has tokens (N, T) or (N, H, W). Y has the
    positions of the outputs of the network: (N, *positions, D_L), or (N, *positions) for class indices. The T
    positions of the pairs are those of the outputs of the layer, in row-major order.
    """
    return per_group(sample_pairs(net, x, sample_roots(net, x, y)) for x, y in datapoints(net, X, Y))


def draw_labels(net: Network, X: Datapoints, draws: Array) -> list[list[list[Any]]]:
    """S labels of each output position per datapoint, y ~ p(y | h_t), from given draws.

    draws: (N, S, *positions, D_L) standard normals for the squared error, (N, S, *positions, D_L) uniforms for
    Bernoulli, and (N, S, *positions) uniforms for the categorical objective and the mixture. The labels of different
    positions are independent.
    """
    sample = OBJECTIVES[net.objective].sample
    rows = inputs(net, X)
    check_draws(net, rows, draws)
    outputs = (forward(net, x)[net.L] for x in rows)
    return [[drawn(sample, h, draw) for draw in row] for h, row in zip(outputs, draws, strict=True)]


def drawn(sample: Callable[[Array, Any], Any], h: Array, draws: Array) -> Any:
    """The label at each position of an output h (D_L, *positions), as lists with one level for each axis."""
    if h.ndim == 1:
        return sample(h, draws)
    return [drawn(sample, h[:, i], draw) for i, draw in enumerate(draws)]


def sampled_pairs(net: Network, X: Datapoints, labels: Sequence[Sequence[Any]] | Array) -> PerGroup:
    """The pairs of KFAC, whose roots have a column for the gradient at each of S sampled labels, K = S.

    labels: (N, S, *positions, D_L), or (N, S, *positions) class indices, from `draw_labels`. If a result is linear in
    the products C_t C_t'^T, the expectation of the result over labels is the result for `pairs`, for every objective
    except the mixture. The gradients are those of the loss without its divisor, divided by sqrt(divisor S).
    `sampled_output_root` gives the reason.
    """
    rows = labelled(net, X, labels)
    outputs = ((x, forward(net, x)[net.L], samples) for x, samples in rows)
    return per_group(
        sample_pairs(net, x, carried_back(net, x, sampled_output_root(net, h, samples))) for x, h, samples in outputs
    )


def sample_pairs(net: Network, x: Array, C: PerLayer) -> dict[tuple[int, int], Pairs]:
    """The pairs of one datapoint, keyed by layer and group, from the root C[l] (C_l T_l, K) of each layer l."""
    a = forward(net, x)
    found: dict[tuple[int, int], Pairs] = {}
    for l, layer in net.weighted.items():
        channels, T = matrix(a[l]).shape
        by_position = C[l].reshape(T, channels, -1)
        found |= {(l, j): of_group for j, of_group in enumerate(layer_pairs(layer, a[l - 1], by_position), 1)}
    return found


def layer_pairs(layer: Weighted, a: Array, C: Array) -> list[Pairs]:
    """The pairs of each group of a layer for one datapoint, from its inputs a (C, *positions) and roots (T, C', K)."""
    if isinstance(layer, ScaleShift):
        return [scale_shift_pairs(layer, a, C)]
    roots = np.split(C, layer.groups, axis=1)
    return [Pairs(A.T, root) for A, root in zip(layer.patches(a), roots, strict=True)]


def scale_shift_pairs(layer: ScaleShift, a: Array, C: Array) -> Pairs:
    """The pairs of vec([gamma, beta]) for inputs a (C, *positions) and roots C (T, C, K) of a scale-and-shift layer.

    h_t = [diag(a_t), Id] vec([gamma, beta]) with the identity Id. The matrix of this product is put into the roots, so
    the input of the weights is 1 at every position, (T, 1). Column c of the root at position t is (a_t * C_tc, C_tc),
    or a_t * C_tc without the shift. All roots are (T, 2 C, K), or (T, C, K). The exact block is dense. Reduce is exact,
    since all inputs are equal.
    """
    scaled = matrix(a).T[:, :, None] * C
    return Pairs(one(C[:, 0, :1]), np.concatenate([scaled, C], axis=1) if layer.bias else scaled)


def per_group(samples: Iterable[dict[tuple[int, int], Pairs]]) -> PerGroup:
    """For each layer and group, the list of the pairs of all datapoints."""
    rows = list(samples)
    return {key: [row[key] for row in rows] for key in rows[0]}
