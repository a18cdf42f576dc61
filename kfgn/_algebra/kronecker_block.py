"""The Kronecker-factored block of a layer as a matrix: products, damped solves (33)-(38) and determinants."""

from typing import NamedTuple

from array_api_compat import array_namespace

from .._documentation import documented_tuple
from .._types import Array, Namespace
from .._validation.scalars import checked_name
from ..backends import detached, matmul, with_own_settings
from .block_arguments import checked_damping, checked_matrices, checked_result, checked_vector
from .damping import INVERSIONS, DampedInverse, damped_inverses
from .definiteness import largest
from .matrices import diagonal_of, kron


@documented_tuple
class KroneckerBlock(NamedTuple):
    """The Kronecker-factored block Q kron G of a layer, equation (20).

    The block multiplies vec(V), the stacked columns of a matrix V. A `KroneckerBlock` is a named tuple of two arrays,
    and so a pytree for JAX and PyTorch. The methods compute Cholesky factors and eigenvalues from the symmetric part
    (A + A^T) / 2 of each factor A.

    Attributes
    ----------
    Q : array, shape (P, P)
        The second moment of the inputs of the layer, symmetric. For a dense layer, P is D_{l-1} + 1 with a bias, and
        D_{l-1} without one.
    G : array, shape (D, D)
        The mean Gauss-Newton matrix of the pre-activations, or an approximation of this matrix, symmetric, in the dtype
        of Q.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> block = kfgn.KroneckerBlock(Q=np.array([[2.0, 1.0], [1.0, 1.0]]), G=np.diag([1.0, 2.0, 3.0]))
    >>> print(block.solve(np.ones((3, 2)), damping=0.1, inversion="exact").round(3))
    [[0.076 0.84 ]
     [0.022 0.456]
     [0.01  0.313]]
    """

    Q: Array
    G: Array

    @with_own_settings
    def dense(self) -> Array:
        """The block as a matrix, for small layers.

        Returns
        -------
        array, shape (P D, P D)
            Q kron G.

        Raises
        ------
        TypeError, ValueError
            For factors that are not arrays of float32 or float64, are not square, are empty, or differ in library,
            dtype or device.

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> print(kfgn.KroneckerBlock(np.array([[2.0, 1.0], [1.0, 1.0]]), np.eye(1)).dense())
        [[2. 1.]
         [1. 1.]]
        """
        xp, Q, G = checked_factors(self)
        return kron(xp, Q, G)

    @with_own_settings
    def trace(self) -> Array:
        """The trace of the block, from the traces of its factors.

        Returns
        -------
        array, shape ()
            tr(Q kron G) = tr(Q) tr(G).

        Raises
        ------
        TypeError, ValueError
            For factors that are not arrays of float32 or float64, are not square, are empty, or differ in library,
            dtype or device.

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> print(kfgn.KroneckerBlock(np.eye(2), np.diag([1.0, 2.0, 3.0])).trace())
        12.0
        """
        xp, Q, G = checked_factors(self)
        return xp.sum(diagonal_of(xp, Q)) * xp.sum(diagonal_of(xp, G))

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
            G V Q, the matrix X with vec(X) = (Q kron G) vec(V).

        Raises
        ------
        TypeError, ValueError
            For arguments of a wrong type or dtype, for wrong shapes, and for different libraries, dtypes or devices.
            With `check`, also for values that are not finite.

        Notes
        -----
        The cost is D P (D + P) multiplications.

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> block = kfgn.KroneckerBlock(np.array([[2.0, 1.0], [1.0, 1.0]]), np.diag([1.0, 2.0, 3.0]))
        >>> print(block.matvec(np.ones((3, 2))))
        [[3. 2.]
         [6. 4.]
         [9. 6.]]
        """
        _, Q, G = checked_factors(self, check=check)
        return matmul(matmul(G, _vector(self, V, check=check)), Q.T)

    @with_own_settings
    def solve(self, V: Array, *, damping: Array | float, inversion: str = "trace", check: bool = True) -> Array:
        """The product of the inverse of the damped block with a vector, equations (33)-(36).

        Parameters
        ----------
        V : array, shape (D, P)
            The vector, in the shape of the weights of the layer.
        damping : float or array, shape ()
            The damping k > 0. A 0-d array must have the dtype of Q.
        inversion : {"trace", "frobenius", "spectral", "exact"}
            If `inversion` is "exact", Q kron G + k I itself is inverted, by the eigenvalues and eigenvectors of both
            factors. Every other value is the norm that defines omega (38), and the factored damping (36) is inverted.
        check : bool, default True
            If True, the arguments and the result are checked for NaN and infinity, and the host waits for the device.
            If False, no value is read.

        Returns
        -------
        array, shape (D, P)
            The matrix X with vec(X) = (Q kron G + k I)^-1 vec(V). The result is approximate unless `inversion` is
            "exact".

        Raises
        ------
        NotPositiveDefiniteError
            With `check`, if the damping is too small or too large. With `inversion` "exact", the damping is too small
            if an eigenvalue of the damped block is not positive. With the other inversions, the damping is too small if
            a pivot of a damped factor of (36) is not larger than its rounding error. The damping is too large if the
            dtype cannot hold the result. Without `check`, this error is not raised, and the result may be NaN.
        TypeError, ValueError
            For arguments of a wrong type or dtype, for wrong shapes, and for different libraries, dtypes or devices.
            For an unknown inversion, and for a damping that is not positive, or that the dtype cannot hold. With
            `check`, also for values that are not finite. The value of a damping that is a 0-d array is checked only
            with `check`.

        Notes
        -----
        The factored damping replaces Q kron G + k I by (Q + omega sqrt(k) I) kron (G + sqrt(k) / omega I), equation
        (36). The cost is one Cholesky factorisation of each factor, D^3 / 6 + P^3 / 6 multiplications in total, and
        four triangular solves. The inversion "spectral" also needs the eigenvalues of both factors. The inversion
        "exact" needs the eigenvalues and eigenvectors of both factors, and no Cholesky factorisation. The eigenvalues
        cost about ten times more than the Cholesky factorisations.

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> block = kfgn.KroneckerBlock(np.array([[2.0, 1.0], [1.0, 1.0]]), np.diag([1.0, 2.0, 3.0]))
        >>> print(block.solve(np.ones((3, 2)), damping=0.1).round(3))
        [[0.106 0.492]
         [0.061 0.284]
         [0.043 0.2  ]]
        """
        checked_name("inversion", inversion, INVERSIONS)
        xp, Q, G = checked_factors(self, check=check)
        V = _vector(self, V, check=check)
        k = checked_damping(damping, Q, "Q", check=check)
        (inverse,), ok = damped_inverses(xp, (Q,), (G,), k, inversion)
        solved = inverse.times(V)
        underflow = xp.any(V != 0) & xp.all(solved == 0)
        return _checked_result(KroneckerBlock(Q, G), k, inverse, solved, ok, underflow, check=check)

    @with_own_settings
    def logdet(self, *, damping: Array | float, inversion: str = "trace", check: bool = True) -> Array:
        """The logarithm of the determinant of the damped block that `solve` inverts.

        Parameters
        ----------
        damping : float or array, shape ()
            The damping k > 0. A 0-d array must have the dtype of Q.
        inversion : {"trace", "frobenius", "spectral", "exact"}
            If `inversion` is "exact", the determinant is that of Q kron G + k I, from the eigenvalues of both factors.
            Every other value is the norm that defines omega (38), and the determinant is that of the factored damping
            (36).
        check : bool, default True
            If True, the arguments and the result are checked for NaN and infinity, and the host waits for the device.
            If False, no value is read.

        Returns
        -------
        array, shape ()
            log det(Q kron G + k I). The result is approximate unless `inversion` is "exact".

        Raises
        ------
        NotPositiveDefiniteError
            With `check`, if the damping is too small or too large. With `inversion` "exact", the damping is too small
            if an eigenvalue of the damped block is not positive. With the other inversions, the damping is too small if
            a pivot of a damped factor of (36) is not larger than its rounding error. The damping is too large if the
            dtype cannot hold the result. Without `check`, this error is not raised, and the result may be NaN.
        TypeError, ValueError
            For arguments of a wrong type or dtype, for wrong shapes, and for different libraries, dtypes or devices.
            For an unknown inversion, and for a damping that is not positive, or that the dtype cannot hold. With
            `check`, also for values that are not finite. The value of a damping that is a 0-d array is checked only
            with `check`.

        Notes
        -----
        For the factored damping (36), the result is D log det(Q + omega sqrt(k) I) + P log det(G + sqrt(k) / omega I).

        Examples
        --------
        >>> import numpy as np
        >>> import kfgn
        >>> block = kfgn.KroneckerBlock(np.eye(2), np.diag([1.0, 2.0, 3.0]))
        >>> print(block.logdet(damping=0.5, inversion="exact").round(3), (2 * np.log(1.5 * 2.5 * 3.5)).round(3))
        5.149 5.149
        """
        checked_name("inversion", inversion, INVERSIONS)
        xp, Q, G = checked_factors(self, check=check)
        k = checked_damping(damping, Q, "Q", check=check)
        (inverse,), ok = damped_inverses(xp, (Q,), (G,), k, inversion)
        return _checked_result(KroneckerBlock(Q, G), k, inverse, inverse.logdet(), ok, check=check)


def checked_factors(block: KroneckerBlock, layer: str = "", *, check: bool = False) -> tuple[Namespace, Array, Array]:
    """Check the factors. Return the namespace of the factors, and Q and G outside any autograd graph."""
    xp = checked_matrices({f"Q{layer}": block.Q, f"G{layer}": block.G}, check=check)
    return xp, detached(block.Q), detached(block.G)


def _vector(block: KroneckerBlock, V: Array, *, check: bool) -> Array:
    """Check V (D, P), and return it outside any autograd graph."""
    return checked_vector(V, (block.G.shape[0], block.Q.shape[0]), {"Q": block.Q}, check=check)


def _checked_result(
    block: KroneckerBlock,
    damping: Array | float,
    inverse: DampedInverse,
    result: Array,
    ok: Array,
    underflow: Array | None = None,
    *,
    check: bool,
) -> Array:
    """Return the result or NaN, or raise `NotPositiveDefiniteError`, under the conditions of `checked_result`."""
    xp, (Q, G) = array_namespace(result), block
    return checked_result(
        *(result, ok, inverse, damping),
        matrix=f"Q {tuple(Q.shape)} kron G {tuple(G.shape)}",
        size=lambda: largest(xp, Q, G),
        underflow=underflow,
        check=check,
    )
