"""Fields on networks: Σ_j K_ij f(θ_i − φ_j), by Fourier modes or edge by edge.

With f(x) = Re Σ_k F_k e^{ikx}, the sum is Re Σ_k F_k e^{ikθ_i} conj(S_ki), S_ki = Σ_j K_ij e^{ikφ_j}: sines
and cosines once per node, and for an edge one product per harmonic. The waves e^{ikφ_j} of four harmonics
fill one cache line per node, so that an edge costs one access to memory for all four.

`modes` costs O(nnz·m + n·m) and is exact to rounding relative to max|f| Σ_j |K_ij|. `edges` runs the recorded
formula at every edge: relative accuracy however small f is, and quicker where f has many modes. Each row is
summed in the order of its edges, so results do not depend on the number of threads.

`Rows` holds the rows of a block of nodes in the order of their lengths: a loop whose length changes from row
to row is mispredicted at every row, which costs as much as several edges.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np

from inphase.kernels.sincos import sincos_block
from inphase.kernels.tape import run
from inphase.kernels.threads import threaded

BLOCK = 512  # nodes of one job
EDGES = 2048  # edges of one job of `edges`, about
# numbers in the waves of all replicas that are handled together: they stay in the second-level cache
TABLE = 1 << 17


class Rows(NamedTuple):
    """Compressed sparse rows, reordered: row r is node order[r], with the edges starts[r] to starts[r + 1].

    Unsigned, since Numba checks signed indices for negative ones.
    """

    order: np.ndarray  # (n,), uint32; of the same block of BLOCK nodes as r
    starts: np.ndarray  # (n + 1,), uint64
    columns: np.ndarray  # (edges,), uint32
    weights: np.ndarray  # (edges,), or (1,) where all are equal: a third of the memory to read
    totals: np.ndarray  # (n,), Σ_j K_ij of node i


def sorted_rows(starts, columns, weights):
    """The `Rows` of a matrix in compressed sparse rows."""
    n, lengths = len(starts) - 1, np.diff(starts)
    order = np.lexsort((lengths, np.arange(n) // BLOCK))
    moved = np.concatenate([[0], np.cumsum(lengths[order])])
    edge = np.arange(moved[-1]) + np.repeat(np.asarray(starts[:-1])[order] - moved[:-1], lengths[order])
    totals = np.bincount(np.repeat(np.arange(n), lengths), weights, n).astype(float)
    weights = weights[:1] if len(weights) and np.all(weights == weights[0]) else weights[edge]
    columns = np.asarray(columns)[edge].astype(np.uint32)
    return Rows(order.astype(np.uint32), moved.astype(np.uint64), columns, np.array(weights), totals)


def _one_harmonic(phases, heard, same, order, starts, columns, weights, totals, real, imaginary, out):
    """`_four_harmonics` for m = 1, with waves (replicas, n, 2)."""
    replicas, n = phases.shape
    blocks = (n + BLOCK - 1) // BLOCK
    waves = np.empty((replicas, n, 2))
    here = waves if same else np.empty((replicas, n, 2))
    for job in nb.prange(replicas * blocks):
        replica, low = job // blocks, (job % blocks) * BLOCK
        size = min(BLOCK, n - low)
        buffer = np.empty((2, size))
        s, c = buffer[0], buffer[1]
        sincos_block(heard[replica, low : low + size], s, c, size)
        for i in range(size):
            waves[replica, low + i, 0], waves[replica, low + i, 1] = c[i], s[i]
        if not same:
            sincos_block(phases[replica, low : low + size], s, c, size)
            for i in range(size):
                here[replica, low + i, 0], here[replica, low + i, 1] = c[i], s[i]
    for job in nb.prange(replicas * blocks):
        replica, low = job // blocks, (job % blocks) * BLOCK
        size = min(BLOCK, n - low)
        wave, sums = waves[replica], np.empty((2, size))
        even, odd = sums[0], sums[1]  # Σ_j K_ij cos(θ_i − φ_j) and the same of sin
        for row in range(low, low + size):
            re, im = 0.0, 0.0
            for e in range(starts[row], starts[row + 1]):
                j, a = columns[e], weights[e] if weights.size > 1 else weights[0]
                re += a * wave[j, 0]
                im += a * wave[j, 1]
            i = order[row]
            c, s = here[replica, i, 0], here[replica, i, 1]
            even[i - low], odd[i - low] = c * re + s * im, s * re - c * im
        for f in range(real.shape[0]):
            mean, cosine, sine = real[f, 0], real[f, 1], -imaginary[f, 1]
            for i in range(size):
                out[replica, f, low + i] = mean * totals[low + i] + cosine * even[i] + sine * odd[i]


def _four_harmonics(phases, heard, same, order, starts, columns, weights, totals, real, imaginary, out):
    """out (replicas, functions, n) from phases and what is heard, (replicas, n); `same`: both are one array.

    totals (n,) = Σ_j K_ij; real, imaginary (functions, 4 q + 1): F_k.
    """
    replicas, n = phases.shape
    blocks = (n + BLOCK - 1) // BLOCK
    turns, waves = np.empty((replicas, n, 2)), np.empty((replicas, n, 8))
    turns_here = turns if same else np.empty((replicas, n, 2))
    here = waves if same else np.empty((replicas, n, 8))
    for job in nb.prange(replicas * blocks):
        replica, low = job // blocks, (job % blocks) * BLOCK
        size = min(BLOCK, n - low)
        buffer = np.empty((2, size))
        turn(
            heard[replica, low : low + size],
            buffer,
            turns[replica, low : low + size],
            waves[replica, low : low + size],
        )
        if not same:
            turn(
                phases[replica, low : low + size],
                buffer,
                turns_here[replica, low : low + size],
                here[replica, low : low + size],
            )
        for f in range(real.shape[0]):
            for i in range(low, low + size):
                out[replica, f, i] = real[f, 0] * totals[i]
    for k in range(0, real.shape[1] - 1, 4):
        for job in nb.prange(replicas * blocks):
            replica, low = job // blocks, (job % blocks) * BLOCK
            high = min(low + BLOCK, n)
            advance(turns[replica, low:high], waves[replica, low:high])
            if not same:
                advance(turns_here[replica, low:high], here[replica, low:high])
        for job in nb.prange(replicas * blocks):
            replica, low = job // blocks, (job % blocks) * BLOCK
            wave = waves[replica]
            for row in range(low, min(low + BLOCK, n)):
                re1, im1, re2, im2, re3, im3, re4, im4 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
                for e in range(starts[row], starts[row + 1]):
                    j, a = columns[e], weights[e] if weights.size > 1 else weights[0]
                    re1 += a * wave[j, 0]
                    im1 += a * wave[j, 1]
                    re2 += a * wave[j, 2]
                    im2 += a * wave[j, 3]
                    re3 += a * wave[j, 4]
                    im3 += a * wave[j, 5]
                    re4 += a * wave[j, 6]
                    im4 += a * wave[j, 7]
                i = order[row]
                w = here[replica, i]
                even1, odd1 = w[0] * re1 + w[1] * im1, w[1] * re1 - w[0] * im1
                even2, odd2 = w[2] * re2 + w[3] * im2, w[3] * re2 - w[2] * im2
                even3, odd3 = w[4] * re3 + w[5] * im3, w[5] * re3 - w[4] * im3
                even4, odd4 = w[6] * re4 + w[7] * im4, w[7] * re4 - w[6] * im4
                for f in range(real.shape[0]):
                    total = real[f, k + 1] * even1 - imaginary[f, k + 1] * odd1
                    total += real[f, k + 2] * even2 - imaginary[f, k + 2] * odd2
                    total += real[f, k + 3] * even3 - imaginary[f, k + 3] * odd3
                    total += real[f, k + 4] * even4 - imaginary[f, k + 4] * odd4
                    out[replica, f, i] += total


@nb.njit(cache=True)
def turn(x, buffer, turns, waves):
    """turns = (cos x, sin x); the last wave = 1, which is where `advance` starts."""
    s, c = buffer[0], buffer[1]
    sincos_block(x, s, c, x.size)
    for i in range(x.size):
        turns[i, 0], turns[i, 1] = c[i], s[i]
        waves[i, 6], waves[i, 7] = 1.0, 0.0


@nb.njit(cache=True, fastmath={"contract", "nsz"})
def advance(turns, waves):
    """The next four powers of z = e^{ix}.

    One multiplication, then z^{k+1} = 2 cos x z^k − z^{k−1} (as in `fourier`).
    """
    for i in range(len(turns)):
        c, s, r0, q0 = turns[i, 0], turns[i, 1], waves[i, 6], waves[i, 7]
        twice = c + c
        r1, q1 = r0 * c - q0 * s, r0 * s + q0 * c
        r2, q2 = twice * r1 - r0, twice * q1 - q0
        r3, q3 = twice * r2 - r1, twice * q2 - q1
        waves[i, 0], waves[i, 1], waves[i, 2], waves[i, 3] = r1, q1, r2, q2
        waves[i, 4], waves[i, 5], waves[i, 6], waves[i, 7] = r3, q3, twice * r3 - r2, twice * q3 - q2


def _edges(phases, heard, order, starts, columns, weights, together, code, constants, outputs, out):
    """out (replicas, results, n) by the tape at every edge; `together` rows in a job."""
    replicas, n = phases.shape
    blocks = (n + together - 1) // together
    for job in nb.prange(replicas * blocks):
        replica, low = job // blocks, (job % blocks) * together
        high = min(low + together, n)
        first = starts[low]
        gaps = np.empty(starts[high] - first)
        for row in range(low, high):
            x = phases[replica, order[row]]
            for e in range(starts[row], starts[row + 1]):
                gaps[e - first] = x - heard[replica, columns[e]]
        values = np.empty((outputs.size, gaps.size))
        run(code, constants, outputs, gaps, values)
        for result in range(outputs.size):
            for row in range(low, high):
                total = 0.0
                for e in range(starts[row], starts[row + 1]):
                    total += (weights[e] if weights.size > 1 else weights[0]) * values[result, e - first]
                out[replica, result, order[row]] = total


def _waves(phases, out):
    """out (replicas, n, 2 m) = (cos θ, sin θ, cos 2θ, sin 2θ, ...)."""
    replicas, n, m = phases.shape[0], phases.shape[1], out.shape[2] // 2
    blocks = (n + BLOCK - 1) // BLOCK
    for job in nb.prange(replicas * blocks):
        replica, low = job // blocks, (job % blocks) * BLOCK
        size = min(BLOCK, n - low)
        buffer, turns, four = np.empty((2, size)), np.empty((size, 2)), np.empty((size, 8))
        turn(phases[replica, low : low + size], buffer, turns, four)
        for k in range(0, 2 * m, 8):
            advance(turns, four)
            for i in range(size):
                for q in range(min(8, 2 * m - k)):
                    out[replica, low + i, k + q] = four[i, q]


def _combine(here, sums, totals, real, imaginary, out):
    """out (replicas, functions, n) = Re Σ_k F_k e^{ikθ_i} conj(S_ki).

    From the waves and their sums, (replicas, n, 2 m).
    """
    replicas, functions, n = out.shape
    m = here.shape[2] // 2
    blocks = (n + BLOCK - 1) // BLOCK
    for job in nb.prange(replicas * blocks):
        replica, low = job // blocks, (job % blocks) * BLOCK
        for i in range(low, min(low + BLOCK, n)):
            wave, field = here[replica, i], sums[replica, i]
            for f in range(functions):
                total = real[f, 0] * totals[i]
                for k in range(m):
                    c, s, re, im = wave[2 * k], wave[2 * k + 1], field[2 * k], field[2 * k + 1]
                    total += real[f, k + 1] * (c * re + s * im) - imaginary[f, k + 1] * (s * re - c * im)
                out[replica, f, i] = total


_FAST = {"fastmath": {"contract", "nsz"}}
_one_harmonic_kernel = threaded(_one_harmonic, **_FAST)
_four_harmonics_kernel = threaded(_four_harmonics, **_FAST)
_edges_kernel = threaded(_edges)
_waves_kernel = threaded(_waves)
_combine_kernel = threaded(_combine, **_FAST)


def modes(phases, heard, rows, m, real, imaginary, out):
    """out (replicas, functions, n) = Σ_j K_ij f(θ_i − φ_j) by modes; `heard` is `phases` itself where φ = θ.

    phases, heard (replicas, n); real, imaginary (functions, 4 q + 1), 4 q >= m >= 1.
    """
    kernel, width = (_one_harmonic_kernel, 2) if m == 1 else (_four_harmonics_kernel, 8)
    same, (replicas, n) = heard is phases, phases.shape
    step = max(1, min(replicas, TABLE // (width * n)))
    chosen = kernel((rows.columns.size + n) * m * step)
    for low in range(0, replicas, step):
        part = slice(low, low + step)
        chosen(phases[part], heard[part], same, *rows, real, imaginary, out[part])
    return out


def edges(phases, heard, rows, program, out):
    """out (replicas, results, n): for each result f of the tape, Σ_j K_ij f(θ_i − φ_j), edge by edge."""
    edges, n = rows.columns.size, phases.shape[1]
    together = max(1, EDGES * n // max(1, edges))
    kernel = _edges_kernel(8 * edges * len(phases))
    kernel(phases, heard, *rows[:4], together, program.code, program.constants, program.outputs, out)
    return out


def waves(phases, m):
    """(replicas, n, 2 m): cos kθ and sin kθ, k = 1..m, in turns."""
    out = np.empty((*phases.shape, 2 * m))
    _waves_kernel(out.size)(phases, out)
    return out


def combine(here, sums, totals, real, imaginary, out):
    """out (replicas, functions, n) = Re Σ_k F_k e^{ikθ_i} conj(S_ki).

    here, sums (replicas, n, 2 m): the waves of θ, and S as [Re S_1, Im S_1, Re S_2, ...].
    """
    _combine_kernel(out.size * here.shape[2])(here, sums, totals, real, imaginary, out)
    return out
