"""`kfgn.lab.batches`: the datapoints of each step."""

import numpy as np

from kfgn.lab.batches import Batches


def test_an_epoch_has_every_datapoint_at_most_once():
    batches = Batches(n=103, N=10, seed=1)
    epochs = [np.concatenate([batches(10 * epoch + i) for i in range(1, 11)]) for epoch in range(3)]
    for seen in epochs:
        assert len(set(seen.tolist())) == 100
        assert set(seen.tolist()) <= set(range(103))
    assert not np.array_equal(epochs[0], epochs[1])
    assert set.union(*(set(seen.tolist()) for seen in epochs)) == set(range(103))


def test_a_batch_is_a_function_of_seed_and_step_alone():
    batches = Batches(n=50, N=7, seed=1)
    later = batches(23).copy()
    batches(2)
    np.testing.assert_array_equal(Batches(50, 7, 1)(23), later)
    assert not np.array_equal(Batches(50, 7, 2)(23), later)
