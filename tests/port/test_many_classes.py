"""Many classes: N x D_L work takes no D_L x D_L numbers. Each run is a process, whose peak memory is read."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kfgn._algebra.matrices import one_minus

LIMIT = 2 * 2**30
"""Bytes of a whole process, libraries included: one (50000, 50000) matrix of float32 would be five times as much."""

PROGRAM = """
import json, sys
import numpy as np
import kfgn
from kfgn.backends import open_backend

library, classes, what = sys.argv[1:]
backend, C, N = open_backend(library), int(classes), 16
rng = np.random.default_rng(0)
network = kfgn.Network.dense((3, 4, C), ("tanh",), "categorical")
asarray = lambda x: backend.asarray(x.astype("float32"))
layers = lambda scale: tuple(asarray(scale * rng.standard_normal(shape)) for shape in network.weight_shapes)
W, V, X = layers(0.5), layers(1e-3), asarray(rng.standard_normal((N, 3)))
Y = backend.asarray(rng.integers(0, C, N))
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
    "kfac": lambda: kfgn.kfac(*batch, kfgn.sample_labels(network, W, X, asarray(rng.random((N, 1))))).G,
}
if what == "kfac":
    optimiser = gauss_newton(kfgn.KroneckerFactored("kfac"))
    state, draws = optimiser.init(W), backend.asarray(optimiser.draw(0, 1, N))
    state, info = optimiser.step(state, X, Y, draws)
    finite, ok = [calls["kfac"]()[-1]], [bool(info.ok)]
else:
    finite, ok = [x for name in calls if name != "kfac" for x in calls[name]()], []
    for make in steps.values():
        state = make().init(W)
        for _ in range(2):
            state, info = make().step(state, X, Y)
            ok.append(bool(info.ok))
from pathlib import Path
# not getrusage, which begins with the peak of the process that started this one
(line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
peak = int(line.split()[1]) * 1024
print(json.dumps([peak, ok, [bool(np.all(np.isfinite(backend.to_numpy(x)))) for x in finite]]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize(("classes", "what"), [(50_000, "all but factors"), (5_000, "kfac")])
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_peak_memory(library, classes, what):
    pytest.importorskip(library)
    command = [sys.executable, "-c", PROGRAM, library, str(classes), what]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    peak, ok, finite = json.loads(run.stdout)
    assert all(ok)
    assert all(finite)
    assert peak < LIMIT


@pytest.mark.parametrize("shift", [0.0, 12.0, 40.0])
def test_one_minus_p(backend, shift):
    rng = np.random.default_rng(0)
    h = rng.standard_normal((5, 7))
    h[:, 2] += shift
    e = np.exp(h - h.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    expected = np.stack([np.delete(p, i, -1).sum(-1) for i in range(7)], -1)
    with backend.scope("float64"):
        np.testing.assert_allclose(backend.to_numpy(one_minus(backend.xp, backend.asarray(p))), expected, rtol=1e-14)
