"""The blocks of EKFAC, KFOC, TKFAC and TNT, and the diagonal of EKFAC in given bases.

The blocks of EKFAC are compared only on problems where no rotation of eigenvectors with close eigenvalues changes a
block. The blocks of KFOC are compared only on problems where the two largest singular values of every rearranged block
are far apart. On all other problems, a block is not unique up to rounding.

The weights of a group have the shape (O, I).
"""

import kfgn_reference.shared_weights as shared

from ...problems.problem import Problem
from ..quantity import Quantity
from ..sizes import Arrays
from .pairs import batches, for_each_group, of_group_blocks
from .uniqueness import has_a_nearest_product, has_no_zero_block, has_one_ekfac, sizes_of_ekfac, sizes_of_kfoc


def ekfac_diagonals(p: Problem) -> Arrays:
    """The diagonal of the exact block of every group in the basis of `Problem.bases`."""
    pairs = zip(batches(p), p.bases, strict=True)
    return tuple(shared.ekfac_diagonal(batch, *bases) for batch, bases in pairs)


APPROXIMATIONS = (
    Quantity(
        name="ekfac_blocks",
        equation="George et al. 2018",
        description="U diag(vec S) U^T for each group, where U is the Kronecker product of the eigenvectors of the "
        "factors of expand, and vec(S) is the diagonal of the exact block in this basis; only for problems on which "
        "U diag(vec S) U^T is unique",
        oracle=for_each_group(shared.ekfac),
        elements=of_group_blocks,
        size=lambda p, _arrays: sizes_of_ekfac(p),
        irrational="eigenvectors",
        array_kind="blocks",
        degree=1,
        of_shared_weights=True,
        per_group=True,
        with_bias=True,
        condition=has_one_ekfac,
        otherwise="the eigenvalues of a factor are not far enough apart, so the block is not unique",
    ),
    Quantity(
        name="ekfac_diagonal",
        equation="George et al. 2018",
        description="S (O, I) for each group, where vec(S) is the diagonal of U^T F U. F is the exact block, and U is "
        "the Kronecker product of the two given orthogonal matrices in `bases`",
        oracle=ekfac_diagonals,
        elements=lambda p: p.parameters,
        degree=1,
        of_shared_weights=True,
        per_group=True,
    ),
    Quantity(
        name="kfoc_blocks",
        equation="Koroko et al. 2022",
        description="the Kronecker product that is nearest to the exact block of each group in the Frobenius norm; "
        "only for problems on which this product is unique",
        oracle=for_each_group(lambda batch: shared.kfoc(batch).block),
        elements=of_group_blocks,
        size=lambda p, _arrays: sizes_of_kfoc(p),
        irrational="singular vectors",
        array_kind="blocks",
        degree=1,
        of_shared_weights=True,
        per_group=True,
        with_bias=True,
        condition=has_a_nearest_product,
        otherwise="the largest singular values are not far enough apart, so the block is not unique",
    ),
    Quantity(
        name="tkfac_blocks",
        equation="Gao et al. 2021",
        description="Q kron G of TKFAC for each group: Q is the mean over the datapoints of the sum over the positions "
        "of |C|^2 a a^T, and G is the same mean of sums of |a|^2 C C^T, divided by tr Q. The patches a and the roots C "
        "are those of expand",
        oracle=for_each_group(lambda batch: shared.tkfac(batch).block),
        elements=of_group_blocks,
        array_kind="blocks",
        degree=1,
        of_shared_weights=True,
        per_group=True,
        with_bias=True,
        condition=has_no_zero_block,
        otherwise="the block of a group is 0, and so is the trace by which the definition divides",
    ),
    Quantity(
        name="tnt_blocks",
        equation="Ren and Goldfarb 2021",
        description="Q kron G of TNT for each group: Q is the mean over the datapoints of sum_c P_c^T P_c, and G is "
        "the mean of sum_c P_c P_c^T / tr Q, where P_c is the sum of C_c a^T over the positions. The patches a and the "
        "roots C are those of expand, and C_c is column c of C",
        oracle=for_each_group(lambda batch: shared.tnt(batch).block),
        elements=of_group_blocks,
        array_kind="blocks",
        degree=1,
        of_shared_weights=True,
        per_group=True,
        with_bias=True,
        condition=has_no_zero_block,
        otherwise="the block of a group is 0, and so is the trace by which the definition divides",
    ),
)
