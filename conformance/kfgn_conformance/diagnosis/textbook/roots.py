"""The roots of H_L. Most mistakes do not change the outputs of a network, and therefore have the same roots."""

from functools import lru_cache

import numpy as np
from kfgn_reference import Network, output_root

from ...problems.problem import Array


def output_roots(objective: str, psd: str, outputs: Array, Y: Array) -> Array:
    """C_L at each row of outputs (..., D) with its label in Y, as an array (..., D, K).

    The roots are cached by the outputs and the labels, since few mistakes change the outputs of a network.
    """
    leading, D = outputs.shape[:-1], outputs.shape[-1]
    labels = np.asarray(Y).reshape(-1, *np.shape(Y)[len(leading) :])
    rows = np.asarray(outputs, dtype=np.float64).reshape(-1, D)
    roots = _roots((objective, psd), rows.tobytes(), D, labels.tobytes(), labels.dtype.str, labels.shape)
    return roots.reshape(*leading, *roots.shape[1:])


@lru_cache(maxsize=256)
def _roots(kind: tuple[str, str], rows: bytes, D: int, labels: bytes, dtype: str, shape: tuple[int, ...]) -> Array:
    net = Network((), (), *kind)
    pairs = zip(np.frombuffer(rows).reshape(-1, D), np.frombuffer(labels, dtype).reshape(shape), strict=True)
    roots = np.stack([output_root(net, h, y) for h, y in pairs])
    roots.flags.writeable = False
    return roots
