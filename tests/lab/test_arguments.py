"""`kfgn.lab.arguments`: paths of any kind, and everything that is not a path."""

from pathlib import Path

import pytest

from kfgn.lab import Options, UsageError, compare, read_run, resume, train


def test_folders_are_paths_of_any_kind(tmp_path):
    assert Options("digits", updates=1, data_folder=Path("a")).data_folder == str(Path.cwd() / "a")
    train(Options("digits", updates=1), str(tmp_path / "a"))
    assert read_run(str(tmp_path / "a")) == read_run(tmp_path / "a")


@pytest.mark.parametrize("out", ["", "a\0b", b"a", 3, None, ["a"]])
def test_values_that_are_not_paths(out):
    options = Options("digits", updates=1)
    for call in (
        lambda: train(options, out),
        lambda: compare(options, ["kfra"], out),
        lambda: resume(out),
        lambda: read_run(out),
    ):
        with pytest.raises(UsageError, match=r"^(out|folder): expected a path, got "):
            call()
