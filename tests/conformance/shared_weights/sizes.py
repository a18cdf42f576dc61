"""The rule for the sizes of a problem with shared weights: a confusion of two sizes must change a shape or a number."""

from itertools import combinations

from kfgn_conformance.problems.layers import Convolution, positions_of


def check_sizes(problem):
    """The numbers of samples, outputs, datapoints, positions and taps differ, and the last three are no multiples."""
    positions = {T for T in map(positions_of, problem.shapes) if T > 1}
    taps = {layer.taps for layer in problem.layers if isinstance(layer, Convolution)}
    S, D = problem.labels.shape[1], problem.widths[-1]
    assert len({S, D, problem.N}) == 3
    assert not positions & {S, D, problem.N}
    for roles in combinations(({problem.N}, positions, taps), 2):
        assert not any(a % b == 0 or b % a == 0 for a in roles[0] for b in roles[1])
