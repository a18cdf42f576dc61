"""Good calls of the functions for modules of PyTorch."""

from collections.abc import Iterator
from typing import Any

from .. import roles as v
from ..libraries import Library
from ..values import Bad
from .call import Call
from .of_functions import SHAPES


def interop() -> Iterator[Call]:
    """The functions for modules of PyTorch."""
    import torch

    from kfgn.interop.torch import network_and_weights, write_back

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(14)
        model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3)).double()
    weights = tuple(torch.ones(shape, dtype=torch.float64) for shape in SHAPES)
    names = {"module": (model, _module), "objective": ("categorical", v.name), "psd": ("project", v.name)}
    names |= {"inputs": (None, _shapes)}
    yield Call("kfgn.interop.torch.network_and_weights", network_and_weights, network_and_weights, names)
    arguments = {"module": (model, _module), "weights": (weights, v.unread(v.arrays))}
    yield Call("kfgn.interop.torch.write_back", write_back, write_back, arguments)


def _shapes(_library: Library, _good: Any) -> Iterator[Bad]:
    """The role of a shape that a module of Linear layers does not need."""
    yield from (Bad(repr(shape), shape, ValueError) for shape in (5, (2, 3), "image"))


def _module(library: Library, good: Any) -> Iterator[Bad]:
    """The role of a module. The tests of `kfgn.interop.torch` have modules that are nearly right."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        linear = nn.Linear(2, 3)
    modules = {"Linear": linear, "class": nn.Sequential, "ModuleList": nn.ModuleList([linear])}
    yield from v.record(library, good)
    for kind, value in {**modules, "list": [linear], "Mish": nn.Sequential(nn.Mish())}.items():
        yield Bad(kind, value, TypeError)
    yield Bad("no layer", nn.Sequential(), ValueError)
