"""
Train a PyTorch model
=====================

`network_and_weights` reads an `nn.Sequential`, or a module whose forward is a chain of
layers, and `write_back` fills the parameters of the model in place. Between the two, every
function of kfgn works on its tensors. This example trains a classifier of two spirals.
"""

import kfgn
import matplotlib.pyplot as plt
import torch
from kfgn.interop.torch import network_and_weights, write_back
from torch import nn

# %%
# The data are two spirals with noise, 200 points in the plane.

random = torch.Generator().manual_seed(0)
labels = torch.arange(200) % 2
angle = 3.5 * torch.pi * torch.linspace(0.15, 1, 200).sqrt()
radius = angle / angle.max()
turned = angle + torch.pi * labels
points = torch.stack((radius * torch.cos(turned), radius * torch.sin(turned)), 1)
points += 0.02 * torch.randn(200, 2, generator=random)


def new_model():
    torch.manual_seed(1)
    layers = (nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 2))
    return nn.Sequential(*layers)


# %%
# KFLR is the method for few outputs: its factor G is exact. The optimiser holds the weights
# in its state, and the model gets them at the end.

model = new_model()
network, weights = network_and_weights(model, "categorical")
optimiser = kfgn.GaussNewton(network, kfgn.KroneckerFactored("kflr"))
state = optimiser.init(weights)
losses = []
for _ in range(150):
    state, info = optimiser.step(state, points, labels)
    losses.append(info.loss.item())
write_back(model, state.weights)

# %%
# The same model is trained by Adam of PyTorch, with the best of the learning rates 0.3, 0.1,
# 0.03, 0.01 and 0.003.

other = new_model()
adam = torch.optim.Adam(other.parameters(), lr=0.1)
adam_losses = []
for _ in range(150):
    adam.zero_grad()
    loss = nn.CrossEntropyLoss()(other(points), labels)
    loss.backward()
    adam.step()
    adam_losses.append(loss.item())
print(f"loss after 150 updates: KFLR {losses[-1]:.4f}, Adam {adam_losses[-1]:.4f}")

# %%
# The picture shows the probability of the second class for both models.

line = torch.linspace(-1.15, 1.15, 150)
plane = torch.cartesian_prod(line, line)
figure, axes = plt.subplots(1, 3, figsize=(9, 3.1), layout="constrained")
for axis, (title, trained) in zip(axes, {"KFLR": model, "Adam": other}.items(), strict=False):
    with torch.no_grad():
        chance = trained(plane).softmax(1)[:, 1].reshape(150, 150).T
    axis.imshow(chance, origin="lower", extent=(-1.15, 1.15) * 2, vmin=-0.5, vmax=1.5)
    axis.scatter(*points.T, c=labels, s=7, cmap="RdBu_r")
    axis.set(title=f"{title}, 150 updates", xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
axes[2].semilogy(losses, label="KFLR")
axes[2].semilogy(adam_losses, label="Adam")
axes[2].set(xlabel="updates", title="loss")
axes[2].grid(visible=True)
axes[2].legend()
plt.show()
