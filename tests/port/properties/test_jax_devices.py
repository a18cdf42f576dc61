"""Two JAX devices: results live where the arrays do, and arrays on both are refused.

A flag makes two devices of the host. It must be set before JAX is imported, and so needs a separate process.
"""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import jax, kfgn, numpy as np
first, second = jax.devices()
network = kfgn.Network.dense((2, 2), (), "categorical")

def on(device, *arrays):
    return [jax.device_put(np.asarray(a), device) for a in arrays]

weights = on(second, *(np.ones(s, "float32") for s in network.weight_shapes))
X, Y, draws = on(second, np.ones((2, 2), "float32"), np.asarray([0, 1], "int32"), np.full((2, 2), 0.5, "float32"))
labels = kfgn.sample_labels(network, weights, X, draws)
curvature = kfgn.kfra(network, weights, X, Y)
print({str(a.device) for a in jax.tree.leaves((labels, curvature))} == {str(second)})
try:
    kfgn.loss(network, weights, X, *on(first, Y))
except ValueError as error:
    print(error)
"""


def test_two_devices():
    pytest.importorskip("jax")
    flags = os.environ.get("XLA_FLAGS", "")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env=os.environ | {"XLA_FLAGS": f"{flags} --xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lives, message = done.stdout.splitlines()
    assert lives == "True"
    assert message.startswith("Y: expected an array on the device of X")
