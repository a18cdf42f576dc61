"""`kfgn.lab.metrics`: a line for each update, and the errors of invalid lines."""

import json
import math

import pytest

from kfgn.lab import Options, UsageError, read_run, train


def test_each_update_has_a_record(tmp_path):
    run = train(Options("digits", updates=23, evaluate_every=10), tmp_path / "run")
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert records == run.metrics
    assert [record["update"] for record in records] == list(range(24))
    assert [record["update"] for record in records if "train_loss" in record] == [0, 10, 20, 23]
    seconds = [record["seconds"] for record in records]
    assert seconds == sorted(seconds)
    assert seconds[1] > 0
    assert [record["update"] for record in records[1:] if record["rho"] is not None] == [5, 10, 15, 20]
    for record in records[1:]:
        assert record["ok"] is True
        assert record["step_size"] < 0
        assert all(math.isfinite(record[name]) for name in ("loss", "f", "step_size", "tau", "gamma"))


def test_a_damping_that_the_method_does_not_use_is_not_recorded(tmp_path):
    options = Options("digits", method="hessian_free", updates=2)
    records = train(options, tmp_path / "run").metrics[1:]
    assert [record["gamma"] for record in records] == [None, None]
    assert all(record["tau"] > 0 for record in records)


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[]", "expected object, got array"),
        (DEEP, "nested too deeply"),
        ('{"update": 2}', "expected a field seconds, got none"),
        ('{"update": 7, ', "update: expected 2, got 7"),
        ('{"update": "2", ', "update: expected int, got str"),
        ('{"more": 1, "update": 2, ', "expected no field 'more', got one"),
        ('{"update": 2, "update": 2, ', "the name 'update' occurs twice"),
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


def test_the_checkpoint_detects_changed_metrics(folder):
    """A changed digit of a loss is an error, since checkpoints have a hash of the metrics."""
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines()
    record = json.loads(lines[2])
    lines[2] = json.dumps({**record, "loss": record["loss"] + 1})
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(UsageError, match=r"metrics.jsonl is damaged: expected the records of updates 0 to 4"):
        read_run(folder)
