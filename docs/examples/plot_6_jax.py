"""
One compiled step in JAX
========================

A step is a pure function of a state and a batch, so `jax.jit` compiles it once for all
updates. This example fits a curve to noisy points.
"""

import jax
import jax.numpy as jnp
import kfgn
import matplotlib.pyplot as plt
import numpy as np

# %%
# The data are 120 points of a curve with noise. The network has one input and one output.

rng = np.random.default_rng(0)
x = np.sort(rng.uniform(-3, 3, size=(120, 1)), axis=0).astype(np.float32)
y = (np.sin(2 * x) * np.exp(-(x**2) / 6) + 0.08 * rng.normal(size=x.shape)).astype(np.float32)
X, Y = jnp.asarray(x), jnp.asarray(y)

network = kfgn.Network.dense(widths=(1, 20, 1), transfers=("tanh",), objective="squared_error")
weights = [
    jnp.asarray(rng.normal(size=shape), dtype=jnp.float32) for shape in network.weight_shapes
]

# %%
# The optimiser is static, and the state is a pytree. The counter `t` of the state is an
# array too, so one compiled program serves every update.

optimiser = kfgn.GaussNewton(network, kfgn.KroneckerFactored("kflr"))
step = jax.jit(optimiser.step)
state = optimiser.init(weights)

fits, losses = {}, []
for t in range(1, 61):
    state, info = step(state, X, Y)
    losses.append(float(info.loss))
    if t in (1, 5, 60):
        fits[t] = state.weights
start, end = 2 * losses[0], 2 * losses[-1]
print(f"mean squared error {start:.4f} at the start, {end:.4f} at the end")

# %%
# The noise has a variance of 0.0064. The network reaches this level within a few updates.

line = np.linspace(-3, 3, 300, dtype=np.float32)[:, None]


def output(weights):
    hidden = jnp.tanh(line @ weights[0][:, :-1].T + weights[0][:, -1])
    return hidden @ weights[1][:, :-1].T + weights[1][:, -1]


figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=(1.6, 1), layout="constrained")
axes[0].plot(x, y, ".", color="#808890", markersize=5)
for (t, found), color in zip(fits.items(), ("C2", "C1", "C0"), strict=True):
    axes[0].plot(line, output(found), color=color, label=f"{t} update{'s' if t > 1 else ''}")
axes[0].set(title="data and fits")
axes[0].legend()
axes[1].semilogy(range(len(losses)), [2 * loss for loss in losses])
axes[1].axhline(0.0064, color="C1", linewidth=1, linestyle="--", label="variance of the noise")
axes[1].set(title="mean squared error", xlabel="updates")
axes[1].grid(visible=True)
axes[1].legend()
plt.show()
