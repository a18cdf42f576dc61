"""`kfgn.lab.comparison_folder`: the runs of a folder in the order of `compare`, and the file `comparison.json`."""

import errno
import json
import os

import pytest

from kfgn.lab import Options, UsageError, compare, train
from kfgn.lab.comparison_folder import comparisons_in, read_comparison, runs_in
from kfgn.lab.run_folder import COMPARISON

METHODS = ["kfra", "adam:0.01", "adam:0.001"]


def names(folder):
    return [run.folder.relative_to(folder).as_posix() for run in runs_in(folder)]


def test_runs_and_comparisons_in_a_folder(tmp_path):
    """The runs of a folder, and those of the comparisons in it."""
    adam = Options("digits", updates=2)
    for folder in ("one", "two"):
        compare(adam, ["adam:0.01"], tmp_path / folder)
    train(Options("digits", updates=1), tmp_path / "alone")
    assert names(tmp_path) == ["alone", "one/adam-0.01", "two/adam-0.01"]
    assert [run.updates for run in runs_in(tmp_path / "alone")] == [1]
    assert [comparison.folder.name for comparison in comparisons_in(tmp_path)] == ["one", "two"]
    assert comparisons_in(tmp_path / "alone") == []


def test_runs_at_any_depth_are_found(tmp_path):
    """A link to a folder above does not lead to an endless search."""
    deep = tmp_path / "2026" / "digits" / "seeds"
    train(Options("digits", updates=1), deep / "1")
    compare(Options("digits", updates=1), ["kfra"], deep / "more" / "c")
    (deep / "again").symlink_to(tmp_path, target_is_directory=True)
    assert names(tmp_path) == ["2026/digits/seeds/1", "2026/digits/seeds/more/c/kfra"]
    assert [comparison.folder for comparison in comparisons_in(tmp_path)] == [deep / "more" / "c"]


def test_files_of_other_programs_and_hidden_folders_are_left_out(tmp_path):
    train(Options("digits", updates=1), tmp_path / "runs" / "a")
    train(Options("digits", updates=1), tmp_path / ".trash" / "b")
    for name in ("configuration.json", COMPARISON):
        other = tmp_path / "other" / name.partition(".")[0]
        other.mkdir(parents=True)
        (other / name).write_text('{"theme": "dark"}')
    (tmp_path / "latest").symlink_to(tmp_path / "runs" / "a", target_is_directory=True)
    assert names(tmp_path) == ["latest"]
    assert comparisons_in(tmp_path) == []


@pytest.fixture
def closed(tmp_path, monkeypatch):
    """A folder that can be listed, but whose files this process may not open, as with the mode 644."""
    folder = tmp_path / "closed"
    (folder / "inside").mkdir(parents=True)
    stat = os.stat

    def refusing(path, *arguments, **options):
        if folder in getattr(path, "parents", ()):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", refusing)
    return folder


@pytest.mark.usefixtures("closed")
def test_a_folder_whose_files_may_not_be_opened_is_left_out(tmp_path):
    train(Options("digits", updates=1), tmp_path / "runs" / "a")
    assert names(tmp_path) == ["runs/a"]
    assert comparisons_in(tmp_path) == []


def test_a_link_into_such_a_folder_is_left_out(tmp_path, closed):
    train(Options("digits", updates=1), tmp_path / "runs" / "a")
    (tmp_path / "runs" / "link").symlink_to(closed / "inside", target_is_directory=True)
    stat = os.stat

    def following(path, *arguments, **options):
        is_link = path == tmp_path / "runs" / "link" and options.get("follow_symlinks", True)
        return stat(closed / "inside" if is_link else path, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "stat", following)
        assert names(tmp_path / "runs") == ["a"]


def test_the_runs_have_the_order_of_the_methods(tmp_path):
    compared = compare(Options("digits", updates=1), METHODS, tmp_path / "c")
    assert runs_in(tmp_path / "c") == compared
    train(Options("digits", updates=1), tmp_path / "c" / "a")  # a run that is not in the comparison
    assert names(tmp_path) == ["c/kfra", "c/adam-0.01", "c/adam-0.001", "c/a"]
    compare(Options("digits", updates=1), METHODS[::-1], tmp_path / "c")
    assert names(tmp_path) == ["c/adam-0.001", "c/adam-0.01", "c/kfra", "c/a"]
    (tmp_path / "c" / COMPARISON).unlink()
    assert names(tmp_path) == ["c/a", "c/adam-0.001", "c/adam-0.01", "c/kfra"]


def test_the_arguments_of_compare_are_read_again(tmp_path):
    options = Options("digits", updates=1, widths=(64, 10), transfers=None, seed=3)
    compare(options, METHODS, tmp_path)
    found = read_comparison(tmp_path)
    assert list(found.methods) == METHODS
    assert Options(**found.options) == options


def test_nothing_is_written_before_every_run_can_start(tmp_path):
    (tmp_path / "c" / "adam-0.01").mkdir(parents=True)
    (tmp_path / "c" / "adam-0.01" / "thesis.tex").touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=r"adam-0.01 is not empty; choose another folder"):
        compare(Options("digits", updates=1), METHODS, tmp_path / "c")
    with pytest.raises(UsageError, match=r"batch: expected at most 1258"):
        compare(Options("digits", updates=1, batch=2000), ["kfra"], tmp_path / "c")
    assert sorted(tmp_path.rglob("*")) == before


def test_options_that_differ_from_a_run_change_nothing(tmp_path):
    """The run by kflr would be trained first, and the command to continue would be a command that fails."""
    compare(Options("digits", updates=2), ["kfra"], tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=r"^tau: expected 0\.01, as in .*kfra, got 0\.5"):
        compare(Options("digits", updates=2, tau=0.5), ["kflr", "kfra"], tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"format": 4}, "format: expected 5, got 4; another version of kfgn wrote this file"),
        ({"methods": "kfra"}, "methods: expected array, got str"),
        ({"methods": ["../a"]}, r"methods: expected names of methods, got '\.\./a'"),
        ({"methods": ["a\x1b"]}, r"methods: expected names of methods, got 'a\\x1b'"),
        ({"more": 1}, "expected no field 'more', got one"),
        ({"options": {"data": "digits", "updates": -1}}, "options: updates: expected a positive integer"),
        ({"options": {"data": "digits", "updates": 1, "old": 1}}, "options: expected no field 'old'"),
    ],
)
def test_an_invalid_file_is_one_line(edit, message, tmp_path):
    compare(Options("digits", updates=1), ["adam:0.01"], tmp_path)
    path = tmp_path / COMPARISON
    path.write_text(json.dumps(json.loads(path.read_text()) | edit))
    with pytest.raises(UsageError, match=message) as error:
        runs_in(tmp_path)
    assert str(path) in str(error.value)
    assert str(error.value).isprintable()
