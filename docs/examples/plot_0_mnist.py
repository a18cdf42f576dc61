"""
KFRA and Adam on MNIST
======================

An autoencoder on MNIST was trained by KFRA and by Adam, on two CPU cores. Adam had five
learning rates for 4 minutes each, and its two best ones got 20 minutes, halved at each
quarter. KFRA had its defaults and 5 minutes. This example draws the training losses that were
measured, which lie in the folder docs/experiments/mnist of the repository.
"""

import json
from pathlib import Path

import matplotlib.pyplot as plt

runs = {
    "kfra": "KFRA, defaults, 5 min",
    "adam-0.00195312-halved": "Adam, best of 5 rates, 20 min",
    "adam-0.000976562-halved": "Adam, second best, 20 min",
}
folder = Path("../experiments/mnist")


def evaluations(run):
    """The updates, the seconds and the losses of a run."""
    lines = (folder / run / "evaluations.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines[1:]]
    losses = [min(r["train_loss"], r["train_loss_averaged"]) for r in records]
    return [r["update"] for r in records], [r["seconds"] for r in records], losses


# %%
# A loss is that over the training set, at the weights or at their running average (44),
# whichever is lower. The dashed line is the lowest loss of Adam, and the circle is the point
# where KFRA reaches it: after a quarter of the time and a sixteenth of the updates. Adam with
# a faster decay was not measured.

best = min(evaluations("adam-0.00195312-halved")[2])
updates, seconds, losses = evaluations("kfra")
reached = next(i for i, loss in enumerate(losses) if loss <= best)
print(f"KFRA reaches {best:.2f} after {seconds[reached]:.0f} s")

figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for i, unit in enumerate(("updates", "seconds of training")):
    axis = axes[1 - i]
    for (run, name), color in zip(runs.items(), ("C0", "C1", "C2"), strict=True):
        measured = evaluations(run)
        axis.loglog(measured[i], measured[2], color=color, label=name)
    axis.axhline(best, color="C1", linewidth=1, linestyle="--")
    axis.plot(
        (updates, seconds)[i][reached],
        losses[reached],
        "o",
        color="C0",
        markersize=9,
        markerfacecolor="none",
    )
    axis.set_xlabel(unit)
    axis.grid(visible=True)
axes[0].set_ylabel("loss over the training set")
axes[0].set_yticks([55, 60, 80, 100, 150, 200], ["55", "60", "80", "100", "150", "200"])
axes[0].minorticks_off()
axes[0].set_ylim(53, 230)
axes[1].legend()
plt.show()
