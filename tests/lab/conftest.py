"""A finished run, a copy of it that a test may damage, and pictures that are not rendered."""

import pytest

from kfgn.lab import Options, train


@pytest.fixture(scope="module", autouse=True)
def _unrendered(request):
    """Every module of this folder, except that of the pictures."""
    if request.path.name != "test_pictures.py":
        request.getfixturevalue("unrendered")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return train(Options("digits", updates=4, checkpoint_every=2), tmp_path_factory.mktemp("good")).folder


@pytest.fixture
def folder(good, tmp_path):
    for path in good.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path
