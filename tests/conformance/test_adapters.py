"""External implementations: loading, descriptions, and answers of whole adapters."""

import itertools
import os
import subprocess
import sys
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from kfgn_conformance import Status, judge
from kfgn_conformance.adapters import Description
from kfgn_conformance.adapters.isolated import Isolated
from kfgn_conformance.adapters.loading import AdapterError, load
from kfgn_conformance.cli import main
from kfgn_conformance.problem_sets.standard import problem_set
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.layers import dense_layers
from kfgn_conformance.quantities import QUANTITIES

from .processes import LONG

CASE = next(p for p in cases() if p.id == "case-squared_error-tanh")
TANH = replace(CASE, id="tanh", layers=dense_layers(CASE.widths, ("tanh", "tanh")))


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")  # raised inside torch.func
def test_automatic_differentiation_agrees():
    """The adapter of `torch.func` in float64, on each objective. It has no Gauss-Newton matrix of the mixture."""
    pytest.importorskip("torch", exc_type=ImportError)
    adapter = load("kfgn_conformance.adapters.peers.torch_func:TorchFunc", "float64")
    for objective in ("squared_error", "bernoulli", "categorical"):
        problem = next(p for p in cases() if p.id == f"case-{objective}-tanh")
        for quantity in sorted(adapter.describe().quantities):
            verdict = judge(adapter, problem, QUANTITIES[quantity])
            assert verdict.status is Status.PASS, (quantity, verdict)
    mixture = next(p for p in cases() if p.objective == "mixture")
    assert judge(adapter, mixture, QUANTITIES["gradient"]).status is Status.PASS
    assert judge(adapter, mixture, QUANTITIES["gauss_newton_blocks"]).status is Status.UNIMPLEMENTED


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("quantity", ["gradient", "kfac_blocks"])
def test_a_small_kfac_passes_through_its_conventions(quantity, dtype):
    adapter = load("small_kfac:SmallKfac", dtype)
    verdict = judge(adapter, TANH, QUANTITIES[quantity], twice=True)
    assert verdict.status is Status.PASS, verdict
    assert "divided by N, as the answer is a sum over the datapoints" in verdict.translations
    assert "biases are separate: the arrays for W_l and for b_l are compared" in verdict.translations
    relu = next(p for p in cases() if p.id == "case-squared_error-relu")
    assert judge(adapter, relu, QUANTITIES[quantity]).status is Status.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("misbehaving", "expected an adapter as package.module:Adapter, got 'misbehaving'"),
        ("./misbehaving.py:Right", "expected an adapter as package.module:Adapter, got './misbehaving.py:Right'"),
        ("nowhere:Adapter", "nowhere:Adapter: ModuleNotFoundError: No module named 'nowhere'"),
        ("misbehaving:Nobody", "misbehaving:Nobody: AttributeError"),
        ("misbehaving:Undescribed", "describe(): expected a Description, got dict"),
        (
            "misbehaving:OfOneDtype",
            "describe().dtype: expected float64, with which the adapter was created, got float16",
        ),
        ("misbehaving:DescribesAndExits", "misbehaving:DescribesAndExits: SystemExit: no licence"),
        ("misbehaving:DescribesAfterwards", "name: expected text, got int"),
        ("misbehaving:Misspelt", "got 'kfac_block' (did you mean kfac_blocks?); the names are loss, gradient, "),
        ("ends:Nobody", "ends:Nobody: SystemExit: 3"),
    ],
)
def test_an_adapter_that_cannot_be_loaded_is_an_error(name, message, tmp_path, monkeypatch):
    (tmp_path / "ends.py").write_text("import sys; sys.exit(3)")
    monkeypatch.syspath_prepend(str(tmp_path))
    for make in (lambda: load(name, "float64"), lambda: Isolated(name, "float64", LONG)):
        with pytest.raises(AdapterError) as caught:
            make()
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": 7}, "name: expected text, got int"),
        ({"name": " "}, "name: expected text, got an empty text"),
        ({"version": None}, "version: expected text, got NoneType"),
        ({"quantities": "gradient"}, "quantities: expected a set of names, got str"),
        ({"quantities": 7}, "quantities: expected a set of names, got int"),
        ({"quantities": [["gradient"]]}, "quantities: expected a set of names, got \\['list'\\]"),
        ({"quantities": itertools.count()}, "quantities: expected a set of names, got \\['int'"),
        ({"quantities": itertools.repeat("gradient")}, "quantities: expected at most 1000 names, got more"),
        (
            {"quantities": {"grad", "kflr_block"}},
            r"got 'grad, kflr_block' \(did you mean gradient, kflr_blocks\?\); the names",
        ),
        ({"flags": {"tf32": False}}, "flags: expected text, got bool"),
        ({"flags": ["tf32"]}, "flags: expected a dict of texts, got list"),
        ({"flags": dict.fromkeys(map(str, range(1001)), "")}, "flags: expected at most 1000 texts, got 1001"),
        ({"conventions": {}}, "conventions: expected Conventions, got dict"),
    ],
)
def test_a_description_of_wrong_types_is_an_error(wrong, message):
    right = {"name": "it", "version": "1", "dtype": "float64", "quantities": {"gradient"}}
    with pytest.raises((TypeError, ValueError), match=message):
        Description(**(right | wrong))


