"""The formulas of the paper as plain array code for tanh networks: the work of kfgn without its generality.

The functions run on NumPy, PyTorch and CuPy, check nothing and handle no special case. Weights have the bias in the
last column. Each function returns sums over the batch that are divided by N at once.
"""

from collections.abc import Callable, Sequence
from typing import Any

Arrays = Sequence[Any]


def forward(xp: Any, W: Arrays, X: Any) -> tuple[list[Any], Any]:
    """(1): the inputs of each layer with the appended unit, and the outputs h_L."""
    inputs = [_with_unit(xp, X)]
    for W_l in W[:-1]:
        inputs.append(_with_unit(xp, xp.tanh(inputs[-1] @ W_l.T)))
    return inputs, inputs[-1] @ W[-1].T


def _with_unit(xp: Any, a: Any) -> Any:
    return xp.concat([a, xp.ones_like(a[:, :1])], axis=1)


def softmax(xp: Any, h: Any) -> Any:
    """The probabilities p (N, D_L)."""
    e = xp.exp(h - xp.max(h, axis=1, keepdims=True))
    return e / xp.sum(e, axis=1, keepdims=True)


def residuals(xp: Any, h: Any, Y: Any) -> Any:
    """dE/dh_L (N, D_L): p minus the indicator of the class for class indices (N,), and h - y for targets (N, D_L)."""
    if Y.ndim == 2:
        return h - Y
    p = softmax(xp, h)
    p[xp.arange(p.shape[0]), Y] -= 1
    return p


def backward(W: Arrays, inputs: Arrays, d: Any) -> list[Any]:
    """(3): dE/dh_l (N, D_l) for l = 1, ..., L, from dE/dh_L."""
    found = [d]
    for W_l, a in zip(W[:0:-1], inputs[:0:-1], strict=True):
        found.append((found[-1] @ W_l[:, :-1]) * _slope(a))
    return found[::-1]


def _slope(a: Any) -> Any:
    """The derivative 1 - a^2 of tanh, from the inputs of the next layer."""
    return 1 - a[:, :-1] * a[:, :-1]


def weight_gradients(d: Arrays, inputs: Arrays) -> list[Any]:
    """(3): 1/N sum_n dE/dh_l a_{l-1}^T."""
    return [d_l.T @ a / a.shape[0] for d_l, a in zip(d, inputs, strict=True)]


def gradient(xp: Any, W: Arrays, X: Any, Y: Any) -> list[Any]:
    """(3): the gradient of the mean loss."""
    inputs, h = forward(xp, W, X)
    return weight_gradients(backward(W, inputs, residuals(xp, h, Y)), inputs)


def tangents(W: Arrays, V: Arrays, inputs: Arrays) -> Any:
    """The R-operator applied to (1): R{h_L} (N, D_L) along V."""
    R = inputs[0] @ V[0].T
    for W_l, V_l, a in zip(W[1:], V[1:], inputs[1:], strict=True):
        R = a @ V_l.T + (_slope(a) * R) @ W_l[:, :-1].T
    return R


def product_at(xp: Any, W: Arrays, inputs: Arrays, h: Any, categorical: bool) -> Callable[[Arrays], list[Any]]:
    """The function V -> J^T H_L J V, equation (13), at an existing forward pass."""
    p = softmax(xp, h) if categorical else None

    def product(V: Arrays) -> list[Any]:
        R = tangents(W, V, inputs)
        if p is not None:
            R = p * (R - xp.sum(p * R, axis=1, keepdims=True))
        return weight_gradients(backward(W, inputs, R), inputs)

    return product


def gauss_newton_product(xp: Any, W: Arrays, X: Any, Y: Any, V: Arrays) -> list[Any]:
    """(13): the product of the Gauss-Newton matrix with V."""
    inputs, h = forward(xp, W, X)
    return product_at(xp, W, inputs, h, Y.ndim == 1)(V)


def hessian_free_step(xp: Any, W: Arrays, X: Any, Y: Any, damping: float, iterations: int) -> list[Any]:
    """The weights after a step along the damped direction of conjugate gradients, with the step size (40)."""
    inputs, h = forward(xp, W, X)
    g = weight_gradients(backward(W, inputs, residuals(xp, h, Y)), inputs)
    product = product_at(xp, W, inputs, h, Y.ndim == 1)
    x, r, p = [xp.zeros_like(b) for b in g], g, g
    for _ in range(iterations):
        Ap = plus(product(p), p, damping)
        rr = inner(xp, r, r)
        alpha = rr / inner(xp, p, Ap)
        x, r = plus(x, p, alpha), plus(r, Ap, -alpha)
        p = plus(r, p, inner(xp, r, r) / rr)
    curvature = inner(xp, x, plus(product(x), x, damping))
    return plus(W, x, -inner(xp, x, g) / curvature)


def plus(x: Arrays, y: Arrays, factor: Any) -> list[Any]:
    """x + factor y."""
    return [a + factor * b for a, b in zip(x, y, strict=True)]


def inner(xp: Any, x: Arrays, y: Arrays) -> Any:
    """x^T y over all layers."""
    return sum(xp.sum(a * b) for a, b in zip(x, y, strict=True))


def moment(rows: Any) -> Any:
    """The mean of v v^T over the rows."""
    return rows.T @ rows / rows.shape[0]


def kfac(xp: Any, W: Arrays, X: Any, Y: Any, labels: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """(59): the gradient, Q and G from one sampled label per datapoint."""
    inputs, h = forward(xp, W, X)
    g = weight_gradients(backward(W, inputs, residuals(xp, h, Y)), inputs)
    sampled = backward(W, inputs, residuals(xp, h, labels))
    return g, [moment(a) for a in inputs], [moment(d) for d in sampled]


def kfra(xp: Any, W: Arrays, X: Any, Y: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """(26): the gradient, Q and G of the squared error, whose H_L is the identity."""
    inputs, h = forward(xp, W, X)
    return kfra_at(xp, W, inputs, residuals(xp, h, Y))


def kfra_at(xp: Any, W: Arrays, inputs: Arrays, d: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """(26): the gradient, Q and G from an existing forward pass and d = dE/dh_L (N, D_L)."""
    G = [xp.eye(d.shape[1], dtype=d.dtype)]
    for l in range(len(W) - 1, 0, -1):
        kernel = W[l][:, :-1]
        above = kernel if l == len(W) - 1 else G[-1] @ kernel
        G.append((kernel.T @ above) * moment(_slope(inputs[l])))
    return weight_gradients(backward(W, inputs, d), inputs), [moment(a) for a in inputs], G[::-1]
