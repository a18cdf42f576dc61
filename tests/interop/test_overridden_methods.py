"""Modules whose methods or attributes are overridden, so that they compute something else than their layers."""

import re

import pytest
import torch
from torch import nn

from kfgn.interop import torch as interop

from .models import small, small_weights


class Called(nn.Sequential):
    def __call__(self, X):
        return 2 * super().__call__(X)


class Turned(nn.Sequential):
    def __iter__(self):
        return reversed(list(super().__iter__()))


class Inner(nn.Linear):
    def _call_impl(self, X):
        return 2 * super()._call_impl(X)


class Looked(nn.Tanh):
    def __getattr__(self, name):
        return super().__getattr__(name)


class Property(nn.Linear):
    @property
    def weight(self):
        if "weight" not in self._parameters:
            raise AttributeError("weight")
        return 2 * self._parameters["weight"]


def patched():
    module = small()
    module[1]._call_impl = torch.relu
    return module


COMPUTES_OTHERWISE = {
    "__call__": (lambda: Called(nn.Linear(2, 3)), "module", "Called"),
    "__iter__": (lambda: Turned(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)), "module", "Turned"),
    "inner __call__": (lambda: nn.Sequential(Called(nn.Linear(2, 3))), "module.0", "Called"),
    "_call_impl": (lambda: nn.Sequential(Inner(2, 3)), "module.0", "Inner"),
    "__getattr__": (lambda: nn.Sequential(nn.Linear(2, 3), Looked(), nn.Linear(3, 3)), "module.1", "Looked"),
    "patched": (patched, "module.1", "Tanh"),
    "weight is a property": (lambda: nn.Sequential(Property(2, 3)), "module.0.weight", "nn.Parameter"),
}


@pytest.mark.parametrize("case", COMPUTES_OTHERWISE)
def test_overridden_computations(case):
    make, name, said = COMPUTES_OTHERWISE[case]
    module = make()
    for call in (
        lambda: interop.network_and_weights(module, "categorical"),
        lambda: interop.write_back(module, small_weights()),
    ):
        with pytest.raises(TypeError, match=rf"^{re.escape(name)}: expected .*{re.escape(said)}"):
            call()
