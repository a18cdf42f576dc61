"""
Digits with KFRA and Adam
=========================

`kfgn.lab.compare` trains one network by several methods, from the same weights and on the
same batches. This example classifies the digits that kfgn ships, 8 x 8 pixels each, with a
network of two hidden layers.
"""

import tempfile

import matplotlib.pyplot as plt
import numpy as np
from kfgn.lab import Options, compare

# %%
# KFRA runs with all of its defaults. Adam gets two learning rates.

methods = ["kfra", "adam:0.01", "adam:0.001"]
options = Options(data="digits", updates=150, evaluate_every=5)
with tempfile.TemporaryDirectory() as folder:
    runs = compare(options, methods, folder)
    kfra = runs[0]

for method, run in zip(methods, runs, strict=True):
    print(f"{method:10}  loss {run.final():.4f} after {run.updates} updates")

# %%
# The second-order method needs far fewer updates for the same loss, and no learning rate.

figure, axes = plt.subplots(figsize=(7.5, 4), layout="constrained")
names = {
    "kfra": "KFRA, defaults",
    "adam:0.01": "Adam, rate 0.01",
    "adam:0.001": "Adam, rate 0.001",
}
for method, run in zip(methods, runs, strict=True):
    updates = [record["update"] for record in run.evaluations]
    axes.semilogy(
        updates, [record["train_loss"] for record in run.evaluations], label=names[method]
    )
axes.set(xlabel="updates", ylabel="loss over the training set", title="Digits, 64-32-16-10")
axes.grid(visible=True)
axes.legend()
plt.show()

# %%
# The optimiser adapts itself. alpha is the step size (40), which is negative, since the
# direction points uphill. rho is the reduction ratio (42). The damping tau falls while rho is
# above the dashed line, 3/4, as the quadratic model then predicts the loss well enough.


def series(key):
    """The updates that have a value of this key, and the values."""
    records = [record for record in kfra.metrics if record.get(key) is not None]
    return [r["update"] for r in records], np.array([r[key] for r in records])


figure, axes = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")
updates, alpha = series("step_size")
axes[0].plot(updates, -alpha)
axes[1].plot(*series("rho"))
axes[1].axhline(0.75, color="C1", linewidth=1, linestyle="--")
axes[2].semilogy(*series("tau"), label="tau")
axes[2].semilogy(*series("gamma"), label="gamma")
axes[2].legend()
for axis, title in zip(axes, ("-alpha", "rho", "tau and gamma"), strict=True):
    axis.set(title=title, xlabel="updates")
    axis.grid(visible=True)
plt.show()
