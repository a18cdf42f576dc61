"""The fixture `block`, which makes a Kronecker-factored block."""

import pytest

from kfgn import KroneckerBlock


@pytest.fixture
def block(backend):
    """A function that makes a block on the backend. The scope of the backend stays open until the test ends."""
    with backend.scope("float64"):
        yield lambda Q, G: KroneckerBlock(backend.asarray(Q), backend.asarray(G))
