"""`kfgn.lab.run_folder`: an invalid configuration is one line with the file, the field and the expected value."""

import json

import pytest

from kfgn.lab import Options, UsageError, compare, read_run, resume

DEEP = "[" * 100_000 + "]" * 100_000


def in_configuration(change):
    def edit(text):
        saved = json.loads(text)
        change(saved)
        return json.dumps(saved)

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: "", "expected JSON: Expecting value"),
        (lambda text: "[]", "expected object, got array"),
        (lambda text: "null", "expected object, got null"),
        (lambda text: DEEP, "expected JSON, got brackets that are nested too deeply"),
        (lambda text: '{"options": ' + DEEP + "}", "nested too deeply"),
        (lambda text: text.replace("{", '{"hash": "", ', 1), "the name 'hash' occurs twice in an object"),
        (lambda text: text.replace('"seed": 0', '"seed": NaN'), "JSON has no NaN"),
        (lambda text: text.replace('"seed": 0', '"seed": 1e999'), "the number 1e999 is too large"),
        (lambda text: text.replace('"seed": 0', '"seed": ' + "9" * 5000), "expected JSON"),
        (in_configuration(lambda saved: saved.pop("network")), "expected a field network, got none"),
        (in_configuration(lambda saved: saved.update(more=1)), "expected no field 'more', got one"),
        (in_configuration(lambda saved: saved["options"].update(more=1)), "options: expected no field 'more', got one"),
        (in_configuration(lambda saved: saved.update(options=[])), "options: expected object, got array"),
        (in_configuration(lambda saved: saved["options"].update(updates="4")), "updates: expected int | null, got str"),
        (in_configuration(lambda saved: saved["options"].update(updates=-4)), "updates: expected"),
        (in_configuration(lambda saved: saved["options"].update(seed=True)), "seed: expected int, got bool"),
        (in_configuration(lambda saved: saved["data"].update(sizes=None)), "data.sizes: expected object, got null"),
        (in_configuration(lambda saved: saved["versions"].pop("kfgn")), "versions: expected the version of kfgn, got"),
        (in_configuration(lambda saved: saved.pop("format")), "format: expected 5, got none, as in formats before 3"),
        (in_configuration(lambda saved: saved.update(format=4)), "format: expected 5, got 4"),
        (in_configuration(lambda saved: saved.update(format="4")), "format: expected 5, got '4'"),
        (in_configuration(lambda saved: saved.update(format=True)), "format: expected 5, got True"),
        (in_configuration(lambda saved: saved["options"].update(device="cpu")), "options: expected no field 'device'"),
        (in_configuration(lambda saved: saved["options"].update(batch=100)), "hash: expected the hash of the options"),
        (in_configuration(lambda saved: saved["network"].update(inputs=65)), "hash: expected the hash of the options"),
    ],
)
@pytest.mark.parametrize("reader", [read_run, resume])
def test_configuration(edit, message, reader, folder):
    path = folder / "configuration.json"
    path.write_text(edit(path.read_text()))
    with pytest.raises(UsageError) as error:
        reader(folder)
    assert str(path) in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_paths_that_are_not_runs(tmp_path):
    compare(Options("digits", updates=1), ["adam"], tmp_path / "c")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    found = {
        "c": "the folder of a comparison, whose subfolders are the runs",
        "empty": "a folder without the file configuration.json",
        "file": "a file",
        "missing": "no folder",
    }
    for name, kind in found.items():
        for reader in (read_run, resume):
            with pytest.raises(UsageError, match=rf"{name}: expected the folder of a run, got {kind}$"):
                reader(tmp_path / name)


@pytest.mark.parametrize("content", [b"\xff\xfe", "µ".encode("utf-16"), b"\xef\xbb\xbf{}", b"{}\x00"])
@pytest.mark.parametrize("name", ["configuration.json", "metrics.jsonl"])
def test_a_wrong_encoding(name, content, folder):
    (folder / name).write_bytes(content + b"\n")
    with pytest.raises(UsageError, match=rf"{name}.*: expected JSON"):
        read_run(folder)


@pytest.mark.parametrize("name", ["configuration.json", "metrics.jsonl"])
def test_a_folder_instead_of_a_file(name, folder):
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(UsageError, match=rf"{name}: expected a file that can be read: "):
        read_run(folder)
