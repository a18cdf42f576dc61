"""Problems in JSON: what is read back is what was written, and every number of it."""

import json
from dataclasses import fields

import jsonschema
import numpy as np
import pytest
from kfgn_conformance import golden
from kfgn_conformance.problems.cases import cases
from kfgn_conformance.problems.real import digits
from kfgn_conformance.problems.serialisation import as_json, from_json
from kfgn_conformance.problems.trajectories import TRAJECTORIES, trajectory_problem

KINDS = [next(p for p in cases() if p.objective == objective) for objective in ("mixture", "squared_error")]


def equal(a, b):
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    return a == b


@pytest.mark.parametrize("problem", KINDS, ids=lambda p: p.objective)
def test_a_problem_is_read_back(problem):
    again = from_json(json.loads(json.dumps(as_json(problem))))
    for field in fields(problem):
        assert equal(getattr(problem, field.name), getattr(again, field.name)), field.name


@pytest.mark.parametrize("name", ["kfac", "options", "whole"])
def test_a_walk_is_read_back(name, monkeypatch):
    monkeypatch.setattr("kfgn_conformance.problems.trajectories.STEPS", 3)
    problem = trajectory_problem(name, *TRAJECTORIES[name])
    again = from_json(json.loads(json.dumps(as_json(problem))))
    assert equal(problem.trajectory, again.trajectory)


def test_what_is_sent_is_what_the_schema_of_the_golden_vectors_says():
    schema = json.loads((golden.FOLDER / "schema.json").read_text())
    of_problems = jsonschema.Draft202012Validator({"$ref": "#/$defs/problem", "$defs": schema["$defs"]})
    for problem in (*cases(), digits(), trajectory_problem("options", *TRAJECTORIES["options"])):
        of_problems.validate(json.loads(json.dumps(as_json(problem))))
