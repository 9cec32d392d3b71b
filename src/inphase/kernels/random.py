"""Normal random numbers by counter, as functions of (seed, stream, step, replica, node) and of nothing else.

So they do not depend on threads, on the order of evaluation, or on which replicas run together; a step can be
taken again, or halved in another run, with the same numbers. `stream` keeps several uses of one seed apart.

Threefry4x64-20 (Salmon, Moraes, Dror, Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC 2011) turns the
counter (place, replica, step, stream) and the key (seed, 0, 0, 0) into four words of 64 bits. It is
additions, rotations and XORs, so eight counters go in one vector. Two words make two normals
(Box, Muller, 1958), from uniforms of 53 bits: the largest is sqrt(2 · 53 ln 2) = 8.57, beyond which a normal
number falls with probability 1e-17.

Nodes go in blocks of 256: node 256 b + 64 w + i is word w of the counter with place 64 b + i, so that stores
are contiguous. No operations are fused or reordered here (only IEEE additions, multiplications, divisions and
square roots): the bits do not depend on the number of threads, and should not on the machine
(not tested on others). Cost: a vector of counters at a time, so a number costs several times as much where
there are only ten nodes.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from inphase.kernels.sincos import sincos_block
from inphase.kernels.threads import threaded

COUNTERS = 64  # per block
BLOCK = 4 * COUNTERS  # nodes
NODES, COMMON = 0, 1  # streams: noise of each node, noise that all nodes of a replica share

_PARITY = np.uint64(0x1BD11BDAA9FC1A22)


@nb.njit(cache=True, inline="always")
def _rotate(x, left):
    return (x << np.uint64(left)) | (x >> np.uint64(64 - left))


@nb.njit(cache=True, inline="always")
def _four_rounds(a, b, c, d, r0, r1, r2, r3, r4, r5, r6, r7):
    """Four rounds of mixing: pairs (a, b), (c, d), then (a, d), (c, b), and again."""
    a, c = a + b, c + d
    b, d = _rotate(b, r0) ^ a, _rotate(d, r1) ^ c
    a, c = a + d, c + b
    d, b = _rotate(d, r2) ^ a, _rotate(b, r3) ^ c
    a, c = a + b, c + d
    b, d = _rotate(b, r4) ^ a, _rotate(d, r5) ^ c
    a, c = a + d, c + b
    d, b = _rotate(d, r6) ^ a, _rotate(b, r7) ^ c
    return a, b, c, d


@nb.njit(cache=True, inline="always")
def threefry(a, b, c, d, k0, k1, k2, k3):
    """Threefry4x64-20: counter (a, b, c, d) and key (k0, k1, k2, k3), all uint64, to four random words."""
    k4 = _PARITY ^ k0 ^ k1 ^ k2 ^ k3
    a, b, c, d = a + k0, b + k1, c + k2, d + k3
    a, b, c, d = _four_rounds(a, b, c, d, 14, 16, 52, 57, 23, 40, 5, 37)
    a, b, c, d = a + k1, b + k2, c + k3, d + (k4 + np.uint64(1))
    a, b, c, d = _four_rounds(a, b, c, d, 25, 33, 46, 12, 58, 22, 32, 32)
    a, b, c, d = a + k2, b + k3, c + k4, d + (k0 + np.uint64(2))
    a, b, c, d = _four_rounds(a, b, c, d, 14, 16, 52, 57, 23, 40, 5, 37)
    a, b, c, d = a + k3, b + k4, c + k0, d + (k1 + np.uint64(3))
    a, b, c, d = _four_rounds(a, b, c, d, 25, 33, 46, 12, 58, 22, 32, 32)
    a, b, c, d = a + k4, b + k0, c + k1, d + (k2 + np.uint64(4))
    a, b, c, d = _four_rounds(a, b, c, d, 14, 16, 52, 57, 23, 40, 5, 37)
    return a + k0, b + k1, c + k2, d + (k3 + np.uint64(5))


@nb.njit(cache=True, inline="always")
def _uniform(word):
    """(0, 1], a multiple of 2^-53."""
    return np.float64(np.int64(word >> np.uint64(11)) + 1) * 1.1102230246251565e-16


@nb.njit(cache=True, inline="always")
def log_block(x, out, bits, size):
    """out = ln x for positive normal x (not checked), to 1 ulp.

    x = 2^e m with m near 1, then a polynomial in (m − 1)/(m + 1).

    The coefficients are those of FreeBSD's e_log.c. `bits` is scratch, int64.
    """
    parts = bits.view(np.float64)
    for i in range(size):
        parts[i] = x[i]
    for i in range(size):
        e = (bits[i] - 0x3FE6A09E667F3BCD) >> 52  # sqrt(1/2) <= m < sqrt(2)
        bits[i] -= e << 52
        out[i] = np.float64(e)
    for i in range(size):
        e, f = out[i], parts[i] - 1.0
        s = f / (2.0 + f)
        z, half = s * s, 0.5 * f * f
        p = 1.479819860511658591e-01
        p = p * z + 1.531383769920937332e-01
        p = p * z + 1.818357216161805012e-01
        p = p * z + 2.222219843214978396e-01
        p = p * z + 2.857142874366239149e-01
        p = p * z + 3.999999999940941908e-01
        p = p * z + 6.666666666666735130e-01
        out[i] = e * 6.93147180369123816490e-01 - (
            (half - (s * (half + z * p) + e * 1.90821492927058770002e-10)) - f
        )


@nb.njit(cache=True, inline="always")
def _normals_block(seed, stream, step, replica, block, work, bits, size):
    """work[:4] = normals of one block's nodes, row w from word w; of the 256, the first `size` are wanted."""
    count = min(COUNTERS, size)
    u, v, s, c = work[4], work[5], work[6], work[7]
    zero = np.uint64(0)
    place = np.uint64(block) * np.uint64(COUNTERS)
    for i in range(count):
        a, b, c2, d = threefry(place + np.uint64(i), replica, step, stream, seed, zero, zero, zero)
        work[0, i], work[1, i], work[2, i], work[3, i] = _uniform(a), _uniform(b), _uniform(c2), _uniform(d)
    for pair in range(0, 4, 2):
        if pair * COUNTERS < size:
            one, two = work[pair], work[pair + 1]
            log_block(one, u, bits, count)
            for i in range(count):
                u[i] = math.sqrt(-2.0 * u[i])
                v[i] = two[i] * 6.283185307179586
            sincos_block(v, s, c, count)
            for i in range(count):
                one[i], two[i] = u[i] * c[i], u[i] * s[i]


def _normals(seed, stream, step, replicas, out):
    rows, n = out.shape
    blocks = (n + BLOCK - 1) // BLOCK
    for job in nb.prange(rows * blocks):
        row, block = job // blocks, job % blocks
        low = block * BLOCK
        size = min(BLOCK, n - low)
        work, bits = np.empty((8, COUNTERS)), np.empty(COUNTERS, dtype=np.int64)
        _normals_block(seed, stream, step, np.uint64(replicas[row]), block, work, bits, size)
        for word in range((size + COUNTERS - 1) // COUNTERS):
            for i in range(min(COUNTERS, size - word * COUNTERS)):
                out[row, low + word * COUNTERS + i] = work[word, i]


_normals_kernel = threaded(_normals)
COST = 8  # inner iterations that one normal number is worth


def normals(seed, replicas, step, out, stream=NODES):
    """out (replicas, n) = standard normal numbers of the replicas' ids (integers >= 0, any) at one step.

    seed, step and stream are integers in [0, 2^64).
    """
    kernel = _normals_kernel(COST * out.size)
    kernel(np.uint64(seed), np.uint64(stream), np.uint64(step), replicas, out)
    return out
