"""Causal mean fields: Σ_{j<=i} c_j f(θ_i − φ_j) for all i in O(n·m), by running moments.

The moments of whole blocks come first (`fourier`), then each block goes on from the sum of those before it,
so blocks can go in threads and the results do not depend on how many there are. Accuracy: rounding, relative
to max|f| Σ_{j<=i} |c_j|.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from inphase.kernels.fourier import BLOCK, moments_kernel
from inphase.kernels.graph import advance, turn
from inphase.kernels.threads import threaded


def _running(phases, heard, same, weights, before, real, imaginary, out):
    """out (replicas, functions, n); before (replicas, 2, blocks, 4 q): moments of earlier blocks."""
    replicas, n = phases.shape
    blocks = (n + BLOCK - 1) // BLOCK
    for job in nb.prange(replicas * blocks):
        replica, block = job // blocks, job % blocks
        low = block * BLOCK
        size = min(BLOCK, n - low)
        buffer, turns, waves = np.empty((2, size)), np.empty((2, size, 2)), np.empty((2, size, 8))
        turn(heard[replica, low : low + size], buffer, turns[0], waves[0])
        if not same:
            turn(phases[replica, low : low + size], buffer, turns[1], waves[1])
        here = waves[0] if same else waves[1]
        for k in range(0, before.shape[3], 4):
            advance(turns[0], waves[0])
            if not same:
                advance(turns[1], waves[1])
            for q in range(4):
                re, im = before[replica, 0, block, k + q], before[replica, 1, block, k + q]
                for i in range(size):
                    c = weights[low + i]
                    re += c * waves[0, i, 2 * q]
                    im += c * waves[0, i, 2 * q + 1]
                    even = here[i, 2 * q] * re + here[i, 2 * q + 1] * im
                    odd = here[i, 2 * q + 1] * re - here[i, 2 * q] * im
                    for f in range(real.shape[0]):
                        out[replica, f, low + i] += real[f, k + q + 1] * even - imaginary[f, k + q + 1] * odd


_running_kernel = threaded(_running, fastmath={"contract", "nsz"})


def running(phases, heard, weights, m, real, imaginary, out):
    """out (replicas, functions, n) = Σ_{j<=i} c_j f(θ_i − φ_j) by modes; `heard` is `phases` if φ = θ.

    phases, heard (replicas, n); weights (n,); real, imaginary (functions, 4 q + 1), 4 q >= m.
    """
    before = moments_kernel(phases.size * m)(heard, weights, m)
    before = np.cumsum(before, axis=2) - before
    out[...] = real[:, :1] * np.cumsum(weights)
    _running_kernel(phases.size * m)(phases, heard, heard is phases, weights, before, real, imaginary, out)
    return out
