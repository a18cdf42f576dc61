"""A block whose matrix of eigenvectors is a Kronecker product, such as a block of EKFAC (George et al., 2018)."""

from typing import NamedTuple

from array_api_compat import array_namespace

from .._documentation import documented_tuple
from .._types import Array, Namespace
from ..backends import detached, matmul, with_own_settings
from .block_arguments import checked_damping, checked_matrices, checked_result, checked_vector
from .damping import DampedInverse, damped_spectrum
from .definiteness import largest
from .matrices import kron


@documented_tuple
class EigenBlock(NamedTuple):
    """The block U diag(vec S) U^T of a layer, with U = U_Q kron U_G and a vec that stacks columns.

    The result of `ekfac` has an `EigenBlock` for each layer, or for each group of a layer with groups. An `EigenBlock`
    is a named tuple of three arrays, and so a pytree for JAX and PyTorch.

    Attributes
    ----------
    U_Q : array, shape (P, P)
        An orthogonal matrix, whose columns are a basis of the inputs of the layer. For a dense layer, P is D_{l-1} + 1,
        or D_{l-1} without a bias.
    U_G : array, shape (D, D)
        An orthogonal matrix, whose columns are a basis of the pre-activations, in the dtype of U_Q.
    S : array, shape (D, P)
        The eigenvalues of the block, at least 0, in the dtype of U_Q.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> block = kfgn.EigenBlock(np.eye(2), np.eye(3), S=np.array([[4.0, 2.0], [3.0, 1.0], [2.0, 0.0]]))
    >>> print(block.solve(np.ones((3, 2)), damping=0.5).round(3))
    [[0.222 0.4  ]
     [0.286 0.667]
     [0.4   2.   ]]
    """

    U_Q: Array
    U_G: Array
    S: Array

    @with_own_settings
    def dense(self) -> Array:
        """The block as a matrix, for small layers.

        Returns
        -------
        array, shape (P D, P D)
            U diag(vec S) U^T with U = U_Q kron U_G.

        Raises
        ------
        TypeError, ValueError
            For matrices that are not arrays of float32 or float64, have wrong shapes, or differ in library, dtype or
            device.

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> turned = np.array([[0.6, -0.8], [0.8, 0.6]])
        >>> print(kfgn.EigenBlock(turned, np.eye(1), S=np.array([[2.0, 1.0]])).dense().round(2))
        [[1.36 0.48]
         [0.48 1.64]]
        """
        xp, U_Q, U_G, S = _parts(self)
        U = kron(xp, U_Q, U_G)
        return matmul(U * xp.reshape(S.T, (-1,)), U.T)

    @with_own_settings
    def trace(self) -> Array:
        """The trace of the block, the sum of its eigenvalues.

        Returns
        -------
        array, shape ()
            The sum of all elements of S.

        Raises
        ------
        TypeError, ValueError
            For matrices that are not arrays of float32 or float64, have wrong shapes, or differ in library, dtype or
            device.

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> print(kfgn.EigenBlock(np.eye(2), np.eye(1), S=np.array([[2.0, 1.0]])).trace())
        3.0
        """
        xp, _, _, S = _parts(self)
        return xp.sum(S)

    @with_own_settings
    def matvec(self, V: Array, *, check: bool = True) -> Array:
        """The product of the block with a vector, without forming the block.

        Parameters
        ----------
        V : array, shape (D, P)
            The vector, in the shape of the weights of the layer.
        check : bool, default True
            If True, values are checked for NaN and infinity, and the host waits for the device. If False, no value is
            read.

        Returns
        -------
        array, shape (D, P)
            U_G (S * (U_G^T V U_Q)) U_Q^T, where * is the elementwise product.

        Raises
        ------
        TypeError, ValueError
            For arguments of a wrong type or dtype, for wrong shapes, and for different libraries, dtypes or devices.
            With `check`, also for values that are not finite.

        Notes
        -----
        The cost is 2 D P (D + P) multiplications.

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> block = kfgn.EigenBlock(np.eye(2), np.eye(3), S=np.array([[4.0, 2.0], [3.0, 1.0], [2.0, 0.0]]))
        >>> print(block.matvec(np.full((3, 2), 0.5)))
        [[2.  1. ]
         [1.5 0.5]
         [1.  0. ]]
        """
        _, U_Q, U_G, S = _parts(self, check=check)
        V = _vector(self, V, check=check)
        return matmul(matmul(U_G, S * matmul(matmul(U_G.T, V), U_Q)), U_Q.T)

    @with_own_settings
    def solve(self, V: Array, *, damping: Array | float, check: bool = True) -> Array:
        """The exact product of the inverse of the damped block with a vector.

        Parameters
        ----------
        V : array, shape (D, P)
            The vector, in the shape of the weights of the layer.
        damping : float or array, shape ()
            The damping k > 0. A 0-d array must have the dtype of S.
        check : bool, default True
            If True, the arguments and the result are checked for NaN and infinity, and the host waits for the device.
            If False, no value is read.

        Returns
        -------
        array, shape (D, P)
            The matrix X with vec(X) = (U diag(vec S) U^T + k I)^-1 vec(V).

        Raises
        ------
        NotPositiveDefiniteError
            With `check`, if an element of S + k is not positive, or if the dtype cannot hold the result. Without
            `check`, this error is not raised, and the result may be NaN.
        TypeError, ValueError
            For arguments of a wrong type or dtype, for wrong shapes, and for different libraries, dtypes or devices.
            For a damping that is not positive, or that the dtype cannot hold. With `check`, also for values that are
            not finite. The value of a damping that is a 0-d array is checked only with `check`.

        Notes
        -----
        The solution is U_G ((U_G^T V U_Q) / (S + k)) U_Q^T with an elementwise quotient. No matrix is inverted, and the
        cost is 2 D P (D + P) multiplications.

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> block = kfgn.EigenBlock(np.eye(2), np.eye(1), S=np.array([[1.5, 0.5]]))
        >>> print(block.solve(np.array([[1.0, 1.0]]), damping=0.5))
        [[0.5 1. ]]
        """
        xp, U_Q, U_G, S = _parts(self, check=check)
        V = _vector(self, V, check=check)
        k = checked_damping(damping, S, "S", check=check)
        inverse, ok = damped_spectrum(xp, U_Q, U_G, S, k)
        solved = inverse.times(V)
        underflow = xp.any(V != 0) & xp.all(solved == 0)
        return _checked_result(S, solved, ok, inverse, k, underflow, check=check)

    @with_own_settings
    def logdet(self, *, damping: Array | float, check: bool = True) -> Array:
        """The logarithm of the determinant of the damped block.

        Parameters
        ----------
        damping : float or array, shape ()
            The damping k > 0. A 0-d array must have the dtype of S.
        check : bool, default True
            If True, the arguments and the result are checked for NaN and infinity, and the host waits for the device.
            If False, no value is read.

        Returns
        -------
        array, shape ()
            log det(U diag(vec S) U^T + k I), the sum of the logarithms of S + k.

        Raises
        ------
        NotPositiveDefiniteError
            With `check`, if an element of S + k is not positive and finite. Without `check`, this error is not raised,
            and the result may be NaN.
        TypeError, ValueError
            For arguments of a wrong type or dtype, for wrong shapes, and for different libraries, dtypes or devices.
            For a damping that is not positive, or that the dtype cannot hold. With `check`, also for values that are
            not finite. The value of a damping that is a 0-d array is checked only with `check`.

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> block = kfgn.EigenBlock(np.eye(2), np.eye(1), S=np.array([[1.5, 0.5]]))
        >>> print(block.logdet(damping=0.5).round(3))
        0.693
        """
        xp, U_Q, U_G, S = _parts(self, check=check)
        k = checked_damping(damping, S, "S", check=check)
        inverse, ok = damped_spectrum(xp, U_Q, U_G, S, k)
        return _checked_result(S, inverse.logdet(), ok, inverse, k, check=check)


