"""BackPACK: one backward pass with an extension gives the gradient and the factors."""

from typing import Any

from backpack import backpack, extend
from backpack.extensions import KFAC, KFLR, KFRA

from ..autograd import loss_module, module, targets
from ..batch import Batch
from ..timing import Call


def call(b: Batch, extension: Any) -> Call:
    """A call of the forward pass and of the backward pass with an extension."""
    model, loss, Y = extend(module(b)), extend(loss_module(b)), targets(b)

    def backward() -> None:
        model.zero_grad()
        with backpack(extension):
            loss(model(b.X), Y).backward()

    return b.library.waiting(backward)


WORKS = {
    "KFRA": lambda b: call(b, KFRA()),
    "KFLR": lambda b: call(b, KFLR()),
    "KFAC, 1 sample": lambda b: call(b, KFAC(mc_samples=1)),
}
