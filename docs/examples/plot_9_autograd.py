"""
A check against automatic differentiation
=========================================

This example computes a Gauss-Newton block without kfgn, by the automatic differentiation of
PyTorch. With one datapoint, KFRA and KFLR equal this block up to rounding. With more
datapoints the difference is the error of their approximations.
"""

import kfgn
import matplotlib.pyplot as plt
import torch
from kfgn.interop.torch import network_and_weights
from torch.func import functional_call, jacrev, vmap

# %%
# A classifier with two hidden layers and random weights, in float64.

torch.manual_seed(0)
layers = (torch.nn.Linear(5, 6), torch.nn.Tanh(), torch.nn.Linear(6, 6), torch.nn.Tanh())
model = torch.nn.Sequential(*layers, torch.nn.Linear(6, 4)).double()
X, Y = torch.randn(64, 5, dtype=torch.float64), torch.randint(4, (64,))

# %%
# The block of the first layer is the mean of J^T H J over the datapoints. J is the Jacobian of
# the outputs in the weights and the bias of the layer, and H is the Hessian of the loss in the
# outputs. `torch.func` computes both, and this function contains nothing from kfgn.

loss = torch.nn.functional.cross_entropy


def block_by_autograd(X, Y):
    first = {name: p for name, p in model.named_parameters() if name.startswith("0.")}

    def outputs(parameters, x):
        return functional_call(model, parameters, (x,))

    J = vmap(jacrev(outputs), (None, 0))(first, X)
    J = torch.cat((J["0.weight"], J["0.bias"][..., None]), -1)  # (N, 4, 6, 6), bias last
    J = J.transpose(-1, -2).flatten(2)  # the columns of the weight one below the other
    H = vmap(jacrev(jacrev(loss)))(model(X), Y)
    return torch.einsum("nki,nkl,nlj->ij", J, H, J).detach() / len(X)


# %%
# kfgn gets the same model. Errors are relative to the norm of the block. The exact block of
# kfgn agrees for any number of datapoints, and so does the gradient. The products of KFLR and
# KFRA are exact for one datapoint.

network, weights = network_and_weights(model, "categorical")


def errors(N):
    exact = block_by_autograd(X[:N], Y[:N])
    blocks = {"exact": kfgn.gauss_newton_blocks(network, weights, X[:N], Y[:N])[0]}
    for method in (kfgn.kflr, kfgn.kfra):
        _, _, Q, G = method(network, weights, X[:N], Y[:N])
        blocks[method.__name__] = torch.kron(Q[0], G[0])
    return {name: float((B - exact).norm() / exact.norm()) for name, B in blocks.items()}


loss(model(X), Y).backward()
gradient = torch.cat((model[0].weight.grad, model[0].bias.grad[:, None]), 1)
difference = kfgn.gradient(network, weights, X, Y)[0] - gradient
print(f"gradient: error {float(difference.norm() / gradient.norm()):.0e}")
numbers = [1, 2, 4, 8, 16, 32, 64]
measured = [errors(N) for N in numbers]
for N in (1, 64):
    row = measured[numbers.index(N)]
    print(f"N = {N:2}: " + ", ".join(f"{name} {error:.0e}" for name, error in row.items()))

# %%
# The picture has the error for each number of datapoints. The errors near 1e-16 are rounding,
# and those of KFLR and KFRA above one datapoint are due to the Kronecker product.

figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
for name, style in {"exact": "o-", "kflr": "s-", "kfra": "x--"}.items():
    axis.loglog(numbers, [row[name] for row in measured], style, markersize=8, label=name)
axis.set_xticks(numbers, [str(N) for N in numbers])
axis.minorticks_off()
axis.set(xlabel="datapoints", ylabel="error of the block of layer 1")
axis.grid(visible=True)
axis.legend()
plt.show()
