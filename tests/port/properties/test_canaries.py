"""Checks that need no GPU for code that runs on one: other devices, flags of the standard, names of each library."""

import ast
import inspect
import pathlib

import numpy as np
import pytest

import kfgn

OBJECTIVES = ["squared_error", "bernoulli", "categorical", "mixture", "mixture scalar"]
SOURCE = pathlib.Path(kfgn.__file__).parent
TREES = {path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text("utf8")) for path in SOURCE.rglob("*.py")}


def leaves(result):
    return [leaf for part in result for leaf in leaves(part)] if isinstance(result, tuple) else [result]


@pytest.mark.parametrize("place", ["no_float64", pytest.param("device1", marks=pytest.mark.thorough)])
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("backend", ["strict"], indirect=True)
def test_results_live_on_the_device(backend, problem, functions, objective, place):
    """Both devices differ from the one where the library creates arrays, and the first has no float64 either."""
    xp = backend.xp
    there, home = xp.Device(place), xp.Device("CPU_DEVICE")
    p = problem(backend, objective, "float32")
    q = problem(backend, objective, "float32", asarray=lambda x: xp.asarray(x, device=there))
    for function in functions():
        for a, b in zip(leaves(function(p)), leaves(function(q)), strict=True):
            assert b.device == there
            np.testing.assert_array_equal(a, b.to_device(home))


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("backend", ["strict"], indirect=True)
@pytest.mark.parametrize("version", ["2023.12", pytest.param("2024.12", marks=pytest.mark.thorough)])
def test_without_what_the_standard_makes_optional(backend, problem, functions, objective, version):
    p = problem(backend, objective)
    for function in functions():
        # the projection of H_L needs eigenvalues, EKFAC eigenvectors, and KFOC those of a small matrix
        spectral = objective == "mixture" or function.name in ("ekfac", "kfoc")
        with backend.xp.ArrayAPIStrictFlags(
            api_version=version,
            boolean_indexing=False,
            data_dependent_shapes=False,
            enabled_extensions=("linalg",) if spectral else (),
        ):
            function(p)


def names_of_xp():
    """Every dotted name after `xp`, with the keywords of its calls."""
    found = {}
    for tree in TREES.values():
        for node in ast.walk(tree):
            keywords = {k.arg for k in node.keywords} if isinstance(node, ast.Call) else set()
            name = dotted(node.func if isinstance(node, ast.Call) else node)
            if name and name.startswith("xp."):
                found.setdefault(name.removeprefix("xp."), set()).update(keywords)
    return found


def dotted(node):
    if isinstance(node, ast.Name):
        return node.id
    base = dotted(node.value) if isinstance(node, ast.Attribute) else None
    return f"{base}.{node.attr}" if base else None


@pytest.mark.parametrize(
    "library", ["array_api_compat.cupy", "array_api_compat.numpy", "array_api_compat.torch", "jax.numpy"]
)
def test_every_name_exists(library):
    pytest.importorskip(library.replace("array_api_compat.", "").split(".")[0])
    xp = pytest.importorskip(library)
    names = names_of_xp()
    assert {"concat", "isdtype", "vecdot"} <= set(names), "expected the search to find names that the port uses"
    for name, keywords in names.items():
        found = xp
        for part in name.split("."):
            assert hasattr(found, part), f"{library} has no {name}"
            found = getattr(found, part)
        try:
            taken = inspect.signature(found).parameters
        except (TypeError, ValueError):
            continue  # a dtype, or a function written in C
        if not any(p.kind is p.VAR_KEYWORD for p in taken.values()):
            assert keywords <= set(taken), f"{library}.{name} does not take {keywords - set(taken)}"


@pytest.mark.parametrize("path", [path for path in TREES if not path.startswith(("backends/", "interop/", "lab/"))])
def test_only_the_standard_is_used(path):
    forbidden = {"torch", "jax", "cupy", "scipy", "array_api_strict"}
    for node in ast.walk(TREES[path]):
        where = f"{path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & forbidden, where
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in forbidden, where
        if isinstance(node, (ast.Name, ast.Attribute)):
            assert "einsum" not in (node.id if isinstance(node, ast.Name) else node.attr), where
        if isinstance(node, ast.Subscript):
            assert isinstance(node.ctx, ast.Load), f"{where}: written in place"
        if isinstance(node, ast.keyword):
            assert node.arg != "out", f"{where}: written in place"
        if isinstance(node, ast.AugAssign):
            assert not isinstance(node.op, ast.MatMult), f"{where}: written in place"
