"""One step of the recursions (8), (22) and (26), which have the same form."""

from .._types import Array


def pull_back(M: Array, kernel: Array, derivative_products: Array) -> Array:
    """B W^T M W B = (W^T M W) * (f' f'^T) for M (..., D_{l+1}, D_{l+1}) and W without its bias: (..., D_l, D_l).

    With f' f'^T per datapoint, this product is the step of (8) and (22). With the mean of f' f'^T over the batch, this
    product is the step of (26).
    """
    return (kernel.T @ M @ kernel) * derivative_products
