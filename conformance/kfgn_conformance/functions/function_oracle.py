"""The blocks of any model, and the pairs of its matrices, from the linearised model.

A matrix W of parameters has a pair at each position t of a datapoint: the input a_t of the product h_t = W a_t, and the
root C_t = J_t^T C. J_t is the Jacobian of the outputs with respect to h_t, and C C^T is the Hessian of the loss with
respect to the outputs. For the objective `mixture`, the projection of this Hessian on the positive semi-definite
matrices replaces the Hessian.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from kfgn_reference import shared_weights as shared

from .accounting import check_accounted
from .linearised import Linearised
from .matches import Match, matches
from .matrices import Form, Matrices
from .uses import Array

APPROXIMATIONS: dict[str, Callable[[Any], Array]] = {
    "expand": lambda batch: shared.expand(batch).block,
    "reduce": lambda batch: shared.reduce(batch).block,
    "ekfac": shared.ekfac,
    "kfoc": lambda batch: shared.kfoc(batch).block,
    "tkfac": lambda batch: shared.tkfac(batch).block,
    "tnt": lambda batch: shared.tnt(batch).block,
    "foof": lambda batch: shared.foof(batch).block,
}
"""The approximations that are made of pairs, as functions from the pairs of a batch to the block."""


class FunctionOracle:
    """The exact curvature of a model on a batch, and the pairs of each matrix of parameters.

    `torch_oracle` and `jax_oracle` make an oracle.

    Parameters
    ----------
    model : Linearised
        The parameters of the model, and for each datapoint its outputs, their Jacobian, the uses of the parameters and
        the derivatives of the loss.

    Notes
    -----
    Let h_n be the outputs of datapoint n, E_n its loss, J_n the Jacobian of h_n with respect to vec(W), and H_n the
    Hessian of E_n with respect to h_n. The blocks are

        Gauss-Newton   1/N sum_n J_n^T H_n J_n
        Hessian        the same, plus 1/N sum_n sum_k dE_n/dh_nk times the Hessian of h_nk

    If H_n is indefinite, as for the objective `mixture`, only the Hessian block contains H_n itself. The blocks need no
    knowledge of the model, and exist for each parameter. vec stacks the columns of W, and `matrix` returns W in the
    order that the blocks have.

    Examples
    --------
    >>> import torch
    >>> from kfgn_conformance.functions import torch_oracle
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Tanh())
    >>> oracle = torch_oracle(model, torch.ones(3, 2), torch.zeros(3, 1), "squared_error")
    >>> oracle.names, oracle.gauss_newton_block("0").shape
    (('0',), (3, 3))
    """

    def __init__(self, model: Linearised) -> None:
        self._model = model
        self._matrices = Matrices(model.parameters, [sample.uses for sample in model.samples])

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all matrices, in the order of the parameters.

        A weight and the bias that is added to its product are one matrix, such as `"fc"` for `fc.weight` with `fc.bias`
        as its last column. The methods accept the name of each parameter too.
        """
        return self._matrices.names

    @property
    def loss(self) -> float:
        """The mean of the losses of all datapoints."""
        return float(np.mean([sample.loss.value for sample in self._model.samples]))

    @property
    def outputs(self) -> Array:
        """The outputs (N, T, O), with all axes between the first and the last one as positions."""
        return np.stack([sample.outputs for sample in self._model.samples])

    def matrix(self, name: str) -> Array:
        """Return W (O, I), with its entries in the order of the blocks.

        The order is that of the products that use W: the bias is the last column, and a kernel is read tap by tap. A
        parameter that no product uses, or that products use in different orders, has its first axis as rows and all
        other axes as columns.
        """
        return self._model.parameters.theta[self._matrices.entries(name)]

    def gradient(self, name: str) -> Array:
        """Return the gradient of the loss with respect to W, (O, I)."""
        rows = [sample.J.T @ sample.loss.gradient for sample in self._model.samples]
        return mean(rows)[self._matrices.entries(name)]

    def gauss_newton_block(self, name: str, other: str | None = None) -> Array:
        """Return the exact Gauss-Newton block of vec(W), (O I, O I), or the block between two matrices.

        The Hessian of the objective `mixture` in the outputs is indefinite. The block has the projection of this
        Hessian on the positive semi-definite matrices. A loss that is a function must have a positive semi-definite
        Hessian in the outputs.
        """
        return self._gauss_newton(*self._places(name, other))

    def hessian_block(self, name: str, other: str | None = None) -> Array:
        """Return the exact Hessian block of vec(W), (O I, O I), or the block between two matrices."""
        return self._hessian(*self._places(name, other))

    def pairs(self, name: str, part: int | None = None, labels: Any = None) -> list[shared.Pairs]:
        """Return the inputs a_t (T, I) and the roots C_t (T, O, K) of W for each datapoint.

        Functions of `kfgn_reference.shared_weights` such as `expand` and `reduce` take these pairs. T counts the
        positions of all uses of W, and K is the number of columns of the root. The uses may have several forms, which
        are orders of the entries: each group of a convolution is a form, and a tied embedding is used as W and as its
        transpose. If there are several forms, `part` is the number of one of them, from 1, and T counts the positions
        of its uses.

        With sampled `labels` (N, S, ..., O), or class indices (N, S, ...), the gradients of KFAC at these labels
        replace the roots. The axes "..." are those of the outputs (N, ..., O).

        Raises `ValueError` if `name`, `part` or `labels` does not fit, or if the products do not account for the
        derivatives with respect to all entries. Also raises `ValueError` if the roots are needed and the loss is a
        function with an indefinite Hessian.
        """
        samples = self._model.samples
        form = self._form(name, part)
        if labels is not None and len(labels) != len(samples):
            raise ValueError(f"labels: expected labels of {len(samples)} datapoints, got {len(labels)}")
        roots = [one.loss.root() if labels is None else one.loss.sampled(labels[n]) for n, one in enumerate(samples)]
        return [
            shared.Pairs(
                np.concatenate([use.a for use in uses]),
                np.concatenate([np.tensordot(use.J, root, axes=(0, 0)) for use in uses]),
            )
            for uses, root in zip(form.uses, roots, strict=True)
        ]

    def approximations(self, name: str, part: int | None = None) -> dict[str, Array]:
        """Return the block (O I, O I) of each approximation that is made of pairs, by the approximation's name."""
        batch = self.pairs(name, part)
        return {method: block(batch) for method, block in APPROXIMATIONS.items()}

    def matches(self, name: str, block: Array, part: int | None = None) -> list[Match]:
        """Return a match for each definition, in order of rising distance from a block (O I, O I) computed elsewhere.

        The definitions are the Gauss-Newton block, the Hessian block and, if a product uses W, the approximations. Each
        match has an order of vec, and the factor that brings the block nearest to the definition. For example, the
        factor is the number of positions if the block was divided by this number once too often. The error of the first
        match is a rounding error if the block is right except for its factor and its order.
        """
        seen = bool(self._matrices.forms(name))
        entries = self._form(name, part).entries if seen else self._matrices.entries(name)
        places, size = entries.ravel(order="F"), entries.size
        if np.shape(block) != (size, size):
            raise ValueError(f"block: expected shape {(size, size)} for {name}, got {np.shape(block)}")
        exact = {
            "gauss_newton_block": self._gauss_newton(places, places),
            "hessian_block": self._hessian(places, places),
        }
        return matches(np.asarray(block), exact | (self.approximations(name, part) if seen else {}), entries.shape)

    def _gauss_newton(self, rows: Array, columns: Array) -> Array:
        """1/N sum_n J_n^T H_n J_n at these places of theta, the vector of all parameters."""
        roots = [sample.loss.root() for sample in self._model.samples]
        return mean(
            [
                (sample.J[:, rows].T @ root) @ (root.T @ sample.J[:, columns])
                for sample, root in zip(self._model.samples, roots, strict=True)
            ]
        )

    def _hessian(self, rows: Array, columns: Array) -> Array:
        """1/N sum_n (J_n^T H_n J_n + sum_k dE_n/dh_nk times the Hessian of h_nk) at these places of theta."""
        return mean(
            [
                sample.J[:, rows].T @ sample.loss.hessian @ sample.J[:, columns]
                + self._model.second(n, sample.loss.gradient, rows, columns)
                for n, sample in enumerate(self._model.samples)
            ]
        )

    def _places(self, name: str, other: str | None) -> tuple[Array, Array]:
        """The places in theta of vec(W) for two matrices. If `other` is None, both are the places of one matrix."""
        rows = self._matrices.entries(name).ravel(order="F")
        return rows, rows if other is None else self._matrices.entries(other).ravel(order="F")

    def _form(self, name: str, part: int | None) -> Form:
        """The uses of a matrix that have the same order of entries. `part` selects the order if there are several.

        Raises `ValueError` if a use is missing, if `part` selects no order, or if `part` is None for several orders.
        """
        forms = self._matrices.forms(name)
        check_accounted(name, self._matrices.places(name), forms, self._model.samples)
        if part is None and len(forms) > 1:
            shapes = ", ".join(str(form.entries.shape) for form in forms)
            raise ValueError(
                f"part: expected 1 to {len(forms)} for {name}, used as matrices of the shapes {shapes}, got none"
            )
        if part is not None and not 1 <= part <= len(forms):
            raise ValueError(f"part: expected 1 to {len(forms)} for {name}, got {part}")
        return forms[(part or 1) - 1]


def mean(blocks: list[Array]) -> Array:
    """The mean over datapoints."""
    found: Array = np.mean(blocks, axis=0)
    return found
