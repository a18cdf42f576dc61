"""Parametrisations of which the default run has a part, and `nox -s thorough` the whole product."""

from itertools import combinations, product

import pytest

ON_HOST = {"torch-cuda": "torch", "cupy": "torch", "jax-cuda": "jax"}
"""For each backend of a GPU, the backend of the host whose cases the default run has on this backend too."""


def each_pair(**axes):
    """Parametrise a test with the product of the axes.

    A fault usually depends on at most two of the arguments. The default run has so many cases that each value meets
    each value of every other axis on a backend of the host. The other cases have the mark `thorough`.
    """
    cases = list(product(*axes.values()))
    kept = covering([case for case in cases if ON_HOST.keys().isdisjoint(case)])
    marks = {False: pytest.mark.thorough, True: ()}
    params = [pytest.param(*case, marks=marks[tuple(ON_HOST.get(x, x) for x in case) in kept]) for case in cases]
    return pytest.mark.parametrize(list(axes), params, indirect=["backend"] if "backend" in axes else False)


def each_value(**axes):
    """Parametrise a test with the product of two axes, of which the default run has each value.

    The second axis is at least as long as the first. The other cases have the mark `thorough`.
    """
    first, second = axes.values()
    params = [
        pytest.param(a, b, marks=() if j % len(first) == i else pytest.mark.thorough)
        for i, a in enumerate(first)
        for j, b in enumerate(second)
    ]
    return pytest.mark.parametrize(list(axes), params)


def few_on_jax(backends, on_jax, **axis):
    """Parametrise a test with each backend and each value of an axis. The default run on JAX has those of `on_jax`.

    JAX compiles every operation for every shape and dtype. The other cases have the mark `thorough`.
    """
    ((name, values),) = axis.items()
    params = [
        pytest.param(backend, value, marks=pytest.mark.thorough if "jax" in backend and value not in on_jax else ())
        for backend in backends
        for value in values
    ]
    return pytest.mark.parametrize(("backend", name), params, indirect=["backend"])


def covering(cases):
    """Choose cases that together have every pair of values, always the first of those with the most missing pairs."""
    pairs = {case: set(combinations(enumerate(case), 2)) for case in cases}
    missing, kept = set().union(*pairs.values()), set()
    while missing:
        case = max(pairs, key=lambda case: len(pairs[case] & missing))
        kept.add(case)
        missing -= pairs[case]
    return kept


def with_each_value(items: list[pytest.Item]) -> list[pytest.Item]:
    """Keep a case of a parametrised test if one of its arguments has a value that no case before it has."""
    kept, seen = [], set()
    for item in items:
        arguments = item.callspec.params if hasattr(item, "callspec") else {"": ""}
        values = {(item.nodeid.partition("[")[0], name, repr(value)) for name, value in arguments.items()}
        if not values <= seen:
            kept.append(item)
        seen |= values
    return kept
