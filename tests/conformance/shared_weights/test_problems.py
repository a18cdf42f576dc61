"""The problems with shared weights: their sizes, their numbers, and their JSON."""

import json
from dataclasses import replace
from typing import get_args

import jsonschema
import numpy as np
import pytest
from kfgn_conformance import Convolution, Embedding, Flatten, Normalisation, Pooling, ScaleShift
from kfgn_conformance.golden.form import FOLDER, SCHEMA, fault_of_arrays
from kfgn_conformance.problems.layers import Layer, group_shapes, positions_of
from kfgn_conformance.problems.problem import exact
from kfgn_conformance.problems.serialisation import as_json, from_json
from kfgn_conformance.problems.shared_weights.dyadic import far_from_discontinuities, has_gradient
from kfgn_conformance.problems.shared_weights.fixed import FIXED, shared_problems
from kfgn_conformance.relatives import PARTS, relatives
from kfgn_reference import OBJECTIVES

from .sizes import check_sizes

NAMES = [problem.id for problem in shared_problems()]

IMAGES = [problem for problem in shared_problems() if len(problem.shapes[0]) == 3]

problems = pytest.mark.parametrize("problem", shared_problems(), ids=NAMES)


@problems
def test_the_sizes_of_a_problem_differ(problem):
    check_sizes(problem)
    channels = problem.widths
    layers = zip(problem.weighted, problem.weights, strict=True)
    with_weights = [W.shape[0] for layer, W in layers if not isinstance(layer, ScaleShift)]
    assert len({channels[0], *with_weights}) == 1 + len(with_weights)


@pytest.mark.parametrize("problem", IMAGES, ids=[problem.id for problem in IMAGES])
def test_the_axes_of_an_image_differ(problem):
    """In the positions of every activation, the sides of every kernel, and in the numbers of everything else."""
    images = [positions for _, *positions in problem.shapes if len(positions) == 2 and positions != [1, 1]]
    kernels = [layer for layer in problem.layers if isinstance(layer, Convolution)]
    for pair in (*images, *(layer.width for layer in kernels)):
        assert pair[0] != pair[1]
    sides = {side for pair in images for side in pair}
    assert not sides & {problem.N, problem.labels.shape[1], problem.widths[-1]}
    for layer, below in zip(problem.layers, problem.widths, strict=False):
        if layer in kernels:
            assert not {*layer.width} & {problem.N, problem.labels.shape[1], below}
    assert any(layer.padding[0] != layer.padding[1] for layer in kernels)


@problems
def test_a_problem_is_far_from_discontinuities(problem):
    assert far_from_discontinuities(problem)
    assert has_gradient(problem)
    assert exact(problem) is problem


@problems
def test_the_bases_are_orthogonal_and_mix_the_coordinates(problem):
    for pair in problem.bases:
        for U in pair:
            np.testing.assert_array_equal(U @ U.T, np.eye(len(U)))
            assert len(U) < 4 or not np.array_equal(np.abs(U), np.round(np.abs(U)))


@problems
def test_a_problem_is_read_from_its_json(problem):
    written = json.loads(json.dumps(as_json(problem)))
    read = from_json(written)
    assert read.layers == problem.layers
    assert (read.inputs, read.divisor) == (problem.inputs, problem.divisor)
    assert fault_of_arrays(read) == ""
    for (path, a), (other, b) in zip(read.arrays(), problem.arrays(), strict=True):
        assert path == other
        np.testing.assert_array_equal(a, b)
    assert as_json(read) == as_json(problem)


