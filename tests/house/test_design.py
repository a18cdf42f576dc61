"""docs/design.md draws the rooms that exist, in the order that import-linter checks."""

import re
import tomllib

from .packages import ROOT, modules

DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]


def drawn():
    """The rooms of each line of the drawing of the port."""
    block = next(block for block in re.findall(r"```\n(.*?)```", DESIGN, re.DOTALL) if "_linearisation" in block)
    known = modules("kfgn")
    return [{word for word in re.findall(r"\b\w+\b", line[:40]) if word in known} for line in block.splitlines()]


def test_the_drawing_is_the_contract():
    (contract,) = (c for c in CONTRACTS if c["type"] == "layers" and c["containers"] == ["kfgn"])
    rooms = set(modules("kfgn"))
    assert drawn() == [set(re.findall(r"\w+", layer)) & rooms for layer in contract["layers"]]


def test_every_room_is_drawn():
    assert set(modules("kfgn")) == set().union(*drawn())


def test_links_lead_to_files():
    for target in re.findall(r"\]\(([^)#]+)\)", DESIGN):
        assert (ROOT / "docs" / target).exists(), target
