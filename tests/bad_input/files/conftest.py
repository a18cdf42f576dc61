"""A kit with a single problem, so that a run of `kfgn-check` takes a moment."""

import pytest

from .commands import leave_one_case


@pytest.fixture
def small(monkeypatch, changes_once):  # noqa: ARG001
    leave_one_case(monkeypatch)
