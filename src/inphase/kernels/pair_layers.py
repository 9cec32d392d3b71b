"""What a network on pairs does beside its matrix products: bias and leaky ReLU in one pass over the numbers.

`slope` is the factor of negative numbers: 0 gives the ReLU.
"""

from __future__ import annotations

import numba as nb

_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}


@nb.njit(**_OPTIONS)
def first_layer(own, others, slope, out):
    """out (n_x n_y, h) = act(own_i + others_j), pair by pair, from own (n_x, h) and others (n_y, h)."""
    n = others.shape[0]
    for i in range(own.shape[0]):
        for j in range(n):
            for k in range(others.shape[1]):
                z = own[i, k] + others[j, k]
                out[i * n + j, k] = z if z > 0 else slope * z


@nb.njit(**_OPTIONS)
def next_layer(z, constant, slope):
    """z = act(z + constant), in place; z (pairs, h), constant (h,)."""
    for pair in range(z.shape[0]):
        for k in range(z.shape[1]):
            here = z[pair, k] + constant[k]
            z[pair, k] = here if here > 0 else slope * here
