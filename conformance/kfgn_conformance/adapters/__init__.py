"""The protocol that an implementation follows to be compared with the reference, and the adapters that ship."""

from typing import Protocol

from ..problems.problem import Array, Problem
from .conventions import KIT, ConventionError, Conventions
from .description import Description


class UnsupportedError(Exception):
    """Refusal of a problem that an implementation does not support.

    An adapter raises it in `compute`, with the reason as its message. The verdict is then UNIMPLEMENTED, which does not
    fail a run, and the report prints the reason.

    Examples
    --------
    >>> from kfgn_conformance import QUANTITIES, Description, UnsupportedError, judge
    >>> from kfgn_conformance.problems.cases import cases
    >>> class Linear:
    ...     def describe(self):
    ...         return Description("linear", "1.0", "float64", {"gradient"})
    ...
    ...     def compute(self, problem, quantity):
    ...         raise UnsupportedError("no transfer functions")
    >>> verdict = judge(Linear(), cases()[0], QUANTITIES["gradient"])
    >>> print(verdict.status, verdict.detail)
    UNIMPLEMENTED no transfer functions
    """


class Adapter(Protocol):
    """Protocol that makes an implementation available to the kit.

    Any class with these two methods is an adapter; it inherits from nothing. The command and the pytest plug-in create
    an adapter from its class with a dtype, as in `Mine("float32")`.

    Notes
    -----
    An adapter answers in its own conventions and declares them in its description. The kit translates each answer to
    its own. Weights W_l are (D_l, D_{l-1} + 1) with the bias in the last column, or (D_l, D_{l-1}) without a bias.
    Quantities are means over the N datapoints, and blocks are Q kron G over the stacked columns of W_l.

    Examples
    --------
    >>> import numpy as np
    >>> from kfgn_conformance import QUANTITIES, Description, judge
    >>> from kfgn_conformance.problems.cases import cases
    >>> class InputMoments:
    ...     transfers = {"identity": np.asarray, "tanh": np.tanh}
    ...
    ...     def describe(self):
    ...         return Description("moments", "1.0", "float64", {"q"})
    ...
    ...     def compute(self, problem, quantity):
    ...         a, Q = problem.X, []
    ...         for W, transfer in zip(problem.weights, [*problem.transfers, "identity"]):
    ...             a = np.column_stack([a, np.ones(problem.N)])
    ...             Q.append(a.T @ a / problem.N)
    ...             a = self.transfers[transfer](a @ W.T)
    ...         return tuple(Q)
    >>> problem = next(p for p in cases() if p.id == "case-bernoulli-tanh")
    >>> print(judge(InputMoments(), problem, QUANTITIES["q"]).status)
    PASS
    """

    def describe(self) -> Description:
        """Return the name of the implementation, the quantities that it offers, and its conventions."""
        ...

    def compute(self, problem: Problem, quantity: str) -> tuple[Array, ...]:
        """Compute a quantity on a problem.

        Parameters
        ----------
        problem : Problem
            The network, its weights and a batch, in float64. The adapter converts them to its own dtype.
        quantity : str
            One of the names in `describe().quantities`.

        Returns
        -------
        tuple of arrays
            One array per layer, or a single one for a quantity of the whole network. The arrays have the described
            dtype and follow the described conventions. They are NumPy arrays, or values that convert to NumPy arrays,
            such as tensors of PyTorch and arrays of JAX.

        Raises
        ------
        UnsupportedError
            If the implementation does not support the problem.
        """
        ...


__all__ = ["KIT", "Adapter", "ConventionError", "Conventions", "Description", "UnsupportedError"]
