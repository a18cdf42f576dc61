"""
KFRA and the exact block
========================

The Gauss-Newton matrix of a layer is a mean of Kronecker products, one for each datapoint.
KFRA replaces it with one Kronecker product Q kron G of two small matrices. This example draws
both for the first layer of a small network.
"""

import kfgn
import matplotlib.pyplot as plt
import numpy as np

# %%
# A network with two hidden layers, random weights and a batch of 200 datapoints.

rng = np.random.default_rng(3)
network = kfgn.Network.dense(
    widths=(5, 6, 6, 4), transfers=("tanh", "tanh"), objective="categorical"
)
weights = [rng.normal(size=shape) / np.sqrt(shape[1]) for shape in network.weight_shapes]
X = rng.normal(size=(200, 5)) + np.linspace(-1, 1, 5)
Y = rng.integers(0, 4, size=200)

# %%
# `kfgn.kfra` returns both factors of each layer. `kfgn.gauss_newton_blocks` computes the
# exact block, which is only possible for a small network. Here it has 36 rows, one for each
# of the 6 x 6 weights of the layer.

loss, gradient, Q, G = kfgn.kfra(network, weights, X, Y)
exact = kfgn.gauss_newton_blocks(network, weights, X, Y)[0]
approximate = kfgn.kronecker_blocks(Q, G)[0].dense()

error = np.linalg.norm(approximate - exact) / np.linalg.norm(exact)
print(f"Q {Q[0].shape}, G {G[0].shape}, block {exact.shape}, error {error:.2f}")

# %%
# The two factors have 72 numbers, and the exact block has 1296. The product keeps the pattern
# of the exact block. The three blocks share their colours, which end at half of the largest
# element.


def draw(axes, matrix, title, limit):
    image = axes.imshow(matrix, vmin=-limit, vmax=limit)
    axes.set(title=title, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return image


figure = plt.figure(figsize=(9, 5.2), layout="constrained")
grid = figure.add_gridspec(2, 6, height_ratios=(1, 2.2))
draw(figure.add_subplot(grid[0, 1:3]), Q[0], "Q", np.abs(Q[0]).max())
draw(figure.add_subplot(grid[0, 3:5]), G[0], "G by KFRA", np.abs(G[0]).max())
limit = np.abs(exact).max() / 2
pictures = {"exact block": exact, "Q kron G": approximate, "difference": approximate - exact}
for i, (title, matrix) in enumerate(pictures.items()):
    axes = figure.add_subplot(grid[1, 2 * i : 2 * i + 2])
    image = draw(axes, matrix, title, limit)
figure.colorbar(image, ax=figure.axes[2:], shrink=0.8, aspect=30).outline.set_visible(False)
plt.show()
