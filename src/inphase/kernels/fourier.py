"""Mean fields of trigonometric polynomials in O(n·m): moments, then one polynomial in z = e^{iθ}.

    M_k = Σ_j c_j e^{ikθ_j}          (`moments`)
    p(θ_i) = Re Σ_k a_k e^{ikθ_i}    (`evaluate`)

With a_k = F_k conj(M_k), p(θ_i) = Σ_j c_j f(θ_i − θ_j) for f(x) = Re Σ_k F_k e^{ikx}.

Cost: about 0.1 ns per particle and mode on two cores with 512-bit vectors. Accuracy: rounding, relative to max|f| Σ|c_j|.
Powers of z and Horner's rule are backward stable for |z| = 1 (Clenshaw's rule is not, near 0 and π). Blocks stay in
the first-level cache; two modes per pass halve the traffic. Sums are taken block by block in a fixed order, so results
do not depend on the number of threads.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from inphase.kernels.sincos import sincos_block
from inphase.kernels.threads import threaded

BLOCK = 512  # phases; four arrays of this size fill half of a first-level cache


def _moments(phases, weights, m):
    """(replicas, 2, blocks, m rounded up to even): real and imaginary partial sums for k = 1, 2, ..., per block.

    phases (replicas, n); weights (n,) or (1,) for equal ones.
    """
    replicas, n = phases.shape
    blocks, pairs = (n + BLOCK - 1) // BLOCK, (m + 1) // 2
    partial = np.empty((replicas, 2, blocks, 2 * pairs))
    for job in nb.prange(replicas * blocks):
        replica, block = job // blocks, job % blocks
        low = block * BLOCK
        size = min(BLOCK, n - low)
        s, c, zr, zi = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.zeros(BLOCK)
        sincos_block(phases[replica, low : low + size], s, c, size)
        for i in range(size):
            zr[i] = weights[low + i] if weights.size > 1 else weights[0]
        for pair in range(pairs):
            re1, im1, re2, im2 = 0.0, 0.0, 0.0, 0.0
            for i in range(size):
                r1 = zr[i] * c[i] - zi[i] * s[i]
                q1 = zr[i] * s[i] + zi[i] * c[i]
                r2 = r1 * c[i] - q1 * s[i]
                q2 = r1 * s[i] + q1 * c[i]
                re1 += r1
                im1 += q1
                re2 += r2
                im2 += q2
                zr[i], zi[i] = r2, q2
            partial[replica, 0, block, 2 * pair], partial[replica, 1, block, 2 * pair] = re1, im1
            partial[replica, 0, block, 2 * pair + 1], partial[replica, 1, block, 2 * pair + 1] = re2, im2
    return partial


def _evaluate(phases, real, imaginary, out):
    """out (replicas, n) = Re Σ_k (real + i imaginary)_k e^{ikθ}; coefficients (replicas, m + 1) with m even."""
    replicas, n = phases.shape
    blocks, pairs = (n + BLOCK - 1) // BLOCK, (real.shape[1] - 1) // 2
    for job in nb.prange(replicas * blocks):
        replica, block = job // blocks, job % blocks
        low = block * BLOCK
        size = min(BLOCK, n - low)
        s, c, pr, pi = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
        sincos_block(phases[replica, low : low + size], s, c, size)
        top_r, top_i = real[replica, 2 * pairs], imaginary[replica, 2 * pairs]
        for i in range(size):
            pr[i], pi[i] = top_r, top_i
        for pair in range(pairs - 1, -1, -1):
            r1, q1 = real[replica, 2 * pair + 1], imaginary[replica, 2 * pair + 1]
            r0, q0 = real[replica, 2 * pair], imaginary[replica, 2 * pair]
            for i in range(size):
                r = pr[i] * c[i] - pi[i] * s[i] + r1
                q = pr[i] * s[i] + pi[i] * c[i] + q1
                pr[i] = r * c[i] - q * s[i] + r0
                pi[i] = r * s[i] + q * c[i] + q0
        for i in range(size):
            out[replica, low + i] = pr[i]


_moments_kernel = threaded(_moments, fastmath={"contract", "nsz", "reassoc", "arcp"})
_evaluate_kernel = threaded(_evaluate, fastmath={"contract", "nsz"})


def moments(phases, weights, m):
    """M_0..M_m, complex (replicas, m + 1), of phases (replicas, n) with weights (n,) or (1,)."""
    out = np.empty((phases.shape[0], m + 1), dtype=complex)
    out[:, 0] = np.sum(weights) if weights.size > 1 else weights[0] * phases.shape[1]
    if m:
        partial = _moments_kernel(phases.size * m)(phases, weights, m).sum(axis=2)
        out[:, 1:] = partial[:, 0, :m] + 1j * partial[:, 1, :m]
    return out


def evaluate(phases, coefficients, out):
    """out (replicas, n) = Re Σ_k a_k e^{ikθ} for coefficients a, complex (replicas, m + 1)."""
    replicas, size = coefficients.shape
    real, imaginary = np.zeros((2, replicas, size + (size + 1) % 2))
    real[:, :size], imaginary[:, :size] = coefficients.real, coefficients.imag
    _evaluate_kernel(phases.size * size)(phases, real, imaginary, out)
    return out
