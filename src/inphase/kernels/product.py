"""A large matrix in single precision times a few columns: read once, at the speed of memory.

BLAS would first copy the matrix into its own order, which takes longer than the product with two columns
itself.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from inphase.kernels.threads import threaded

ROWS = 4  # of one job
# columns of the matrix that are summed in single precision; the sums are added up in double precision
SPAN = 1024
THIN = 4  # columns up to which this is quicker than BLAS


@nb.njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "reassoc"})
def _two(row, one, other):
    """row · one and row · other, in single precision."""
    first, second = np.float32(0), np.float32(0)
    for j in range(row.size):
        first += row[j] * one[j]
        second += row[j] * other[j]
    return first, second


def _thin_product(matrix, columns, out):
    """out (rows, c) = matrix (rows, n) @ columnsᵀ, columns (c, n), c even."""
    rows, n = matrix.shape
    for job in nb.prange((rows + ROWS - 1) // ROWS):
        low = job * ROWS
        high = min(low + ROWS, rows)
        out[low:high] = 0.0
        for left in range(0, n, SPAN):
            right = min(left + SPAN, n)
            for i in range(low, high):
                for c in range(0, columns.shape[0], 2):
                    first, second = _two(
                        matrix[i, left:right], columns[c, left:right], columns[c + 1, left:right]
                    )
                    out[i, c] += first
                    out[i, c + 1] += second


_choose = threaded(_thin_product)


def thin_product(matrix, waves):
    """Σ_j matrix_ij waves_jc, float64, from float32 (rows, n) and (n, c), c even and at most THIN.

    The relative error, of |matrix| @ |waves|, is about that of a single product in float32, 1e-7.
    """
    out = np.empty((len(matrix), waves.shape[1]))
    columns = np.ascontiguousarray(waves.T, dtype=np.float32)
    _choose(matrix.size)(matrix, columns, out)
    return out
