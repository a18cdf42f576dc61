"""Golden vectors: their coverage, their correctness, and the detection of errors in their files."""

import json
import shutil
import subprocess
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest
from kfgn_conformance import golden
from kfgn_conformance.cli import main
from kfgn_conformance.decoding import FileError
from kfgn_conformance.golden.checking import faults_of_manifest
from kfgn_conformance.golden.decimals import decimal_quantum, rounded_up, without_exponent
from kfgn_conformance.golden.flags import FLAGS
from kfgn_conformance.golden.form import FORMAT, decoded, sha256
from kfgn_conformance.golden.layout import lines
from kfgn_conformance.golden.making import file_of
from kfgn_conformance.golden.problems import every_question
from kfgn_conformance.problems.cases import PAIRED, SPLITS
from kfgn_conformance.quantities import QUANTITIES, ROWS

VECTORS = golden.load()


def test_the_files_are_correct(thorough, tmp_path, capsys):
    """Each file is verified with one of its vectors, unless all of them are. No file differs from the manifest.

    What is verified is checked by the schema too, and is not taken to be right for its hash.
    """
    assert golden.CAN_CERTIFY
    assert list(faults_of_manifest(golden.FOLDER)) == []
    folder = golden.FOLDER if thorough else with_one_vector_each(tmp_path)
    assert main(("vectors", "verify", str(folder))) == 0, capsys.readouterr().out


def with_one_vector_each(folder):
    """The folder, with one vector of each file, on a different problem from file to file."""
    manifest = {}
    for i, name in enumerate(f"{quantity}.json" for quantity in ROWS):
        written = json.loads((golden.FOLDER / name).read_text(encoding="utf-8"))
        written["vectors"] = [written["vectors"][i % len(written["vectors"])]]
        content = lines(written).encode()
        (folder / name).write_bytes(content)
        manifest[name] = {"sha256": sha256(content)}
    (folder / "manifest.json").write_text(json.dumps({"format": FORMAT, "files": manifest}), encoding="utf-8")
    return folder


def test_a_file_that_ships_is_not_checked_by_the_schema_again(monkeypatch, copy, tmp_path):
    """The hash shows that it is the file that was checked. Any other file is checked when it is read."""

    class Refuses:
        def iter_errors(self, _written):
            yield jsonschema.ValidationError("checked")

    monkeypatch.setattr("kfgn_conformance.golden.form._schema", Refuses)
    assert len(golden.load()) == len(VECTORS)
    copy()
    with pytest.raises(FileError, match=r"kfra\.json: .*checked"):
        golden.load(tmp_path)
    with pytest.raises(FileError, match=r"kfra\.json: .*checked"):
        decoded(golden.FOLDER / "kfra.json", "kfra.json")


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_every_quantity_has_every_objective_and_transfer_function(quantity):
    problems = [vector.problem for vector in VECTORS if vector.quantity == quantity]
    assert {(p.objective, p.psd) for p in problems} == set(SPLITS)
    assert {transfer for p in problems for transfer in p.transfers} == set(PAIRED)
    assert {p.N for p in problems} >= set(range(1, 8))


def test_every_method_has_its_steps():
    settings = [vector.problem.trajectory for vector in VECTORS if vector.quantity == "optimiser_step"]
    methods = {"kflr", "kfra", "kfac", "rp", "ekfac", "hessian_free_blocks", "hessian_free"}
    assert {s.method for s in settings} == methods
    assert {s.inversion for s in settings} == {"trace", "frobenius", "spectral", "exact"}
    assert {vector.quantity for vector in VECTORS} == set(ROWS)


