"""Moving averages of the parameters (44), (45) and of the Kronecker factors. Each average begins as an exact mean."""

from .._types import Array, Arrays, Namespace


def averaged(xp: Namespace, old: Arrays, new: Arrays, n: Array, beta_max: float) -> Arrays:
    """beta old + (1 - beta) new with beta = min(beta_max, 1 - 1/n), where `new` are the n-th values, n = 1, 2, ...

    n is a 0-d integer array. beta is 0 for n = 1, so the initial `old` has no effect if it is finite.
    """
    exact = 1 - 1 / xp.astype(n, new[0].dtype)
    beta = xp.where(exact < beta_max, exact, xp.full_like(exact, beta_max))
    return tuple(beta * a + (1 - beta) * b for a, b in zip(old, new, strict=True))
