"""`kfgn.lab.random_streams`: streams at fixed counters, which the draws of the optimisers never reach."""

import numpy as np
import pytest

from kfgn._optimisers.draws import generator
from kfgn.lab.random_streams import BATCHES, INITIAL_WEIGHTS, SPLIT, stream


@pytest.mark.parametrize("kind", [INITIAL_WEIGHTS, BATCHES, SPLIT])
def test_a_stream_starts_at_its_counter(kind):
    """The stream is the highest of the four 64-bit words of the counter."""
    key, counter = np.array([5, 7], dtype=np.uint64), np.array([0, 0, 0, kind], dtype=np.uint64)
    expected = np.random.Generator(np.random.Philox(key=key, counter=counter))
    np.testing.assert_array_equal(stream(kind, 5, 7).random(100), expected.random(100))


def test_streams_differ():
    """Each differs from the others, from those of other seeds and numbers, and from the optimisers' draws."""
    draws = [
        generator(5, 7),
        stream(BATCHES, 5, 7),
        stream(INITIAL_WEIGHTS, 5, 7),
        stream(SPLIT, 5, 7),
        stream(BATCHES, 6, 7),
        stream(BATCHES, 5, 8),
    ]
    assert len({tuple(random.random(3)) for random in draws}) == len(draws)
