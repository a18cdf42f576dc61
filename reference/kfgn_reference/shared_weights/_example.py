"""The small network of the examples: a convolution with one filter, a ReLU, and the sum over three positions.

>>> from kfgn_reference.shared_weights import forward
>>> from kfgn_reference.shared_weights._example import X, net
>>> [forward(net, x)[3].tolist() for x in X]
[[[3.0]], [[6.0]]]
"""

import numpy as np

from ._convolution import Convolution
from ._layers import Elementwise, Pooling
from ._network import Network

net = Network(
    layers=(
        Convolution(np.array([[1, -1, 0]], dtype=np.float64), width=2),
        Elementwise("relu"),
        Pooling(width=3, stride=1, kind="sum"),
    ),
    objective="squared_error",
)
X = np.array([[[2, 1, 3, 1]], [[6, 4, 3, 0]]], dtype=np.float64)
Y = np.array([[[1]], [[2]]], dtype=np.float64)
