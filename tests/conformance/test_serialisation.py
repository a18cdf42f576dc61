"""Problems in JSON: every number is read back, version 1 is still read, and a malformed record gives one clear line."""

import json
import re
from dataclasses import fields, replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from kfgn_conformance import golden
from kfgn_conformance.decoding import FileError
from kfgn_conformance.problem_sets.trajectories import TRAJECTORIES, trajectory_problem
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.layers import Dense, weight_shapes
from kfgn_conformance.problems.real import digits
from kfgn_conformance.problems.serialisation import as_json, from_json, with_tensors
from safetensors.numpy import load_file

KINDS = [next(p for p in cases() if p.objective == objective) for objective in ("mixture", "squared_error")]
FORMAT_1 = Path(__file__).parent / "format_1"
SCHEMA = json.loads((golden.FOLDER / "schema.json").read_text())
OF_PROBLEMS = jsonschema.Draft202012Validator({"$ref": "#/$defs/problem", "$defs": SCHEMA["$defs"]})


def equal(a, b):
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    return a == b


def through_json(problem):
    return json.loads(json.dumps(as_json(problem)))


def with_all_layer_records():
    """A problem with a parameter of a transfer function, and a layer without a bias."""
    layers = (Dense(7, ("leaky_relu", 0.25)), Dense(3, "tanh", bias=False), Dense(11))
    shapes = weight_shapes(5, layers)
    arrays = [tuple(np.full(shape, number) for shape in shapes) for number in (0.5, 0.25)]
    arguments = KINDS[1].arguments._replace(direction=arrays[1])
    return replace(KINDS[1], layers=layers, weights=arrays[0], arguments=arguments)


@pytest.mark.parametrize("problem", [*KINDS, with_all_layer_records()], ids=["mixture", "squared_error", "layers"])
def test_a_problem_is_read_back(problem):
    again = from_json(through_json(problem))
    for field in fields(problem):
        assert equal(getattr(problem, field.name), getattr(again, field.name)), field.name


@pytest.mark.parametrize("name", ["kfac", "ekfac", "options", "whole"])
def test_a_trajectory_is_read_back(name, monkeypatch):
    monkeypatch.setattr("kfgn_conformance.problem_sets.trajectories.STEPS", 3)
    problem = trajectory_problem(name, *TRAJECTORIES[name])
    assert equal(problem.trajectory, from_json(through_json(problem)).trajectory)


def test_problems_satisfy_the_schema_of_the_golden_vectors(monkeypatch, thorough):
    """With a case of each objective, or with all cases."""
    monkeypatch.setattr("kfgn_conformance.problem_sets.trajectories.STEPS", 6)  # the fifth adapts tau
    walks = [trajectory_problem(name, *TRAJECTORIES[name]) for name in ("options", "ekfac")]
    for problem in (*cases()[:: 1 if thorough else 7], digits().head(8), *walks, with_all_layer_records()):
        OF_PROBLEMS.validate(through_json(problem))


def test_layers_are_records():
    written = through_json(with_all_layer_records())
    assert (written["version"], written["inputs"]) == (2, 5)
    assert written["layers"] == [
        {"kind": "dense", "units": 7, "transfer": {"name": "leaky_relu", "slope": 0.25}, "bias": True},
        {"kind": "dense", "units": 3, "transfer": "tanh", "bias": False},
        {"kind": "dense", "units": 11, "transfer": "identity", "bias": True},
    ]


def test_an_integer_may_be_written_with_a_decimal_point():
    written = through_json(KINDS[1])
    written["inputs"], written["layers"][1]["units"] = 5.0, 3.0
    assert from_json(written).widths == KINDS[1].widths


def test_a_layer_without_a_bias_has_one_column_less():
    problem = with_all_layer_records()
    assert [W.shape for W in problem.weights] == [(7, 6), (3, 7), (11, 4)]
    assert problem.widths == (5, 7, 3, 11)
    assert problem.transfers == (("leaky_relu", 0.25), "tanh")
    assert golden.form.fault_of_arrays(problem) == ""
    with_bias = replace(problem, layers=(problem.layers[0], Dense(3, "tanh"), problem.layers[2]))
    assert golden.form.fault_of_arrays(with_bias) == "weights[1]: expected shape (3, 8), got (3, 7)"


def test_dampings_and_draws_of_the_wrong_shape_are_named():
    problem = KINDS[1]
    wrong = replace(problem, arguments=problem.arguments._replace(gamma=np.zeros(2)))
    assert golden.form.fault_of_arrays(wrong) == "arguments.gamma: expected shape (), got (2,)"


CHECKPOINTS = "trajectory.checkpoints[1]"

