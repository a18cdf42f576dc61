"""Implementations from outside: conventions, a process of their own, and a verdict for every misbehaviour."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kfgn_conformance import Status, judge
from kfgn_conformance.adapters import Conventions, Description
from kfgn_conformance.adapters.conventions import ConventionError, compared, translated
from kfgn_conformance.adapters.isolated import Isolated
from kfgn_conformance.adapters.loading import AdapterError, load
from kfgn_conformance.cases import cases
from kfgn_conformance.cli import main
from kfgn_conformance.quantities import QUANTITIES

CASE = next(p for p in cases() if p.id == "case-squared_error-tanh")
TANH = replace(CASE, id="tanh", layers=tuple(l._replace(transfer=l.transfer and "tanh") for l in CASE.layers))


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")  # of torch.func itself
def test_automatic_differentiation_agrees():
    """The adapter of `torch.func` in float64: every objective that it takes, and a mixture that it does not."""
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
    assert "divided by N, as it is a sum over the datapoints" in verdict.translations
    assert "biases are separate: only their own blocks are compared" in verdict.translations
    relu = next(p for p in cases() if p.id == "case-squared_error-relu")
    assert judge(adapter, relu, QUANTITIES[quantity]).status is Status.UNIMPLEMENTED


ASKED = (
    *("gradient", "gauss_newton_blocks", "q", "kfac", "kronecker_matvec", "kronecker_trace"),
    *("preactivation_hessians", "jacobian_product", "transposed_jacobian_product"),
)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("loss", ["1", "2/D"])
@pytest.mark.parametrize("layout", ["out_in", "in_out"])
@pytest.mark.parametrize("stacking", ["columns", "rows"])
@pytest.mark.parametrize("bias", ["last", "first", "separate"])
@pytest.mark.parametrize("name", ASKED)
def test_every_convention_is_translated_back(reduction, loss, layout, stacking, bias, name):
    """An answer brought into each convention by its definition, element by element, and translated to the kit's."""
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
            of = [(i, inputs[j]) if layout == "out_in" else (j, inputs[i]) for i, j in order]  # (output, input) of each
            if quantity.form == "weights":
                array = np.array([right[i, p] for i, p in of]).reshape(shape, order="C" if stacking == "rows" else "F")
                array = array.reshape(D) if bias == "separate" and len(inputs) == 1 else array
            elif name == "gauss_newton_blocks":
                at = [p * D + i for i, p in of]
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


def test_what_is_no_power_of_the_loss_is_not_translated():
    for conventions in (Conventions(reduction="sum"), Conventions(loss={CASE.objective: "2"})):
        (kept,), notes = translated((np.ones(1),), CASE, QUANTITIES["solve_trace"], conventions)
        np.testing.assert_array_equal(kept, np.ones(1))
        assert notes == ("compared as it is, since it is no power of the loss",)


def test_a_sum_over_datapoints_by_its_definition():
    """What is given for each of them is no sum, and what is no derivative of the loss may be one."""
    of = {"preactivation_hessians": 1, "jacobian_product": 1, "q": 1, "gradient": CASE.N, "kfac": CASE.N}
    for name, factor in {**of, "transposed_jacobian_product": CASE.N}.items():
        answer = (np.ones(2),)
        kept, _ = translated(answer, CASE, QUANTITIES[name], Conventions(reduction="sum"))
        np.testing.assert_array_equal(kept[0] * factor, answer[0])


def test_a_misspelt_quantity_is_an_error():
    with pytest.raises(ValueError, match="expected names of rows of the table, got 'kfac_block'"):
        Description("mine", "1", "float64", frozenset({"kfac_block", "gradient"}))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"reduction": "none"}, "reduction: expected mean or sum, got 'none'"),
        ({"bias": "middle"}, "bias: expected last or first or separate"),
        ({"loss": {"softmax": "2"}}, "loss: there is no objective 'softmax', but"),
        ({"loss": {"bernoulli": "3"}}, "loss: expected one of 1, 2, 1/D, 2/D for bernoulli, got '3'"),
    ],
)
def test_unknown_conventions_are_errors(wrong, message):
    with pytest.raises(ConventionError, match=message):
        Conventions(**wrong)


