"""Mean fields of oscillators of very different speeds: one step H, in which each level has intervals of its own.

    dθ_i/dt = ω_i + Re Σ_qk L_iq A_qk(t) e^{ikθ_i},   A_qk = a_k Σ_j R_jq e^{−ikθ_j}

Level l, the oscillators that turn by at most some radians in H/2^l, has 2^l intervals, numbered 2^l + j as in a heap.
On each the phases are polynomials through P Gauss nodes, found by Picard's iteration, and what the level gives
to A is a Legendre series. A level feels slower ones by restriction of their series to its intervals, and faster
ones by projection onto its polynomials.

What a projection leaves out, G, turns fast. A slow phase follows it by w = Re Σ L B e^{ikθ}, B = ∫G from the start of
its interval, which is 0 at the end: a step ends right. But w gives to A, at the speed of those who made it, and they
feel it: a drift of (strength)² / (n ω). So each interval also feels the response of all slower phases (`_respond`):

    δA_qk = ½ i k F_k Σ_q'k' (B_q'k' N_{k−k'} + conj(B_q'k') N_{k+k'}),   N_h = Σ_j R_jq L_jq' e^{−ihθ_j},   F = −a

and, with C = ∫B, the same of −ik'C in the place of B and S_h = Σ_j R_jq L_jq' θ_j' e^{−ihθ_j} in that of N, since slow
phases do move. What is left is of the third order in how much slower they are, and of the second in G.

Series are (2, P) numbers, real and imaginary parts. Sums are taken by blocks of oscillators in a fixed order, so the
numbers do not depend on the threads.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.polynomial import legendre

from inphase.kernels.sincos import sincos_block
from inphase.kernels.threads import threaded

P = 8  # nodes of an interval
ROUNDS = 30  # visits to the faster levels, after which a step has not converged
INNER = 30  # sweeps over the slowest level between them
SWEPT = 1  # of Picard's iterations of the slowest level, in a sweep
REPEATS = 6  # of Picard's iteration on an interval, in a visit to a faster level
CONTINUED_TO = 5  # degree of what is continued from a step into the next
BLOCK = 256  # oscillators of one job
DEALT = 8  # the jobs are dealt to as many hands, so that threads with equal shares have equal work


def _tables():
    """Nodes and weights on (0, 1), and matrices between values at the nodes and Legendre series."""
    nodes, weights = legendre.leggauss(P)
    at = (nodes + 1) / 2
    to_values = legendre.legvander(nodes, P - 1)
    to_series = np.linalg.inv(to_values)
    integral = legendre.legint(np.eye(P), lbnd=-1) / 2  # from 0, of a series: a series of P + 1 numbers
    to_integrals = legendre.legvander(nodes, P) @ integral @ to_series
    restricted = [to_series @ legendre.legvander(at + half - 1, P - 1) for half in (0, 1)]
    # the inner products of the halves with polynomials on the whole, by the nodes of the halves
    norms = (2 * np.arange(P) + 1)[:, None] / 2
    projected = [
        norms * (legendre.legvander(at + half - 1, P - 1).T * weights / 2) @ to_values for half in (0, 1)
    ]
    return (
        at,
        weights / 2,
        to_values,
        to_series,
        to_integrals,
        np.array(restricted),
        np.array(projected),
        integral[:P],
    )


NODES, WEIGHTS, _TO_VALUES, _TO_SERIES, _INTEGRALS, _RESTRICTED, _PROJECTED, _INTEGRAL = _tables()
LAST = np.ascontiguousarray(_TO_SERIES[P - 1])  # values to the last number of the series
# turned, so that a product with P numbers goes along rows
TO_VALUES, TO_SERIES, INTEGRALS, RESTRICTED, PROJECTED, INTEGRAL = (
    np.ascontiguousarray(np.swapaxes(table, -1, -2))
    for table in (_TO_VALUES, _TO_SERIES, _INTEGRALS, _RESTRICTED, _PROJECTED, _INTEGRAL)
)
HALVED = np.ascontiguousarray(
    (_TO_VALUES @ _RESTRICTED @ _TO_SERIES).swapaxes(1, 2)
)  # values to those on a half
NEXT = np.ascontiguousarray(
    [_TO_SERIES @ legendre.legval(NODES + half - 1, np.eye(P + 1)[P]) for half in (0, 1)]
)
DERIVATIVES = np.ascontiguousarray(
    (legendre.legvander(2 * NODES - 1, P - 2) @ legendre.legder(2 * np.eye(P)) @ _TO_SERIES).T
)
# the same polynomial on the next interval, of the series' first numbers
CONTINUED = np.ascontiguousarray(
    (_TO_SERIES @ np.where(np.arange(P) <= CONTINUED_TO, legendre.legvander(2 * NODES + 1, P - 1), 0.0)).T
)
_FAST = {"cache": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}


class System(NamedTuple):
    """The equation, for oscillators in the order of their speed."""

    omega: np.ndarray  # (n,)
    left: np.ndarray  # (r, n), L
    right: np.ndarray  # (r, n), R
    real: np.ndarray  # (m,), Re a_1..a_m
    imaginary: np.ndarray  # (m,)


class Layout(NamedTuple):
    """Who is where: jobs are blocks of one level."""

    levels: np.ndarray  # (jobs,)
    lows: np.ndarray  # (jobs,), first oscillator
    highs: np.ndarray  # (jobs,)
    bases: np.ndarray  # (jobs,), where their phases at nodes begin, [interval][oscillator][node]
    sums: np.ndarray  # (jobs,), where their sums begin
    order: np.ndarray  # (jobs,), in which they are dealt


def layout(offsets):
    """The `Layout` of levels that begin at those oscillators, (levels + 1,)."""
    cuts = [
        (level, low, min(low + BLOCK, offsets[level + 1]))
        for level in range(len(offsets) - 1)
        for low in range(offsets[level], offsets[level + 1], BLOCK)
    ]
    levels, lows, highs = np.array(cuts, dtype=np.int64).T
    counts = 2**levels
    sizes = counts * P * (highs - lows)
    by_size = np.argsort(-sizes, kind="stable")
    order = np.concatenate([by_size[hand::DEALT] for hand in range(DEALT)])
    starts = (np.concatenate([[0], np.cumsum(each)]) for each in (sizes, counts))
    bases, sums = (np.ascontiguousarray(each) for each in starts)
    return Layout(levels, lows, highs, bases, sums, order)


# ------------------------------------------------------------------------------------------- between the levels


@nb.njit(inline="always", **_FAST)
def _product(matrix, x, out):
    """out += matrix x, both (P,), with the matrix turned; four columns at once, so that sums stay in registers."""
    for q in range(0, P, 4):
        a, b, c, d = x[q], x[q + 1], x[q + 2], x[q + 3]
        for k in range(P):
            out[k] += (matrix[q, k] * a + matrix[q + 1, k] * b) + (
                matrix[q + 2, k] * c + matrix[q + 3, k] * d
            )


@nb.njit(**_FAST)
def _add(matrix, series, out):
    """out += matrix series for each of (parts, P), with the matrix turned."""
    for part in range(series.shape[0]):
        _product(matrix, series[part], out[part])


@nb.njit(**_FAST)
def _set(matrix, series, out):
    """out = matrix series for each of (parts, P), with the matrix turned."""
    out[:] = 0.0
    _add(matrix, series, out)


@nb.njit(**_FAST)
def _gather(own, fast, top):
    """fast[a]: what faster levels give on interval a, projected on it; series (intervals, parts, P)."""
    both = np.empty(own.shape[1:])
    for a in range(2**top - 1, 0, -1):
        fast[a] = 0.0
        for half in range(2):
            both[:] = own[2 * a + half] + fast[2 * a + half]
            _add(PROJECTED[half], both, fast[a])


@nb.njit(**_FAST)
def _integral(series, half, out):
    """out = ∫ series from the start of the interval's parent, in units of the interval; over the parent it is 0."""
    _set(INTEGRAL, series, out)
    if half == 1:
        out[:, 0] -= series[:, 0]


