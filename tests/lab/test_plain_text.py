"""`kfgn.lab.plain_text`: text of users on one line, without control characters."""

import pytest

from kfgn.lab.plain_text import escaped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("adam[lr=0.1]", "adam[lr=0.1]"),
        ("µ 深", "µ 深"),
        ("a\x1b[31m", "a\\x1b[31m"),
        ("a\nb\r\t\x00\x7f", "a\\nb\\r\\t\\x00\\x7f"),
        ("\u202ea\u2066\u200f\ufeff\u2028", "\\u202ea\\u2066\\u200f\\ufeff\\u2028"),
        ("\udcff\ud800", "\\udcff\\ud800"),
        (OSError("x\ny"), "x\\ny"),
    ],
)
def test_escaped(text, shown):
    assert escaped(text) == shown