FAULTS = {
    "tau": ("kfac", {"tau": np.zeros(1)}, f"{CHECKPOINTS}.tau: expected shape (), got (1,)"),
    "draws of KFAC": ("kfac", {"draws": np.zeros((13, 3, 11))}, f"{CHECKPOINTS}.draws[0]: expected shape (13, 3), got"),
    "draws of RP": ("rp", {"draws": np.zeros((13, 3))}, f"{CHECKPOINTS}.draws[0]: expected shape (13, 3, 11), got"),
    "no draws": ("rp", {"draws": None}, f"{CHECKPOINTS}.draws: arrays: expected shape (1,), got (0,)"),
    "draws of KFLR": (
        "kflr",
        {"draws": np.zeros((13, 3))},
        f"{CHECKPOINTS}.draws: arrays: expected shape (0,), got (1,)",
    ),
    "no S": ("ekfac", {"S": ()}, f"{CHECKPOINTS}.S: arrays: expected shape (3,), got (0,)"),
    "bases": ("ekfac", {"U_Q": (np.eye(6), np.eye(7), np.eye(4))}, f"{CHECKPOINTS}.U_Q[1]: expected shape (8, 8), got"),
    "bases of KFLR": ("kflr", {"U_G": (np.eye(7),)}, f"{CHECKPOINTS}.U_G: arrays: expected shape (0,), got (1,)"),
    "classes": ("kflr", {"Y": np.full(13, 11)}, f"{CHECKPOINTS}.Y: expected classes from 0 to 10, got values"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_checkpoint_is_named(name):
    method, change, message = FAULTS[name]
    problem = trajectory_problem(method, *TRAJECTORIES[method])
    assert golden.form.fault_of_arrays(problem) == ""
    first, second, *others = problem.trajectory.checkpoints
    checkpoints = first, second._replace(**change), *others
    wrong = replace(problem, trajectory=problem.trajectory._replace(checkpoints=checkpoints))
    assert golden.form.fault_of_arrays(wrong).startswith(message)


def test_the_fields_of_ekfac_are_written_for_ekfac_alone():
    """So the JSON of every other problem, and its hash, are those of earlier releases, whose files are still read."""
    fields_of = {}
    for method in ("kflr", "ekfac"):
        written = through_json(trajectory_problem(method, *TRAJECTORIES[method]))
        fields_of[method] = set(written["trajectory"]["checkpoints"][0])
    assert fields_of["ekfac"] - fields_of["kflr"] == {"U_Q", "U_G", "S"}
    assert fields_of["kflr"] < fields_of["ekfac"]


def test_tensors_have_the_paths_that_stand_for_them(tmp_path):
    problem = KINDS[1]
    written, tensors = with_tensors(problem, tmp_path / "x.safetensors"), load_file(tmp_path / "x.safetensors")
    assert written["arguments"]["direction"] == [f"arguments.direction[{i}]" for i in range(3)]
    assert set(tensors) == {path for path, array in problem.arrays() if array.ndim}
    for path, array in problem.arrays():
        assert not array.ndim or equal(tensors[path], array)
    assert written["arguments"]["tau"] == float(problem.arguments.tau)


def edited(*path, value):
    """A function that puts a value at a path of an object of JSON; ... removes what is there."""

    def edit(written):
        *way, last = path
        for name in way:
            written = written[name]
        if value is ...:
            del written[last]
        else:
            written[last] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (edited("layers", value=[]), "layers: expected a list of records, got []"),
        (edited("layers", value={"a": 1}), "layers: expected a list of records, got {'a': 1}"),
        (edited("layers", 1, value="dense"), "layers[1]: expected an object, got 'dense'"),
        (edited("layers", 1, "units", value=...), "layers[1]: expected a field units"),
        (edited("layers", 1, "stride", value=2), "layers[1]: expected no field 'stride'"),
        (edited("layers", 1, "kind", value="conv"), "layers[1].kind: expected 'dense', got 'conv'"),
        (edited("layers", 1, "units", value=0), "layers[1].units: expected a positive integer, got 0"),
        (edited("layers", 1, "units", value=2.5), "layers[1].units: expected a positive integer, got 2.5"),
        (edited("layers", 1, "units", value=True), "layers[1].units: expected a positive integer, got True"),
        (edited("layers", 1, "bias", value=1), "layers[1].bias: expected true or false, got 1"),
        (
            edited("layers", 1, "transfer", value="sigmoid"),
            "layers[1].transfer: expected elu, gelu, gelu_tanh, identity, leaky_relu, ",
        ),
        (edited("layers", 1, "transfer", value=None), "layers[1].transfer: expected a name or {"),
        (edited("layers", 1, "transfer", value={"name": "tanh"}), "layers[1].transfer: expected a name or {"),
        (edited("layers", 1, "transfer", value={"name": "leaky_relu", "slope": "0.1"}), ".slope: expected a number"),
        (edited("layers", 1, "transfer", value={"name": "elu", "alpha": 0}), ".alpha: expected a number between 0 and"),
        (edited("layers", 1, "transfer", value={"name": "elu", "alpha": True}), ".alpha: expected a number between 0"),
        (edited("layers", 1, "transfer", value={"name": "elu", "slope": 0.5}), '{"name": "elu", "alpha": a number}'),
        (edited("layers", 1, "transfer", value={"name": "leaky_relu", "slope": 1}), "between 0 and 1, got 1"),
        (edited("layers", 2, "transfer", value="tanh"), "layers[2].transfer: expected 'identity' for the last layer"),
        (edited("version", value=3), "version: expected 2, or no version for the format of version 1, got 3"),
        (edited("inputs", value="5"), "inputs: expected an integer, got '5'"),
        (edited("inputs", value=float("inf")), "inputs: expected an integer, got inf"),
        (edited("id", value=5), "id: expected text, got 5"),
        (edited("X", value=...), "problem: expected a field 'X'"),
        (edited("Z", value=1), "problem: expected no field 'Z'"),
        (edited("arguments", "tau", value=...), "arguments: expected a field 'tau'"),
        (edited("arguments", value=[]), "arguments: expected an object, got list"),
        (edited("weights", value=7), "weights: expected a list, got int"),
        (edited("weights", 1, value=[[1.0], [2.0, 3.0]]), "weights[1]: expected an array of numbers: "),
        (edited("X", value="x"), "X: expected an array of numbers: "),
    ],
)
def test_a_malformed_record_gives_one_line(edit, message):
    written = through_json(KINDS[1])
    edit(written)
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        from_json(written)
    assert "\n" not in str(raised.value)
    if "layers" in message or "version" in message:  # the schema finds the same faults, except in the last layer
        assert "last layer" in message or not OF_PROBLEMS.is_valid(written)


