"""Sine and cosine of a block of phases, by polynomials that vectorize.

Accuracy: 1.5 ulp of 1 for |x| <= 1e6 (three-part reduction by π/2; polynomials of Cephes' sin.c, S. Moshier);
beyond, the block falls back on libm.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np


@nb.njit(fastmath={"contract", "nsz"}, cache=True, inline="always")
def sincos_block(x, s, c, size):
    """s, c = sin x, cos x for the first `size` entries of x."""
    far = 0
    for i in range(size):
        far += 0 if abs(x[i]) <= 1e6 else 1  # NaN too
    if far:
        for i in range(size):
            s[i], c[i] = math.sin(x[i]), math.cos(x[i])
        return
    for i in range(size):
        q = np.rint(x[i] * 0.6366197723675814)
        r = ((x[i] - q * 1.5707963267341256) - q * 6.0771005063039011e-11) - q * 2.0222662487959506e-21
        k, z = np.int32(q), r * r
        p = 1.58962301576546568060e-10
        p = p * z - 2.50507477628578072866e-8
        p = p * z + 2.75573136213857245213e-6
        p = p * z - 1.98412698295895385996e-4
        p = p * z + 8.33333333332211858878e-3
        p = p * z - 1.66666666666666307295e-1
        sine = r + r * z * p
        p = -1.13585365213876817300e-11
        p = p * z + 2.08757008419747316778e-9
        p = p * z - 2.75573141792967388112e-7
        p = p * z + 2.48015872888517045348e-5
        p = p * z - 1.38888888888730564116e-3
        p = p * z + 4.16666666666665929218e-2
        cosine = 1.0 - 0.5 * z + z * z * p
        swap = (k & 1) != 0
        a = cosine if swap else sine
        b = sine if swap else cosine
        s[i] = -a if k & 2 else a
        c[i] = -b if (k + 1) & 2 else b
