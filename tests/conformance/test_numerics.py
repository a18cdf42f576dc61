"""A change of a statement changes the hashes of exactly the quantities whose oracles reach it."""

import ast
import sys
from dataclasses import replace

import numpy as np
import pytest
from kfgn_conformance import numerics
from kfgn_conformance.arithmetic import Single
from kfgn_conformance.changes import changes, in_bits
from kfgn_conformance.definitions import Code, Key, Source
from kfgn_conformance.numerics import INSTALLED, code_of, hash_for, hash_of_trajectories, reached, rows_of, source
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, trajectory_problem
from kfgn_conformance.problems.cases import case
from kfgn_conformance.problems.shared_weights.fixed import shared_problems
from kfgn_conformance.quantities import ROWS, SHARED_WEIGHTS, curvature, products, solves, steps
from kfgn_conformance.quantities.shared_weights import approximations, exact, factors

REFERENCE, KIT = "kfgn_reference.", "kfgn_conformance."

OF_KFRA = {
    *("kfra", "kfra_blocks", "omega", "kronecker_matvec", "kronecker_trace"),
    *("solve_trace", "solve_frobenius", "solve_spectral", "solve_exact", "logdet_trace", "logdet_exact"),
    "optimiser_step",
}

OF_BLOCKS = {"hessian_blocks", "gauss_newton_blocks", "block_conjugate_gradients"}


def edited(module, before, after):
    """The installed code with a different text in one module."""
    original = source(module)
    assert original.text.count(before) == 1, f"{module}: expected one {before!r}"
    changed = original._replace(text=original.text.replace(before, after))
    return Code(lambda name: changed if name == module else source(name))


def moved(code):
    """The quantities whose hashes differ from those of the installed code."""
    return {name for name in ROWS if hash_for(code, name) != code_of(name)}


MUTATIONS = {
    "kfra": (REFERENCE + "_kfra", "@ W) * mean_outer[l]", "@ W) + mean_outer[l]", OF_KFRA),
    "kflr": (REFERENCE + "_kflr", "C[l] @ C[l].T", "C[l] * C[l]", {"kflr", "kflr_blocks", "optimiser_step"}),
    "roots": (REFERENCE + "_kflr", "+ 1).T @", "+ 1) @", {"kflr", "rp", "kflr_blocks", "optimiser_step"}),
    "kfac": (REFERENCE + "_kfac", "np.outer(", "2 * np.outer(", {"kfac", "kfac_blocks", "optimiser_step"}),
    "q": (
        *(REFERENCE + "_factored", "np.outer(units[l],", "np.outer(2 * units[l],"),
        (OF_KFRA - {"kfra"}) | {"q", "kflr_blocks", "kfac_blocks", *OF_BLOCKS},
    ),
    "transfer function": (REFERENCE + "_transfers", "1 / np.cosh(h) ** 2", "1 - np.tanh(h) ** 2", set(ROWS)),
    "rounding": (KIT + "arithmetic.rounding", "def rounded(", "def rounded(_unused=0, *, ", set(ROWS)),
    "rule of d": (KIT + "changes", "PERTURBATIONS = 8", "PERTURBATIONS = 9", set(ROWS)),
    "problem": (KIT + "problems.problem", "self.objective, self.psd)", "self.objective, 'scalar')", set(ROWS)),
    "taps": (
        REFERENCE + "shared_weights._taps",
        "tap.matrix @ matrix(a)",
        "tap.matrix * matrix(a)",
        set(SHARED_WEIGHTS),
    ),
    "network with shared weights": (
        *(KIT + "problems.shared_weights.network", "layer.stride, layer.kind", "1, layer.kind"),
        set(SHARED_WEIGHTS),
    ),
    "row": (KIT + "quantities.curvature", "in_order(kfra(p))", "in_order(kflr(p))", {"kfra"}),
    "size": (KIT + "quantities.products", "return (float(terms / abs(", "return (float(2 / abs(", {"reduction_ratio"}),
    "damping": (
        *(KIT + "quantities.solves", "return p.arguments.gamma + p.arguments.eta", "return p.arguments.gamma"),
        {name for name in ROWS if name.startswith(("solve_", "logdet_"))} | {"block_conjugate_gradients"},
    ),
    "entry of a dictionary": (
        *(REFERENCE + "_outputs", "def replacement(", "OBJECTIVES['bernoulli'] = None\n\n\ndef replacement("),
        set(ROWS),
    ),
    "name of an import": (
        REFERENCE + "_kfra",
        "import Network, forward",
        "import Network, forward_2 as forward",
        OF_KFRA,
    ),
}


