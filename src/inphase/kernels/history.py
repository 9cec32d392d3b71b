"""The past of delayed oscillators: a ring of polynomials, one per step and oscillator, and what is heard.

Step k of replica r is kept in slot k & (slots − 1) (slots is a power of two), spans [start, start + length],
and there

    θ_i(start + x length) = Σ_p coefficients[r, slot, i, p] x^p,   p = 0..4.

Of the past, a replica keeps the steps first..last − 1; step `last` is the one that is being taken. Cost:
40 bytes per oscillator and step; a look-up starts from the step found last and takes nanoseconds.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from inphase.kernels import tape
from inphase.kernels.threads import threaded

BLOCK = 1024
TERMS = 5  # of a polynomial: the dense output of Dormand and Prince's pair is of degree 4


def _look(coefficients, start, length, first, until, found, rows, heard, delays, time, phases, out):
    """out[q, e] = θ_j(time[q] − delays[e]) of replica rows[q], j = heard[e]; undelayed, phases[q, j].

    Only the steps first..until of a replica are read; found[r, e] is the step in which the last look-up
    ended.
    """
    count, m = out.shape
    mask = start.shape[1] - 1
    blocks = (m + BLOCK - 1) // BLOCK
    for job in nb.prange(count * blocks):
        q, low = job // blocks, (job % blocks) * BLOCK
        r = rows[q]
        least, most = first[r], until[r]
        for e in range(low, min(low + BLOCK, m)):
            if delays[e] == 0.0:
                out[q, e] = phases[q, heard[e]]
                continue
            moment = time[q] - delays[e]
            k = min(max(found[r, e], least), most)
            while k < most and moment > start[r, (k + 1) & mask]:
                k += 1
            while k > least and moment <= start[r, k & mask]:
                k -= 1
            found[r, e] = k
            slot = k & mask
            x = (moment - start[r, slot]) / length[r, slot]
            c = coefficients[r, slot, heard[e]]
            out[q, e] = c[0] + x * (c[1] + x * (c[2] + x * (c[3] + x * c[4])))


def _record(phases, stages, weights, step, rows, last, coefficients, change):
    """The current step's polynomials, from its stages; weights (stages, 4) as in `steps.interpolate`.

    change[q, block] = max |new − old| at four points of the step, infinite where anything is not finite.
    """
    n, mask = phases.shape[1], coefficients.shape[1] - 1
    blocks = (n + BLOCK - 1) // BLOCK
    for job in nb.prange(rows.size * blocks):
        q, block = job // blocks, job % blocks
        r = rows[q]
        slot, largest, good = last[r] & mask, 0.0, True
        for i in range(block * BLOCK, min((block + 1) * BLOCK, n)):
            c = coefficients[r, slot, i]
            t1, t2, t3, t4 = 0.0, 0.0, 0.0, 0.0
            for s in range(weights.shape[0]):
                v = step[r] * stages[s, r, i]
                t1 += weights[s, 0] * v
                t2 += weights[s, 1] * v
                t3 += weights[s, 2] * v
                t4 += weights[s, 3] * v
            d0, d1, d2, d3, d4 = phases[r, i] - c[0], t1 - c[1], t2 - c[2], t3 - c[3], t4 - c[4]
            c[0], c[1], c[2], c[3], c[4] = phases[r, i], t1, t2, t3, t4
            for quarter in range(1, 5):
                x = 0.25 * quarter
                d = d0 + x * (d1 + x * (d2 + x * (d3 + x * d4)))
                largest, good = max(largest, abs(d)), good and d - d == 0.0
        change[q, block] = largest if good else np.inf


def _predict(step, rows, last, length, coefficients):
    """The polynomials of the step to be taken, from those of the step before: the same functions of time."""
    n, mask = coefficients.shape[2], coefficients.shape[1] - 1
    blocks = (n + BLOCK - 1) // BLOCK
    for job in nb.prange(rows.size * blocks):
        q, block = job // blocks, job % blocks
        r = rows[q]
        old, new = (last[r] - 1) & mask, last[r] & mask
        x = step[r] / length[r, old]
        for i in range(block * BLOCK, min((block + 1) * BLOCK, n)):
            c, d = coefficients[r, old, i], coefficients[r, new, i]
            d[0] = c[0] + c[1] + c[2] + c[3] + c[4]
            d[1] = x * (c[1] + 2 * c[2] + 3 * c[3] + 4 * c[4])
            d[2] = x * x * (c[2] + 3 * c[3] + 6 * c[4])
            d[3] = x * x * x * (c[3] + 4 * c[4])
            d[4] = x * x * x * x * c[4]


def _pair_sums(code, constants, outputs, starts, weights, chunks, phases, heard, out):
    """out[s, q, i] = Σ_e weights[e] f_s(phases[q, i] − heard[q, e]), e = starts[i]..starts[i + 1] − 1.

    f_s are the results of a tape; the rows chunks[c]..chunks[c + 1] − 1 are one job.
    """
    count = chunks.size - 1
    for job in nb.prange(phases.shape[0] * count):
        q, c = job // count, job % count
        low, high = chunks[c], chunks[c + 1]
        begin = starts[low]
        gaps = np.empty(starts[high] - begin)
        values = np.empty((outputs.size, gaps.size))
        for i in range(low, high):
            for e in range(starts[i], starts[i + 1]):
                gaps[e - begin] = phases[q, i] - heard[q, e]
        tape.run(code, constants, outputs, gaps, values)
        for s in range(outputs.size):
            for i in range(low, high):
                total = 0.0
                for e in range(starts[i], starts[i + 1]):
                    total += weights[e] * values[s, e - begin]
                out[s, q, i] = total


_FAST = {"fastmath": {"contract", "nsz"}}
_look_kernel = threaded(_look, **_FAST)
_record_kernel = threaded(_record, **_FAST)
_predict_kernel = threaded(_predict, **_FAST)
_pair_sums_kernel = threaded(_pair_sums, **_FAST)


def look(coefficients, start, length, first, until, found, rows, heard, delays, time, phases, out):
    """See `_look`; `found` moves on."""
    arguments = coefficients, start, length, first, until, found, rows, heard, delays, time, phases, out
    _look_kernel(TERMS * out.size)(*arguments)
    return out


def record(phases, stages, weights, step, rows, last, coefficients):
    """See `_record`; the change of each replica, (rows,)."""
    change = np.empty((rows.size, (phases.shape[1] + BLOCK - 1) // BLOCK))
    work = rows.size * phases.shape[1] * weights.size
    _record_kernel(work)(phases, stages, weights, step, rows, last, coefficients, change)
    return change.max(axis=1)


def predict(step, rows, last, length, coefficients):
    """See `_predict`."""
    _predict_kernel(rows.size * coefficients.shape[2] * 2 * TERMS)(step, rows, last, length, coefficients)


def pair_sums(program, starts, weights, chunks, phases, heard):
    """(results, replicas, n): see `_pair_sums`."""
    out = np.empty((program.outputs.size, *phases.shape))
    work = heard.size * len(program.code)
    _pair_sums_kernel(work)(
        program.code, program.constants, program.outputs, starts, weights, chunks, phases, heard, out
    )
    return out


@nb.njit(cache=True)
def drop(start, first, last, oldest):
    """Move `first` of each replica on past the steps that end before oldest[r]."""
    mask = start.shape[1] - 1
    for r in range(first.size):
        while first[r] + 1 < last[r] and start[r, (first[r] + 1) & mask] <= oldest[r]:
            first[r] += 1
