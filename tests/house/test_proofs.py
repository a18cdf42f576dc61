"""The table of tests/README.md: it is complete, it is as it is computed, and everything that it names exists."""

import ast
import re

import pytest
from kfgn_conformance.adapters.kfgn_port import KfgnPort, open_target
from kfgn_conformance.quantities import ROWS

from .packages import ROOT
from .proofs import BEGIN, END, PROOFS, README, quantity_of, readme, reference_test


def functions(path):
    """The names of the functions of a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_table_is_as_computed():
    """`python -m tests.house.proofs` writes it."""
    text = README.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert readme() == text


def test_every_quantity_of_the_kit_has_a_line():
    assert set(ROWS) <= set(PROOFS)
    assert {quantity_of(name) for name in PROOFS} == set(ROWS)


def test_the_adapter_of_the_port_has_every_quantity():
    offered = KfgnPort(open_target("numpy"), "float64").describe().quantities
    assert offered == {quantity_of(name) for name, proof in PROOFS.items() if proof.port}


@pytest.mark.parametrize("name", PROOFS)
def test_the_tests_exist(name):
    proof = PROOFS[name]
    for node in (reference_test(proof), *([f"tests/port/{proof.port_test}"] if proof.port else [])):
        path, _, test = node.partition("::")
        assert test in functions(path), node


@pytest.mark.parametrize("name", PROOFS)
def test_the_tests_call_the_functions(name):
    """The file of each test has the name of the function that it is to test."""
    proof = PROOFS[name]
    if proof.port:
        path = ROOT / "tests" / "port" / proof.port_test.partition("::")[0]
        assert re.search(rf"\b{proof.port.rpartition('.')[2]}\b", path.read_text(encoding="utf-8"))
    path, function = ROOT / reference_test(proof).partition("::")[0], proof.reference.rpartition(".")[2]
    assert re.search(rf"\b{function}\b", path.read_text(encoding="utf-8")), (path.name, function)


def links():
    return re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))


def test_links_lead_to_files():
    assert len(links()) >= sum(6 if proof.port else 3 for proof in PROOFS.values())
    for target in set(links()):
        assert (README.parent / target).exists(), target
