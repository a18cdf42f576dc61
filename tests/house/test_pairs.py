"""The cases of a product that a session runs."""

from itertools import combinations, product
from types import SimpleNamespace

from ..pairs import covering, with_each_value


def test_the_default_cases_have_every_pair_of_values():
    cases = list(product("abc", (1, 2), (True, False), "xyz"))
    kept = covering(cases)
    assert len(kept) < len(cases)
    for i, j in combinations(range(4), 2):
        assert {(case[i], case[j]) for case in kept} == {(case[i], case[j]) for case in cases}


def test_each_value_of_each_argument_is_kept_and_each_test_without_arguments():
    items = [SimpleNamespace(nodeid="test_alone")]
    for name in ("test_first", "test_second"):
        for i, c in product((1, 2, 3), "ab"):
            items.append(SimpleNamespace(nodeid=f"{name}[{i}-{c}]", callspec=SimpleNamespace(params={"i": i, "c": c})))
    kept = ["1-a", "1-b", "2-a", "3-a"]
    expected = ["test_alone", *(f"{name}[{case}]" for name in ("test_first", "test_second") for case in kept)]
    assert [item.nodeid for item in with_each_value(items)] == expected
