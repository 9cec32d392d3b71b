"""The vector work of the integrators: each array is read once per stage, block by block.

Arrays are (replicas, n), stages (stages, replicas, n); every replica has its own step size.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from inphase.kernels.threads import threaded

BLOCK = 1024


def _combine(start, stages, coefficients, step, out):
    """out = start + step Σ_s coefficients_s stages_s."""
    replicas, n = start.shape
    blocks = (n + BLOCK - 1) // BLOCK
    for job in nb.prange(replicas * blocks):
        replica, low = job // blocks, (job % blocks) * BLOCK
        size = min(BLOCK, n - low)
        total = np.zeros(size)
        for s in range(coefficients.size):
            a = coefficients[s]
            if a != 0.0:
                stage = stages[s, replica]
                for i in range(size):
                    total[i] += a * stage[low + i]
        h = step[replica]
        for i in range(size):
            out[replica, low + i] = start[replica, low + i] + h * total[i]


def _error(stages, coefficients, step, out):
    """out[replica, block] = max |step Σ_s coefficients_s stages_s|; NaN and overflow count as infinite."""
    replicas, n = stages.shape[1:]
    blocks = (n + BLOCK - 1) // BLOCK
    for job in nb.prange(replicas * blocks):
        replica, low = job // blocks, (job % blocks) * BLOCK
        size = min(BLOCK, n - low)
        total = np.zeros(size)
        for s in range(coefficients.size):
            a = coefficients[s]
            if a != 0.0:
                stage = stages[s, replica]
                for i in range(size):
                    total[i] += a * stage[low + i]
        largest, good = 0.0, 0
        for i in range(size):
            largest = max(largest, abs(total[i]))
            good += total[i] - total[i] == 0.0
        out[replica, job % blocks] = abs(step[replica]) * largest if good == size else np.inf


def _interpolate(start, stages, weights, time, step, accepted, times, due, rows, out):
    """Fill out[k, rows[r]] for the times[k] that replica r's accepted step has passed; due[r] moves on.

    weights (stages, degree): y(t + θ step) = y + step Σ_s stages_s Σ_p weights[s, p] θ^(p+1).
    """
    replicas, n = start.shape
    count, degree = weights.shape
    for replica in nb.prange(replicas):
        if accepted[replica]:
            total = np.empty(n)
            end = time[replica] + step[replica]
            while due[replica] < times.size and times[due[replica]] <= end:
                theta = (times[due[replica]] - time[replica]) / step[replica]
                total[:] = 0.0
                for s in range(count):
                    a = 0.0
                    for p in range(degree - 1, -1, -1):
                        a = (a + weights[s, p]) * theta
                    for i in range(n):
                        total[i] += a * stages[s, replica, i]
                for i in range(n):
                    out[due[replica], rows[replica], i] = start[replica, i] + step[replica] * total[i]
                due[replica] += 1


_FAST = {"fastmath": {"contract", "nsz"}}
_combine_kernel = threaded(_combine, **_FAST)
_error_kernel = threaded(_error, **_FAST)
_interpolate_kernel = threaded(_interpolate, **_FAST)


def combine(start, stages, coefficients, step, out):
    """out = start + step Σ_s coefficients_s stages_s, with step (replicas,)."""
    _combine_kernel(start.size * coefficients.size)(start, stages, coefficients, step, out)
    return out


def error(stages, coefficients, step):
    """max_i |step Σ_s coefficients_s stages_s|, (replicas,); infinite where anything is not finite."""
    replicas, n = stages.shape[1:]
    out = np.empty((replicas, (n + BLOCK - 1) // BLOCK))
    _error_kernel(stages.size)(stages, coefficients, step, out)
    return out.max(axis=1)


def interpolate(start, stages, weights, time, step, accepted, times, due, rows, out):
    """See `_interpolate`; threads go over replicas."""
    _interpolate_kernel(start.size if len(start) > 1 else 0)(
        start, stages, weights, time, step, accepted, times, due, rows, out
    )
