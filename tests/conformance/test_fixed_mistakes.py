"""Mistakes that pass on every case, and fail on batches of other sizes or networks of other shapes."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from kfgn_conformance import QUANTITIES, Status
from kfgn_conformance.adapters import Description, UnsupportedError
from kfgn_conformance.diagnosis.textbook import Textbook
from kfgn_conformance.judging import compare, judge
from kfgn_conformance.oracle import Oracle
from kfgn_conformance.problems.cases import PAIRED, cases
from kfgn_conformance.problems.fixed import BATCHES, SHAPES, fixed
from kfgn_conformance.problems.layers import name_of
from kfgn_reference import TRANSFERS

DTYPES = ("float32", "float64")

oracle = cache(Oracle)


class SquareWeightsTransposed(Textbook):
    """Square weights are transposed in the backward pass."""

    def kernel(self, l):
        W = super().kernel(l)
        return W.T if W.shape[0] == W.shape[1] else W


class LastColumnTakenForTheBias(Textbook):
    """No derivative is propagated through the last column of a matrix, also if the layer has no bias."""

    def kernel(self, l):
        W = super().kernel(l)
        return W if self.has_bias(l) else np.hstack([W[:, :-1], 0 * W[:, -1:]])


class ParametersIgnored(Textbook):
    """Every transfer function has its default parameter."""

    def transfer(self, l):
        return TRANSFERS[name_of(self.problem.transfers[l - 1])]


class TwoHiddenLayersAlone(Textbook):
    """The backward pass ends after three layers."""

    def propagated(self, rows):
        return {l: v if l > self.L - 3 else 0 * v for l, v in super().propagated(rows).items()}


class OmegaUnguarded(Textbook):
    """omega is the square root of a quotient of traces, even if the second trace is 0."""

    def omega(self, Q, G, norm="trace"):
        return np.sqrt(self.relative_norm(Q, norm) / self.relative_norm(G, norm))


def part(problem, rows):
    """Return the problem on some of its datapoints."""
    V, U, Z, *dampings = problem.arguments
    return replace(
        problem,
        **{name: getattr(problem, name)[rows] for name in ("X", "Y", "labels", "draws")},
        arguments=type(problem.arguments)(V, U[rows], Z[rows], *dampings),
    )


def mean_of_parts(problem, quantity, size):
    """Average the answers on chunks of `size` datapoints. The last chunk may be smaller."""
    starts = range(0, problem.N, size)
    answers = [Textbook(part(problem, slice(i, i + size))).answer(quantity) for i in starts]
    return tuple(np.mean(arrays, axis=0) for arrays in zip(*answers, strict=True))


def by(textbook):
    """Return a function that gives the answers of a textbook."""
    return lambda problem, quantity: textbook(problem).answer(quantity)


def squeezed(problem, quantity):
    """Drop axes of length 1."""
    return tuple(np.squeeze(array) for array in Textbook(problem).answer(quantity))


def one_label_broadcast(problem, quantity):
    """Broadcast the labels of the first datapoint if there is one sample per datapoint."""
    p = replace(problem, labels=np.broadcast_to(problem.labels[:1], problem.labels.shape))
    return Textbook(p if problem.labels.shape[1] == 1 else problem).answer(quantity)


def from_the_hidden_layers(problem, quantity):
    """Begin the loop with the last hidden layer."""
    assert problem.transfers[-1:], "no hidden layer"
    return Textbook(problem).answer(quantity)


def second_layer_first(problem, quantity):
    """Assume that the layer below the last is the second layer."""
    arrays = Textbook(problem).answer(quantity)
    return arrays if len(problem.layers) > 2 else (0 * arrays[0], *arrays[1:])


class Planted(NamedTuple):
    """A mistake.

    answer:   its answer for a problem and a quantity
    quantity: a quantity that it changes
    on:       the ids of the problems on which it fails, in both dtypes
    """

    answer: Callable[[Any, str], Any]
    quantity: str
    on: set[str]


PLANTED = {
    "chunks-of-32": Planted(
        lambda p, q: mean_of_parts(p, q, 32),
        "gradient",
        {"batch-33-categorical", "batch-130-squared_error", "batch-257-categorical"},
    ),
    "chunks-of-128": Planted(
        lambda p, q: mean_of_parts(p, q, 128),
        "kflr",
        {"batch-130-squared_error", "batch-257-categorical"},
    ),
    "chunks-of-256": Planted(lambda p, q: mean_of_parts(p, q, 256), "q", {"batch-257-categorical"}),
    "at-most-128-datapoints": Planted(
        lambda p, q: Textbook(p.head(128)).answer(q),
        "loss",
        {"batch-130-squared_error", "batch-257-categorical"},
    ),
    "a-third-of-two": Planted(
        lambda p, q: Textbook(p if p.N // 3 else p.head(1)).answer(q), "gradient", {"batch-2-squared_error"}
    ),
    "square-weights-transposed": Planted(by(SquareWeightsTransposed), "gradient", {"shape-square-layers-categorical"}),
    "from-the-hidden-layers": Planted(from_the_hidden_layers, "kfac", {"shape-1-layer-squared_error"}),
    "second-layer-first": Planted(second_layer_first, "kflr", {"shape-2-layers-bernoulli"}),
    "two-hidden-layers-alone": Planted(
        by(TwoHiddenLayersAlone), "gradient", {"shape-4-layers-categorical", "shape-5-layers-squared_error"}
    ),
    "squeezed-unit": Planted(squeezed, "kflr", {"shape-one-hidden-unit-categorical", "shape-one-output-bernoulli"}),
    "squeezed-datapoint": Planted(squeezed, "jacobian_product", {"shape-one-datapoint-squared_error"}),
    "one-label-broadcast": Planted(one_label_broadcast, "kfac", {"shape-one-label-categorical"}),
    "last-column-taken-for-the-bias": Planted(
        by(LastColumnTakenForTheBias), "gradient", {"shape-without-biases-categorical", "shape-some-biases-bernoulli"}
    ),
    "parameters-ignored": Planted(by(ParametersIgnored), "loss", {"shape-parameters-squared_error"}),
    "omega-unguarded": Planted(by(OmegaUnguarded), "omega", {"shape-dead-layer-categorical"}),
}


def status(planted, problem, dtype):
    """Return the status of the answer of a mistake."""
    with np.errstate(all="ignore"):
        try:
            answer = planted.answer(problem, planted.quantity)
        except AssertionError:
            return Status.ERROR
    arrays = tuple(array.astype(dtype) for array in answer)
    return compare(arrays, oracle(problem, QUANTITIES[planted.quantity]), dtype).verdict.status


@pytest.mark.parametrize("name", PLANTED)
def test_a_mistake_that_every_case_passes_fails_on_the_problems_that_are_for_it(name):
    planted = PLANTED[name]
    for dtype in DTYPES:
        assert {status(planted, problem, dtype) for problem in cases()} == {Status.PASS}
    for problem in fixed():
        for dtype in DTYPES if problem.id in planted.on else ():
            assert status(planted, problem, dtype) in (Status.FAIL, Status.ERROR), problem.id


def test_every_batch_size_and_shape_shows_a_mistake():
    assert set().union(*(planted.on for planted in PLANTED.values())) == set(BATCHES) | set(SHAPES)


class OneTransfer:
    """An implementation for networks with one transfer function. Its gradient of the second layer is doubled."""

    def __init__(self, transfer):
        self.transfer = transfer

    def describe(self):
        return Description("one", "0", "float64", frozenset({"gradient"}))

    def compute(self, problem, quantity):
        if set(problem.transfers) != {self.transfer}:
            raise UnsupportedError("takes one transfer function")
        first, second, *others = Textbook(problem).answer(quantity)
        return first, 2 * second, *others


@pytest.mark.parametrize("transfer", PAIRED)
def test_an_implementation_of_one_transfer_function_is_asked(transfer):
    """No case is a network of one transfer function."""
    adapter = OneTransfer(transfer)
    assert {judge(adapter, p, QUANTITIES["gradient"]).status for p in cases()} == {Status.UNIMPLEMENTED}
    for objective in ("squared_error", "categorical"):
        (problem,) = (p for p in fixed() if p.id == f"throughout-{transfer}-{objective}")
        assert judge(adapter, problem, QUANTITIES["gradient"]).status is Status.FAIL
