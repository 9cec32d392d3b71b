"""Sums over triads of oscillators: three phases in one argument, by powers of z = e^{iθ}.

For f(x) = Re Σ_h F_h e^{ihx}, own phases θ, heard phases φ, and ζ = e^{iφ}, the sum over the triads of node i is

    Re Σ_h F_h z_i^h  conj(Σ w ζ_j^{2h} ζ_k^{−h})     of f(θ_i + φ_k − 2 φ_j)    (ORDERED; with j and k exchanged too: BOTH)
    Re Σ_h F_h z_i^{2h} conj(Σ w ζ_j^h ζ_k^h)         of f(2 θ_i − φ_j − φ_k)    (PRODUCT)

Sines and cosines are taken once per node, powers once per node and harmonic; a triad costs up to two complex
products per harmonic. Accuracy: rounding times the harmonic, relative to max|f| Σ|w|.

A few replicas are summed one by one, many of a small hypergraph side by side (a vector holds several
replicas, so that the triads are read once for all). Both do the same operations in the same order, none fused
or reordered: the same bits with any number of threads and in any grouping of the replicas.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from inphase.kernels.sincos import sincos_block
from inphase.kernels.threads import threaded

BLOCK = 512  # nodes of one job; phases of which sines are taken at a time
LANES = 64  # replicas side by side
# nodes: their powers fill a second-level cache several times, beyond which lanes gain nothing
LANES_UP_TO = 4096
ORDERED, BOTH, PRODUCT = 0, 1, 2


@nb.njit(cache=True, error_model="numpy")
def _turn(phases, replica, powers, first, low, size, s, c):
    """powers = (z, z²) as four floats, first = z where there is room, for `size` nodes from `low`."""
    sincos_block(phases[replica, low : low + size], s, c, size)
    for i in range(size):
        powers[low + i, 0], powers[low + i, 1] = c[i], s[i]
        powers[low + i, 2], powers[low + i, 3] = c[i] * c[i] - s[i] * s[i], 2.0 * c[i] * s[i]
    if first.shape[0]:
        for i in range(size):
            first[low + i, 0], first[low + i, 1] = c[i], s[i]


@nb.njit(cache=True, error_model="numpy")
def _raise(powers, first, low, size):
    """From (z^h, z^{2h}) to (z^{h+1}, z^{2h+2})."""
    for i in range(low, low + size):
        re = powers[i, 0] * first[i, 0] - powers[i, 1] * first[i, 1]
        im = powers[i, 0] * first[i, 1] + powers[i, 1] * first[i, 0]
        powers[i, 0], powers[i, 1] = re, im
        powers[i, 2], powers[i, 3] = re * re - im * im, 2.0 * re * im


@nb.njit(cache=True, inline="always", error_model="numpy")
def _gather(heard, partners, weights, start, stop, kind):
    """The sum of one node over its triads, before conj: real and imaginary parts."""
    re, im = 0.0, 0.0
    for t in range(start, stop):
        j, k, w = partners[t, 0], partners[t, 1], weights[t]
        ar, ai, br, bi = heard[j, 0], heard[j, 1], heard[k, 0], heard[k, 1]
        if kind == PRODUCT:
            re += w * (ar * br - ai * bi)
            im += w * (ar * bi + ai * br)
        else:
            cr, ci = heard[j, 2], heard[j, 3]
            p, q = cr * br + ci * bi, ci * br - cr * bi
            if kind == BOTH:
                dr, di = heard[k, 2], heard[k, 3]
                p += dr * ar + di * ai
                q += di * ar - dr * ai
            re += w * p
            im += w * q
    return re, im


def _one_by_one(phases, sources, delayed, modes, starts, partners, weights, totals, kind, out):
    replicas, n = phases.shape
    m = len(modes) - 1
    blocks = (n + BLOCK - 1) // BLOCK
    heard, own = np.empty((n, 4)), np.empty((n if delayed else 0, 4))
    heard_first, own_first = np.empty((n if m > 1 else 0, 2)), np.empty((n if m > 1 and delayed else 0, 2))
    mine = own if delayed else heard
    part = 2 if kind == PRODUCT else 0
    for replica in range(replicas):
        for h in range(1, m + 1):
            for block in nb.prange(blocks):
                low = block * BLOCK
                size = min(BLOCK, n - low)
                if h == 1:
                    buffer = np.empty((2, size))
                    _turn(sources, replica, heard, heard_first, low, size, buffer[0], buffer[1])
                    if delayed:
                        _turn(phases, replica, own, own_first, low, size, buffer[0], buffer[1])
                else:
                    _raise(heard, heard_first, low, size)
                    if delayed:
                        _raise(own, own_first, low, size)
            real, imaginary, mean = modes[h].real, modes[h].imag, modes[0].real
            for block in nb.prange(blocks):
                low = block * BLOCK
                for i in range(low, min(low + BLOCK, n)):
                    re, im = _gather(heard, partners, weights, starts[i], starts[i + 1], kind)
                    zr, zi = mine[i, part], mine[i, part + 1]
                    value = real * (zr * re + zi * im) - imaginary * (zi * re - zr * im)
                    out[replica, i] = (mean * totals[i] if h == 1 else out[replica, i]) + value


@nb.njit(cache=True, error_model="numpy")
def _turn_lanes(phases, replica, rows, powers, first, x, s, c):
    """`_turn` of `rows` replicas from `replica` on; powers (n, 4, LANES)."""
    n, step = phases.shape[1], BLOCK // LANES
    for low in range(0, n, step):
        size = min(step, n - low)
        for lane in range(rows):
            for i in range(size):
                x[i * LANES + lane] = phases[replica + lane, low + i]
        sincos_block(x, s, c, size * LANES)
        for i in range(size):
            for lane in range(LANES):
                re, im = c[i * LANES + lane], s[i * LANES + lane]
                powers[low + i, 0, lane], powers[low + i, 1, lane] = re, im
            for lane in range(LANES):
                re, im = c[i * LANES + lane], s[i * LANES + lane]
                powers[low + i, 2, lane], powers[low + i, 3, lane] = re * re - im * im, 2.0 * re * im
            if first.shape[0]:
                for lane in range(LANES):
                    first[low + i, 0, lane], first[low + i, 1, lane] = (
                        c[i * LANES + lane],
                        s[i * LANES + lane],
                    )


@nb.njit(cache=True, error_model="numpy")
def _raise_lanes(powers, first):
    for i in range(len(powers)):
        for lane in range(LANES):
            re = powers[i, 0, lane] * first[i, 0, lane] - powers[i, 1, lane] * first[i, 1, lane]
            im = powers[i, 0, lane] * first[i, 1, lane] + powers[i, 1, lane] * first[i, 0, lane]
            powers[i, 0, lane], powers[i, 1, lane] = re, im
            powers[i, 2, lane], powers[i, 3, lane] = re * re - im * im, 2.0 * re * im


@nb.njit(cache=True, inline="always", error_model="numpy")
def _gather_lanes(heard, partners, weights, start, stop, kind, re, im):
    for lane in range(LANES):
        re[lane], im[lane] = 0.0, 0.0
    for t in range(start, stop):
        j, k, w = partners[t, 0], partners[t, 1], weights[t]
        if kind == PRODUCT:
            for lane in range(LANES):
                ar, ai, br, bi = heard[j, 0, lane], heard[j, 1, lane], heard[k, 0, lane], heard[k, 1, lane]
                re[lane] += w * (ar * br - ai * bi)
                im[lane] += w * (ar * bi + ai * br)
        elif kind == ORDERED:
            for lane in range(LANES):
                br, bi, cr, ci = heard[k, 0, lane], heard[k, 1, lane], heard[j, 2, lane], heard[j, 3, lane]
                re[lane] += w * (cr * br + ci * bi)
                im[lane] += w * (ci * br - cr * bi)
        else:
            for lane in range(LANES):
                ar, ai, br, bi = heard[j, 0, lane], heard[j, 1, lane], heard[k, 0, lane], heard[k, 1, lane]
                cr, ci, dr, di = heard[j, 2, lane], heard[j, 3, lane], heard[k, 2, lane], heard[k, 3, lane]
                re[lane] += w * ((cr * br + ci * bi) + (dr * ar + di * ai))
                im[lane] += w * ((ci * br - cr * bi) + (di * ar - dr * ai))


def _side_by_side(phases, sources, delayed, modes, starts, partners, weights, totals, kind, out):
    replicas, n = phases.shape
    m = len(modes) - 1
    part = 2 if kind == PRODUCT else 0
    for group in nb.prange((replicas + LANES - 1) // LANES):
        replica = group * LANES
        rows = min(LANES, replicas - replica)
        x, s, c = np.zeros(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
        re, im = np.empty(LANES), np.empty(LANES)
        heard, own = np.empty((n, 4, LANES)), np.empty((n if delayed else 0, 4, LANES))
        heard_first = np.empty((n if m > 1 else 0, 2, LANES))
        own_first = np.empty((n if m > 1 and delayed else 0, 2, LANES))
        mine = own if delayed else heard
        for h in range(1, m + 1):
            if h == 1:
                _turn_lanes(sources, replica, rows, heard, heard_first, x, s, c)
                if delayed:
                    _turn_lanes(phases, replica, rows, own, own_first, x, s, c)
            else:
                _raise_lanes(heard, heard_first)
                if delayed:
                    _raise_lanes(own, own_first)
            real, imaginary, mean = modes[h].real, modes[h].imag, modes[0].real
            for i in range(n):
                _gather_lanes(heard, partners, weights, starts[i], starts[i + 1], kind, re, im)
                for lane in range(LANES):
                    zr, zi = mine[i, part, lane], mine[i, part + 1, lane]
                    re[lane] = real * (zr * re[lane] + zi * im[lane]) - imaginary * (
                        zi * re[lane] - zr * im[lane]
                    )
                if h == 1:
                    for lane in range(rows):
                        out[replica + lane, i] = mean * totals[i] + re[lane]
                else:
                    for lane in range(rows):
                        out[replica + lane, i] += re[lane]


_single = threaded(_one_by_one)
_many = threaded(_side_by_side)


def sums(phases, sources, modes, starts, partners, weights, totals, kind, out):
    """out (replicas, n) = Σ over the triads of each node; sources None: φ = θ.

    Triads starts[i] to starts[i + 1] are those of node i: partners (·, 2), unsigned; weights (·); totals (n,)
    is how often the mean of f counts, the sum of the weights (twice, for BOTH).
    """
    replicas, n = phases.shape
    choose = _many if replicas >= LANES // 2 and n <= LANES_UP_TO else _single
    kernel = choose((len(modes) - 1) * (4 * n + len(weights)) * replicas)
    kernel(
        phases,
        phases if sources is None else sources,
        sources is not None,
        modes,
        starts,
        partners,
        weights,
        totals,
        kind,
        out,
    )
