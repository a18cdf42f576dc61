"""
A mistake and its name
======================

The conformance kit compares an implementation with the reference. If an answer is wrong, the
kit looks for a known mistake that explains the wrong numbers. This example writes KFRA with
one mistake, and lets the kit find it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import kfgn
import matplotlib.pyplot as plt
import numpy as np
from kfgn_conformance.problems.cases import cases

# %%
# The implementation forgets f' in the recursion (26). The factor of the last layer is right,
# and so are linear networks. Such a mistake raises no error, and the network still trains.

MODULE = '''
import numpy as np
from kfgn_conformance.adapters import Description, UnsupportedError


class Mine:
    """KFRA for the squared error and tanh units, with one mistake."""

    def __init__(self, dtype):
        self.dtype = dtype

    def describe(self):
        return Description("mine", "1.0", self.dtype, {"kfra"})

    def compute(self, problem, quantity):
        if problem.objective != "squared_error":
            raise UnsupportedError("only the squared error")
        if set(problem.transfers) - {"tanh", "identity"}:
            raise UnsupportedError("only tanh and identity")
        W = [w.astype(self.dtype) for w in problem.weights]
        G = [np.eye(problem.widths[-1], dtype=self.dtype)]
        for l in range(len(W) - 1, 0, -1):
            kernel = W[l][:, : problem.widths[l]]
            G.insert(0, kernel.T @ G[0] @ kernel)  # the mean of f' f'^T is missing
        return tuple(G)
'''

folder = Path(tempfile.mkdtemp())
(folder / "mine.py").write_text(MODULE)

# %%
# One command runs the implementation on the problems of the kit that it supports, and prints
# the verdict.

options = "--adapter mine:Mine --quantity kfra --dtype float64 --examples 0"
command = [sys.executable, "-m", "kfgn_conformance", *options.split()]
checked = subprocess.run(command, cwd=folder, capture_output=True, text=True)
print(checked.stdout)

# %%
# The line after FAIL has the name of the mistake. The picture shows the same on a single
# problem, in the factor of the first layer.

problem = next(p for p in cases() if p.id == "case-squared_error-tanh")
sys.path.insert(0, str(folder))
from mine import Mine  # noqa: E402

network = kfgn.Network.dense(problem.widths, problem.transfers, problem.objective)
right = kfgn.kfra(network, problem.weights, problem.X, problem.Y).G[0]
wrong = Mine("float64").compute(problem, "kfra")[0]

figure, axes = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")
limit = np.abs(wrong).max()
pictures = {"reference": right, "with the mistake": wrong, "difference": wrong - right}
for axis, (title, matrix) in zip(axes, pictures.items(), strict=True):
    image = axis.imshow(matrix, vmin=-limit, vmax=limit)
    axis.set(title=title, xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
figure.colorbar(image, ax=axes, shrink=0.85, aspect=25).outline.set_visible(False)
plt.show()
