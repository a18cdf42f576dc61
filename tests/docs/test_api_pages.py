"""The pages of docs/api: every public name has an entry, and the groups of kfgn are those of `help(kfgn)`."""

import importlib
import inspect
import re
from pathlib import Path

import kfgn_reference
import pytest

from .extensions import extension

API = Path(__file__).parents[2] / "docs" / "api"
TABLES = extension("reference_tables")
PAGES = {
    "kfgn": "kfgn.rst",
    "kfgn.backends": "backends.rst",
    "kfgn.lab": "lab.rst",
    "kfgn_conformance": "conformance.rst",
    "kfgn_conformance.functions": "functions.rst",
    "kfgn.interop.torch": "torch.rst",
}
ENTRY = re.compile(r"^   (\w+)$", re.MULTILINE)


def groups(page):
    """The names of each group of a page, in their order."""
    tables = re.findall(r"   :nosignatures:\n\n((?:   \w+\n)+)", (API / page).read_text(encoding="utf-8") + "\n")
    return [ENTRY.findall(table) for table in tables]


def contents():
    """The names of each group in the docstring of kfgn, without the connecting words."""
    text = inspect.getdoc(importlib.import_module("kfgn")).partition("Contents\n--------\n")[2].partition("\n\n")[0]
    return [re.findall(r"`(\w+)`", part) for part in re.split(r"\n(?=\w)", text)]


@pytest.mark.parametrize("module", PAGES)
def test_every_public_function_and_class_has_an_entry(module):
    if module == "kfgn.interop.torch":
        pytest.importorskip("torch")
    found = importlib.import_module(module)
    public = {n for n in found.__all__ if inspect.isclass(v := getattr(found, n)) or inspect.isroutine(v)}
    entries = [name for group in groups(PAGES[module]) for name in group]
    assert sorted(entries) == sorted(public)


def test_the_groups_of_kfgn_are_those_of_help():
    *shown, errors = groups("kfgn.rst")
    assert [sorted(group) for group in shown] == [sorted(group) for group in contents()]
    assert errors == ["NotPositiveDefiniteError"]


def test_every_public_name_of_the_reference_is_in_a_module_of_a_page():
    pages = "\n".join(page.read_text(encoding="utf-8") for page in API.glob("reference/*.rst"))
    modules = ENTRY.findall(pages)
    assert len(modules) == len(set(modules))
    values = {name: getattr(kfgn_reference, name) for name in kfgn_reference.__all__}
    code = {name: v for name, v in values.items() if inspect.isfunction(v) or inspect.isclass(v)}
    missing = {name for name, value in code.items() if value.__module__.rpartition(".")[2] not in modules}
    assert missing == set()


def test_the_order_of_reading_leads_to_pages():
    """Each module that the docstring of kfgn_reference lists has a page, and each row has a subject."""
    rows = TABLES.reading_order()
    pages = "\n".join(page.read_text(encoding="utf-8") for page in API.glob("reference/*.rst"))
    assert len(rows) > 30
    assert {name for name, _, _ in rows} <= set(ENTRY.findall(pages))
    assert ["_kfra", "(26)", "the recursive approximation of the second factor"] in rows
    assert all(len(row) == 3 and row[2] for row in rows)
    assert next(row for row in rows if row[0] == "_rp")[1] == ""


def test_the_table_of_symbols():
    rows = {row[0]: row[1:] for row in TABLES.symbols()}
    assert rows["h[l]"] == ["h_lambda", "pre-activations", "(D_l,)"]
    assert rows["V, delta"][2] == "(D_l, D_{l-1} + 1)"
    assert rows["E"] == ["E; E[.]", "the objective of one datapoint; E[.] is the mean over datapoints", ""]
    assert all(meaning for _, meaning, _ in rows.values())
