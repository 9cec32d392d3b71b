"""`synchronization`: prove, refute or leave undecided ranges of parameters, by theorems in order of cost."""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

from inphase.certify import checker, refute
from inphase.certify.balls import outward, precision
from inphase.certify.budget import BOXES, Budget, Spent
from inphase.certify.certificate import Certificate, claim_of, least_margin
from inphase.certify.family import End, Family, family
from inphase.certify.networks import APART
from inphase.certify.theorem import Attempt, Box, Theorem
from inphase.certify.theorems import THEOREMS, attention

Ranges = dict[str, tuple[End, End]]
Progress = Callable[[float, str], None]
REFUTATION = 7_500  # the least budget of the search for a stable state
REACH = 30  # cuts of infinite boxes, each one further out; only β = ∞ is ever reached, and by other boxes
NO_REACH = "no theorem reaches that far: give a finite range"


@dataclass
class _Search:
    """The boxes tried so far."""

    family: Family
    theorems: Sequence[Theorem]
    budget: Budget
    progress: Progress | None = None
    leaves: list[dict[str, Any]] = field(default_factory=list)
    margins: list[float] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    here: Ranges = field(default_factory=dict)
    open: int = 0
    failed: tuple[Ranges, Attempt] | None = None

    def box(self, ranges: Ranges) -> Box:
        """A box that is paid from the search's budget."""
        return Box(self.family, ranges, self.budget.part())

    def stop(self, why: str, last: Attempt | None = None) -> None:
        """End at the box where the search stands: why, and what it has done."""
        done = f"{len(self.leaves)} boxes proved, {self.open} open" if self.leaves else "no box proved"
        words = f"{why} ({done}{f'; {last.reason}' if last and last.reason else ''})"
        self.failed = self.here, Attempt(None, last.margin if last else -math.inf, words)