def _parts(block: EigenBlock, *, check: bool = False) -> tuple[Namespace, Array, Array, Array]:
    """Check the matrices. Return their namespace, and the matrices outside any autograd graph."""
    bases = {"U_Q": block.U_Q, "U_G": block.U_G}
    checked_matrices(bases, check=check)
    xp = checked_matrices(bases | {"S": block.S}, square=False, check=check)
    expected = (block.U_G.shape[0], block.U_Q.shape[0])
    if (shape := tuple(block.S.shape)) != expected:
        raise ValueError(f"S: expected shape {expected}, got {shape}")
    return xp, detached(block.U_Q), detached(block.U_G), detached(block.S)


def _vector(block: EigenBlock, V: Array, *, check: bool) -> Array:
    return checked_vector(V, tuple(block.S.shape), {"S": block.S}, check=check)


def _checked_result(
    S: Array,
    result: Array,
    ok: Array,
    inverse: DampedInverse,
    damping: Array | float,
    underflow: Array | None = None,
    *,
    check: bool,
) -> Array:
    """Return the result or NaN, or raise `NotPositiveDefiniteError`, under the conditions of `checked_result`."""
    return checked_result(
        *(result, ok, inverse, damping),
        matrix=f"the block with eigenvectors U_Q kron U_G and eigenvalues S {tuple(S.shape)}",
        size=lambda: largest(array_namespace(S), S),
        underflow=underflow,
        check=check,
    )