@nb.njit(**_FAST)
def _respond(B, C, N, S, equal, real, imaginary, found):
    """found = δA, the response of slower phases to what is hidden from them; all at the nodes."""
    r, m = equal.shape[0], real.size
    found[:] = 0.0
    for q in range(r):
        for k in range(1, m + 1):
            at = 2 * (q * m + k - 1)
            for other in range(r):
                pair = q * r + other
                for h in range(1, m + 1):
                    b, above, below = (
                        2 * (other * m + h - 1),
                        2 * ((k + h) * r * r + pair),
                        2 * (abs(k - h) * r * r + pair),
                    )
                    sign = 1.0 if k > h else -1.0
                    for p in range(P):
                        x, y = (N[below, p], sign * N[below + 1, p]) if k != h else (equal[q, other], 0.0)
                        z, t = S[below, p], sign * S[below + 1, p]
                        br, bi, cr, ci = B[b, p], B[b + 1, p], h * C[b + 1, p], -h * C[b, p]  # B, −ihC
                        u, v, z_, t_ = N[above, p], N[above + 1, p], S[above, p], S[above + 1, p]
                        found[at, p] += (br * x - bi * y + br * u + bi * v) + (
                            cr * z - ci * t + cr * z_ + ci * t_
                        )
                        found[at + 1, p] += (br * y + bi * x + br * v - bi * u) + (
                            cr * t + ci * z + cr * t_ - ci * z_
                        )
            ar, ai = 0.5 * k * imaginary[k - 1], -0.5 * k * real[k - 1]  # ½ i k F_k
            for p in range(P):
                x, y = found[at, p], found[at + 1, p]
                found[at, p], found[at + 1, p] = ar * x - ai * y, ar * y + ai * x