def test_every_flag_occurs_in_some_vector():
    assert {flag for vector in VECTORS for flag in vector.flags} == set(FLAGS)


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("kfra-trap-single-datapoint", "kflr-for-kfra"),
        ("kflr-trap-single-layer", "slope-forgotten"),
        ("kfac-trap-single-label", "samples-summed"),
        ("hessian_blocks-trap-piecewise-linear", "second-derivative-forgotten"),
        ("kfra-trap-linear", "slopes-averaged-first"),
        ("kflr-trap-single-output", "loss-divided-by-outputs"),
        ("solve_trace-trap-unit-damping", "damping-unrooted"),
        ("step_size-trap-no-weight-decay", "eta-forgotten"),
    ],
)
def test_a_trap_hides_its_mistake_and_another_vector_shows_it(name, hidden):
    (trap,) = (vector for vector in VECTORS if vector.id == name)
    assert hidden in trap.hides
    assert any(hidden not in vector.hides for vector in VECTORS if vector.quantity == trap.quantity)


def test_no_mistake_is_hidden_everywhere():
    """A mistake that no vector of a file shows is not listed in that file."""
    of = Counter(vector.quantity for vector in VECTORS)
    hidden = Counter((vector.quantity, name) for vector in VECTORS for name in vector.hides)
    assert all(count < of[quantity] for (quantity, _), count in hidden.items())


def test_they_are_reproducible(thorough):
    """Without other settings of the processor. Also: test_processors.py, which makes these files with two of them."""
    if not thorough:
        pytest.skip("nox -s thorough runs it; choosing the problems again takes 20 seconds")
    for quantity in ("kfra", "labels"):
        made = file_of(ROWS[quantity], [one for one in every_question() if quantity in one.quantities])
        there = json.loads((golden.FOLDER / f"{quantity}.json").read_text())
        for new, old in zip(made["vectors"], there["vectors"], strict=True):
            assert {**new, "expected": None} == {**old, "expected": None}
            for array, kept in zip(new["expected"], old["expected"], strict=True):
                assert array["decimals"] == kept["decimals"]
                assert array["float64"] == kept["float64"]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_they_are_read_without_python():
    script = Path(__file__).parent / "read_vectors.js"
    done = subprocess.run(["node", script, golden.FOLDER], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": right") == 2, done.stdout


def test_the_list_has_one_line_per_vector(capsys):
    assert main(("vectors", "list")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == [vector.id for vector in VECTORS]
    (kfra,) = (line for line in lines if line.startswith("kfra-trap-linear  "))
    assert kfra.startswith("kfra-trap-linear  (26)  PiecewiseLinear SquaredError  A linear network with squared error")


@pytest.fixture
def copy(tmp_path):
    """A folder with one vector of KFRA. The fixture changes the file and returns the faults of the folder."""
    written = json.loads((golden.FOLDER / "kfra.json").read_text())
    written["vectors"] = [vector for vector in written["vectors"] if vector["id"] == "kfra-trap-square-weights"]

    def change(edit=lambda file: None, keep_hash=True):
        edit(written)
        text = lines(written)
        (tmp_path / "kfra.json").write_text(text)
        digest = sha256(text.encode()) if keep_hash else "0" * 64
        (tmp_path / "manifest.json").write_text(
            json.dumps({"format": FORMAT, "files": {"kfra.json": {"sha256": digest}}})
        )
        return list(golden.faults(tmp_path))

    return change


def array_of(file):
    return file["vectors"][0]["expected"][0]


def in_last_digit(file):
    row = array_of(file)["decimals"][0]
    row[0] = row[0][:-1] + ("1" if row[0][-1] != "1" else "2")


def to_next_float(file):
    array_of(file)["float64"][0][0] *= 1 + 2**-52


def to_wrong_value(file):
    """A wrong value on which decimals and float64 agree."""
    array = array_of(file)
    array["decimals"][0][0], array["float64"][0][0] = "0.5", 0.5


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (in_last_digit, "array 1: the decimals differ from the exact values by more than the radius"),
        (to_next_float, "array 1: the float64 values are not the numbers nearest to the decimals"),
        (to_wrong_value, "array 1: the values differ from the reference by"),
        (lambda file: array_of(file).update(radius="1.0e-60"), "differ from the exact values by more than the radius"),
        (lambda file: array_of(file).update(d=1.0), "the tolerances differ from the values that the rule"),
        (lambda file: array_of(file).update(float64=[1.0], decimals=["1"]), "expected arrays of shapes"),
        (lambda file: file["vectors"][0].update(flags=["SquaredError"]), "expected SquareWeights, got SquaredError"),
        (lambda file: file["vectors"][0]["hides"].append("slope-unknown"), "slope-unknown is not among the mistakes"),
        (
            lambda file: file["vectors"][0]["hides"].append("summed-over-datapoints"),
            "datapoints is listed, but this mistake is visible on the problem",
        ),
        (lambda file: file["vectors"][0].update(id="kfra-other"), "expected the id kfra-"),
        (lambda file: file["vectors"].append(file["vectors"][0]), "expected the id kfra-"),
        (lambda file: file["notes"].clear(), "SquareWeights has no note"),
        (lambda file: file.update(quantity="kflr"), "got 'kflr'"),
        (
            lambda file: file["vectors"][0]["hides"].clear(),
            "is missing, but this mistake is not visible on the problem",
        ),
        (lambda file: file["mistakes"].pop("kflr-for-kfra"), "kflr-for-kfra is missing, but this mistake is visible"),
        (lambda file: file["mistakes"].update({"kflr-for-kfra": "Good."}), "mistakes: kflr-for-kfra: expected 'KFLR"),
        (lambda file: file["notes"].update(SquareWeights="None."), "notes: SquareWeights: expected"),
        (lambda file: file.update(description="G"), "description: expected"),
        (lambda file: file["tolerance"].update(c=1000), "tolerance: expected"),
        (lambda file: file["vectors"][0].update(n=100), "n: expected"),
        (
            lambda file: array_of(file).update(size=100.0),
            "array 1: size: expected ",
        ),
        (lambda file: array_of(file).update(d=1.0), "array 1: d: expected "),
        (lambda file: file["vectors"][0].pop("n"), "$.vectors[0]: 'n' is a required property"),
    ],
)
def test_errors_are_detected(edit, fault, copy):
    assert copy() == []
    found = copy(edit)
    assert any(fault in line for line in found), found