def test_every_layer_option_and_objective_occurs():
    layers = [layer for problem in shared_problems() for layer in problem.layers]
    assert {type(layer) for layer in layers} == {*get_args(Layer)}
    assert {layer.bias for layer in layers if isinstance(layer, ScaleShift)} == {True, False}
    assert {row.recipe.objective for row in FIXED.values()} == set(OBJECTIVES)
    assert {row.recipe.psd for row in FIXED.values()} == {"project", "scalar"}
    convolutions = [layer for layer in layers if isinstance(layer, Convolution)]
    options = (
        lambda c: any(w.stride > 1 for w in c.windows),
        lambda c: any(w.dilation > 1 for w in c.windows),
        lambda c: c.circular,
        lambda c: any(sum(w.padding) > 0 for w in c.windows) and not c.circular,
        lambda c: any(w.padding[0] != w.padding[1] for w in c.windows),
        lambda c: c.groups == 2,
        lambda c: not c.bias,
    )
    for axes in (1, 2):
        along = [layer for layer in convolutions if len(layer.windows) == axes]
        assert all(any(map(option, along)) for option in options)
    assert {len(layer.windows) for layer in layers if isinstance(layer, Pooling)} == {1, 2}
    assert {layer.kind for layer in layers if isinstance(layer, Pooling)} == {"mean", "sum"}
    divisors = [(problem.divisor, positions_of(problem.shapes[-1])) for problem in shared_problems()]
    assert any(divisor not in (1, T) for divisor, T in divisors)
    assert any(divisor == T > 1 for divisor, T in divisors)


@pytest.mark.parametrize("name", ["shared-tokens-bernoulli", "shared-circular-bernoulli"])
def test_a_relative_differs_in_one_part(name):
    (problem,) = (each for each in shared_problems() if each.id == name)
    found = relatives(problem)
    assert len(found) == len(PARTS)
    for other in found:
        assert other.layers == problem.layers
        assert any(not np.array_equal(a, b) for (_, a), (_, b) in zip(other.arrays(), problem.arrays(), strict=True))


def test_the_reference_of_the_paper_has_no_shared_weights():
    with pytest.raises(ValueError, match=r"shared-.*: expected a network without shared weights"):
        _ = shared_problems()[0].reference


EDITED = {
    "kind": ("conv", r"layers\[0\].kind: expected 'dense' or 'convolution' or .*, got 'conv'"),
    "width": (0, r"layers\[0\].width: expected a positive integer, got 0"),
    "padding": ([1, -1], r"layers\[0\].padding: expected two integers of at least 0, got \[1, -1\]"),
    "circular": (1, r"layers\[0\].circular: expected true or false, got 1"),
    "depth": (1, r"layers\[0\]: expected no field 'depth'"),
}


@pytest.mark.parametrize("field", EDITED)
def test_a_malformed_layer_is_named(field):
    (problem,) = (each for each in shared_problems() if each.id == "shared-padded-categorical")
    written, (value, message) = as_json(problem), EDITED[field]
    written["layers"][0][field] = value
    with pytest.raises(ValueError, match=message):
        from_json(written)


OF_IMAGES = {
    "width": (3, r"layers\[0\].width: expected two values, one for each axis, got 3"),
    "stride": ([1, 0], r"layers\[0\].stride\[1\]: expected a positive integer, got 0"),
    "dilation": ([1, 1, 1], r"layers\[0\].dilation: expected two values, one for each axis, got \[1, 1, 1\]"),
    "padding": ([1, 1], r"layers\[0\].padding\[0\]: expected two integers of at least 0, got 1"),
}


@pytest.mark.parametrize("field", OF_IMAGES)
def test_a_malformed_layer_of_images_is_named(field):
    written, (value, message) = as_json(IMAGES[0]), OF_IMAGES[field]
    written["layers"][0][field] = value
    with pytest.raises(ValueError, match=message):
        from_json(written)


@pytest.mark.parametrize("field", ["stride", "dilation"])
def test_a_number_holds_for_both_axes_of_an_image(field):
    written = as_json(IMAGES[0])
    assert (written["layers"][0]["width"], written["layers"][0]["padding"]) == ([3, 2], [[0, 2], [1, 0]])
    written["layers"][0][field] = [1, 1]
    assert from_json(written).shapes == IMAGES[0].shapes
    written["layers"][0]["padding"] = [0, 0]
    assert from_json(written).layers[0].padding == (0, 0)


@pytest.mark.parametrize("inputs", [[2], [2, 3, 5, 7], []])
def test_inputs_without_positions_or_with_many_axes_are_refused(inputs):
    with pytest.raises(ValueError, match=r"^inputs: expected an integer, \[C, T\] or \[C, H, W\], got \["):
        from_json(as_json(IMAGES[0]) | {"inputs": inputs})


