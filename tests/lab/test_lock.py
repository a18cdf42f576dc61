"""`kfgn.lab.lock`: one process at a time trains in a folder."""

import pytest

from kfgn.lab import Options, UsageError, read_run, resume, train
from kfgn.lab.lock import locked


def test_two_do_not_train_in_one_folder(tmp_path):
    """The second process gets an error and changes nothing. After the first has ended, another may train."""
    options = Options("digits", updates=4, checkpoint_every=2)
    with locked(tmp_path), pytest.raises(UsageError, match=f"{tmp_path}: another process is training in this folder"):
        train(options, tmp_path)
    run = train(options, tmp_path)
    with locked(tmp_path), pytest.raises(UsageError, match="another process"):
        resume(tmp_path, {"updates": 8})
    assert read_run(tmp_path).metrics == run.metrics
    assert resume(tmp_path, {"updates": 8}).updates == 8
