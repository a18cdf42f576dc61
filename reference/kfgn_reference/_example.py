"""The small network of the examples: two inputs, two ReLUs, one output, squared error, and two datapoints.

>>> from kfgn_reference import forward
>>> from kfgn_reference._example import X, net
>>> _, h = forward(net, X[0])
>>> h[1].tolist(), h[2].tolist()
([-1.0, 5.0], [-7.0])
"""

import numpy as np

from ._network import Network

net = Network(
    weights=(np.array([[1, -1, 0], [2, 1, 1]], dtype=np.float64), np.array([[1, -2, 3]], dtype=np.float64)),
    transfers=("relu",),
    objective="squared_error",
)
X = np.array([[1, 2], [3, 1]], dtype=np.float64)
Y = np.array([[-6], [-9]], dtype=np.float64)
