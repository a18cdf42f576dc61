"""A parametrisation of which the default run has each pair of values, and `nox -s thorough` the whole product."""

from itertools import combinations, product

import pytest


def each_pair(**axes):
    """Parametrise a test with the product of the axes.

    Values of one axis run the same code, whatever the others are. So the default run has so many of the cases that
    each value meets each value of every other axis, and the other cases have the mark `thorough`. Of the cases that
    have the most pairs which are still missing, it takes the first.
    """
    cases = {case: set(combinations(enumerate(case), 2)) for case in product(*axes.values())}
    missing, kept = set().union(*cases.values()), set()
    while missing:
        case = max(cases, key=lambda case: len(cases[case] & missing))
        kept.add(case)
        missing -= cases[case]
    marks = {False: pytest.mark.thorough, True: ()}
    params = [pytest.param(*case, marks=marks[case in kept]) for case in cases]
    return pytest.mark.parametrize(list(axes), params, indirect=["backend"] if "backend" in axes else False)