MISBEHAVING = """
import os, time
import numpy as np
from kfgn_conformance.adapters import Conventions, Description, UnsupportedError
from kfgn_conformance.quantities import QUANTITIES


class Right:
    def __init__(self, dtype):
        self.dtype = dtype

    def describe(self):
        return Description(type(self).__name__, "1", self.dtype, frozenset({"gradient"}))

    def compute(self, problem, quantity):
        return tuple(a.astype(self.dtype) for a in QUANTITIES[quantity].oracle(problem))


class Raises(Right):
    def compute(self, problem, quantity):
        raise RuntimeError("no such\\nlayer")


class Hangs(Right):
    def compute(self, problem, quantity):
        time.sleep(3600)


class Dies(Right):
    def compute(self, problem, quantity):
        os.kill(os.getpid(), 11)


class Exits(Right):
    def compute(self, problem, quantity):
        os._exit(7)


class Mutates(Right):
    def compute(self, problem, quantity):
        answer = super().compute(problem, quantity)
        problem.weights[1][0, 0] += 1
        return answer


class Refuses(Right):
    def compute(self, problem, quantity):
        raise UnsupportedError("no tanh here")


class Transposed(Right):
    def compute(self, problem, quantity):
        return tuple(a.T for a in super().compute(problem, quantity))


class NotInItsLayout(Right):
    def describe(self):
        return Description("in_out", "1", self.dtype, frozenset({"gradient"}), conventions=Conventions(layout="in_out"))


class NotANumber(Right):
    def compute(self, problem, quantity):
        return tuple(a * np.nan for a in super().compute(problem, quantity))


class OtherDtype(Right):
    def compute(self, problem, quantity):
        return tuple(a.astype("float16") for a in super().compute(problem, quantity))


class Lists(Right):
    def compute(self, problem, quantity):
        return [a.tolist() for a in super().compute(problem, quantity)]


class Accumulates(Right):
    seen = None

    def compute(self, problem, quantity):
        again = self.seen == problem.id
        self.seen = None if again else problem.id
        return tuple(a * (2 if again else 1) for a in super().compute(problem, quantity))


class Undescribed(Right):
    def describe(self):
        return {"name": "undescribed"}


class OfOneDtype(Right):
    def describe(self):
        return Description("one", "1", "float16", frozenset())
"""


@pytest.fixture
def misbehaving(tmp_path, monkeypatch):
    (tmp_path / "misbehaving.py").write_text(MISBEHAVING)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("misbehaving")
@pytest.mark.parametrize(
    ("name", "status", "detail"),
    [
        ("Right", Status.PASS, "error"),
        ("Raises", Status.ERROR, "RuntimeError: no such layer"),
        ("Hangs", Status.ERROR, "no answer within 2 s"),
        ("Dies", Status.ERROR, "its process was ended by signal 11"),
        ("Exits", Status.ERROR, "its process ended with exit status 7"),
        ("Mutates", Status.ERROR, "it changed the arrays of the problem that it was given"),
        ("Refuses", Status.UNIMPLEMENTED, "no tanh here"),
        ("Transposed", Status.FAIL, "array 1: expected shape (7, 6), got (6, 7)"),
        ("NotInItsLayout", Status.FAIL, "got (6, 7), of the answer once translated: transposed from (in, out)"),
        ("NotANumber", Status.FAIL, "expected finite values, got NaN or infinity"),
        ("OtherDtype", Status.FAIL, "expected dtype float64, got float16"),
        ("Lists", Status.FAIL, "expected a tuple of NumPy arrays, got list"),
        ("Accumulates", Status.FAIL, "the same question a second time: array"),
    ],
)
def test_every_misbehaviour_has_a_verdict_of_its_own(name, status, detail):
    adapter = Isolated(f"misbehaving:{name}", "float64", 2.0)
    try:
        for _ in range(2):  # the run goes on
            verdict = judge(adapter, CASE, QUANTITIES["gradient"], twice=True)
            assert verdict.status is status, verdict
            assert detail in verdict.detail
    finally:
        adapter.close()
    assert np.all(CASE.weights[1][0, 0] == next(p for p in cases() if p.id == CASE.id).weights[1][0, 0])


@pytest.mark.usefixtures("misbehaving")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("misbehaving", "expected an adapter as package.module:Adapter, got 'misbehaving'"),
        ("nowhere:Adapter", "nowhere:Adapter: ModuleNotFoundError: No module named 'nowhere'"),
        ("misbehaving:Nobody", "misbehaving:Nobody: AttributeError"),
        ("misbehaving:Undescribed", "describe(): expected a Description, got dict"),
        ("misbehaving:OfOneDtype", "describe().dtype: expected the dtype it was made with, float64, got float16"),
    ],
)
def test_an_adapter_that_cannot_be_asked_is_an_error(name, message):
    for make in (lambda: load(name, "float64"), lambda: Isolated(name, "float64", 2.0)):
        with pytest.raises(AdapterError) as caught:
            make()
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("misbehaving")
def test_the_command_takes_adapters(capsys):
    arguments = ("--adapter", "small_kfac:SmallKfac", "--dtype", "float64", "--examples", "0")
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "small: 1.0" in printed
    not_taken = "not taken: small: only tanh or identity units, and the squared error: 31 of 32 problems: gradient"
    assert not_taken in " ".join(printed.split())
    assert main(("--adapter", "misbehaving:Nobody", "--dtype", "float64", "--examples", "0")) == 2
    assert "misbehaving:Nobody: not usable: misbehaving:Nobody: AttributeError" in " ".join(
        capsys.readouterr().err.split()
    )
    assert main(("--adapter", "misbehaving:rocket", "--dtype", "float64")) == 2
    assert "misbehaving:rocket: not usable" in " ".join(capsys.readouterr().err.split())  # and no picture of one
