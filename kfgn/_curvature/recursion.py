"""The step of the recursions (8), (22) and (26), and the mean of Kronecker products (7), (16)."""

from .._types import Array, Namespace


def pull_back(M: Array, kernel: Array, derivative_products: Array) -> Array:
    """B W^T M W B = (W^T M W) * (f' f'^T) for M (..., D_{l+1}, D_{l+1}) and W without its bias: (..., D_l, D_l).

    With f' f'^T of each datapoint, this is the step of (8) and (22). With its mean over the batch, it is (26).
    """
    return (kernel.T @ M @ kernel) * derivative_products


def outer(v: Array) -> Array:
    """v v^T of each row: (N, D) to (N, D, D)."""
    return v[:, :, None] * v[:, None, :]


def mean_kron(xp: Namespace, a: Array, M: Array) -> Array:
    """1/N sum_n (a_n a_n^T) kron M_n for a (N, P) and M (N, D, D): (P D, P D).

    The sum over n is one product of matrices, (P^2, N) by (N, D^2).
    """
    (N, P), D = a.shape, M.shape[-1]
    products = xp.reshape(outer(a), (N, P * P)).T @ xp.reshape(M, (N, D * D)) / N
    blocks = xp.permute_dims(xp.reshape(products, (P, P, D, D)), (0, 2, 1, 3))
    return xp.reshape(blocks, (P * D, P * D))