def test_changed_files_are_detected(copy, tmp_path, capsys):
    assert copy(keep_hash=False) == ["kfra.json: the sha256 of the file differs from the sha256 in manifest.json"]
    (tmp_path / "kflr.json").write_text("{")
    (tmp_path / "kfra.json").unlink()
    found = list(golden.faults(tmp_path))
    assert "kfra.json: listed in manifest.json, but missing" in found
    assert "kflr.json: not listed in manifest.json" in found
    assert any("kflr.json: expected JSON" in line for line in found)
    assert main(("vectors", "verify", str(tmp_path))) == 1
    with pytest.raises(SystemExit):
        main(("vectors", "list", str(tmp_path)))
    assert "kflr.json: expected JSON" in capsys.readouterr().err
    (tmp_path / "manifest.json").write_text("[]")
    assert any("manifest.json: expected object, got array" in line for line in golden.faults(tmp_path))
    (tmp_path / "manifest.json").unlink()
    assert any("expected a file manifest.json, got none" in line for line in golden.faults(tmp_path))
    with pytest.raises(SystemExit):
        main(("vectors", "verify", str(tmp_path / "nowhere")))
    assert "vectors: expected a folder, got" in " ".join(capsys.readouterr().err.split())


def test_printed_numbers_are_within_their_radius():
    assert decimal_quantum(Fraction(1, 3)) == Decimal("1e-36")
    assert decimal_quantum(Fraction(123)) == Decimal("1e-33")
    assert decimal_quantum(Fraction(0)) == Decimal("1e-35")
    assert [without_exponent(Decimal(x)) for x in ("0.2500", "-0", "100", "1.0")] == ["0.25", "0", "100", "1"]
    assert rounded_up(Fraction(0)) == "0"
    for radius in (Fraction(1, 3), Fraction(199999, 10**40), Fraction(1, 10**30)):
        assert radius <= Fraction(Decimal(rounded_up(radius))) <= radius * Fraction(12, 10)
