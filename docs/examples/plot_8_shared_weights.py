"""
Expand, reduce and the exact block
==================================

A convolution uses its weights at several positions of a datapoint. This example draws the
Gauss-Newton matrix over all positions, and the block of the weights by three definitions:
exact, expand and reduce. The last pictures are about layer normalisation, where the Hessian has
a part that Gauss-Newton drops.
"""

import kfgn_reference.shared_weights as shared
import matplotlib.pyplot as plt
import numpy as np

# %%
# A small network: a convolution with three filters, tanh, the mean over positions, and a dense
# layer. Its inputs are 30 random walks of two channels.

rng = np.random.default_rng(2)
layers = (
    shared.Convolution(rng.normal(size=(3, 2 * 2 + 1)) / 2, width=2),
    shared.Elementwise("tanh"),
    shared.Pooling(width=5, stride=1, kind="mean"),
    shared.Dense(rng.normal(size=(4, 3 + 1))),
)
net = shared.Network(layers, "categorical")
X = rng.normal(size=(30, 2, 6)).cumsum(axis=2) / 2
Y = rng.integers(0, 4, size=(30, 1))

# %%
# Everything follows from the pairs of the layer: its inputs at each position, and the roots of
# the Gauss-Newton matrix at its outputs. Errors are relative to the norm of the exact block,
# and traces to its trace.

batch = shared.pairs(net, X, Y)[1, 1]  # layer 1, group 1
exact = shared.exact_block(batch)
blocks = {
    "expand": shared.expand(batch).block,
    "reduce": shared.reduce(batch).block,
    "KFOC": shared.kfoc(batch).block,
    "EKFAC": shared.ekfac(batch),
}


def error(block):
    return np.linalg.norm(block - exact) / np.linalg.norm(exact)


for name, block in blocks.items():
    trace = np.trace(block) / np.trace(exact)
    print(f"{name}: error {error(block):.2f}, trace {trace:.2f}")

# %%
# The upper pictures show the matrix of the outputs over all positions, one 3 x 3 block for each
# pair of positions, as a mean over the batch. The second factor of expand is the sum of the
# blocks on its diagonal, and that of reduce is the sum of all blocks. The exact block of the
# weights keeps each pair of positions together with its inputs. The lower pictures share their
# colours.


def draw(axes, matrix, title, limit):
    axes.imshow(matrix, vmin=-limit, vmax=limit)
    axes.set(title=title, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def outline(axes, row, column, size, linewidth):
    corner = column - 0.5, row - 0.5
    axes.add_patch(
        plt.Rectangle(corner, size, size, fill=False, edgecolor="C0", linewidth=linewidth)
    )


roots = [pairs.C.reshape(-1, pairs.C.shape[2]) for pairs in batch]
over_positions = np.mean([C @ C.T for C in roots], axis=0)

figure = plt.figure(figsize=(7, 5.2), layout="constrained")
grid = figure.add_gridspec(2, 6)
upper = [figure.add_subplot(grid[0, 2 * i : 2 * i + 2]) for i in range(3)]
titles = "exact: each block", "expand: sum of these", "reduce: sum of all"
for axes, title in zip(upper, titles, strict=True):
    draw(axes, over_positions, title, np.abs(over_positions).max())
for t in range(0, 15, 3):
    for other in range(0, 15, 3):
        outline(upper[0], t, other, size=3, linewidth=1)
    outline(upper[1], t, t, size=3, linewidth=2)
outline(upper[2], 0, 0, size=15, linewidth=4)
lower = {"exact block of W": exact, "expand": blocks["expand"], "reduce": blocks["reduce"]}
for i, (title, matrix) in enumerate(lower.items()):
    shown = title if matrix is exact else f"{title}, error {error(matrix):.2f}"
    draw(figure.add_subplot(grid[1, 2 * i : 2 * i + 2]), matrix, shown, np.abs(exact).max())
plt.show()

# %%
# Layer normalisation is a map between layers that is not linear and not elementwise. The
# Hessian at its inputs is then the sum of two matrices: one with the Hessian of its outputs, as
# in Gauss-Newton, and one with its own second derivatives, a block for each position.
# Gauss-Newton drops the second one. A convolution above the normalisation mixes the positions,
# so the first matrix has parts between them. The pictures are means over the batch, and share
# their colours.

layers = (
    shared.Dense(rng.normal(size=(4, 2 + 1))),
    shared.Normalisation(0.5),
    shared.ScaleShift(rng.normal(size=(4, 2))),
    shared.Convolution(rng.normal(size=(3, 4 * 2 + 1)), width=2),
)
net = shared.Network(layers, "categorical")
Y = rng.integers(0, 3, size=(30, 5))


def mean_over_batch(recursion):
    return np.mean([recursion(net, x, y)[1] for x, y in zip(X, Y, strict=True)], axis=0)


hessian = mean_over_batch(shared.sample_preactivation_hessians)
gauss_newton = mean_over_batch(shared.sample_preactivation_gauss_newton)
dropped = hessian - gauss_newton
share = np.linalg.norm(dropped) / np.linalg.norm(hessian)
print(f"the dropped part has {share:.2f} of the norm of the Hessian")

figure, panels = plt.subplots(1, 3, figsize=(9, 3.3), layout="constrained")
parts = {"Hessian": hessian, "Gauss-Newton": gauss_newton, "second derivatives": dropped}
for axes, (title, matrix) in zip(panels, parts.items(), strict=True):
    draw(axes, matrix, title, max(np.abs(part).max() for part in parts.values()))
for t in range(0, 24, 4):
    outline(panels[2], t, t, size=4, linewidth=2)
plt.show()
