"""
An indefinite Hessian
=====================

The mixture of two classifiers (27) has an output Hessian H_L with a negative eigenvalue at
every point. A Gauss-Newton matrix needs a positive semi-definite one. This example draws the
eigenvalue and the two replacements that kfgn offers.
"""

import dataclasses

import kfgn
import matplotlib.pyplot as plt
import numpy as np

# %%
# A network without hidden layers, whose weights are the identity, has its inputs as outputs.
# So the pre-activation Hessian of its only layer is H_L at the inputs. The label is 1.

network = kfgn.Network.dense(widths=(3, 3), transfers=(), objective="mixture")
weights = [np.eye(3, 4)]
line = np.linspace(-4, 4, 81)
h2, h3 = np.meshgrid(line, line)
h = np.stack((0 * h2, h2, h3), axis=-1).reshape(-1, 3)
labels = np.ones(len(h), dtype=int)

(hessians,) = kfgn.preactivation_hessians(network, weights, h, labels)
smallest = np.linalg.eigvalsh(hessians)[:, 0].reshape(h2.shape)
low, high = smallest.min(), smallest.max()
print(f"the smallest eigenvalue is between {low:.3f} and {high:.3f}")

# %%
# With `psd="project"`, which is the default, the negative eigenvalue becomes 0. With
# `psd="scalar"` the matrix is the outer product of the gradient, which has rank 1. The second
# and the third picture show the distance of the replacement from H_L in the Frobenius norm.

pictures = {"smallest eigenvalue": smallest}
for psd in ("project", "scalar"):
    (replaced,) = kfgn.preactivation_gauss_newton(
        dataclasses.replace(network, psd=psd), weights, h, labels
    )
    distance = np.linalg.norm(replaced - hessians, axis=(1, 2)).reshape(h2.shape)
    pictures[f'distance, psd="{psd}"'] = distance

figure, axes = plt.subplots(1, 3, figsize=(9, 2.9), layout="constrained")
for axis, (title, values) in zip(axes, pictures.items(), strict=True):
    limit = max(np.abs(found).max() for found in pictures.values())
    image = axis.imshow(values, origin="lower", extent=(-4, 4) * 2, vmin=-limit, vmax=limit)
    axis.set(title=title, xlabel="$h_2$", ylabel="$h_3$")
    axis.spines[:].set_visible(False)
figure.colorbar(image, ax=axes, shrink=0.85, aspect=25).outline.set_visible(False)
plt.show()
