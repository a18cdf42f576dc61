"""Moving averages that begin as exact means: of parameters (44), (45), and of the factors of the curvature."""

from .._types import Array, Arrays, Namespace


def averaged(xp: Namespace, old: Arrays, new: Arrays, n: Array, most: float) -> Arrays:
    """beta old + (1 - beta) new with beta = min(most, 1 - 1/n), where `new` are the n-th values, n = 1, 2, ...

    n: 0-d integer. beta_1 = 0: what stood there before the first value counts for nothing, NaN excepted.
    """
    exact = 1 - 1 / xp.astype(n, new[0].dtype)
    beta = xp.where(exact < most, exact, xp.full_like(exact, most))
    return tuple(beta * a + (1 - beta) * b for a, b in zip(old, new, strict=True))