def test_a_flattened_image_has_one_axis():
    """A convolution after it has a width that is one number."""
    (problem,) = (each for each in IMAGES if Flatten() in each.layers)
    written = as_json(problem)
    written["layers"].insert(2, as_json(shared_problems()[3])["layers"][0] | {"width": [1, 1]})
    with pytest.raises(ValueError, match=r"layers\[2\].width: expected a positive integer, got \[1, 1\]"):
        from_json(written)


NORMALISED = next(problem for problem in shared_problems() if problem.id == "shared-embedding-normalised-categorical")

OF_NORMALISED = {
    (0, "units"): (0, r"layers\[0\].units: expected a positive integer, got 0"),
    (1, "epsilon"): (0, r"layers\[1\].epsilon: expected a positive number, got 0"),
    (1, "kind"): ("embedding", r"layers\[1\]: expected a field units"),
    (2, "bias"): (1, r"layers\[2\].bias: expected true or false, got 1"),
}


@pytest.mark.parametrize("place", OF_NORMALISED)
def test_a_malformed_normalisation_or_embedding_is_named(place):
    written, (value, message) = as_json(NORMALISED), OF_NORMALISED[place]
    written["layers"][place[0]][place[1]] = value
    with pytest.raises(ValueError, match=message):
        from_json(written)


def test_an_embedding_is_the_first_layer_alone():
    written = as_json(NORMALISED)
    written["layers"].insert(1, {"kind": "embedding", "units": 3})
    with pytest.raises(ValueError, match=r"layers\[1\].kind: expected no embedding after the first layer"):
        from_json(written)


def test_the_inputs_of_an_embedding_are_tokens_that_repeat():
    assert [layer for layer in NORMALISED.layers if isinstance(layer, Normalisation)] == [Normalisation(0.25)]
    assert isinstance(NORMALISED.layers[0], Embedding)
    assert (NORMALISED.X.shape, NORMALISED.X.dtype, NORMALISED.inputs) == ((7, 5), np.int64, (6, 5))
    assert any(len(set(x)) < len(x) for x in NORMALISED.X.tolist())
    wrong = replace(NORMALISED, X=np.where(NORMALISED.X == 2, 6, NORMALISED.X))
    assert fault_of_arrays(wrong) == "X: expected tokens from 0 to 5, got values out of range"
    assert fault_of_arrays(replace(NORMALISED, X=NORMALISED.X[:, 1:])) == "X: expected shape (7, 5), got (7, 4)"


@pytest.mark.parametrize("field", ["gamma and beta", "gamma alone"])
def test_the_group_of_a_scale_is_one_column(field):
    shapes = group_shapes(ScaleShift(bias=field == "gamma and beta"), (4, 2 if field == "gamma and beta" else 1))
    assert shapes == [(8 if field == "gamma and beta" else 4, 1)]


def test_problems_of_images_and_tokens_satisfy_the_schema_of_the_golden_vectors():
    schema = json.loads((FOLDER / SCHEMA).read_text())
    of_problems = jsonschema.Draft202012Validator({"$ref": "#/$defs/problem", "$defs": schema["$defs"]})
    for problem in (*IMAGES, NORMALISED):
        of_problems.validate(json.loads(json.dumps(as_json(problem))))


def test_a_network_of_the_paper_has_dense_layers_alone():
    (problem,) = (each for each in shared_problems() if each.id == "shared-padded-categorical")
    written = as_json(problem) | {"inputs": 2}
    with pytest.raises(ValueError, match=r"layers\[0\].kind: expected 'dense', got 'convolution'"):
        from_json(written)


def test_arrays_of_the_wrong_shape_are_named():
    problem = shared_problems()[0]
    assert fault_of_arrays(replace(problem, X=problem.X[:, :, :-1])).startswith("X: expected shape (7, 3, 5), got")
    assert fault_of_arrays(replace(problem, bases=problem.bases[:-1])).startswith("bases: arrays: expected shape (3,)")
