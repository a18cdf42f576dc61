"""External implementations: loading, descriptions, conventions and their translation."""

import itertools
import os
import subprocess
import sys
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pytest
from kfgn_conformance import Status, judge
from kfgn_conformance.adapters import Conventions, Description
from kfgn_conformance.adapters.conventions import ConventionError, compared, translated
from kfgn_conformance.adapters.isolated import Isolated
from kfgn_conformance.adapters.loading import AdapterError, load
from kfgn_conformance.cli import main
from kfgn_conformance.problem_sets.standard import problem_set
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.fixed import fixed
from kfgn_conformance.problems.layers import dense_layers
from kfgn_conformance.problems.shared_weights.fixed import shared_problems
from kfgn_conformance.quantities import QUANTITIES, ROWS

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


SEPARATE = "biases are separate: the arrays for W_l and for b_l are compared"
WITHOUT_UNIT = "biases are separate: the factors have no row and no column for the input 1 of the bias"


@pytest.mark.parametrize(
    ("name", "bias", "notes"),
    [
        ("gradient", "separate", [SEPARATE]),
        ("gauss_newton_blocks", "separate", [SEPARATE]),
        ("q", "separate", [WITHOUT_UNIT]),
        ("expand_q", "separate", [WITHOUT_UNIT]),
        ("reduce_q", "separate", [WITHOUT_UNIT]),
        ("loss", "separate", []),
        ("q", "first", ["bias moved from the first input to the last input"]),
    ],
)
def test_a_note_on_the_biases_is_about_the_arrays_of_the_quantity(name, bias, notes):
    row = ROWS[name]
    problem = shared_problems()[0] if row.of_shared_weights else CASE
    answer = compared(row, Conventions(bias=bias)).value(problem)
    assert list(translated(answer, problem, row, Conventions(bias=bias))[1]) == notes


@pytest.mark.parametrize("bias", ["first", "separate"])
def test_a_network_without_biases_has_no_note_on_them(bias):
    (problem,) = (each for each in fixed() if each.id == "shape-without-biases-categorical")
    for name in ("gradient", "q"):
        assert translated(QUANTITIES[name].value(problem), problem, QUANTITIES[name], Conventions(bias=bias))[1] == ()


@pytest.mark.parametrize(
    ("loss", "note"),
    [
        ("2", "divided by 2, as the loss is 2 times the kit's loss"),
        ("2/D", "divided by 2/D, as the loss is 2/D times the kit's loss, where D is the number of outputs"),
    ],
)
def test_a_note_on_the_loss_explains_the_symbols_of_its_ratio_alone(loss, note):
    conventions = Conventions(loss={CASE.objective: loss})
    assert translated(QUANTITIES["loss"].value(CASE), CASE, QUANTITIES["loss"], conventions)[1] == (note,)


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


COMPARED = (
    *("gradient", "gauss_newton_blocks", "q", "kfac", "kronecker_matvec", "kronecker_trace"),
    *("preactivation_hessians", "jacobian_product", "transposed_jacobian_product"),
)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("loss", ["1", "2/D"])
@pytest.mark.parametrize("layout", ["out_in", "in_out"])
@pytest.mark.parametrize("stacking", ["columns", "rows"])
@pytest.mark.parametrize("bias", ["last", "first", "separate"])
@pytest.mark.parametrize("name", COMPARED)
def test_every_convention_is_translated_back(reduction, loss, layout, stacking, bias, name):
    """An answer is written in each convention element by element, by definition, and translated back."""
    conventions = Conventions(reduction, {CASE.objective: loss}, layout, stacking, bias)
    quantity = QUANTITIES[name]
    D_L = CASE.widths[-1]
    factor = {"1": 1, "2/D": 2 / D_L}[loss] ** (quantity.degree or 0)
    factor *= CASE.N if reduction == "sum" and quantity.mean else 1
    answer = []
    for W, right in zip(CASE.weights, quantity.oracle(CASE), strict=name != "jacobian_product"):
        D, P = W.shape
        parts = {"last": [range(P)], "first": [[P - 1, *range(P - 1)]], "separate": [range(P - 1), [P - 1]]}[bias]
        for inputs in parts:
            shape = (D, len(inputs)) if layout == "out_in" else (len(inputs), D)
            order = list(np.ndindex(*shape)) if stacking == "rows" else [ij[::-1] for ij in np.ndindex(*shape[::-1])]
            indices = [(i, inputs[j]) if layout == "out_in" else (j, inputs[i]) for i, j in order]  # (output, input)
            if quantity.array_kind == "weights":
                array = np.array([right[i, p] for i, p in indices])
                array = array.reshape(shape, order="C" if stacking == "rows" else "F")
                array = array.reshape(D) if bias == "separate" and len(inputs) == 1 else array
            elif name == "gauss_newton_blocks":
                at = [p * D + i for i, p in indices]
                array = right[np.ix_(at, at)]
            elif name == "q":
                if bias == "separate" and len(inputs) == 1:
                    continue
                array = right[np.ix_(inputs, inputs)]
            elif inputs is not parts[0]:
                continue
            else:
                array = right
            answer.append(factor * array)
    kept, notes = translated(tuple(answer), CASE, quantity, conventions)
    expected = compared(quantity, conventions).value(CASE)
    assert len(kept) == len(expected)
    for a, b in zip(kept, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)
    changed = any(a.shape != b.shape or np.any(a != b) for a, b in zip(answer, expected, strict=True))
    assert not changed or notes


