"""Peak memory with many classes: no D_L x D_L array for work of N x D_L. Each run is a separate process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT = 2 * 2**30
"""Bytes of a process with its libraries. A (50000, 50000) matrix of float32 would have five times as many."""

PROGRAM = """
import json, sys
import numpy as np
import kfgn
from kfgn.backends import open_backend

backend = open_backend(sys.argv[1])
rng = np.random.default_rng(0)
asarray = lambda x: backend.asarray(x.astype("float32"))

def problem(C, N):
    network = kfgn.Network.dense((3, 4, C), ("tanh",), "categorical")
    layers = lambda scale: tuple(asarray(scale * rng.standard_normal(shape)) for shape in network.weight_shapes)
    Y = backend.asarray(rng.integers(0, C, N))
    return network, layers(0.5), asarray(rng.standard_normal((N, 3))), Y, layers(1e-3)

network, W, X, Y, V = problem(50_000, 16)
batch = network, W, X, Y
gauss_newton = lambda curvature: kfgn.GaussNewton(network, curvature=curvature)
steps = {
    "SGD": lambda: kfgn.SGD(network, learning_rate=0.1),
    "Adam": lambda: kfgn.Adam(network),
    "HessianFree": lambda: gauss_newton(kfgn.HessianFree(iterations=3)),
}
calls = {
    "loss": lambda: [kfgn.loss(*batch)],
    "gradient": lambda: kfgn.gradient(*batch),
    "gauss_newton_product": lambda: kfgn.gauss_newton_product(*batch, V),
    "hessian_product": lambda: kfgn.hessian_product(*batch, V),
    "curvature_along": lambda: [kfgn.curvature_along(*batch, V, tau=0.5, eta=0.5)],
}
finite, ok = [x for call in calls.values() for x in call()], []
for make in steps.values():
    state = make().init(W)
    for _ in range(2):
        state, info = make().step(state, X, Y)
        ok.append(bool(info.ok))

# the factor of KFAC is a matrix of all classes, and one such matrix for each datapoint would take more than 2 GiB
network, W, X, Y, _ = problem(3_000, 64)
finite.append(kfgn.kfac(network, W, X, Y, kfgn.sample_labels(network, W, X, asarray(rng.random((64, 1))))).G[-1])
optimiser = gauss_newton(kfgn.KroneckerFactored("kfac"))
state, draws = optimiser.init(W), backend.asarray(optimiser.draw(0, 1, 64))
state, info = optimiser.step(state, X, Y, draws)
ok.append(bool(info.ok))
from pathlib import Path
# not getrusage, which begins with the peak of the process that started this one
(line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
peak = int(line.split()[1]) * 1024
print(json.dumps([peak, ok, [bool(np.all(np.isfinite(backend.to_numpy(x)))) for x in finite]]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_peak_memory(library):
    """3,000 classes for KFAC, whose factor is a matrix of all classes, and 50,000 for all other functions."""
    pytest.importorskip(library)
    command = [sys.executable, "-c", PROGRAM, library]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    peak, ok, finite = json.loads(run.stdout)
    assert all(ok)
    assert all(finite)
    assert peak < LIMIT