@pytest.mark.parametrize("what", MUTATIONS)
def test_a_changed_statement_changes_the_hashes_of_the_quantities_that_reach_it(what):
    *change, expected = MUTATIONS[what]
    assert moved(edited(*change)) == expected


def test_exchanged_functions_change_the_hash():
    """The same definitions are reached, but by different names."""
    code = edited(
        REFERENCE + "_optimiser",
        "from ._kflr import kflr\nfrom ._kfra import kfra\n",
        "from ._kflr import kflr as kfra\nfrom ._kfra import kfra as kflr\n",
    )
    assert reached(code, "optimiser_step") == reached(INSTALLED, "optimiser_step")
    assert moved(code) == {"optimiser_step"}


def test_a_new_quantity_keeps_the_hashes_of_the_others():
    code = edited(
        KIT + "quantities.curvature",
        "CURVATURE = (\n",
        "def new(p):\n    return single(ref.kfra)\n\n\nCURVATURE = (\n    Quantity(name='new', oracle=new),\n",
    )
    assert moved(code) == set()
    assert REFERENCE + "_kfra" in {key.module for key in reached(code, "new")}


def test_a_new_module_of_the_reference_keeps_the_hashes_of_all():
    """Unless the module does more at import than to define names."""
    init = source("kfgn_reference")
    more = init._replace(text=init.text + "\nfrom ._new import new\n")

    def added(text):
        new = {"kfgn_reference": more, REFERENCE + "_new": Source(text, "kfgn_reference")}
        return Code(lambda name: new.get(name) or source(name))

    define = "from ._transfers import TRANSFERS\n\n\ndef new():\n    return TRANSFERS\n"
    assert moved(added(define)) == set()
    assert moved(added(define + "\n\nTRANSFERS['tanh'] = None\n")) >= {"kfra", "loss"}
    assert moved(added("@register\n" + define.partition("\n\n\n")[2])) >= {"kfra", "loss"}


def test_every_definition_of_the_reference_counts_for_the_quantities_that_reach_it(thorough):
    """Every eighth module of the reference is mutated in each of its functions, one module after the other.

    With --thorough every fourth module is.
    """
    modules = {key.module for name in ROWS for key in reached(INSTALLED, name) if key.module.startswith(REFERENCE)}
    for module in sorted(modules)[:: 4 if thorough else 8]:
        tree = ast.parse(source(module).text)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                node.body.append(ast.parse("mutated = 1").body[0])
        mutant = Source(ast.unparse(tree), "kfgn_reference")
        code = Code(lambda name, at=module, text=mutant: text if name == at else source(name))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        expected = {
            name
            for name in ROWS
            if any(key.module == module and key.name in functions for key in reached(INSTALLED, name))
        }
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        if not classes:
            assert moved(code) == expected
        assert moved(code) >= expected


@pytest.mark.parametrize(
    ("module", "before", "after", "changes"),
    [
        (KIT + "problem_sets.trajectories", "MARGIN = 1e-3", "MARGIN = 1e-4", True),
        (KIT + "problem_sets.trajectories", "STEPS = 50", "STEPS = 40", True),
        (KIT + "problems.discontinuities", "def clear_of_kinks(", "def clear_of_kinks(_unused=0, *, ", True),
        (REFERENCE + "_kfra", "mean_outer[l]", "2 * mean_outer[l]", True),
        (REFERENCE + "_lemmas", "def ", "def other():\n    return 1\n\n\ndef ", False),
        (KIT + "quantities.products", "V = keyed(", "V = 2 * keyed(", False),
    ],
)
def test_the_hash_of_trajectories(module, before, after, changes):
    original = source(module)
    assert before in original.text
    text = original._replace(text=original.text.replace(before, after, 1))
    code = Code(lambda name: text if name == module else source(name))
    assert (hash_of_trajectories(code) != numerics.code_of_trajectories()) is changes


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("return A @ B", "return B @ A", True),
        ("return 2 * A", "return 3 * A", True),
        ("if A > 0:\n    B", "if A >= 0:\n    B", True),
        ("f = lambda x: x", "f = lambda x, y: x", True),
        ('"""One."""\nA', '"""Two."""\nA', False),
        ("A  # one", "A  # two", False),
        ('if A:\n    raise ValueError("one")', 'if A:\n    raise ValueError("two")', False),
        ('if A:\n    raise ValueError("one")', 'if A:\n    raise OverflowError("one")', True),
        ('if A:\n    raise ValueError("one")', "if A:\n    pass", True),
        ("def f(x: int) -> int: return x", "def f(x): return x", False),
        ("f(A,\n  B)", "f(A, B)", False),
        ('f(A, "trace")', 'f(A, "spectral")', True),
        ('einsum("ni, nj -> ij", A, B)', 'einsum("ni, nj -> ji", A, B)', True),
        ('f(A, text="the trace of A")', 'f(A, text="the sum of the diagonal")', False),
    ],
)
def test_the_hash_of_the_code_is_that_of_its_statements(before, after, changes):
    def hash_of(text):
        return Code.hash_of_nodes([ast.parse(text)], ())

    assert (hash_of(before) != hash_of(after)) is changes


