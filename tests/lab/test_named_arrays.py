"""`kfgn.lab.named_arrays`: nested tuples as named leaves, and back."""

from typing import Any, NamedTuple

from kfgn.lab.named_arrays import map_leaves, named_leaves


class Inner(NamedTuple):
    Q: Any
    count: Any


class Outer(NamedTuple):
    t: Any
    curvature: Any
    empty: Any


STATE = Outer(3, Inner((1.0, 2.0), 5), ())


def test_names_are_paths():
    assert dict(named_leaves(STATE)) == {"t": 3, "curvature.Q.0": 1.0, "curvature.Q.1": 2.0, "curvature.count": 5}


def test_the_classes_are_kept():
    changed = map_leaves(STATE, lambda name, leaf: f"{name} {leaf}")
    assert changed == Outer("t 3", Inner(("curvature.Q.0 1.0", "curvature.Q.1 2.0"), "curvature.count 5"), ())
    assert type(changed.curvature) is Inner