def test_a_description_is_cut_and_its_quantities_may_be_any_iterable():
    description = Description("x\n" * 10**6, "1", "float64", (name for name in ["gradient", "loss"]))
    assert description.quantities == {"gradient", "loss"}
    assert len(description.name) < 300


FOUND = """
import sys
from fnmatch import fnmatchcase
sys.path.pop(0)  # the current folder: a console script has its own folder there
from kfgn_conformance.opening import open_implementations
(mine,) = open_implementations((), "float64", ("my_kfac:Mine",), LIMIT)
print(mine.column.title, mine.reason)
"""


@pytest.mark.parametrize("limit", ["120.0", "None"], ids=["isolated", "in process"])
def test_a_module_in_the_current_folder_is_found(limit, tmp_path):
    """Modules in the current folder come before modules of the same name elsewhere on the path."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "my_kfac.py").write_text("raise ImportError('the wrong one')")
    (tmp_path / "my_parts.py").write_text("from misbehaving import Right")
    (tmp_path / "my_kfac.py").write_text("from my_parts import Right\nclass Mine(Right): pass\n")
    path = os.pathsep.join(map(str, [Path(__file__).parent, other, *(entry for entry in sys.path if entry)]))
    ran = subprocess.run(
        [sys.executable, "-c", FOUND.replace("LIMIT", limit)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "Mine float64 \n"


def test_the_command_accepts_adapters(capsys):
    """On some problems alone, to which none are added. test_long_runs.py has a run with added problems."""
    some = ("case-squared_error-*", "case-mixture-tanh", "shape-*", "autoencoder")
    arguments = ("--adapter", "small_kfac:SmallKfac", "--dtype", "float64", "--examples", "0", "--problem", *some)
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "small: 1.0" in printed
    chosen = [one for one in problem_set(0, 0) if any(fnmatchcase(one.id, pattern) for pattern in some)]
    problems = [one for one in chosen if "float64" in one.dtypes]
    squared_errors = [one for one in problems if one.objective == "squared_error"]
    supported = [one for one in squared_errors if {"tanh", "identity"} >= {*one.transfers}]
    total, others = len(problems), len(problems) - len(supported)
    counts = f"{others} of {total} or {others - 1} of {total - 1}"  # the blocks of the autoencoder are too large
    unsupported = f"{counts} problems: gradient, kfac_blocks"
    line = f"not supported: small: only tanh or identity units, and the squared error: {unsupported}"
    assert line in " ".join(printed.split())
    assert main(("--adapter", "misbehaving:Nobody", "--dtype", "float64", "--examples", "0")) == 2
    assert "misbehaving:Nobody: not usable: AttributeError" in " ".join(capsys.readouterr().err.split())
    assert main(("--adapter", "misbehaving:rocket", "--dtype", "float64")) == 2
    assert "misbehaving:rocket: not usable" in " ".join(capsys.readouterr().err.split())  # not an emoji
