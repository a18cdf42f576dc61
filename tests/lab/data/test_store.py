"""`kfgn.lab.data.store`: the places of files, downloads, and the errors for missing files."""

import hashlib
import re
import sys

import pooch
import pytest

from kfgn.lab.data.store import DataFile, DataUnavailableError, check_content, library, locate

CONTENT = b"the content of a file"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = DataFile(("set/plain", "set/packed"), ("https://nowhere.invalid/packed",), SHA256, SHA256)


def place(path, content=CONTENT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def no_download(monkeypatch):
    monkeypatch.setattr(pooch, "retrieve", lambda *args, **kwargs: pytest.fail("something was downloaded"))


@pytest.mark.usefixtures("cache", "no_download")
def test_argument_before_environment(tmp_path, monkeypatch):
    ours, theirs = (place(tmp_path / owner / "set/plain") for owner in ("ours", "theirs"))
    monkeypatch.setenv("KFGN_DATA", str(tmp_path / "theirs"))
    assert locate(FILE, tmp_path / "ours") == locate(FILE, str(tmp_path / "ours")) == ours
    assert locate(FILE) == theirs


@pytest.mark.usefixtures("no_download")
def test_environment_before_cache(tmp_path, cache, monkeypatch):
    in_cache, named = place(cache / "set/plain"), place(tmp_path / "named/set/plain")
    assert locate(FILE) == in_cache
    monkeypatch.setenv("KFGN_DATA", "")
    assert locate(FILE) == in_cache
    monkeypatch.setenv("KFGN_DATA", str(tmp_path / "named"))
    assert locate(FILE) == named


@pytest.mark.usefixtures("cache", "no_download")
def test_tilde_is_home(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    plain = place(tmp_path / "data/set/plain")
    assert locate(FILE, "~/data") == plain


@pytest.mark.usefixtures("cache", "no_download")
def test_names_in_order(tmp_path):
    packed = place(tmp_path / "set/packed")
    assert locate(FILE, tmp_path) == packed
    plain = place(tmp_path / "set/plain")
    assert locate(FILE, tmp_path) == plain


@pytest.mark.usefixtures("cache", "no_download")
@pytest.mark.parametrize("by_argument", [True, False])
def test_missing_in_a_named_folder(tmp_path, monkeypatch, by_argument):
    """The error names each path. Nothing is downloaded."""
    folder = tmp_path / "empty"
    if not by_argument:
        monkeypatch.setenv("KFGN_DATA", str(folder))
    with pytest.raises(DataUnavailableError, match=r"is downloaded only if neither an argument nor KFGN_DATA") as error:
        locate(FILE, folder if by_argument else None)
    assert f"expected {folder / 'set/plain'} or {folder / 'set/packed'};" in str(error.value)


def test_download_once(cache, server):
    served, url, asked = server
    place(served / "packed")
    file = FILE._replace(urls=(url + "packed",))
    for _ in range(2):
        path = locate(file)
        assert path == cache / "set/packed"
        assert path.read_bytes() == CONTENT
    assert asked == ["/packed"]


def test_mirrors_in_turn(cache, server):
    """The first address lacks the file, the second has a wrong one, the third is right, and the fourth is not tried."""
    served, url, asked = server
    place(served / "other/packed", b"another")
    place(served / "packed")
    locate(FILE._replace(urls=tuple(url + p for p in ("missing/packed", "other/packed", "packed", "never/packed"))))
    assert asked == ["/missing/packed", "/other/packed", "/packed"]
    assert (cache / "set/packed").read_bytes() == CONTENT


def test_failed_download(cache, server):
    """One line has the reason for each address, and the path for a copy by hand. No partial file remains."""
    served, url, _ = server
    place(served / "other/packed", b"another")
    urls = (url + "missing/packed", url + "other/packed", "http://127.0.0.1:1/packed")
    with pytest.raises(DataUnavailableError) as error:
        locate(FILE._replace(urls=urls))
    reasons = (
        "the server answered with status 404",
        "the served file has a wrong SHA-256",
        "no connection",
    )
    failures = "; ".join(f"{url}: {reason}" for url, reason in zip(urls, reasons, strict=True))
    by_hand = f"place it by hand as {cache / 'set/plain'} or {cache / 'set/packed'}"
    assert str(error.value) == (
        f"packed could not be downloaded ({failures}): {by_hand}, or in a folder that KFGN_DATA names"
    )
    assert not list((cache / "set").iterdir())


@pytest.mark.usefixtures("no_download")
@pytest.mark.parametrize("folder", ["x" * 300, "~no-such-user/data"])
def test_an_impossible_folder(folder):
    with pytest.raises(DataUnavailableError, match=r"^[x~].*expected") as error:
        locate(FILE, folder)
    assert folder in str(error.value)


def test_content(tmp_path):
    check_content(FILE, tmp_path, CONTENT)
    found = hashlib.sha256(b"another").hexdigest()
    with pytest.raises(DataUnavailableError, match=rf"{re.escape(str(tmp_path))} is damaged.*{SHA256}, got {found}"):
        check_content(FILE, tmp_path, b"another")


def test_missing_library(cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(
        DataUnavailableError, match=r"pooch, which a download needs, is not.*: pip install 'kfgn\[train\]'"
    ):
        locate(FILE)
    assert place(cache / "set/plain") == locate(FILE, cache)  # a named folder does not need pooch


def test_library_by_its_name():
    assert library("pooch", "a download") is pooch
