"""A fixed seed of PyTorch in every test. Without PyTorch only `test_imports` is run."""

import importlib.util

import pytest

INSTALLED = importlib.util.find_spec("torch") is not None

collect_ignore_glob = [] if INSTALLED else ["test_[erw]*.py"]


@pytest.fixture(autouse=True)
def _seeded():
    if not INSTALLED:
        yield
        return
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