def test_a_quantity_that_is_not_a_power_of_the_loss_is_not_rescaled():
    for conventions in (Conventions(reduction="sum"), Conventions(loss={CASE.objective: "2"})):
        (kept,), notes = translated((np.ones(1),), CASE, QUANTITIES["solve_trace"], conventions)
        np.testing.assert_array_equal(kept, np.ones(1))
        assert notes == ("compared without rescaling, as the quantity is not proportional to a power of the loss",)


def test_a_sum_over_datapoints_by_its_definition():
    """Per-datapoint quantities are not summed. J^T u is summed, although it is not a derivative of the loss."""
    factors = {"preactivation_hessians": 1, "jacobian_product": 1, "q": 1, "gradient": CASE.N, "kfac": CASE.N}
    for name, factor in {**factors, "transposed_jacobian_product": CASE.N}.items():
        answer = (np.ones(2),)
        kept, _ = translated(answer, CASE, QUANTITIES[name], Conventions(reduction="sum"))
        np.testing.assert_array_equal(kept[0] * factor, answer[0])


def test_a_misspelt_quantity_is_an_error():
    with pytest.raises(ValueError, match="expected names of quantities, got 'kfac_block'"):
        Description("mine", "1", "float64", frozenset({"kfac_block", "gradient"}))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"reduction": "none"}, "reduction: expected mean or sum, got 'none'"),
        ({"bias": "middle"}, "bias: expected last or first or separate"),
        ({"loss": {"softmax": "2"}}, "loss: expected objectives among .*, got 'softmax'"),
        *(
            ({"loss": {"bernoulli": ratio}}, "loss: expected a ratio such as '2', '1/2' or '2/D' for bernoulli, got ")
            for ratio in ("0", "-2", "1/0", "0.5", "D", "1/D/D", " 2", "", 2, ["2"])
        ),
        ({"reduction": "none", "bias": "middle"}, "reduction: .*; bias: expected last or first or separate"),
    ],
)
def test_unknown_conventions_are_errors(wrong, message):
    """Every wrong field is reported."""
    with pytest.raises(ConventionError, match=message):
        Conventions(**wrong)


@pytest.mark.parametrize(("ratio", "factor"), [("3", 3), ("1/2", 1 / 2), ("3/4/D", 3 / 44), ("2/D", 2 / 11)])
def test_the_ratio_of_a_loss_is_any_fraction(ratio, factor):
    assert CASE.widths[-1] == 11
    conventions = Conventions(loss={CASE.objective: ratio})
    kept, _ = translated((np.full(2, factor),), CASE, QUANTITIES["gradient"], conventions)
    np.testing.assert_allclose(kept[0], 1)


def test_conventions_in_the_place_of_the_flags():
    with pytest.raises(TypeError, match=r"flags: .* got Conventions; write conventions=Conventions\(\.\.\.\)"):
        Description("mine", "1", "float64", {"q"}, Conventions(reduction="sum"))


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