@nb.njit(**_FAST)
def _hand_medium(N, S, top):
    """N and S at the nodes of all intervals, from those of the root."""
    for a in range(2, 2 ** (top + 1)):
        _set(HALVED[a % 2], N[a // 2], N[a])
        _set(HALVED[a % 2], S[a // 2], S[a])


@nb.njit(**_FAST)
def _hand_down(own, fast, slow, N, S, equal, real, imaginary, H, top, fields, new, given, little):
    """slow[a]: what slower levels give on interval a, with their response; and the fields there, at the nodes.

    fields (intervals, parts, P) are those of the last sweeps of a level, new (parts, P) the present ones' place;
    returns how far they have moved, (levels,). It goes no deeper than there is more than a little to say.
    """
    moved, news = np.zeros(top + 1), given.copy()
    both, missed, hidden, B, C, found = np.empty((6, *own.shape[1:]))
    tails, zero = np.zeros((2 ** (top + 1), own.shape[1])), np.zeros(own.shape[1:])
    for level in range(top + 1):
        h = H / 2**level
        if level > 1:
            most = moved[level - 1] * 2 * h
            for other in range(level - 1, top + 1):
                most = max(most, news[other] * (H / 2**other))
            if most <= little:
                break
        given[level] = 0.0
        for a in range(2**level, 2 ** (level + 1)):
            slow[a] = 0.0
            if level > 0:
                b, half = a // 2, a % 2
                both[:] = own[b] + slow[b]
                _add(RESTRICTED[half], both, slow[a])
                # G = what is here − what of it is felt one level up
                _set(RESTRICTED[half], fast[b], missed)
                missed[:] = h * ((own[a] + fast[a]) - missed)
                _integral(missed, half, hidden)
                _set(TO_VALUES, hidden, B)
                hidden *= h
                _integral(hidden, half, missed)
                _set(TO_VALUES, missed, C)
                _respond(B, C, N[a], S[a], equal[level - 1], real, imaginary, found)
                _add(TO_SERIES, found, slow[a])
                for part in range(own.shape[1]):
                    for k in range(P):
                        slow[a, part, k] += NEXT[half, k] * tails[b, part]
            if level < top:
                for part in range(own.shape[1]):
                    B[part] = (own[a, part, P - 1] + fast[a, part, P - 1]) * (h / (4 * P - 2))
                _respond(B, zero, N[a], S[a], equal[level], real, imaginary, found)
                tails[a] = found[:, P // 2]
            both[:] = own[a] + slow[a] + fast[a]
            _set(TO_VALUES, both, new[a])
            moved[level] = max(moved[level], np.max(np.abs(new[a] - fields[a])))
    return moved


# ------------------------------------------------------------------------------------------------- on one level


@nb.njit(**_FAST)
def _forces(s, c, left, A, m, size, F, work):
    """F = Re Σ L A e^{ikθ} at the nodes, (size · P,), from sines and cosines; left (r, size)."""
    u, v = work[0], work[1]
    for i in range(size):
        at = i * P
        for p in range(P):
            F[at + p] = 0.0
        for q in range(left.shape[0]):
            weight = left[q, i]
            if m == 1:
                x, y = A[2 * q], A[2 * q + 1]
                for p in range(P):
                    F[at + p] += weight * (x[p] * c[at + p] - y[p] * s[at + p])
                continue
            u[:] = 0.0
            v[:] = 0.0
            for k in range(m - 1, -1, -1):
                x, y = A[2 * (q * m + k)], A[2 * (q * m + k) + 1]
                for p in range(P):
                    re, im = u[p] + x[p], v[p] + y[p]
                    u[p] = re * c[at + p] - im * s[at + p]
                    v[p] = re * s[at + p] + im * c[at + p]
            for p in range(P):
                F[at + p] += weight * u[p]


@nb.njit(**_FAST)
def _advance(x0, turn, h, F, theta, size, work):
    """Phases at the nodes from the forces there; how far they moved."""
    far, row = work[0], work[1]
    far[:] = 0.0
    for i in range(size):
        at, x, w = i * P, x0[i], turn[i]
        for p in range(P):
            row[p] = 0.0
        _product(INTEGRALS, F[at : at + P], row)
        for p in range(P):
            new = x + (NODES[p] * w + h * row[p])
            away = abs(new - theta[at + p])
            far[p] = away if away > far[p] else far[p]
            theta[at + p] = new
    return np.max(far)


@nb.njit(**_FAST)
def _ends(x0, turn, h, F, size):
    """x0 at the end of the interval, from the forces; the largest of h times the last number of their series."""
    largest = 0.0
    for i in range(size):
        total, last = 0.0, 0.0
        for q in range(P):
            total += WEIGHTS[q] * F[i * P + q]
            last += LAST[q] * F[i * P + q]
        x0[i] += turn[i] + h * total
        largest = max(largest, h * abs(last))
    return largest


@nb.njit(**_FAST)
def _powers(s, c, weights, size, sums, work):
    """sums (2 · harmonics, P): Re and Im of Σ_j weights_j e^{−ihθ_j} at the nodes, h = 1, 2, ..., added."""
    u, v, last = work[0], work[1], sums.shape[0] // 2 - 1
    if last == 0:  # by fours, so that sums stay in registers
        whole = size - size % 4
        for i in range(0, whole, 4):
            a, b, d, e, at = weights[i], weights[i + 1], weights[i + 2], weights[i + 3], i * P
            for p in range(at, at + P):
                sums[0, p - at] += (a * c[p] + b * c[p + P]) + (d * c[p + 2 * P] + e * c[p + 3 * P])
                sums[1, p - at] -= (a * s[p] + b * s[p + P]) + (d * s[p + 2 * P] + e * s[p + 3 * P])
        for i in range(whole, size):
            for p in range(P):
                sums[0, p] += weights[i] * c[i * P + p]
                sums[1, p] -= weights[i] * s[i * P + p]
        return
    for i in range(size):
        at = i * P
        for p in range(P):
            u[p], v[p] = weights[i], 0.0
        for h in range(last + 1):
            for p in range(P):
                re = u[p] * c[at + p] + v[p] * s[at + p]
                v[p] = v[p] * c[at + p] - u[p] * s[at + p]
                u[p] = re
                sums[2 * h, p] += u[p]
                sums[2 * h + 1, p] += v[p]


@nb.njit(**_FAST)
def _sums(s, c, right, real, imaginary, size, out, work):
    """out (parts, P) = a_k Σ_j R_jq e^{−ikθ_j} at the nodes; right (r, size)."""
    m = real.size
    out[:] = 0.0
    for q in range(right.shape[0]):
        part = out[2 * q * m : 2 * (q + 1) * m]
        _powers(s, c, right[q], size, part, work)
        for k in range(m):
            for p in range(P):
                x, y = part[2 * k, p], part[2 * k + 1, p]
                part[2 * k, p] = real[k] * x - imaginary[k] * y
                part[2 * k + 1, p] = real[k] * y + imaginary[k] * x


@nb.njit(**_FAST)
def _job(start, end, low, high, count, H, system, theta, fields, fresh, repeats, close, partial):
    """The oscillators low..high over their intervals, one after the other: up to `repeats` of Picard's iterations each.

    The phases at the nodes, theta, are [interval][oscillator][node]. Returns the largest of h times the last number
    of the series of a force.
    """
    omega, left, right, real, imaginary = system
    size, h, block, error = high - low, H / count, (high - low) * P, 0.0
    s, c, F = np.empty((3, block))
    work = np.empty((2, P))
    x0, turn, left, right = start[low:high].copy(), h * omega[low:high], left[:, low:high], right[:, low:high]
    for j in range(count):
        here = theta[j * block : (j + 1) * block]
        if fresh:
            for i in range(size):
                for p in range(P):
                    here[i * P + p] = x0[i] + NODES[p] * turn[i]
        for _ in range(repeats):
            sincos_block(here, s, c, block)
            _forces(s, c, left, fields[count + j], real.size, size, F, work)
            if not _advance(x0, turn, h, F, here, size, work) > close:
                break
        error = max(error, _ends(x0, turn, h, F, size))
        sincos_block(here, s, c, block)
        _sums(s, c, right, real, imaginary, size, partial[j], work)
    end[low:high] = x0
    return error


@nb.njit(**_FAST)
def _collect(levels, sums, due, partial, own, given):
    """own[a] of the levels that are due, series, from the jobs' sums at the nodes; given counts how far they move."""
    total, series = np.empty((2, *own.shape[1:]))
    for level in range(due.size):
        if not due[level]:
            continue
        farthest = 0.0
        for j in range(2**level):
            total[:] = 0.0
            for job in range(levels.size):
                if levels[job] == level:
                    total += partial[sums[job] + j]
            _set(TO_SERIES, total, series)
            farthest = max(farthest, np.max(np.abs(series - own[2**level + j])))
            own[2**level + j] = series
        given[level] += farthest


@nb.njit(**_FAST)
def _medium(place, jobs, system, theta, H, N, S):
    """N_h and S_h = Σ_j R_jq L_jq' θ_j' e^{−ihθ_j}, h = 0, 1, ..., (parts, P), at the nodes, of the first jobs: level 0."""
    _, lows, highs, bases, _, _ = place
    _, left, right, real, _ = system
    r, m = left.shape[0], real.size
    sums, work = np.empty((4 * m, P)), np.empty((2, P))
    N[:] = 0.0
    for job in range(jobs):
        low, high = lows[job], highs[job]
        here = theta[bases[job] : bases[job + 1]]
        s, c = np.empty((2, here.size))
        sincos_block(here, s, c, here.size)
        for q in range(r):
            for other in range(r):
                sums[:] = 0.0
                weights = right[q, low:high] * left[other, low:high]
                _powers(s, c, weights, high - low, sums, work)
                pair = 2 * (q * r + other)
                for i in range(high - low):
                    for p in range(P):  # for the time being, Σ R L θ in the place of N_0
                        N[pair, p] += weights[i] * here[i * P + p]
                for h in range(1, 2 * m + 1):
                    N[2 * h * r * r + pair] += sums[2 * h - 2]
                    N[2 * h * r * r + pair + 1] += sums[2 * h - 1]
    _set(DERIVATIVES, N, S)
    S /= H
    for h in range(1, 2 * m + 1):
        for pair in range(r * r):
            at = 2 * (h * r * r + pair)
            for p in range(P):
                S[at, p], S[at + 1, p] = -S[at + 1, p] / h, S[at, p] / h


# --------------------------------------------------------------------------------------------------- the step


@nb.njit(**_FAST)
def _first_fields(start, right, real, imaginary, ahead, own, fast, fields):
    """The root's fields at the nodes, predicted: continued from the last step, or those at its start."""
    m = real.size
    if ahead:
        both, found = own[1] + fast[1], np.zeros(own.shape[1:])
        _add(CONTINUED, both, found)
        fields[1] = 0.0
        _add(TO_VALUES, found, fields[1])
        return
    fast[1] = 0.0
    for q in range(right.shape[0]):
        for k in range(1, m + 1):
            x, y = 0.0, 0.0
            for i in range(start.size):
                x += right[q, i] * math.cos(k * start[i])
                y -= right[q, i] * math.sin(k * start[i])
            c = 2 * (q * m + k - 1)
            fields[1, c] = real[k - 1] * x - imaginary[k - 1] * y
            fields[1, c + 1] = real[k - 1] * y + imaginary[k - 1] * x


@nb.njit(**_FAST)
def _root(own, fast, fields):
    """The root's fields at the nodes anew; how far they have moved."""
    both, found = own[1] + fast[1], np.zeros(own.shape[1:])
    _add(TO_VALUES, both, found)
    moved = np.max(np.abs(found - fields[1]))
    fields[1] = found
    return moved


@nb.njit(**_FAST)
def _choose(far, H, fresh, close, fields, new, due):
    """Which levels are due: those that were never visited, or whose fields moved; they take the new ones."""
    found = 0
    due[0] = False
    for level in range(1, due.size):
        due[level] = fresh[level] or far[level] * (H / 2**level) > close
        if due[level]:
            found += 1
            fields[2**level : 2 ** (level + 1)] = new[2**level : 2 ** (level + 1)]
    return found


def _step(start, end, place, system, state, H, strongest, close, ahead):
    """One step H of all levels, (n,) from `start` into `end`: whether it converged, and how many visits it took."""
    levels, lows, highs, bases, sums, order = place
    _, _, right, real, imaginary = system
    own, fast, slow, fields, new, N, S, equal, theta, partial, errors = state
    top, slow_jobs = equal.shape[0] - 1, np.searchsorted(levels, 1)
    due, fresh = np.zeros(top + 1, dtype=np.bool_), np.ones(top + 1, dtype=np.bool_)
    _first_fields(start, right, real, imaginary, ahead, own, fast, fields)
    target = close if top == 0 else math.sqrt(close)
    visits, given = 0, np.zeros(top + 1)
    for turn in range(ROUNDS):
        far = math.inf
        if slow_jobs > 0:
            due[:] = False
            due[0] = True
        for _ in range(INNER if slow_jobs > 0 else 0):
            for at in nb.prange(slow_jobs):
                errors[at] = _job(
                    start,
                    end,
                    lows[at],
                    highs[at],
                    1,
                    H,
                    system,
                    theta[bases[at] : bases[at + 1]],
                    fields,
                    fresh[0],
                    SWEPT,
                    close,
                    partial[sums[at] : sums[at + 1]],
                )
            visits += 1
            fresh[0] = False
            _collect(levels, sums, due, partial, own, given)
            far = _root(own, fast, fields) * strongest * H
            if not far > target:
                break
        if top == 0:
            return far <= close, visits
        if turn == 0 and slow_jobs > 0:
            _medium(place, slow_jobs, system, theta, H, N[1], S[1])
            _hand_medium(N, S, top)
        if turn == 0:
            fast[:] = 0.0
            own[2:] = 0.0
        little = close / strongest if turn > 0 else -1.0
        moves = _hand_down(own, fast, slow, N, S, equal, real, imaginary, H, top, fields, new, given, little)
        found = _choose(moves, H * strongest, fresh, close, fields, new, due)
        if found == 0 and far <= close:
            return True, visits
        for at in nb.prange(order.size):
            job = order[at]
            level = levels[job]
            if due[level]:
                errors[job] = _job(
                    start,
                    end,
                    lows[job],
                    highs[job],
                    2**level,
                    H,
                    system,
                    theta[bases[job] : bases[job + 1]],
                    fields,
                    fresh[level],
                    REPEATS,
                    close,
                    partial[sums[job] : sums[job + 1]],
                )
        _collect(levels, sums, due, partial, own, given)
        _gather(own, fast, top)
        for level in range(1, top + 1):
            fresh[level] &= not due[level]
        far, target = _root(own, fast, fields) * strongest * H, close
        visits += 1
        if slow_jobs == 0 and found == 0:
            return True, visits
    return False, visits


step = threaded(_step, fastmath=_FAST["fastmath"])
