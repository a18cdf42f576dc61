"""One step of the recursions (8) and (22), which have the same form."""

from .._types import Array


def pull_back(M: Array, kernel: Array, derivative_products: Array) -> Array:
    """The product B W^T M W B = (W^T M W) * (f' f'^T), (..., D_l, D_l), for W = W_{l+1} without its bias.

    M:                   a matrix (..., D_{l+1}, D_{l+1})
    kernel:              W
    derivative_products: f' f'^T per datapoint
    """
    return (kernel.T @ M @ kernel) * derivative_products