def version_1(name):
    """The only vector of a stored file of format 1."""
    (vector,) = json.loads((FORMAT_1 / f"{name}.json").read_text())["vectors"]
    return vector


@pytest.mark.parametrize("name", ["labels", "optimiser_step"])
def test_version_1_is_still_read(name):
    old = version_1(name)["problem"]
    problem = from_json(old)
    assert list(problem.widths) == old["widths"]
    assert list(problem.transfers) == old["transfers"]
    assert all(layer == Dense(layer.units, layer.transfer, bias=True) for layer in problem.layers)
    for field in ("id", "objective", "psd"):
        assert getattr(problem, field) == old[field]
    renamed = {"arguments.": "probes.", "trajectory.checkpoints": "walk.waypoints"}
    for path, array in problem.arrays():
        for new, before in renamed.items():
            path = path.replace(new, before)
        value = old
        for step in path.replace("]", "").replace("[", ".").split("."):
            value = value[int(step)] if isinstance(value, list) else value[step]
        assert equal(array, np.array(value, array.dtype)), path
    assert problem.Y.dtype == (np.int64 if name == "labels" else np.float64)


def test_the_optimiser_of_version_1_has_the_present_names():
    old = version_1("optimiser_step")["problem"]["walk"]
    assert (old["method"], old["longest_step"]) == ("blocks", None)
    trajectory = from_json(version_1("optimiser_step")["problem"]).trajectory
    assert (trajectory.method, trajectory.max_step_size) == ("hessian_free_blocks", None)
    assert trajectory.thresholds == ((3, 4), (3, 4))
    assert [here.t for here in trajectory.checkpoints] == [0, 4, 19]


def test_files_of_format_1_are_still_read():
    for vector in golden.load(FORMAT_1):
        old = version_1(vector.quantity)
        assert (vector.id, vector.description) == (old["id"], old["description"])
        for array, expected in zip(vector.expected, old["expected"], strict=True):
            assert array.decimals == expected["decimals"]
            assert array.float64.tolist() == expected["float64"]
            assert array.tolerances == expected["tolerances"]


def test_a_file_means_the_same_in_either_format(tmp_path):
    for file in FORMAT_1.glob("*.json"):
        written = golden.form.decoded(file, file.name)
        assert written["format"] == golden.form.FORMAT == 2
        assert [vector["problem"]["version"] for vector in written["vectors"]] == [2]
        (tmp_path / file.name).write_text(json.dumps(written))
    for old, new in zip(golden.load(FORMAT_1), golden.load(tmp_path), strict=True):
        assert old._replace(problem=None, expected=None) == new._replace(problem=None, expected=None)
        for field in fields(old.problem):
            assert equal(getattr(old.problem, field.name), getattr(new.problem, field.name)), field.name
        assert all(map(equal, old.expected, new.expected))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (edited("transfers", value=[]), r"\.transfers: expected a list of 1 names"),
        (edited("widths", value=[3]), r"\.widths: expected a list of D_0, \.\.\., D_L"),
        (edited("widths", 0, value="a"), r"\.inputs: 'a' is not of type 'integer'"),
        (edited("weights", value=...), "'weights' is a required property"),
    ],
)
def test_a_malformed_problem_of_version_1_gives_one_line(edit, message, tmp_path):
    written = json.loads((FORMAT_1 / "optimiser_step.json").read_text())
    edit(written["vectors"][0]["problem"])
    (tmp_path / "optimiser_step.json").write_text(json.dumps(written))
    with pytest.raises(FileError, match=message) as raised:
        golden.load(tmp_path)
    assert "vectors[0].problem" in str(raised.value)
    assert "\n" not in str(raised.value)