def test_every_row_is_found_in_its_table():
    """The record that a run uses is the record in the table, and no other record has its name."""
    shared = (*exact.EXACT, *factors.FACTORS, *approximations.APPROXIMATIONS)
    tables = (*curvature.CURVATURE, *products.PRODUCTS, *solves.SOLVES, *shared, *steps.STEPS)
    assert {quantity.name: quantity for quantity in tables} == ROWS
    assert len(tables) == len(ROWS)
    assert all(rows_of(INSTALLED, name) for name in ROWS)


def test_a_table_that_is_computed_counts_for_every_quantity_in_it():
    code = edited(KIT + "quantities.steps", "STEPS = (", "STEPS = tuple(x for x in ()) + (")
    assert len(rows_of(code, "optimiser_step")) > 0
    assert "optimiser_step" in moved(code)


EVASIONS = {"eval", "exec", "globals", "locals", "vars", "__import__", "importlib", "modules"}
"""Names with which code could reach a definition without its name."""


def test_hashed_code_names_what_it_uses():
    keys = {key for name in ROWS for key in reached(INSTALLED, name)}
    nodes = [node for key in keys for node in INSTALLED.module(key.module).nodes.get(key.name, ())]
    names = {getattr(part, field, "") for node in nodes for part in ast.walk(node) for field in ("id", "attr")}
    assert not names & EVASIONS


def executed(run):
    """The files and first lines of all functions of both packages that a call runs."""
    modules = {}

    def record(frame, event, _argument):
        if event == "call" and frame.f_code not in modules:
            modules[frame.f_code] = frame.f_globals.get("__name__", "")

    sys.setprofile(record)
    try:
        run()
    finally:
        sys.setprofile(None)
    of_files = ((module, code) for code, module in modules.items() if code.co_filename.endswith(".py"))
    found = {(module, code.co_firstlineno, code.co_name) for module, code in of_files}
    return {one for one in found if one[0].startswith((REFERENCE, KIT)) and one[2] != "<module>"}


def definition_at(module, line):
    """The definition of a module that contains a line, or None for a line of a table's row."""
    for name, nodes in INSTALLED.module(module).nodes.items():
        for node in nodes:
            decorators = [decorator.lineno for decorator in getattr(node, "decorator_list", ())]
            if min([node.lineno, *decorators]) <= line <= node.end_lineno:
                return Key(module, name)
    return None


def in_row(quantity, module, line):
    return any(at == module and node.lineno <= line <= node.end_lineno for at, node in rows_of(INSTALLED, quantity))


def oracle_of(problem, quantity):
    rounded = in_bits(problem, Single)
    with np.errstate(all="ignore"):
        arrays = tuple(np.asarray(array, np.float64) for array in quantity.value(rounded))
    quantity.size(replace(problem), arrays)


def problems_of(quantity):
    if quantity.of_shared_weights:
        names = ("shared-strided-mixture-scalar", "shared-tokens-mean-categorical")
        return [p.head(2) for p in shared_problems() if p.id in names and quantity.applies_to(p)]
    if not quantity.of_trajectories:
        whole = case("mixture", "project", ("tanh", "tanh")), case("categorical", "project", ("gelu", "gelu"))
        return [p.head(2) for p in whole]
    whole = [trajectory_problem(name, *TRAJECTORIES[name]) for name in ("kfra", "kfac", "rp", "ekfac", "options")]
    return [replace(p, trajectory=p.trajectory._replace(checkpoints=p.trajectory.checkpoints[3:5])) for p in whole]


@pytest.mark.parametrize("quantity", ROWS.values(), ids=lambda quantity: quantity.name)
def test_all_functions_that_an_oracle_runs_are_reached(quantity):
    """The walk is compared with the functions that Python runs."""
    keys = reached(INSTALLED, quantity.name)
    runs = set().union(*(executed(lambda p=p: oracle_of(p, quantity)) for p in problems_of(quantity)))
    if quantity.name == "kfra":
        start = case("bernoulli", "project", ("tanh", "tanh"))
        runs |= executed(lambda: changes(start, quantity))
    assert len(runs) > 10
    missing = {
        (module, name)
        for module, line, name in runs
        if definition_at(module, line) not in keys
        and not in_row(quantity.name, module, line)
        and (module, name) != (KIT + "per_problem", "value")
    }
    assert missing == set()
