"""The Kronecker-factored blocks of all layers, and the scalar omega (38) of their factored damping."""

from collections.abc import Sequence

from .._types import Array
from .._validation.scalars import checked_name
from .._words import type_of
from ..backends import with_own_settings
from .damping import NORMS, balance
from .kronecker_block import KroneckerBlock, checked_factors


@with_own_settings
def kronecker_blocks(Q: Sequence[Array], G: Sequence[Array], *, check: bool = True) -> tuple[KroneckerBlock, ...]:
    """The Kronecker-factored blocks Q_l kron G_l of all layers, equation (20).

    Parameters
    ----------
    Q : tuple or list of L arrays, shape (P_l, P_l)
        The first factors, such as the field Q of `LossAndFactors` or a moving average of this field.
    G : tuple or list of L arrays, shape (D_l, D_l)
        The second factors, such as the field G of `LossAndFactors` or a moving average of this field.
    check : bool, default True
        If True, values are checked for NaN and infinity, and the host waits for the device. If False, no value is read.

    Returns
    -------
    tuple of L KroneckerBlock
        One block for each pair of factors: for each layer, or for each group of a layer with groups.

    Raises
    ------
    TypeError, ValueError
        For factors that are not square arrays of float32 or float64, and for Q_l and G_l that differ in library, dtype
        or device. For a Q or G that is not a tuple or list, for an empty Q, and for different numbers of arrays in Q
        and G. With `check`, also for values that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> blocks = kfgn.kronecker_blocks((np.eye(3), np.eye(2)), (np.eye(4), np.eye(1)))
    >>> print([block.dense().shape for block in blocks])
    [(12, 12), (2, 2)]
    """
    for name, factors in (("Q", Q), ("G", G)):
        if not isinstance(factors, (tuple, list)):
            raise TypeError(
                f"{name}: expected a tuple or list of arrays {name}_1, ..., {name}_L, got {type_of(factors)}"
            )
    if len(Q) == 0:
        raise ValueError("Q: expected at least one array, got none")
    if len(Q) != len(G):
        raise ValueError(f"G: expected {len(Q)} arrays, one for each array in Q, got {len(G)}")
    blocks = tuple(KroneckerBlock(*factors) for factors in zip(Q, G, strict=True))
    return tuple(
        KroneckerBlock(*checked_factors(block, f"_{l}", check=check)[1:]) for l, block in enumerate(blocks, start=1)
    )


@with_own_settings
def omega(Q: Array, G: Array, norm: str = "trace", *, check: bool = True) -> Array:
    """The scalar omega of the factored damping (36), by equation (38).

    The factored damping adds omega sqrt(k) I to Q and sqrt(k) / omega I to G, for a damping k of the block.

    Parameters
    ----------
    Q : array, shape (P, P)
        The first factor, symmetric.
    G : array, shape (D, D)
        The second factor, symmetric, in the dtype of Q.
    norm : {"trace", "frobenius", "spectral"}
        The norm in equation (38).
    check : bool, default True
        If True, values are checked for NaN and infinity, and the host waits for the device. If False, no value is read.

    Returns
    -------
    array, shape ()
        omega, or 1 if the norm of a factor is zero, as for a layer with only dead units.

    Raises
    ------
    TypeError, ValueError
        For factors that are not square arrays of float32 or float64, or differ in library, dtype or device, and for an
        unknown norm. With `check`, also for values that are not finite.

    Notes
    -----
    For each norm, omega is given by::

        trace      omega^2 = tr(Q) D / (tr(G) P)
        frobenius  omega^2 = |Q|_F sqrt(D) / (|G|_F sqrt(P))
        spectral   omega^2 = |Q|_2 / |G|_2, where |.|_2 is the largest eigenvalue

    Examples
    --------
    >>> import numpy as np
    >>> import kfgn
    >>> Q, G = np.diag([4.0, 2.0]), np.diag([1.0, 0.5, 0.0])
    >>> print(kfgn.omega(Q, G).round(3), kfgn.omega(Q, G, "spectral").round(3))
    2.449 2.0
    """
    checked_name("norm", norm, NORMS)
    xp, Q, G = checked_factors(KroneckerBlock(Q, G), check=check)
    return balance(xp, (Q,), (G,), norm)[0]
