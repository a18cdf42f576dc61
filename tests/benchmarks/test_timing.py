"""Interleaved rounds on a clock that the calls move, and rates of products."""

import pytest

from benchmarks import timing
from benchmarks.calls import library_of
from benchmarks.rates import Product, measured_shape, products, rates
from benchmarks.timing import Ratio, interleaved, ratio, repeated, repetitions


class Hand:
    """A clock that calls move."""

    def __init__(self):
        self.now, self.calls = 0.0, []

    def __call__(self):
        return self.now

    def call(self, name, seconds):
        def moved():
            self.calls.append(name)
            self.now += seconds() if callable(seconds) else seconds

        return moved


def test_a_slow_round_does_not_change_the_ratio():
    clock = Hand()
    speeds = [1, 1, 1, 1, 5, 5, 1, 1]  # of a, b (warm-up), a, b (first round), a, b (second), b, a (third)

    def seconds(of):
        return lambda: of * speeds[len(clock.calls) - 1]

    calls = {"a": clock.call("a", seconds(3.0)), "b": clock.call("b", seconds(2.0))}
    times = interleaved(calls, 3, clock)
    assert times == {"a": [3.0, 15.0, 3.0], "b": [2.0, 10.0, 2.0]}
    assert ratio(times["a"], times["b"]) == Ratio(1.5, 1.5, 1.5)


def test_rounds_begin_with_different_calls():
    clock = Hand()
    interleaved({name: clock.call(name, 1.0) for name in "ab"}, 2, clock)
    assert clock.calls == ["a", "b", "a", "b", "b", "a"]


class Machine:
    """The clock of the process and the pauses of a program whose threads work for a while after each call."""

    def __init__(self, monkeypatch, working):
        self.used, self.pauses, self.left, self.working = 0.0, 0, 0, working
        monkeypatch.setattr(timing.time, "process_time", lambda: self.used)
        monkeypatch.setattr(timing.time, "sleep", self.sleep)

    def sleep(self, seconds):
        self.pauses += 1
        if self.left:
            self.left -= 1
            self.used += seconds

    def call(self):
        self.left = self.working
        return 1.0


def test_a_call_begins_when_the_threads_of_the_call_before_sleep(monkeypatch):
    machine, clock, left = Machine(monkeypatch, working=20), Hand(), []
    calls = {"a": clock.call("a", machine.call), "b": clock.call("b", lambda: left.append(machine.left) or 1.0)}
    interleaved(calls, 1, clock)
    assert left == [20, 0]  # the warm-up, and the round
    assert machine.pauses == 2 * (20 + 1)  # before each call of the round, the last pause finds no work


def test_the_longest_rest(monkeypatch):
    machine = Machine(monkeypatch, working=10**6)
    machine.call()
    timing.rest()
    assert machine.pauses == timing.LONGEST_REST / timing.PAUSE


def test_a_short_call_is_repeated():
    clock = Hand()
    call = clock.call("a", 0.001)
    number = repetitions(call, clock, shortest=0.01)
    assert number >= 10
    assert repeated(call, number, clock) == pytest.approx(0.001)


def test_a_long_call_is_run_once():
    clock = Hand()
    assert repetitions(clock.call("a", 1.0), clock, shortest=0.01) == 1
    assert clock.calls == ["a"]


def test_the_median_of_ratios_and_the_spread():
    assert ratio([2.0, 3.0, 8.0], [1.0, 1.0, 2.0]) == Ratio(3.0, 2.0, 4.0)


def test_the_highest_rate_of_each_round():
    libraries = [library_of("numpy", "float32")]
    times = {Product((2, 3, 4), "numpy"): [1.0, 0.5], Product((1, 1, 1), "numpy"): [2.0, 2.0], "other": [9.0, 9.0]}
    assert rates(times, libraries) == [{(2, 3, 4): 48.0, (1, 1, 1): 1.0}, {(2, 3, 4): 96.0, (1, 1, 1): 1.0}]


def test_the_rates_of_one_library_and_of_the_fastest():
    numpy, strict = (library_of(name, "float32") for name in ("numpy", "strict"))
    times = {Product((1, 1, 1), "numpy"): [2.0, 0.5], Product((1, 1, 1), "strict"): [1.0, 1.0]}
    assert rates(times, [numpy, strict]) == [{(1, 1, 1): 2.0}, {(1, 1, 1): 4.0}]
    assert rates(times, [numpy]) == [{(1, 1, 1): 1.0}, {(1, 1, 1): 4.0}]
    assert rates(times, []) == []


def test_each_shape_is_measured_once_by_each_library():
    from benchmarks.floor import gradient
    from benchmarks.sizes import Sizes

    libraries = [library_of("numpy", "float32")]
    found = products(libraries, [gradient(Sizes((3, 5), 7)), gradient(Sizes((3, 5), 7))])
    assert set(found) == {Product((7, 4, 5), "numpy"), Product((5, 7, 4), "numpy")}
    assert found[Product((7, 4, 5), "numpy")]().shape == (7, 5)


def test_a_long_product_is_measured_with_fewer_rows():
    assert measured_shape((10**6, 100, 50), 10**6) == (100, 100, 50)
    assert measured_shape((20, 100, 50), 10**6) == (20, 100, 50)
