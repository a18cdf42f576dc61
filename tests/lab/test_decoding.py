"""`kfgn.lab.decoding`: JSON that is checked against a typed dictionary, and errors of one line."""

from typing import TypedDict

import pytest

from kfgn.lab.decoding import checked, content_of, decoded
from kfgn.lab.errors import FileError


class Inner(TypedDict):
    """A record in a record."""

    n: int


class Outer(TypedDict):
    """A record."""

    name: str
    inner: Inner


GOOD = b'{"name": "a", "inner": {"n": 1}}'


def test_a_record_is_returned_unchanged():
    assert decoded(GOOD, Outer, "file") == {"name": "a", "inner": {"n": 1}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "file: expected JSON: Expecting value"),
        (b"\xff", "file: expected JSON: 'utf-8' codec can't decode"),
        (b"[1]", "file: expected object, got array"),
        (b'{"name": "a"}', "file: expected a field inner, got none"),
        (b'{"name": 1, "inner": {"n": 1}}', "file: name: expected str, got int"),
        (b'{"name": "a", "inner": {"n": "1"}}', "file: inner.n: expected int, got str"),
        (b'{"name": "a", "inner": {"n": 1, "m": 2}}', "file: expected no field 'm' in inner, got one"),
        (b'{"name": "a", "name": "b"}', "file: expected JSON: the name 'name' occurs twice in an object"),
        (b'{"name": NaN}', "file: expected JSON: JSON has no NaN"),
        (b'{"name": 1e999}', "file: expected JSON: the number 1e999 is too large"),
        (b'{"name": "a", "inner": {"\\ud800": 1}}', "file: expected text, got a lone surrogate"),
        (b"[" * 100_000, "file: expected JSON, got brackets that are nested too deeply"),
    ],
)
def test_invalid_content(content, message):
    with pytest.raises(FileError) as error:
        decoded(content, Outer, "file")
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_value_of_another_type_is_not_converted():
    with pytest.raises(FileError, match=r"^place: expected int, got str$"):
        checked("1", int, "place")


@pytest.mark.parametrize("name", ["folder", "a\0b"])
def test_files_that_cannot_be_read(name, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match=r": expected a file that can be read: "):
        content_of(tmp_path / name)
    with pytest.raises(FileError, match=r"missing: expected a file, got none$"):
        content_of(tmp_path / "missing")
