"""The fixture `block`, which makes a Kronecker-factored block."""

import pytest

from kfgn import KroneckerBlock


@pytest.fixture
def block(backend):
    """Makes a block on the backend, and holds its scope open."""
    with backend.scope("float64"):
        yield lambda Q, G: KroneckerBlock(backend.asarray(Q), backend.asarray(G))
