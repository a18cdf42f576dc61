"""The public names of kfgn_reference, whose modules are private."""

from collections.abc import Callable
from typing import Any

import kfgn_reference

NAMES = {id(getattr(kfgn_reference, name)): name for name in kfgn_reference.__all__}


def public_name(value: Callable[..., Any]) -> str:
    """Return the name of a function or class in kfgn_reference. Raises `KeyError` if it has none."""
    return NAMES[id(value)]
