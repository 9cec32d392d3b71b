"""Mean fields of trigonometric polynomials in O(n·m): moments, then one polynomial in z = e^{iθ}.

    M_k = Σ_j c_j e^{ikθ_j}          (`moments`)
    p(θ_i) = Re Σ_k a_k e^{ikθ_i}    (`evaluate`)

With a_k = F_k conj(M_k), p(θ_i) = Σ_j c_j f(θ_i − θ_j) for f(x) = Re Σ_k F_k e^{ikx}.

Cost of both: a few multiplications and additions a particle and mode. Accuracy: rounding, relative to max|f|
Σ|c_j|. Modes go four by four: one multiplication by z, then z^{k+1} = 2 cos θ z^k − z^{k−1} three times,
which halves the work and is too short to lose digits (over all modes that recurrence does, near 0 and π);
`evaluate` is the transpose. Blocks stay in the first-level cache. Sums are taken block by block in a fixed
order, so results do not depend on the number of threads.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from inphase.kernels.sincos import sincos_block
from inphase.kernels.threads import threaded

BLOCK = 512  # phases; four arrays of this size fill half of a first-level cache


def _moments(phases, weights, m):
    """(replicas, 2, blocks, m rounded up to 4 q): Re and Im of each block's sums for k = 1, 2, ...

    phases (replicas, n); weights (n,) or (1,) for equal ones.
    """
    replicas, n = phases.shape
    blocks, quads = (n + BLOCK - 1) // BLOCK, (m + 3) // 4
    partial = np.empty((replicas, 2, blocks, 4 * quads))
    for job in nb.prange(replicas * blocks):
        replica, block = job // blocks, job % blocks
        low = block * BLOCK
        size = min(BLOCK, n - low)
        buffer = np.empty((4, size))
        s, c, zr, zi = buffer[0], buffer[1], buffer[2], buffer[3]
        sincos_block(phases[replica, low : low + size], s, c, size)
        for i in range(size):
            zr[i] = weights[low + i] if weights.size > 1 else weights[0]
            zi[i] = 0.0
        for quad in range(quads):
            re1, im1, re2, im2, re3, im3, re4, im4 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for i in range(size):
                twice = c[i] + c[i]
                r1 = zr[i] * c[i] - zi[i] * s[i]
                q1 = zr[i] * s[i] + zi[i] * c[i]
                r2, q2 = twice * r1 - zr[i], twice * q1 - zi[i]
                r3, q3 = twice * r2 - r1, twice * q2 - q1
                r4, q4 = twice * r3 - r2, twice * q3 - q2
                re1 += r1
                im1 += q1
                re2 += r2
                im2 += q2
                re3 += r3
                im3 += q3
                re4 += r4
                im4 += q4
                zr[i], zi[i] = r4, q4
            k = 4 * quad
            partial[replica, 0, block, k], partial[replica, 1, block, k] = re1, im1
            partial[replica, 0, block, k + 1], partial[replica, 1, block, k + 1] = re2, im2
            partial[replica, 0, block, k + 2], partial[replica, 1, block, k + 2] = re3, im3
            partial[replica, 0, block, k + 3], partial[replica, 1, block, k + 3] = re4, im4
    return partial


def _evaluate(phases, real, imaginary, out):
    """out (replicas, n) = Re Σ_k (real + i imaginary)_k e^{ikθ}; coefficients (replicas, 4 q + 1)."""
    replicas, n = phases.shape
    blocks, quads = (n + BLOCK - 1) // BLOCK, (real.shape[1] - 1) // 4
    for job in nb.prange(replicas * blocks):
        replica, block = job // blocks, job % blocks
        low = block * BLOCK
        size = min(BLOCK, n - low)
        buffer = np.empty((4, size))
        s, c, pr, pi = buffer[0], buffer[1], buffer[2], buffer[3]
        sincos_block(phases[replica, low : low + size], s, c, size)
        top_r, top_i = real[replica, 4 * quads], imaginary[replica, 4 * quads]
        for i in range(size):
            pr[i], pi[i] = top_r, top_i
        for quad in range(quads - 1, -1, -1):
            k = 4 * quad
            r3, q3 = real[replica, k + 3], imaginary[replica, k + 3]
            r2, q2 = real[replica, k + 2], imaginary[replica, k + 2]
            r1, q1 = real[replica, k + 1], imaginary[replica, k + 1]
            r0, q0 = real[replica, k], imaginary[replica, k]
            for i in range(size):
                twice = c[i] + c[i]
                x4, y4 = pr[i], pi[i]
                x3, y3 = r3 + twice * x4, q3 + twice * y4
                x2, y2 = twice * x3 + (r2 - x4), twice * y3 + (q2 - y4)
                x1, y1 = twice * x2 + (r1 - x3), twice * y2 + (q1 - y3)
                pr[i] = x1 * c[i] + (r0 - x2) - y1 * s[i]
                pi[i] = x1 * s[i] + (q0 - y2) + y1 * c[i]
        for i in range(size):
            out[replica, low + i] = pr[i]


moments_kernel = threaded(_moments, fastmath={"contract", "nsz", "reassoc", "arcp"})
_evaluate_kernel = threaded(_evaluate, fastmath={"contract", "nsz"})


def moments(phases, weights, m):
    """M_0..M_m, complex (replicas, m + 1), of phases (replicas, n) with weights (n,) or (1,)."""
    out = np.empty((phases.shape[0], m + 1), dtype=complex)
    out[:, 0] = np.sum(weights) if weights.size > 1 else weights[0] * phases.shape[1]
    if m:
        partial = moments_kernel(phases.size * m)(phases, weights, m).sum(axis=2)
        out[:, 1:] = partial[:, 0, :m] + 1j * partial[:, 1, :m]
    return out


def evaluate(phases, coefficients, out):
    """out (replicas, n) = Re Σ_k a_k e^{ikθ} for coefficients a, complex (replicas, m + 1)."""
    replicas, size = coefficients.shape
    real, imaginary = np.zeros((2, replicas, size + (1 - size) % 4))
    real[:, :size], imaginary[:, :size] = coefficients.real, coefficients.imag
    _evaluate_kernel(phases.size * size)(phases, real, imaginary, out)
    return out
