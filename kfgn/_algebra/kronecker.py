"""The Kronecker-factored block of a layer as a matrix: products, damped solves (33)-(38) and determinants."""

from collections.abc import Sequence
from typing import NamedTuple

from array_api_compat import array_namespace

from .._types import Array, Namespace
from .._validation.arrays import check_finite, check_floating_dtype, one_library_and_device
from .._validation.scalars import checked_flag, checked_name, checked_representable, checked_scalar
from .._words import type_of
from ..backends import detached, has_values, with_own_settings
from .damping import INVERSIONS, NORMS, DampedInverse, balance, damped_inverse
from .definiteness import dominates, largest, no_inverse
from .matrices import diagonal_of, kron


class KroneckerBlock(NamedTuple):
    """Q kron G for vec(V), columns stacked: V is (D, P) like the weights of the layer, Q (P, P), G (D, D).

    Both factors are symmetric; where a method factorises them, it takes (A + A^T) / 2. A tuple of arrays, so a pytree
    to JAX and PyTorch. Methods raise as the functions of the package do.
    """

    Q: Array
    G: Array

    @with_own_settings
    def dense(self) -> Array:
        """Q kron G, (P D, P D): for small layers."""
        xp, Q, G = _factors(self)
        return kron(xp, Q, G)

    @with_own_settings
    def trace(self) -> Array:
        """tr(Q kron G) = tr(Q) tr(G), 0-d."""
        xp, Q, G = _factors(self)
        return xp.sum(diagonal_of(xp, Q)) * xp.sum(diagonal_of(xp, G))

    @with_own_settings
    def matvec(self, V: Array, *, check: bool = True) -> Array:
        """(Q kron G) vec(V) as G V Q, (D, P)."""
        _, Q, G = _factors(self, check=check)
        return G @ _vector(self, V, check=check) @ Q.T

    @with_own_settings
    def solve(self, V: Array, *, damping: Array | float, inversion: str = "trace", check: bool = True) -> Array:
        """(Q kron G + damping I)^-1 vec(V), equations (33)-(36), in the shape of V (D, P).

        damping:   k > 0, a number or a 0-d array in the dtype of V
        inversion: the norm of (38) by which omega shares the damping among the factors, for (36), trace, frobenius or
                   spectral; or exact, by the eigenvalues of both

        Raises `NotPositiveDefiniteError` with `check`, if the values can be read, for a damping that is too small to
        make the matrix positive definite by more than rounding, or too large for the result. In other cases the result
        is then NaN.
        """
        checked_name("inversion", inversion, INVERSIONS)
        xp, Q, G = _factors(self, check=check)
        V = _vector(self, V, check=check)
        k = _damping(damping, Q, check=check)
        inverse, ok = damped_inverse(xp, Q, G, k, inversion)
        solved = inverse.times(V)
        lost = xp.any(V != 0) & xp.all(solved == 0)
        return _answer(KroneckerBlock(Q, G), k, inverse, solved, ok, lost, check=check)

    @with_own_settings
    def logdet(self, *, damping: Array | float, inversion: str = "trace", check: bool = True) -> Array:
        """log det(Q kron G + damping I), 0-d, of the matrix that `solve` inverts: factored (36), or exact.

        Arguments and errors as in `solve`.
        """
        checked_name("inversion", inversion, INVERSIONS)
        xp, Q, G = _factors(self, check=check)
        k = _damping(damping, Q, check=check)
        inverse, ok = damped_inverse(xp, Q, G, k, inversion)
        return _answer(KroneckerBlock(Q, G), k, inverse, inverse.logdet(), ok, check=check)


@with_own_settings
def kronecker_blocks(Q: Sequence[Array], G: Sequence[Array], *, check: bool = True) -> tuple[KroneckerBlock, ...]:
    """The blocks Q_l kron G_l of all layers, from the factors of a `LossAndFactors` or from averages of such."""
    for name, factors in (("Q", Q), ("G", G)):
        if not isinstance(factors, (tuple, list)):
            raise TypeError(
                f"{name}: expected a tuple or list of arrays {name}_1, ..., {name}_L, got {type_of(factors)}"
            )
    if len(Q) == 0:
        raise ValueError("Q: expected at least one array, got none")
    if len(Q) != len(G):
        raise ValueError(f"G: expected {len(Q)} arrays, one for each of Q, got {len(G)}")
    blocks = tuple(KroneckerBlock(*factors) for factors in zip(Q, G, strict=True))
    return tuple(KroneckerBlock(*_factors(block, f"_{l}", check=check)[1:]) for l, block in enumerate(blocks, start=1))


@with_own_settings
def omega(Q: Array, G: Array, norm: str = "trace", *, check: bool = True) -> Array:
    """omega of (36) by equation (38), 0-d: of the damping k, Q (P, P) takes omega sqrt(k), G (D, D) sqrt(k) / omega.

        trace      omega^2 = tr(Q) D / (tr(G) P)
        frobenius  omega^2 = |Q|_F sqrt(D) / (|G|_F sqrt(P))
        spectral   omega^2 = |Q|_2 / |G|_2, by the largest eigenvalues

    1 where one of the norms is zero, as with dead units. Not averaged over anything: it is of the factors given.
    """
    checked_name("norm", norm, NORMS)
    xp, Q, G = _factors(KroneckerBlock(Q, G), check=check)
    return balance(xp, Q, G, norm)


def _factors(block: KroneckerBlock, layer: str = "", *, check: bool = False) -> tuple[Namespace, Array, Array]:
    """The namespace and both factors outside any autograd graph, once they are in order."""
    check = checked_flag("check", check)
    named = {f"Q{layer}": block.Q, f"G{layer}": block.G}
    xp = one_library_and_device(named)
    check_floating_dtype(xp, named)
    for name, A in named.items():
        shape = tuple(A.shape)
        if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
            raise ValueError(f"{name}: expected a square matrix, got shape {shape}")
    if check:
        check_finite(xp, named)
    return xp, detached(block.Q), detached(block.G)


def _vector(block: KroneckerBlock, V: Array, *, check: bool) -> Array:
    """V (D, P), likewise."""
    xp = one_library_and_device({"Q": block.Q, "V": V})
    check_floating_dtype(xp, {"Q": block.Q, "V": V})
    expected = (block.G.shape[0], block.Q.shape[0])
    if (came := tuple(V.shape)) != expected:
        raise ValueError(f"V: expected shape {expected}, got {came}")
    if check:
        check_finite(xp, {"V": V})
    return detached(V)


def _damping(damping: Array | float, Q: Array, *, check: bool) -> Array | float:
    """A positive number that the dtype of Q can hold."""
    k = checked_scalar("damping", damping, Q, of="Q", check=check, positive=True)
    return checked_representable("damping", k, Q, check=check, positive=True)


def _answer(
    block: KroneckerBlock,
    damping: Array | float,
    inverse: DampedInverse,
    result: Array,
    ok: Array,
    lost: Array | None = None,
    *,
    check: bool,
) -> Array:
    """The result, or NaN where it is not finite. lost: whether it is zero by underflow."""
    xp, (Q, G) = array_namespace(result), block
    ok = ok & xp.all(xp.isfinite(result))
    if check and has_values(result):
        k, size = float(damping), largest(xp, Q, G)
        vanished = lost is not None and bool(lost) and dominates(xp, k, size, Q.dtype)
        if vanished or not bool(ok & inverse.resolved()):
            shapes = f"Q {tuple(Q.shape)} kron G {tuple(G.shape)}"
            raise no_inverse(xp, shapes, k, size, Q.dtype)
    return xp.where(ok, result, xp.full_like(result, float("nan")))
