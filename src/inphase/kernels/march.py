"""Many constant steps of a small system in one call, of any explicit Runge-Kutta method, replica by replica.

A step of some fifty oscillators takes a third of a microsecond, a call from Python fifty times that. So the
coupling hands over its terms (`Links`, `Triangles`, `Field`), and `plan` lays them out for one loop over
steps in which all is at hand.

For f(x) = Σ_h E_h cos hx + O_h sin hx, sines and cosines are taken once per node. Each link {i, j} then gives
e^{i(θ_i − θ_j)} as one product, from it f at θ_i − θ_j and, with the odd part's sign changed, at θ_j − θ_i;
each triangle {i, j, k} three differences, and from them f at its three arguments. The cost is
O((n + links + triangles)·m), the accuracy rounding times the harmonic, relative to max|f| Σ|w|.

Nothing is shared by replicas, so the numbers depend neither on the threads nor on which replicas run
together.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba as nb
import numpy as np

from inphase.kernels.sincos import sincos_block
from inphase.kernels.terms import ORDERED, PAIRS, PRODUCT, AllPairs, Field, Links, Term, Triangles
from inphase.kernels.threads import threaded

LISTS_UP_TO = 32  # nodes of a dense matrix whose entries are taken; beyond, products of matrices are quicker
_FAST: dict[str, Any] = {"cache": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}


class Plan(NamedTuple):
    """d · dθ_i/dt = drift_i + b_i sin θ_i + Σ terms of f, as the kernel takes it."""

    modes: np.ndarray  # F_0..F_m, complex: f(x) = Re Σ_h F_h e^{ihx}
    even: np.ndarray  # E_0..E_m
    odd: np.ndarray  # O_0..O_m
    drift: np.ndarray  # (n,), ω, what self-loops give, and E_0 of links and triangles
    field: np.ndarray  # (n,), b
    rate: np.ndarray  # (n,), 1/d
    links: np.ndarray  # (links, 2), uint32
    link_weights: np.ndarray  # (links, 2): w of the first node, which listens to the second; w of the second
    ordered: np.ndarray  # (triangles, 3), uint32
    ordered_weights: np.ndarray  # (triangles,)
    product: np.ndarray
    product_weights: np.ndarray
    kinds: np.ndarray  # (fields,)
    rows: np.ndarray  # (fields, n), r
    columns: np.ndarray  # (fields, n), c


def listed(terms: list[Term]) -> list[Term] | None:
    """The terms as this kernel takes them; None where it does not, or where products of matrices are quicker."""
    found: list[Term] = []
    for term in terms:
        if isinstance(term, AllPairs) and term.lags is None and len(term.weights) <= LISTS_UP_TO:
            rows, columns = np.nonzero(term.weights)
            term = Links(term.weights[rows, columns].astype(float), rows, columns)
        if not (isinstance(term, Links | Field) or (isinstance(term, Triangles) and not term.directed)):
            return None
        found.append(term)
    return found


def plan(terms, modes, frequencies, field, damping):
    """The `Plan` of Σ terms of f, for arrays (n,) and the modes F_0..F_m of f."""
    n, fields = len(frequencies), [term for term in terms if isinstance(term, Field)]
    # exactly 0 for odd f
    even = np.where(np.abs(modes.real) > 1e-15 * np.max(np.abs(modes)), modes.real, 0.0)
    links, weights, loops = _links([term for term in terms if isinstance(term, Links)], n)
    ordered, product = (
        _triangles([t for t in terms if isinstance(t, Triangles) and t.kind == k]) for k in (ORDERED, PRODUCT)
    )
    drift = frequencies + even.sum() * loops
    for nodes, values in (
        (links, weights),
        (ordered[0], 2 * ordered[1][:, None]),
        (product[0], product[1][:, None]),
    ):
        np.add.at(drift, nodes, even[0] * values)
    return Plan(
        modes, even, -modes.imag, drift, field, 1 / damping, links, weights, *ordered, *product,
        np.array([term.kind for term in fields], dtype=np.int64),
        np.array([term.weights for term in fields]).reshape(-1, n),
        np.array([term.columns for term in fields]).reshape(-1, n),
    )  # fmt: skip


def _links(terms, n):
    """Each pair of nodes that are joined once, its two weights, and the weights of self-loops (n,)."""
    rows, columns = (
        np.concatenate([np.empty(0, int), *(t[k] for t in terms)]).astype(np.int64) for k in (1, 2)
    )
    values = np.concatenate([np.empty(0), *(term.weights for term in terms)])
    loops = np.bincount(rows, np.where(rows == columns, values, 0.0), n).astype(float)
    rows, columns, values = (array[rows != columns] for array in (rows, columns, values))
    keys, pair = np.unique(np.minimum(rows, columns) * n + np.maximum(rows, columns), return_inverse=True)
    weights = np.zeros((len(keys), 2))
    np.add.at(weights, (pair, np.where(rows < columns, 0, 1)), values)
    return np.stack([keys // n, keys % n], axis=1).astype(np.uint32), weights, loops


def _triangles(terms):
    nodes = np.concatenate([np.empty((0, 3), int), *(term.nodes for term in terms)])
    return nodes.astype(np.uint32), np.concatenate([np.empty(0), *(term.weights for term in terms)])


# ---------------------------------------------------------------------------------------------------- kernels


@nb.njit(inline="always", **_FAST)
def _parts(c, s, e1, o1, even, odd):
    """The even part of f at x, without its mean, and the odd part, from cos x and sin x."""
    up, down = e1 * c, o1 * s
    if odd.size > 2:
        zr, zi = c, s
        for h in range(2, odd.size):
            zr, zi = zr * c - zi * s, zr * s + zi * c
            up += even[h] * zr
            down += odd[h] * zi
    return up, down


@nb.njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "reassoc"})
def _moments(s, c, columns, zr, zi, moments):
    """Σ_j c_j e^{ihθ_j} for h = 0, 1, ...; zr and zi are scratch."""
    n = columns.size
    zr[:n], zi[:n] = columns, 0.0
    moments[0] = np.sum(columns)
    for h in range(1, moments.size):
        re, im = 0.0, 0.0
        for i in range(n):
            zr[i], zi[i] = zr[i] * c[i] - zi[i] * s[i], zr[i] * s[i] + zi[i] * c[i]
            re += zr[i]
            im += zi[i]
        moments[h] = complex(re, im)


@nb.njit(**_FAST)
def _field(s, c, modes, rows, columns, kind, zr, zi, out):
    """out += the mean field of one `Field`: moments, then a polynomial in e^{iθ}."""
    n, m = columns.size, modes.size - 1
    moments = np.empty((2 if kind == ORDERED else 1) * m + 1, dtype=np.complex128)
    _moments(s, c, columns, zr, zi, moments)
    powers = np.zeros((2 if kind == PRODUCT else 1) * m + 1, dtype=np.complex128)
    for h in range(m + 1):
        if kind == PAIRS:
            powers[h] = modes[h] * np.conj(moments[h])
        elif kind == ORDERED:
            powers[h] = modes[h] * np.conj(moments[2 * h]) * moments[h]
        else:
            powers[2 * h] = modes[h] * np.conj(moments[h]) ** 2
    zr[:n], zi[:n] = 0.0, 0.0
    for h in range(powers.size - 1, -1, -1):
        re, im = powers[h].real, powers[h].imag
        for i in range(n):
            zr[i], zi[i] = zr[i] * c[i] - zi[i] * s[i] + re, zr[i] * s[i] + zi[i] * c[i] + im
    for i in range(n):
        out[i] += rows[i] * zr[i]


@nb.njit(inline="always", **_FAST)
def _pairs(s, c, links, weights, even, odd, out):
    """out += what each link gives to its two nodes."""
    e1, o1 = even[1], odd[1]
    for e in range(len(links)):
        i, j = links[e, 0], links[e, 1]
        up, down = _parts(c[i] * c[j] + s[i] * s[j], s[i] * c[j] - c[i] * s[j], e1, o1, even, odd)
        out[i] += weights[e, 0] * (up + down)
        out[j] += weights[e, 1] * (up - down)


@nb.njit(inline="always", **_FAST)
def _triads(s, c, nodes, weights, kind, even, odd, out):
    """out += what each triangle gives to its three nodes."""
    e1, o1 = even[1], odd[1]
    for t in range(len(nodes)):
        i, j, k, w = nodes[t, 0], nodes[t, 1], nodes[t, 2], weights[t]
        si, ci, sj, cj, sk, ck = s[i], c[i], s[j], c[j], s[k], c[k]
        sa, ca = si * cj - ci * sj, ci * cj + si * sj  # θ_i − θ_j
        sb, cb = sj * ck - cj * sk, cj * ck + sj * sk  # θ_j − θ_k
        sd, cd = sk * ci - ck * si, ck * ci + sk * si  # θ_k − θ_i
        # i in the middle: θ_j + θ_k − 2θ_i
        up_i, down_i = _parts(cd * ca + sd * sa, sd * ca - cd * sa, e1, o1, even, odd)
        up_j, down_j = _parts(ca * cb + sa * sb, sa * cb - ca * sb, e1, o1, even, odd)
        up_k, down_k = _parts(cb * cd + sb * sd, sb * cd - cb * sd, e1, o1, even, odd)
        if kind == ORDERED:
            of_i, of_j, of_k = up_i + down_i, up_j + down_j, up_k + down_k
            out[i] += w * (of_j + of_k)
            out[j] += w * (of_k + of_i)
            out[k] += w * (of_i + of_j)
        else:
            out[i] += w * (up_i - down_i)
            out[j] += w * (up_j - down_j)
            out[k] += w * (up_k - down_k)


@nb.njit(inline="always", **_FAST)
def ahead(start, slopes, weights, h, out):
    """out = start + h Σ_s weights_s slopes_s, over as many slopes as there are weights, the last not 0."""
    last, alone = weights.size - 1, True
    w, slope = weights[last], slopes[last]
    for s in range(last):
        if weights[s] != 0.0:
            for i in range(out.size):
                out[i] = weights[s] * slopes[s, i] + (0.0 if alone else out[i])
            alone = False
    if alone:
        for i in range(out.size):
            out[i] = start[i] + h * (w * slope[i])
    else:
        for i in range(out.size):
            out[i] = start[i] + h * (out[i] + w * slope[i])


@nb.njit(inline="always", **_FAST)
def velocity(x, work, slope, p):
    """slope = dθ/dt at the phases x; work (4, n) is scratch."""
    (
        modes,
        even,
        odd,
        drift,
        field,
        rate,
        links,
        w_links,
        ordered,
        w_ordered,
        product,
        w_product,
        kinds,
        rows,
        columns,
    ) = p
    n = x.size
    s, c = work[0], work[1]
    sincos_block(x, s, c, n)
    for i in range(n):
        slope[i] = drift[i] + field[i] * s[i]
    _pairs(s, c, links, w_links, even, odd, slope)
    _triads(s, c, ordered, w_ordered, ORDERED, even, odd, slope)
    _triads(s, c, product, w_product, PRODUCT, even, odd, slope)
    for f in range(kinds.size):
        _field(s, c, modes, rows[f], columns[f], kinds[f], work[2], work[3], slope)
    for i in range(n):
        slope[i] *= rate[i]


@nb.njit(**_FAST)
def _one(phases, steps, h, a, b, p):
    """All steps of one replica, in place."""
    n = phases.size
    work, x, slopes = np.empty((4, n)), phases.copy(), np.empty((b.size, n))
    for _ in range(steps):
        for stage in range(b.size):
            if stage > 0:
                ahead(phases, slopes, a[stage, :stage], h, x)
            velocity(x, work, slopes[stage], p)
        ahead(phases, slopes, b, h, x)
        for i in range(n):
            phases[i] = x[i]


def _all(phases, steps, h, a, b, p):
    for replica in nb.prange(len(phases)):
        _one(phases[replica], steps, h, a, b, p)


_kernel = threaded(_all)


def cost(p):
    """Inner iterations of one velocity of one replica, about: a nanosecond each."""
    m = len(p.odd) - 1
    each = len(p.links) + 5 * (len(p.ordered) + len(p.product)) + 2 * p.rows.size
    return 2 * len(p.drift) + each * m


def march(phases, steps, h, a, b, p):
    """phases (replicas, n) moved on by `steps` steps h, in place.

    The method is its tableau: a (stages, stages), zero on and above the diagonal, and b (stages,).
    """
    work = cost(p) * steps * len(phases)
    # Numba takes 0.2 ms to look at named ones
    _kernel(work if len(phases) > 1 else 0)(phases, steps, h, a, b, tuple(p))
    return phases
