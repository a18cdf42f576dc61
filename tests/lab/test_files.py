"""`kfgn.lab.files`: a file has its old content or its new content, and nothing between."""

import pathlib

import pytest

from kfgn.lab.files import resolved, write_atomically


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "file"
    for content in (b"old", b"new"):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("method", ["open", "replace"])
def test_a_failed_write_keeps_the_old_content(method, tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fails(*_args, **_options):
        raise OSError(28, "No space left on device", "a temporary name")

    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, method, fails)
        with pytest.raises(OSError, match="No space left on device") as error:
            write_atomically(path, b"new")
    assert error.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_circular_links(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(link)
    assert resolved(link).name == "link"
