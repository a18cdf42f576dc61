"""Altered files of the kit: the kit reads the same content, or ends with one line that names the file."""

import json
from pathlib import Path

import kfgn_conformance.adapters.peers
import pytest
from kfgn_conformance import cli, golden
from kfgn_conformance.golden.form import FORMAT, sha256
from kfgn_conformance.golden.layout import lines

from .alterations import alterations, restore
from .commands import CHECK, call, fault_of_error, leave_one_case

PEERS = Path(kfgn_conformance.adapters.peers.__file__).parent / "expected.toml"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report of the NumPy backend on one problem."""
    with pytest.MonkeyPatch.context() as patch:
        leave_one_case(patch)
        file = tmp_path_factory.mktemp("report") / "report.jsonl"
        assert call(cli.main, *CHECK, "--jsonl", file).status == cli.PASSED
    return file


def test_report(report, tmp_path, alterations_of_each):
    """A report has no hash, so a changed number in it is accepted."""
    folder, page, faults, drawn = tmp_path / "folder", tmp_path / "page.html", [], 0
    for alteration in alterations(report, alterations_of_each, seed=4):
        restore(folder, report.parent)
        page.unlink(missing_ok=True)
        alteration.apply(folder / "report.jsonl")
        try:
            done = call(cli.main, "report", folder / "report.jsonl", "--html", page)
            fault = fault_of_error(done, "report.jsonl") if done.status else ""
            drawn += not done.status
            if page.exists() == bool(done.status):
                fault = "a page without success, or success without a page"
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        if fault:
            faults.append(f"{alteration.name}: {fault}")
    assert not faults, "\n".join(faults)
    assert drawn < alterations_of_each / 2


def test_expected(tmp_path, alterations_of_each, monkeypatch):
    monkeypatch.setattr(cli, "open_implementations", lambda *_, **__: [])
    monkeypatch.setattr(cli, "problem_set", lambda *_: [])
    faults = []
    (tmp_path / "good").mkdir()
    good, folder = tmp_path / "good" / "expected.toml", tmp_path / "folder"
    good.write_text("[[failure]]".join(PEERS.read_text().split("[[failure]]")[:4]))
    assert call(cli.main, "--expected", good).status == cli.NOTHING_CHECKED
    for alteration in alterations(good, alterations_of_each, seed=5):
        restore(folder, good.parent)
        alteration.apply(folder / "expected.toml")
        try:
            done = call(cli.main, "--expected", folder / "expected.toml")
            fault = "" if done.status == cli.NOTHING_CHECKED else fault_of_error(done, "expected.toml")
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        if fault:
            faults.append(f"{alteration.name}: {fault}")
    assert not faults, "\n".join(faults)


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """A folder with two vectors of the loss."""
    folder = tmp_path_factory.mktemp("vectors")
    written = json.loads((golden.FOLDER / "loss.json").read_text())
    written["vectors"] = written["vectors"][:2]
    shown = set(written["mistakes"]) - set.intersection(*(set(v["hides"]) for v in written["vectors"]))
    written["mistakes"] = {name: text for name, text in written["mistakes"].items() if name in shown}
    for vector in written["vectors"]:
        vector["hides"] = [name for name in vector["hides"] if name in shown]
    (folder / "loss.json").write_text(lines(written))
    _sign(folder)
    return folder


def _sign(folder):
    content = (folder / "loss.json").read_bytes()
    entry = {"sha256": sha256(content), "vectors": 2}
    (folder / "manifest.json").write_text(json.dumps({"format": FORMAT, "vectors": 2, "files": {"loss.json": entry}}))


@pytest.mark.parametrize(("file", "signed"), [("loss.json", False), ("loss.json", True), ("manifest.json", False)])
def test_vectors(file, signed, vectors, tmp_path, alterations_of_each, monkeypatch):
    """Without a new hash in the manifest, every change is a fault. With a new hash, only wrong content is a fault."""
    monkeypatch.setattr("kfgn_conformance.golden.checking.CAN_CERTIFY", False)  # ball arithmetic takes most of the time
    folder, faults = tmp_path / "folder", []
    for alteration in alterations(vectors / file, alterations_of_each, seed=6 + signed):
        restore(folder, vectors)
        alteration.apply(folder / file)
        if signed and (folder / "loss.json").is_file():
            _sign(folder)
        try:
            listed, verified = (call(cli.main, "vectors", action, folder) for action in ("list", "verify"))
            fault = fault_of_error(listed, file) if listed.status else ""
            if verified.status == 1 and not all(line.isprintable() for line in verified.out.splitlines()):
                fault = f"expected no control characters, got {verified.out!r}"
            if verified.status == 1 and file not in verified.out:
                fault = f"expected {file} to be named, got {verified.out!r}"
            if not verified.status and not signed and file == "loss.json":
                fault = "expected a fault, got none"
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        if fault:
            faults.append(f"{alteration.name}: {fault}")
    assert not faults, "\n".join(faults)
