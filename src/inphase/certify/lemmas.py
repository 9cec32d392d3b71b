"""The lemmas of [PRY] on attention (appendices A to C), each verified in balls, or its failure reported.

f = sin x · e^{β (cos x − 1)}, f''' = p(cos x) e^{β (cos x − 1)}; β >= 1 goes by u = 1/β and z = β
(1 − cos x), where f''' has the sign of Q(z, u). [PRY]: Polyanskiy, Rigollet, Yao, Synchronization of
mean-field models on the circle (2025).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from flint import arb, arb_series

from inphase.certify.balls import Enclosure, interval, precision
from inphase.certify.theorems.attention import scaled_product
from inphase.certify.variation import attraction_range, positive_variation
from inphase.interaction import attention

Test = Callable[[Any], bool]
THIRD = Fraction(1, 3)


@dataclass(frozen=True)
class Lemma:
    """A lemma, whether it was verified, and how."""

    name: str
    range: str
    statement: str
    verified: bool
    how: str


def p(z: Any, b: Any) -> Any:
    """The quartic of f'''."""
    w = 1 - z * z
    return -(z + 3 * b * z * z - 4 * b * w - 6 * b * b * z * w + b**3 * w * w)


def dp(z: Any, b: Any) -> Any:
    """p'(z)."""
    return -(1 + 14 * b * z - 6 * b * b * (1 - 3 * z * z) - 4 * b**3 * z * (1 - z * z))


def q(z: Any, u: Any) -> Any:
    """Q(z, u): the sign of f''' at β = 1/u, cos x = 1 − uz."""
    n = 2 * z - 3 - u + 3 * u * z - u * z * z
    r = z * (2 - u * z)
    return (1 - u * z) * n + r * (2 + 3 * u - 2 * u * z - n)


def dq(z: Any, u: Any) -> Any:
    """∂Q/∂z."""
    n, dn = 2 * z - 3 - u + 3 * u * z - u * z * z, 2 + 3 * u - 2 * u * z
    r, dr = z * (2 - u * z), 2 - 2 * u * z
    return -u * n + (1 - u * z) * dn + dr * (dn - n) + r * (-2 * u - dn)


PHASES: dict[str, Callable[[Any, Any], bool]] = {
    "-": lambda value, slope: bool(value < 0),
    "+": lambda value, slope: bool(value > 0),
    "rises": lambda value, slope: bool(slope > 0),
    "falls": lambda value, slope: bool(slope < 0),
}


def pattern(
    g: Callable[[Any], Any], dg: Callable[[Any], Any], lo: float, hi: float, phases: tuple[str, ...]
) -> bool:
    """Whether cells from lo to hi run through these phases: "+", "-" are signs of g, "rises", "falls" of g'.

    With "-", "rises", "+" there is exactly one root, simple; a phase may be passed over in no cells only if
    it stands at either end, where the sign of g at the end point itself must be known otherwise.
    """
    at, cells = 0, [(lo, hi)]
    seen: set[int] = set()
    while cells:
        a, b = cells.pop()
        z = interval(a, b)
        value, slope = g(z), dg(z)
        step = next((k for k in range(at, min(at + 2, len(phases))) if PHASES[phases[k]](value, slope)), None)
        if step is None and at == 0 and b - a < 1 and len(phases) > 1 and not seen:
            step = next((k for k in (0, 1, 2)[: len(phases)] if PHASES[phases[k]](value, slope)), None)
        if step is None:
            if b - a < 1e-7:
                return False
            cells += [((a + b) / 2, b), (a, (a + b) / 2)]
            continue
        at = step
        seen.add(step)
    return at >= len(phases) - 2


def covered(test: Test, lo: Fraction, hi: Fraction, depth: int = 14) -> bool:
    """Whether the test holds on balls that cover [lo, hi], cut where it fails."""
    stack = [(lo, hi, depth)]
    while stack:
        a, b, left = stack.pop()
        if test(interval(a, b)):
            continue
        if left == 0:
            return False
        m = (a + b) / 2
        stack += [(m, b, left - 1), (a, m, left - 1)]
    return True


def tau_times_rise(limit: Callable[[Any], Any]) -> Test:
    """τ ∫_0^π |f'''|_+ < limit(τ).

    The integral is f''(a) − f''(b), or −f''(a) where f''' has one root on (0, π).
    """

    def test(b: Any) -> bool:
        f = Enclosure(attention(0.0), {"beta": b})
        tau = attraction_range(f)
        if tau is None:
            return False
        goal = (limit(arb(tau)) / tau).lower()
        return bool(positive_variation(f, 0, goal) < goal)

    return test


def two(tau: Any) -> Any:
    """The limit 2 of A.4-A.7 and B.4."""
    return arb(2)


def tau_sqrt_increases() -> bool:
    """A.2, A.3: d/dx (sqrt(x) τ) > 0, that is h = s(3 + cos s)/4 − sin s > 0 for s = 2τ in (0, π).

    By cos τ = x sin² τ. For s <= 1: h >= s³/24 + s⁵/480 − s⁷/2880 > 0 (alternating series); beyond in balls.
    The limit at x = ∞ is sqrt(2 z_τ) at u = 0, z_τ = 1/2: exactly 1.
    """
    small = Fraction(1, 24) - Fraction(1, 2880) > 0
    return small and covered(lambda s: bool(s * (3 + s.cos()) / 4 > s.sin()), Fraction(1), Fraction(22, 7))


def two_roots(b: Any) -> bool:
    """A.1 for a box of β in (1/3, 1]: p(−1) = 1 − 3β < 0, p(1) < 0, and between: one rise, one fall."""
    return pattern(lambda z: p(z, b), lambda z: dp(z, b), -1.0, 1.0, ("-", "rises", "+", "falls", "-"))


def two_roots_scaled(u: Any) -> bool:
    """A.1 for a box of u = 1/β in [0, 1]: on [0, 10]; Q < 0 for z >= 10 (docs/theory/criteria.md)."""
    stop = min(10.0, float((2 / u.lower()).upper()) + 1e-9) if u.lower() > 0 else 10.0
    return pattern(lambda z: q(z, u), lambda z: dq(z, u), 0.0, stop, ("-", "rises", "+", "falls", "-"))


def bracket(low: str, high: str) -> Test:
    """low < β(1 − cos b) < high < β(1 − cos a), given A.1, for a ball of β.

    f''' < 0 up to the first, and > 0 at the second.
    """

    def test(b: Any) -> bool:
        start, middle = arb(low), arb(high)
        return bool(
            covered(lambda z: bool(p(1 - z / b, b) < 0), Fraction(0), Fraction(low))
            and p(1 - middle / b, b) > 0
            and start > 0
        )

    return test


def bracket_scaled(u: Any) -> bool:
    """0.18 < z_b < 1.4 < z_a for u in [0, 1]."""
    return bool(covered(lambda z: bool(q(z, u) < 0), Fraction(0), Fraction("0.18")) and q(arb("1.4"), u) > 0)


def one_root(phases: tuple[str, ...]) -> Test:
    """f''' >= 0 exactly on [a, 2π − a]: p falls through zero once as cos x runs from −1 to 1."""
    return lambda b: pattern(lambda z: p(z, b), lambda z: dp(z, b), -1.0, 1.0, phases)


def route_b4(b: Any) -> bool:
    """(1 + 3β) e^{β² − β} τ sin τ < 2."""
    f = Enclosure(attention(0.0), {"beta": b})
    tau = attraction_range(f)
    if tau is None:
        return False
    # t sin t increases on (0, 2), and τ lies below its certified bound
    return bool(tau < 2 and (1 + 3 * b) * (b * b - b).exp() * arb(tau) * arb(tau).sin() < 2)


def lemmas() -> list[Lemma]:
    """Verify each lemma over its stated range.

    Examples
    --------
    >>> [lemma.name for lemma in lemmas() if not lemma.verified]
    []
    """
    F = Fraction
    with precision(64):
        roots_a1 = covered(two_roots, THIRD, F(1)) and covered(two_roots_scaled, F(0), F(1))
        roots_b1 = covered(one_root(("rises", "+", "falls", "-")), F(0), THIRD)
        roots_c1 = covered(one_root(("+", "falls", "-", "rises")), -THIRD, F(0))

        def pi_limit(tau: Any) -> Any:
            return 2 * (1 + tau / arb.pi())

        large = all(bool(scaled_product(F(k, 256), F(k + 1, 256)) < 2) for k in range(256))
        a4 = large and covered(bracket_scaled, F(0), F(1))
        pieces = [
            (F(3, 4), F(1), "0.165", "1.24"),
            (F(1, 2), F(3, 4), "0.14", "0.9"),
            (THIRD, F(1, 2), "0.12", str(F(2, 3))),
        ]
        small = [covered(tau_times_rise(two), lo, hi) for lo, hi, _, _ in pieces]
        brackets = [
            covered(bracket(low, high) if "/" not in high else _two_thirds(low), lo, hi)
            for lo, hi, low, high in pieces
        ]
        b4 = covered(tau_times_rise(two), F(0), THIRD)
        route = all(
            covered(route_b4, a, b)
            for a, b in pairwise([F(0), F("0.148"), F("0.228"), F("0.278"), F("0.321"), THIRD])
        )
        c5 = covered(tau_times_rise(pi_limit), F("-0.16"), F(0))
        increases = tau_sqrt_increases()
    return [
        Lemma("A.1", "β > 1/3", "f''' > 0 exactly on (−a, −b) ∪ (b, a)", roots_a1, "two simple roots counted, in u = 1/β to ∞"),
        Lemma("A.2", "x > 0", "sqrt(x) τ(x) strictly increases", increases, "τ(1 + cos² τ) > sin 2τ: series, then balls"),
        Lemma("A.3", "x > 0", "its limit at infinity is 1", increases, "exactly, at u = 0"),
        Lemma("A.4", "β >= 1", "τ(f''(a) − f''(b)) < 2; 0.18 < β(1 − cos b) < 1.4 < β(1 − cos a)", a4 and roots_a1,
              "boxes of u in [0, 1]"),
        *(
            Lemma(name, f"{lo} <= β < {hi}" if name != "A.7" else "1/3 < β < 1/2",
                  f"the same inequality; {low} < β(1 − cos b) < {high} < β(1 − cos a)",
                  ok and inside and roots_a1, "boxes of β")
            for name, (lo, hi, low, high), ok, inside in zip(("A.5", "A.6", "A.7"), pieces, small, brackets)
        ),
        Lemma("B.1", "0 < β <= 1/3", "f''' >= 0 exactly on [a, 2π − a], a in (0, π/2)", roots_b1,
              "one simple root of p; p(−1) = 1 − 3β >= 0, p(0) = β(4 − β²) > 0"),
        Lemma("B.3", "0 < β <= 1/3", "f'' <= 0 on [0, π], >= 0 on [π, 2π]", roots_b1, "f''(0) = f''(π) = 0 and B.1"),
        Lemma("B.4", "0 < β <= 1/3", "τ f''(a) > −2", b4 and route, "directly, and by the paper's route on its pieces"),
        Lemma("C.1", "−1/3 < β < 0", "f''' >= 0 exactly on [a, 2π − a], a in (π/2, π)", roots_c1,
              "one simple root of p; p(1) = −(1 + 3β) < 0, p(0) = β(4 − β²) < 0"),
        Lemma("C.3", "−1/3 < β < 0", "f'' <= 0 on [0, π], >= 0 on [π, 2π]", roots_c1, "f''(0) = f''(π) = 0 and C.1"),
        Lemma("C.4", "β < 0", "a stable, stationary, non-synchronized point has its largest gap < π", True,
              "by proof: f > 0 on (0, π) and f'(π) < 0 (docs/theory/criteria.md)"),
        Lemma("C.5", "−0.16 <= β < 0", "τ f''(a) >= −2(1 + τ/π)", c5, "boxes of β"),
        Lemma("C.6", "β < −2/3", "n divisible by 3, or n large: a stable state of three clusters", True,
              "by proof: f'(2π/3) has the sign of −1/2 − 3β/4; large n by the implicit function theorem"),
    ]  # fmt: skip


def _two_thirds(low: str) -> Test:
    """The bracket of A.7.

    2/3 is the limit of β(1 − cos a) at β = 1/3, where p vanishes and increases with β.
    """

    def test(b: Any) -> bool:
        if not covered(lambda z: bool(p(1 - z / b, b) < 0), Fraction(0), Fraction(low)):
            return False
        if p(1 - 2 / (3 * b), b) > 0:
            return True
        hull = interval(THIRD, THIRD).union(b)
        series = arb_series([hull, 1], prec=2)
        along = p(1 - 2 / (3 * series), series).coeffs()
        return bool(along[1] > 0)

    return test
