"""
Two approximations and one sample
=================================

A method for the blocks makes up to two errors. The first one is its estimate of the factor G.
The second one is the Kronecker product (20), which all methods share. This example measures
both as the number of samples grows.
"""

import kfgn
import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(0)
network = kfgn.Network.dense(
    widths=(8, 7, 6, 5), transfers=("tanh", "tanh"), objective="categorical"
)
weights = [rng.normal(size=shape) / np.sqrt(shape[1]) for shape in network.weight_shapes]
X, Y = rng.normal(size=(50, 8)), rng.integers(0, 5, size=50)

# %%
# KFLR computes the exact G. KFRA computes an approximation without any samples. KFAC samples
# labels from the distribution of the network, and `rp` uses random projections, which need no
# distribution.


def estimates(samples):
    draws = rng.uniform(size=kfgn.label_draws_shape(network, 50, samples))
    labels = kfgn.sample_labels(network, weights, X, draws)
    yield "KFAC", kfgn.kfac(network, weights, X, Y, labels)
    projections = rng.normal(size=kfgn.projection_shape(network, 50, samples))
    yield "random projections", kfgn.rp(network, weights, X, Y, projections)


exact_block = kfgn.gauss_newton_blocks(network, weights, X, Y)[0]
exact = kfgn.kflr(network, weights, X, Y)


def errors(found):
    """Relative errors of the factor G and of the block of the first layer."""
    factor = np.linalg.norm(found.G[0] - exact.G[0]) / np.linalg.norm(exact.G[0])
    block = np.kron(found.Q[0], found.G[0]) - exact_block
    return factor, np.linalg.norm(block) / np.linalg.norm(exact_block)


# %%
# Each number of samples S is drawn 8 times, and the picture shows the mean error.

numbers = 2 ** np.arange(0, 11, 2)
measured = {"KFAC": [], "random projections": []}
for S in numbers:
    repeats = [dict(estimates(int(S))) for _ in range(8)]
    for name, means in measured.items():
        means.append(np.mean([errors(found[name]) for found in repeats], axis=0))
kfra, kflr = errors(kfgn.kfra(network, weights, X, Y)), errors(exact)
print(f"KFRA: error of G {kfra[0]:.3f}, of the block {kfra[1]:.3f}")
print(f"KFLR: error of G {kflr[0]:.3f}, of the block {kflr[1]:.3f}")

# %%
# The error of a sampled G falls as one over the root of S. The error of the block stops at
# that of KFLR, which is the error of the Kronecker product alone. The block of KFRA can even
# be slightly nearer than that of KFLR, since an error of G may reduce that of the product.

figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for i, title in enumerate(("error of the factor G", "error of the block Q kron G")):
    for name, color in (("KFAC", "C0"), ("random projections", "C2")):
        axes[i].loglog(
            numbers, [mean[i] for mean in measured[name]], "o-", color=color, label=name, base=2
        )
    axes[i].axhline(kfra[i], color="C1", label="KFRA")
    axes[i].set(title=title, xlabel="samples for each datapoint")
    axes[i].set_yscale("log" if i == 0 else "linear")
    axes[i].grid(visible=True)
axes[1].axhline(kflr[1], color="C3", label="KFLR")
axes[0].set_ylabel("relative error")
axes[1].legend()
plt.show()
