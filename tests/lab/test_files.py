"""Files of a run that are not what they should be: one line names the file, the field and what was expected."""

import json

import pytest

from kfgn.lab import Options, UsageError, read_run, resume, train
from kfgn.lab.checkpoint import checkpoints
from kfgn.lab.plain import plain

DEEP = "[" * 100_000 + "]" * 100_000


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return train(Options("digits", updates=4, checkpoint_every=2), tmp_path_factory.mktemp("good")).folder


@pytest.fixture
def folder(good, tmp_path):
    for path in good.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


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
        (lambda text: DEEP, "expected JSON, got brackets that are nested too deep"),
        (lambda text: '{"options": ' + DEEP + "}", "nested too deep"),
        (lambda text: text.replace("{", '{"hash": "", ', 1), "the name 'hash' stands twice in an object"),
        (lambda text: text.replace('"seed": 0', '"seed": NaN'), "there is no NaN in JSON"),
        (lambda text: text.replace('"seed": 0', '"seed": 1e999'), "1e999 is too large a number"),
        (lambda text: text.replace('"seed": 0', '"seed": ' + "9" * 5000), "expected JSON"),
        (in_configuration(lambda saved: saved.pop("network")), "expected a field network"),
        (in_configuration(lambda saved: saved.update(more=1)), "expected no field 'more'"),
        (in_configuration(lambda saved: saved["options"].update(more=1)), "options: expected no field 'more'"),
        (in_configuration(lambda saved: saved.update(options=[])), "options: expected object, got array"),
        (in_configuration(lambda saved: saved["options"].update(updates="4")), "updates: expected int | null, got str"),
        (in_configuration(lambda saved: saved["options"].update(updates=-4)), "updates: expected"),
        (in_configuration(lambda saved: saved["options"].update(seed=True)), "seed: expected int, got bool"),
        (in_configuration(lambda saved: saved["data"].update(n=None)), "data.n: expected int, got null"),
        (in_configuration(lambda saved: saved["versions"].pop("kfgn")), "versions: expected that of kfgn, got none"),
        (in_configuration(lambda saved: saved["options"].update(batch=100)), "hash: expected that of its options"),
        (in_configuration(lambda saved: saved["network"].update(inputs=65)), "hash: expected that of its"),
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


@pytest.mark.parametrize("content", [b"\xff\xfe", "µ".encode("utf-16"), b"\xef\xbb\xbf{}", b"{}\x00"])
@pytest.mark.parametrize("name", ["configuration.json", "metrics.jsonl"])
def test_another_encoding(name, content, folder):
    (folder / name).write_bytes(content + b"\n")
    with pytest.raises(UsageError, match=rf"{name}.*: expected JSON"):
        read_run(folder)


@pytest.mark.parametrize("name", ["configuration.json", "metrics.jsonl"])
def test_a_folder_in_the_place_of_a_file(name, folder):
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(UsageError, match=rf"{name}: expected a file that can be read: "):
        read_run(folder)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[]", "expected object, got array"),
        (DEEP, "nested too deep"),
        ('{"update": 2}', "expected a field seconds"),
        ('{"update": 7, ', "update: expected 2, got 7"),
        ('{"update": "2", ', "update: expected int, got str"),
        ('{"more": 1, "update": 2, ', "expected no field 'more'"),
        ('{"update": 2, "update": 2, ', "the name 'update' stands twice"),
    ],
)
def test_a_line_of_the_metrics(line, message, folder):
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines()
    assert lines[2].startswith('{"update": 2, ')
    lines[2] = line if line.endswith(("}", "]")) else lines[2].replace('{"update": 2, ', line)
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(UsageError) as error:
        read_run(folder)
    assert f"{path}: line 3: " in str(error.value)
    assert message in str(error.value)


def test_the_checkpoint_covers_the_metrics(folder):
    """A digit of a loss that has changed is no other loss."""
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines()
    row = json.loads(lines[2])
    lines[2] = json.dumps({**row, "loss": row["loss"] + 1})
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(UsageError, match=r"metrics.jsonl is damaged: expected the rows of the updates 0 to 4"):
        read_run(folder)


def test_a_checkpoint_of_before_is_named(folder):
    """Format 1, whose digest left out the metadata, is not read."""
    for path in checkpoints(folder):
        path.write_bytes(path.read_bytes().replace(b'"format":"2"', b'"format":"1"'))
    with (
        pytest.warns(UserWarning, match="format: expected 2, got '1'"),
        pytest.raises(RuntimeError, match=r"none of its checkpoints is whole: .*format: expected 2, got '1'"),
    ):
        resume(folder, {"updates": 6})


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
def test_text_is_plain(text, shown):
    assert plain(text) == shown
