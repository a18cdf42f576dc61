"""The fixture that all tests of this folder use."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _changes_once(changes_once):
    """Every test of this folder."""
