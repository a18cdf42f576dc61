"""Adapters, which pass the problems of the kit to an implementation and return the implementation's answers."""

from typing import Protocol

from ..problems.problem import Array, Problem
from .conventions import KIT, ConventionError, Conventions
from .description import Description


class UnsupportedError(Exception):
    """Exception for a problem that an implementation does not support.

    An adapter raises this exception in `compute`, with the reason as the message. The verdict is then UNIMPLEMENTED,
    which does not fail a run, and the report prints the message. The verdict is ERROR if the adapter has already
    answered the same quantity on the same problem.

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
    """Protocol of a class that connects an implementation to the kit.

    Any class with the methods `describe` and `compute` is an adapter. An adapter class needs no base class. The command
    `kfgn-check` and the pytest plug-in call an adapter class with the name of a dtype, as in `Mine("float32")`.

    Notes
    -----
    An adapter returns arrays in the conventions of its implementation, and declares these conventions in its
    description. The kit translates an adapter's arrays to the kit's conventions. In the kit's conventions, the weights
    W_l of a dense layer have the shape (D_l, D_{l-1} + 1) with the bias in the last column, or (D_l, D_{l-1}) without a
    bias. The kit's quantities of a batch are means over the N datapoints, and not sums. A block of the kit, such as
    Q_l kron G_l, has one row and one column for each element of W_l, in the order of the stacked columns of W_l.

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
            The network with its weights and a batch. Real numbers are in float64, and the adapter converts them to the
            dtype with which the adapter was created. Class indices and tokens are integers.
        quantity : str
            Name of the quantity, which is one of `describe().quantities`.

        Returns
        -------
        tuple of arrays
            One array per layer with weights, or a single array for a quantity of the full network, such as the loss. A
            layer with a bias may have two arrays if the description declares separate biases. A grouped convolution
            may have one array for each group. `optimiser_step` has several arrays for each checkpoint. The arrays have
            the dtype of the adapter's description, except that class indices are integers. The arrays follow the
            conventions of this description. Each array is a NumPy array, or an object that NumPy can convert, such as a
            tensor of PyTorch or an array of JAX.

        Raises
        ------
        UnsupportedError
            If the implementation does not support the problem.
        """
        ...


__all__ = ["KIT", "Adapter", "ConventionError", "Conventions", "Description", "UnsupportedError"]