def synchronization(
    subject: Any,
    *,
    n: int | None = None,
    graph: Any = None,
    theorems: Sequence[str] | None = None,
    refutation: bool = True,
    budget: int = BOXES,
    seconds: float | None = None,
    progress: Progress | None = None,
    **ranges: Any,
) -> Certificate:
    """Do almost all starts synchronize, for every parameter in the ranges?

    Parameters
    ----------
    subject : PhaseModel, Interaction, str, callable, or graph
        A model; an interaction; a formula in `x` and the parameters, or a name of the catalog; a function of
        the parameters that returns an interaction, such as `inphase.attention`; a graph (an
        `inphase.graphs.Graph`, or an adjacency matrix, scipy sparse or square array; f = sin x).
    n : int, optional
        The number of oscillators, with equal weights. Without it: every number and all positive weights.
    graph : Graph, matrix, path or dict, optional
        The network, where it is not all-to-all and not in the model: undirected, with equal weights, or of
        any kind with two parts that hear nobody outside, as a disconnected one has: it is refuted.
    theorems : sequence of str, optional
        Only these (names in `THEOREMS`); all by default.
    refutation : bool
        Whether to look for a stable state that is not synchronized.
    budget : int
        The largest number of boxes, and the work that so many take in the mean: by default about a minute, the
        same work on every machine. What is not decided then is "undecided", and the statement says where.
    seconds : float, optional
        A time limit, after which what is not decided is "undecided"; the answer then depends on the machine.
    progress : callable, optional
        Called with the fraction done and a few words.
    **ranges : number, str or pair
        Ranges of the parameters, closed; ends may be rationals in text ("-2/3") and infinite.

    Returns
    -------
    Certificate
        With `verdict` "proved", "refuted" or "undecided".

    Raises
    ------
    ValueError, TypeError
        On an empty range, NaN, an unknown parameter or theorem, n < 2, a budget below 1, negative seconds; on a
        graph that is directed, with other weights or self-loops (unless parts of it hear nobody
        outside), or given beside a model with a
        coupling of its own. (A model with such a coupling is "undecided", and the statement names the obstacle.)

    Examples
    --------
    >>> synchronization("attention", beta=("-0.66", "inf")).verdict
    'proved'
    >>> synchronization("attention", beta=-0.7, n=3).verdict
    'refuted'
    >>> print(synchronization("sin(x)"))  # doctest: +ELLIPSIS
    proved: Almost every start synchronizes: f(x) = sin(x); any number of oscillators, all-to-all with any positive weights; ...
    """
    started, purse = time.perf_counter(), Budget(budget, seconds)
    unknown = set(theorems or ()) - set(THEOREMS)
    if unknown:
        raise ValueError(f"unknown theorem {sorted(unknown)[0]!r}; known: {', '.join(THEOREMS)}")
    known = family(subject, ranges, n=n, graph=graph)
    chosen = [
        t for name, t in THEOREMS.items() if (theorems is None or name in theorems) and t.applies(known)
    ]
    if known.obstacle:
        return _undecided(known, dict(known.ranges), Attempt(None, reason=known.obstacle), started)
    search = _Search(known, chosen, purse, progress)
    with precision(96):
        if known.coupling["kind"] == APART:
            if refutation:
                return _refuted(search, refute.apart(known), started)
            why = "the graph is in parts that hear nobody outside, and no refutation was asked for"
            return _undecided(known, dict(known.ranges), Attempt(None, reason=why), started)
        if _proved(search):
            claim = claim_of(known, "proved", dict(known.ranges))
            return _verified("proved", claim, search, started)
        assert search.failed is not None
        where, attempt = search.failed
        if refutation:
            found = None
            with suppress(Spent):
                found = refute.refutation(known, where, budget=purse.afresh(max(budget // 4, REFUTATION)))
            if found is not None:
                return _refuted(search, found, started)
    return _undecided(known, where, attempt, started)


def _proved(search: _Search) -> bool:
    """Whether every piece of the ranges is proved within the budget."""
    pieces = _pieces(search.family)
    try:
        return all(_cover(search, piece, weight) for piece, weight in zip(pieces, _weights(pieces)))
    except Spent as spent:
        search.stop(str(spent))
        return False


def _refuted(search: _Search, found: refute.Found, started: float) -> Certificate:
    """The certificate of a refutation, verified."""
    claim = claim_of(search.family, "refuted", found.ranges, found.coupling)
    search.leaves, search.margins = [found.leaf], [found.margin]
    search.used = {found.leaf["theorem"]}
    return _verified("refuted", claim, search, started)


def _verified(verdict: str, claim: dict[str, Any], search: _Search, started: float) -> Certificate:
    """The certificate, if the independent checker verifies it: no verdict leaves this room without that."""
    found = Certificate(
        verdict, claim["statement"], least_margin(search.margins), claim, search.leaves, tuple(sorted(search.used)),
        search.family.assumptions, time.perf_counter() - started,
    )  # fmt: skip
    accepted, reason = checker.explain_text(found.to_json(), search.budget.seconds_left)
    if accepted:
        return found
    known = search.family
    return _undecided(
        known,
        dict(known.ranges),
        Attempt(None, reason=f"the independent checker rejects it: {reason}"),
        started,
    )


def _undecided(known: Family, where: Ranges, attempt: Attempt, started: float) -> Certificate:
    shown = {k: (_short(lo), _short(hi)) for k, (lo, hi) in where.items()}
    place = ", ".join(f"{k} = {lo}" if lo == hi else f"{k} in [{lo}, {hi}]" for k, (lo, hi) in shown.items())
    words = f"Neither proved nor refuted{' at ' + place if place else ''}: {attempt.reason or 'no theorem applies'}."
    claim = claim_of(known, "undecided", dict(known.ranges)) | {"statement": words}
    return Certificate(
        "undecided", words, attempt.margin, claim, [], (), known.assumptions, time.perf_counter() - started
    )


def _short(value: End) -> str:
    return f"{float(value):.9g}"


def _pieces(known: Family) -> list[Ranges]:
    """The ranges with dyadic ends, cut for attention where the theorems change: 0 and 1."""
    ranges: Ranges = {}
    for name, (lo, hi) in known.ranges.items():
        if math.isinf(lo) or math.isinf(hi):
            ranges[name] = (
                lo if math.isinf(lo) else outward(Fraction(lo), Fraction(lo))[0],
                hi if math.isinf(hi) else outward(Fraction(hi), Fraction(hi))[1],
            )
        else:
            ranges[name] = outward(Fraction(lo), Fraction(hi))
    beta = known.attention
    if beta is None:
        return [ranges]
    lo, hi = ranges[beta]
    cuts: list[End] = [lo, *(c for c in (Fraction(0), Fraction(1)) if lo < c < hi), hi]
    return [ranges | {beta: pair} for pair in pairwise(cuts)] if lo < hi else [ranges]


def _weights(pieces: list[Ranges]) -> list[tuple[float, float]]:
    return [(i / len(pieces), (i + 1) / len(pieces)) for i in range(len(pieces))]


def _cover(search: _Search, ranges: Ranges, part: tuple[float, float]) -> bool:
    """Prove the whole box, cutting it where it fails; False at the first point where nothing proves it."""
    beta = search.family.attention
    if beta is not None and ranges[beta][0] >= 1 and attention.ATTENTION_INFINITY in search.theorems:
        return _cover_inverse(search, beta, ranges, part)
    # the widest box first: its middle soon meets a region where nothing is proved, if there is one
    order, done, before, far = itertools.count(), 0.0, 0.0, 0
    heap = [(-_width(ranges), next(order), ranges, part[1] - part[0])]
    while heap:
        _, _, here, share = heapq.heappop(heap)
        search.here, search.open = here, len(heap) + 1
        box, middle = search.box(here), _middle(here)
        cheap = [t for t in search.theorems if not t.dear]
        best = _try(search, box, cheap)
        # the dear theorems are for where the cheap ones fail at the middle itself, or nearly: elsewhere
        # cutting is quicker
        if best.leaf is None and (middle is None or _try(search, search.box(middle), cheap).margin < 0.1):
            best = max(
                best, _try(search, box), key=lambda attempt: (attempt.leaf is not None, attempt.margin)
            )
        if best.leaf is not None:
            search.leaves.append(best.leaf)
            search.margins.append(best.margin)
            done += share
            if search.progress and done - before > 0.01:
                before = done
                search.progress(part[0] + done, f"{len(search.leaves)} boxes proved")
            continue
        if middle is None:
            search.failed = (here, best)
            return False
        far += math.isinf(_width(here))
        if far > REACH or len(search.leaves) + len(heap) > search.budget.boxes:
            search.stop(NO_REACH if far > REACH else search.budget.end, best)
            return False
        thin = _try(search, search.box(middle))
        if thin.leaf is None:
            search.failed = (middle, thin)
            return False
        for half in _cut(here):
            heapq.heappush(heap, (-_width(half), next(order), half, share / 2))
    return True


def _try(search: _Search, box: Box, theorems: Sequence[Theorem] | None = None) -> Attempt:
    """The first theorem that proves the box, or the attempt that came closest."""
    best = Attempt(None, reason="no theorem applies")
    for theorem in search.theorems if theorems is None else theorems:
        attempt = theorem.on(box)
        if attempt.leaf is not None and not box.gain_is_positive:
            return Attempt(
                None, reason="the softmax gain is not seen to be positive (f > 0 on (0, π) is not proved)"
            )
        if attempt.leaf is not None:
            search.used.add(theorem.name)
            return attempt
        if attempt.margin > best.margin or (best.margin == -math.inf and attempt.reason):
            best = Attempt(None, attempt.margin, f"{theorem.name}: {attempt.reason}")
    return best


def _cover_inverse(search: _Search, beta: str, ranges: Ranges, part: tuple[float, float]) -> bool:
    """β >= 1 by boxes of u = 1/β, outward to dyadic ends."""
    lo, hi = ranges[beta]
    u_lo, u_hi = (Fraction(0) if math.isinf(hi) else 1 / Fraction(hi)), 1 / Fraction(lo)
    u_lo, u_hi = outward(u_lo, u_hi, 160)
    if u_lo == u_hi:
        u_lo, u_hi = max(u_lo - Fraction(1, 2**160), Fraction(0)), u_hi
    stack = [(u_lo, min(u_hi, Fraction(1)))]
    while stack:
        a, b = stack.pop()
        search.here, search.open = ranges | {beta: _inverse(a, b)}, len(stack) + 1
        product = attention.scaled_product(a, b, search.budget)
        if product < 2:
            search.leaves.append(attention.inverse_leaf(beta, a, b))
            search.margins.append(float((2 / product - 1).lower()))
            search.used.add(attention.ATTENTION_INFINITY.name)
            continue
        if b - a < Fraction(1, 2**40):
            search.failed = (ranges, Attempt(None, -1.0, "the L1 inequality at large β is open"))
            return False
        stack += [((a + b) / 2, b), (a, (a + b) / 2)]
    return True


def _inverse(a: Fraction, b: Fraction) -> tuple[End, End]:
    """The range of 1/u for u in [a, b]."""
    return 1 / b, 1 / a if a else math.inf


def _width(ranges: Ranges) -> End:
    """The widest side of a box."""
    return max((hi - lo for lo, hi in ranges.values()), default=Fraction(0))


def _middle(ranges: Ranges) -> Ranges | None:
    """The middle point of a box, or None where it cannot be cut any more."""
    width = _width(ranges)
    if math.isinf(width):
        return {k: _finite_point(lo, hi) for k, (lo, hi) in ranges.items()}
    if width < Fraction(1, 2**60):
        return None
    return {k: ((lo + hi) / 2, (lo + hi) / 2) for k, (lo, hi) in ranges.items()}


def _finite_point(lo: End, hi: End) -> tuple[End, End]:
    if math.isinf(lo) and math.isinf(hi):
        return Fraction(0), Fraction(0)
    at = hi - 1 if math.isinf(lo) else lo + 1 if math.isinf(hi) else (lo + hi) / 2
    return at, at


def _cut(ranges: Ranges) -> tuple[Ranges, Ranges]:
    """The box in two, across its widest side (relative to nothing: parameters are of order one)."""
    name = max(ranges, key=lambda k: ranges[k][1] - ranges[k][0])
    lo, hi = ranges[name]
    at = (lo + hi) / 2 if not (math.isinf(lo) or math.isinf(hi)) else _finite_point(lo, hi)[0]
    return ranges | {name: (lo, at)}, ranges | {name: (at, hi)}


def prove_box(box: Box, theorems: Sequence[Theorem]) -> Attempt:
    """One box, no cutting: for diagrams."""
    return _try(_Search(box.family, theorems, box.f.budget), box)
