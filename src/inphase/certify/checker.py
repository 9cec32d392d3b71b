"""Check a certificate of `inphase` from its formula alone: the standard library, no trust in any number read.

    python checker.py proof.json        prints the statement and "verified", or the reason why not; exit status 0 or 1

What is proved: for the interaction f and every parameter in the claimed box, either that almost every start
of

    dθ_i/dt = −(1/g_i) Σ_j K_ij f(θ_i − θ_j)

synchronizes ("proved"), or that a stable state exists that is not synchronized, or that almost no start
synchronizes ("refuted").
The mathematics (Theorems 1-12) is in docs/theory/; this file re-verifies the inequalities in which each theorem ends, on boxes
that must tile the claim.

Work: every interval that is made counts one, more if its ends are long. A box may take 4 million, 15,000 more
for each character of the formula and 2,000 for each other character that describes it (`allowance`), some seconds
in all where they are few; beyond, it is not verified. Honest boxes stay ten times below.

Arithmetic: intervals whose ends are integers over 2^P, rounded outward; Taylor jets of intervals give
derivatives. Key symbols: f(x) odd, 2π-periodic, analytic; τ with f' < 0 on (τ, π]; g = f'/f on (0, π); M
bounds the largest gap.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, type-arg, no-any-return, misc"
import ast
import json
import keyword
import math
import re
import sys
import threading
import time
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

P = 128
ONE = 1 << P
SCHEMA = 1
FUNCTIONS = ("sin", "cos", "tan", "exp", "log", "sqrt", "sinh", "cosh", "tanh", "atan")


class Rejected(Exception):
    """The certificate is not verified; the message says where."""


def require(truth, reason):
    if not truth:
        raise Rejected(reason)


# ------------------------------------------------------------------------------------------------------- work

LOCK = threading.RLock()  # the counters below are of one check at a time
SLICE = 1 << 16  # between two looks at the clock
LONG = 1 << 2 * P
left = math.inf  # of the slice
rest, deadline = 0, math.inf  # what may follow the slice, and until when


def allow(work):
    """Allow so much work from here on."""
    global left, rest
    left, rest = 0, work
    exp_point.cache_clear()  # so that the work is always the same
    sin_cos_point.cache_clear()


def pay(work):
    """Count work; Rejected where there is no more."""
    global left, rest
    left -= work
    while left < 0:
        require(rest > 0, "a box takes more work than one of its length needs")
        require(time.monotonic() < deadline, "the check is not done in the seconds that it was given")
        more = min(rest, SLICE)
        left, rest = left + more, rest - more


def allowance(formula, *others):
    """The limit of work, by the lengths of the formula and of the other parts as text without spaces."""
    text = json.dumps(others, separators=(",", ":"))
    return 4_000_000 + 15_000 * len(formula) + 2_000 * len(text)


# -------------------------------------------------------------------------------------------------- intervals


class I:
    """The closed interval [lo, hi]/2^P; every operation rounds outward."""

    __slots__ = ("hi", "lo")

    def __init__(self, lo, hi):
        global left
        left -= 1
        if left < 0 or hi > LONG or lo < -LONG:
            pay_for_length(lo, hi)
        self.lo, self.hi = lo, hi

    def __add__(self, b):
        return I(self.lo + b.lo, self.hi + b.hi)

    def __sub__(self, b):
        return I(self.lo - b.hi, self.hi - b.lo)

    def __neg__(self):
        return I(-self.hi, -self.lo)

    def __mul__(self, b):
        a, c = self, b
        if a.lo >= 0 and c.lo >= 0:
            return I(a.lo * c.lo >> P, -(-a.hi * c.hi >> P))
        p, q, r, s = a.lo * c.lo, a.lo * c.hi, a.hi * c.lo, a.hi * c.hi
        return I(min(p, q, r, s) >> P, -(-max(p, q, r, s) >> P))

    def __truediv__(self, b):
        require(b.lo > 0 or b.hi < 0, "division by an interval that contains zero")
        return self * I((ONE * ONE) // b.hi, -((-ONE * ONE) // b.lo))

    def over(self, k):
        """Division by a positive integer."""
        return I(self.lo // k, -(-self.hi // k))

    def times(self, k):
        """Multiplication by an integer."""
        return I(self.lo * k, self.hi * k) if k >= 0 else I(self.hi * k, self.lo * k)

    def power(self, k):
        """An integer power, sharp for even ones."""
        if k < 0:
            return number(1) / self.power(-k)
        if k % 2 == 0 and self.lo < 0:
            m = max(-self.lo, self.hi)
            return I(0, I(m, m).power(k).hi) if self.hi > 0 else (-self).power(k)
        return power(self, k, number(1))

    def positive_part(self):
        return I(max(self.lo, 0), max(self.hi, 0))

    def meet(self, b):
        return I(max(self.lo, b.lo), min(self.hi, b.hi))


def pay_for_length(lo, hi):
    """Long integers take the time of many short ones."""
    length = max(lo.bit_length(), hi.bit_length()) // 256
    require(length < 128, "a number is too large")
    pay(length * length)


def number(q):
    """An integer or Fraction as an interval."""
    q = Fraction(q)
    return I((q.numerator << P) // q.denominator, -((-q.numerator << P) // q.denominator))


def power(v, k, one):
    """v^k for k >= 0 by squarings, of intervals and of jets."""
    result = one
    while k:
        result = result * v if k % 2 else result
        k //= 2
        v = v * v if k else v
    return result


def span(lo, hi):
    """[lo, hi] for Fractions."""
    return I(number(lo).lo, number(hi).hi)


@lru_cache(maxsize=200_000)
def exp_point(n):
    """exp(n/2^P): Taylor at x/2^k with the remainder bounded, then k squarings."""
    require(abs(n) < ONE << 12, "exp out of range")
    k = max(0, abs(n).bit_length() - P + 6)
    x = I(n >> k, -(-n >> k))  # |x| <= 2^-6
    total, term, j = number(1), number(1), 0
    while j < P // 6 + 1:
        j += 1
        term = (term * x).over(j)
        total = total + term
    bound = max(abs(term.lo), abs(term.hi)) + 1  # the tail is at most the last term, as |x| <= 1/64
    total = I(total.lo - bound, total.hi + bound)
    for _ in range(k):
        total = total * total
    return total


@lru_cache(maxsize=200_000)
def sin_cos_point(n):
    """(sin, cos) of n/2^P: Taylor at x/2^k, then k doublings of the angle."""
    k = max(0, abs(n).bit_length() - P + 4)
    x = I(n >> k, -(-n >> k))  # |x| <= 2^-4
    square, sine, cosine, term = -(x * x), I(0, 0), number(1), number(1)
    for j in range(1, P // 4, 2):
        odd = (term * x).over(j)
        sine = sine + odd
        term = (term * square).over(j * (j + 1))
        cosine = cosine + term
    sine, cosine = (I(s.lo - 4, s.hi + 4) for s in (sine, cosine))  # |x|^(P/4)/(P/4)! < 2^-P
    for _ in range(k):
        sine, cosine = (
            v.meet(I(-ONE, ONE)) for v in ((sine * cosine).times(2), (cosine * cosine).times(2) - number(1))
        )
    return sine, cosine


def sin_cos(x):
    """(sin, cos) of an interval: at its midpoint, ± its radius, within [−1, 1]."""
    m = (x.lo + x.hi) >> 1
    r = x.hi - m + 1
    s, c = sin_cos_point(m)
    return I(max(s.lo - r, -ONE), min(s.hi + r, ONE)), I(max(c.lo - r, -ONE), min(c.hi + r, ONE))


def exp(x):
    return I(exp_point(x.lo).lo, exp_point(x.hi).hi)


def sqrt(x):
    require(x.lo > 0, "sqrt of an interval that is not positive")
    return I(math.isqrt(x.lo << P), math.isqrt(x.hi << P) + 1)


def log(x):
    """log by a step of Halley's from a double, judged by exp: any y with exp(y) below x is below log x."""
    require(x.lo > 0, "log of an interval that is not positive")

    def near(n):
        y = int((math.log(n) - P * math.log(2)) * (1 << 50)) << P - 50
        e = exp_point(y).lo
        return y + ((n - e) << P + 1) // (n + e)  # of order three

    low, high, step = near(x.lo), near(x.hi), 1 << 24  # coarse on purpose: 104 bits
    while exp_point(low - step).hi > x.lo or exp_point(high + step).lo < x.hi:
        step <<= 2
    return I(low - step, high + step)


def atan(x):
    """atan: six halvings of the angle, then the alternating series."""

    def point(n):
        t = I(n, n)
        for _ in range(6):
            t = t / (number(1) + sqrt(number(1) + t.power(2)))
        square, power, total = t * t, t, t
        for j in range(3, P // 5 + 2, 2):
            power = -(power * square)
            total = total + power.over(j)
        return I(total.lo - 4, total.hi + 4).times(64)  # |t| < 2^-5, so the tail is below 2^-P

    return I(point(x.lo).lo, point(x.hi).hi)


PI = atan(number(1)).times(4)
HALF_TURN = PI.hi  # cells run over [0, HALF_TURN], a hair beyond π


# ----------------------------------------------------------------------------------- the formula and its jets


class Jet:
    """Taylor coefficients [a_0, ..., a_N] in x - x_0, as intervals."""

    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a

    def __mul__(self, b):
        a, c, n = self.a, b.a, len(self.a)
        return Jet([total(a[i] * c[k - i] for i in range(k + 1)) for k in range(n)])


def total(terms):
    lo = hi = 0
    for t in terms:
        lo, hi = lo + t.lo, hi + t.hi
    return I(lo, hi)


def divide(u, v):
    q: list = []
    for k in range(len(u)):
        q.append((u[k] - total(q[i] * v[k - i] for i in range(k))) / v[0])
    return q


def integrate(first, slope):
    """The jet with the constant term `first` and the derivative `slope`."""
    return [first] + [slope[k].over(k + 1) for k in range(len(slope) - 1)]


def shift(u):
    """The derivative's coefficients."""
    return [u[k].times(k) for k in range(1, len(u))] + [I(0, 0)]


def function(name, u):
    """An elementary function of a jet, by its differential equation."""
    n, d = len(u), shift(u)
    if name == "exp":
        e = [exp(u[0])]
        for k in range(1, n):
            e.append(total(d[j] * e[k - 1 - j] for j in range(k)).over(k))
        return e
    if name in ("sin", "cos", "tan"):
        first = sin_cos(u[0])
        s, c = [first[0]], [first[1]]
        for k in range(1, n):
            s.append(total(d[j] * c[k - 1 - j] for j in range(k)).over(k))
            c.append((-total(d[j] * s[k - 1 - j] for j in range(k))).over(k))
        return s if name == "sin" else c if name == "cos" else divide(s, c)
    if name in ("sinh", "cosh", "tanh"):
        plus, minus = function("exp", u), function("exp", [-c for c in u])
        s = [(p - m).over(2) for p, m in zip(plus, minus)]
        c = [(p + m).over(2) for p, m in zip(plus, minus)]
        return s if name == "sinh" else c if name == "cosh" else divide(s, c)
    if name == "sqrt":
        r = [sqrt(u[0])]
        for k in range(1, n):
            r.append((u[k] - total(r[i] * r[k - i] for i in range(1, k))) / r[0].times(2))
        return r
    if name == "log":
        return integrate(log(u[0]), divide(d, u))
    if name == "atan":
        square = (Jet(u) * Jet(u)).a
        return integrate(atan(u[0]), divide(d, [square[0] + number(1), *square[1:]]))
    raise Rejected(f"unknown function {name!r}")


class Formula:
    """f(x; parameters) read from text; `derivatives` encloses f, f', f'', ... over a box."""

    def __init__(self, source, names):
        require(isinstance(source, str) and len(source) < 10_000, "the formula is not text")
        require(
            re.fullmatch(r"[A-Za-z0-9_+\-*/(). ]+", source),
            "the formula has characters that are not arithmetic",
        )
        try:
            self.tree = ast.parse(source, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise Rejected(f"the formula cannot be read: {error or type(error).__name__}") from None
        self.source, self.names = source, names
        self.cache = {}

    def derivatives(self, x, box, order):
        """[f, f', ..., f^(order)] over the interval x and the intervals of the parameters in `box`."""
        key = (x.lo, x.hi, id(box))
        if len(self.cache.get(key, ())) <= order:
            jet = self._value(
                self.tree, Jet([x, number(1), *[I(0, 0)] * (order - 1)][: order + 1]), box, order
            )
            a = jet.a if isinstance(jet, Jet) else [jet, *[I(0, 0)] * order]
            self.cache[key] = [c.times(math.factorial(k)) for k, c in enumerate(a)]
        return self.cache[key][: order + 1]

    def _value(self, node, x, box, n):
        def jet(v):
            return v.a if isinstance(v, Jet) else [v, *[I(0, 0)] * n]

        pay(3)  # what a node takes by itself
        match node:
            case ast.Constant(value=int()) if not isinstance(node.value, bool):
                return number(node.value)
            case ast.Name(id="x"):
                return x
            case ast.Name(id="pi"):
                return PI
            case ast.Name(id=name) if name in self.names:
                return box[name]
            case ast.UnaryOp(op=ast.USub(), operand=a):
                v = self._value(a, x, box, n)
                return Jet([-c for c in v.a]) if isinstance(v, Jet) else -v
            case ast.BinOp(op=ast.Pow(), left=a):
                k, v = exponent(node.right), self._value(a, x, box, n)
                if not isinstance(v, Jet):
                    return v.power(k)
                result = power(v, abs(k), Jet(jet(number(1))))
                return result if k >= 0 else Jet(divide(jet(number(1)), result.a))
            case ast.BinOp(left=a, right=b):
                u, v = self._value(a, x, box, n), self._value(b, x, box, n)
                both = isinstance(u, Jet) or isinstance(v, Jet)
                match node.op:
                    case ast.Add():
                        return Jet([p + q for p, q in zip(jet(u), jet(v))]) if both else u + v
                    case ast.Sub():
                        return Jet([p - q for p, q in zip(jet(u), jet(v))]) if both else u - v
                    case ast.Mult() if both and not isinstance(u, Jet):
                        return Jet([u * q for q in v.a])
                    case ast.Mult() if both and not isinstance(v, Jet):
                        return Jet([p * v for p in u.a])
                    case ast.Mult():
                        return u * v
                    case ast.Div():
                        return Jet(divide(jet(u), jet(v))) if both else u / v
            case ast.Call(func=ast.Name(id=name), args=[a], keywords=[]):
                u = self._value(a, x, box, n)
                return Jet(function(name, u.a)) if isinstance(u, Jet) else function(name, [u])[0]
        raise Rejected(f"the formula has a part that is not arithmetic: {ast.dump(node)[:80]}")

    # What the structure of the text proves: parity, period 2π. (Analyticity: the jets above exist on every
    # cell used.)

    def parity(self, node=None):
        node = self.tree if node is None else node
        match node:
            case ast.Name(id="x"):
                return "odd"
            case ast.Constant() | ast.Name():
                return "even"
            case ast.UnaryOp(operand=a):
                return self.parity(a)
            case ast.BinOp(op=ast.Pow(), left=a):
                inner = self.parity(a)
                return inner if inner != "odd" else ("odd" if exponent(node.right) % 2 else "even")
            case ast.BinOp(op=ast.Add() | ast.Sub(), left=a, right=b):
                kind = self.parity(a)
                return kind if kind == self.parity(b) else "none"
            case ast.BinOp(left=a, right=b):
                kinds = [self.parity(a), self.parity(b)]
                return "none" if "none" in kinds else ("even" if kinds[0] == kinds[1] else "odd")
            case ast.Call(func=ast.Name(id=name), args=[a]):
                inner = self.parity(a)
                odd = name in ("sin", "tan", "sinh", "tanh", "atan")
                even = name in ("cos", "cosh")
                return inner if inner != "odd" else ("odd" if odd else "even" if even else "none")
        return "none"

    def periodic(self, node=None):
        """Whether x stands only in sin, cos, tan of k x + constant with an integer k."""
        node = self.tree if node is None else node
        match node:
            case ast.Call(func=ast.Name(id="sin" | "cos" | "tan"), args=[a]) if (k := slope(a)) is not None:
                return k.denominator == 1
            case ast.Name(id="x"):
                return False
            case ast.BinOp(left=a, right=b):
                return self.periodic(a) and self.periodic(b)
            case ast.UnaryOp(operand=a) | ast.Call(args=[a]):
                return self.periodic(a)
        return isinstance(node, (ast.Name, ast.Constant))

    def sine_factor(self, box, node=None):
        """k with f(x) = k sin x exactly, for every x and every parameter in the box: by the structure of the text.

        A product with a factor that is exactly 0 is 0 sin x; its other factor must be finite on a whole turn.
        """
        node = self.tree if node is None else node
        match node:
            case ast.Call(func=ast.Name(id="sin"), args=[ast.Name(id="x")]):
                return number(1)
            case ast.Call(
                func=ast.Name(id="sin"), args=[ast.UnaryOp(op=ast.USub(), operand=ast.Name(id="x"))]
            ):
                return number(-1)
            case ast.UnaryOp(op=ast.USub(), operand=a):
                return -self.sine_factor(box, a)
            case ast.BinOp(op=ast.Add(), left=a, right=b):
                return self.sine_factor(box, a) + self.sine_factor(box, b)
            case ast.BinOp(op=ast.Sub(), left=a, right=b):
                return self.sine_factor(box, a) - self.sine_factor(box, b)
            case ast.BinOp(op=ast.Mult(), left=a, right=b) if free(a) or free(b):
                k, other = (a, b) if free(a) else (b, a)
                factor = self._value(k, None, box, 0)
                if factor.lo == factor.hi == 0 and self.periodic(other):  # rounding is outward: 0 is exact
                    self._value(other, Jet([I(-HALF_TURN, HALF_TURN)]), box, 0)
                    return factor
                return factor * self.sine_factor(box, other)
            case ast.BinOp(op=ast.Div(), left=a, right=b) if free(b):
                return self.sine_factor(box, a) / self._value(b, None, box, 0)
        raise Rejected("f is not k sin x by its structure")

    def majorant(self, rho, box, node=None):
        """A bound of |f(x + iy)| for |y| <= rho and all real x.

        For formulas of sin, cos, exp, sinh, cosh, +, −, *, powers.
        """
        node = self.tree if node is None else node

        def inner(a):
            return self.majorant(rho, box, a)

        match node:
            case ast.Constant() | ast.Name() if slope(node) == 0:
                v = self._value(node, None, box, 0)
                return I(0, max(abs(v.lo), abs(v.hi)))
            case ast.UnaryOp(operand=a):
                return inner(a)
            case ast.BinOp(op=ast.Add() | ast.Sub(), left=a, right=b):
                return inner(a) + inner(b)
            case ast.BinOp(op=ast.Mult(), left=a, right=b):
                return inner(a) * inner(b)
            case ast.BinOp(op=ast.Pow(), left=a) if exponent(node.right) > 0:
                return inner(a).power(exponent(node.right))
            case ast.BinOp(op=ast.Div(), left=a, right=b) if slope(b) == 0:
                v = self._value(b, None, box, 0)
                return inner(a) / I(
                    min(abs(v.lo), abs(v.hi)) if v.lo > 0 or v.hi < 0 else 0, max(abs(v.lo), abs(v.hi))
                )
            case ast.Call(func=ast.Name(id="sin" | "cos"), args=[a]) if (k := slope(a)) is not None:
                return function("cosh", [number(abs(k)) * rho])[0]
            case ast.Call(func=ast.Name(id="exp" | "sinh" | "cosh"), args=[a]):
                return exp(inner(a))
        raise Rejected("no bound of the formula off the real line")


def exponent(node):
    match node:
        case ast.Constant(value=int() as k) if abs(k) <= 1000:
            return k
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as k)) if abs(k) <= 1000:
            return -k
    raise Rejected("powers must be integers")


def free(node):
    """Whether x does not occur."""
    for n in ast.walk(node):
        pay(1)
        if isinstance(n, ast.Name) and n.id == "x":
            return False
    return True


def slope(node):
    """The rational k of k·x + (free of x), else None."""
    match node:
        case ast.Name(id="x"):
            return Fraction(1)
        case ast.UnaryOp(op=ast.USub(), operand=a):
            k = slope(a)
            return None if k is None else -k
        case ast.BinOp(op=ast.Add() | ast.Sub(), left=a, right=b):
            p, q = slope(a), slope(b)
            return None if p is None or q is None else (p + q if isinstance(node.op, ast.Add) else p - q)
        case ast.BinOp(op=ast.Mult(), left=ast.Constant(value=int() as k), right=a):
            inner = slope(a)
            return None if inner is None else k * inner
        case ast.BinOp(
            op=ast.Mult(), left=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as k)), right=a
        ):
            inner = slope(a)
            return None if inner is None else -k * inner
    return Fraction(0) if free(node) else None


# ------------------------------------------------------------------------------ enclosures on cells of [0, π]


def on_cell(f, box, lo, hi, orders, combine):
    """combine(derivatives) over the cell [lo, hi]/2^P: naive and mean-value enclosures, intersected."""
    m = (lo + hi) >> 1
    r = I(lo - m, hi - m)
    wide = f.derivatives(I(lo, hi), box, orders + 1)
    middle = f.derivatives(I(m, m), box, orders + 1)
    return combine(wide).meet(combine(middle) + combine(wide[1:]) * r)


def decreasing_from(f, box):
    """A point τ (over 2^P) with f' < 0 on [τ, π], close to the least one."""
    right, step = HALF_TURN, HALF_TURN >> 4
    while step > HALF_TURN >> 44:
        left = max(right - step, 0)
        if on_cell(f, box, left, right, 1, lambda d: d[1]).hi < 0:
            right = left
            require(right > 0, "f' < 0 everywhere")
        else:
            step >>= 1
    require(right < HALF_TURN, "f'(π) < 0 is not verified")
    return right


def positive_inside(f, box, tau):
    """f > 0 on (0, π): f' > 0 near 0, f > 0 up to τ, and f falls to f(π) = 0 beyond."""
    cells = [(0, tau)]
    while cells:
        lo, hi = cells.pop()
        if on_cell(f, box, lo, hi, 0, lambda d: d[0]).lo > 0:
            continue
        if lo == 0 and on_cell(f, box, lo, hi, 1, lambda d: d[1]).lo > 0:
            continue
        require(hi - lo > HALF_TURN >> 20, "f > 0 on (0, π) is not verified")
        cells += [(lo, (lo + hi) >> 1), ((lo + hi) >> 1, hi)]


def rise(f, box, extra, target):
    """An upper bound of ∫_0^π |f''' + extra f'|_+, refined until it is below `target` or stops improving.

    Where the integrand is positive it integrates exactly to a difference of f'' + extra f; a cell whose sign
    is open adds its width times the largest possible value.
    """

    def integrand(d):
        return d[3] + d[1].times(extra)

    def primitive(x):
        d = f.derivatives(I(x, x), box, 2)
        return d[2] + d[0].times(extra)

    grid = [HALF_TURN * i // 32 for i in range(33)]
    positive, open_cells, before = [], list(pairwise(grid)), None
    for _ in range(40):
        unsure = []
        for lo, hi in open_cells:
            d = on_cell(f, box, lo, hi, 3, integrand)
            if d.lo >= 0:
                positive.append((lo, hi))
            elif d.hi > 0:
                unsure.append((lo, hi, I(0, d.hi)))
        positive.sort()
        stretches: list = []
        for lo, hi in positive:
            if stretches and stretches[-1][1] == lo:
                stretches[-1][1] = hi
            else:
                stretches.append([lo, hi])
        certain = total([primitive(hi) - primitive(lo) for lo, hi in stretches])
        doubt = total([I(hi - lo, hi - lo) * d for lo, hi, d in unsure])
        if (certain + doubt).hi < target or (
            before is not None and 10 * doubt.hi > 9 * before and len(unsure) > 64
        ):
            break
        if doubt.hi << 40 < certain.hi or len(unsure) > 4000:
            break
        before = doubt.hi
        open_cells = [c for lo, hi, _ in unsure for c in ((lo, (lo + hi) >> 1), ((lo + hi) >> 1, hi))]
    return I(0, (certain + doubt).hi)


def pairs_fall(f, box, tau, outside):
    """g(x) + g(y) < 0 for all x <= y in (0, π) unless outside(x, y).

    Shown as f'(x) f(y) + f(x) f'(y) < 0 for x <= τ.

    For x, y > τ both f' are negative. `outside` must exclude a neighborhood of x = 0.
    """
    boxes, count = [((0, tau), (0, HALF_TURN))], 0
    while boxes:
        (a, b), (c, d) = boxes.pop()
        if d < a or outside(I(a, b), I(c, d)):
            continue
        count += 1
        gx, fx = (on_cell(f, box, a, b, k, lambda e, k=k: e[k]) for k in (1, 0))
        gy, fy = (on_cell(f, box, c, d, k, lambda e, k=k: e[k]) for k in (1, 0))
        if (gx * fy.positive_part() + fx.positive_part() * gy).hi < 0:
            continue
        require(count < 60_000 and b - a + d - c > HALF_TURN >> 26, "the two-neighbor bound is not verified")
        if b - a > d - c:
            boxes += [((a, (a + b) >> 1), (c, d)), (((a + b) >> 1, b), (c, d))]
        else:
            boxes += [((a, b), (c, (c + d) >> 1)), ((a, b), ((c + d) >> 1, d))]


def cot(x):
    require(x.lo > 0 and x.hi < PI.lo, "cot is taken between its poles, in (0, π)")
    s, c = sin_cos(x)
    return c / s


# --------------------------------------------------------------------------------------------------- theorems
# Each takes the formula, the box of parameters (name -> I), the leaf of the certificate and the claim; it
# raises if it fails.


def gradient_kind(f, box):
    """f odd, 2π-periodic, f'(0) > 0: returns f'(0)."""
    require(f.parity() == "odd" and f.periodic(), "f is not odd and 2π-periodic by its structure")
    slope0 = f.derivatives(I(0, 0), box, 1)[1]
    require(slope0.lo > 0, "f'(0) > 0 is not verified")
    return slope0


def largest_gap(f, box, leaf, tau):
    """M: π where f > 0 on (0, π), else 2π."""
    require(leaf["largest_gap"] in ("pi", "2 pi"), "the largest gap is pi or 2 pi")
    if leaf["largest_gap"] == "pi":
        positive_inside(f, box, tau)
    return PI if leaf["largest_gap"] == "pi" else PI.times(2)


def l1(f, box, leaf, claim):
    """Theorem 1: τ ∫|f'''|_+ < 4 (1 + τ/M) f'(0), with M = 2π, or M = π where f > 0 on (0, π)."""
    slope0, tau = gradient_kind(f, box), decreasing_from(f, box)
    gap, t = largest_gap(f, box, leaf, tau), I(tau, tau)
    target = (number(2) * (number(1) + t / gap) * slope0 / t).lo
    require(rise(f, box, 0, target).hi < target, "the L1 inequality is not verified")


def trigonometric(f, box, leaf, claim):
    """Theorem 2: ∫|f''' + f'|_+ < (cot(τ/4) + cot(M/4)) f'(0)."""
    slope0, tau = gradient_kind(f, box), decreasing_from(f, box)
    more = number(1 if largest_gap(f, box, leaf, tau) is PI else 0)  # cot(π/4), cot(π/2)
    target = ((cot(I(tau, tau).over(4)) + more) * slope0).lo // 2
    require(rise(f, box, 1, target).hi < target, "the trigonometric-kernel inequality is not verified")


def neighbor_bound(f, box, leaf, claim, tau):
    """s with d_r + d_l <= 2 s wherever g(d_r) + g(d_l) >= 0.

    It is τ for attention with β <= 0, else the hint s, verified.
    """
    if leaf.get("s") is None:
        beta = attention_parameter(claim)
        require(beta is not None and box[beta].hi <= 0, "no bound of two neighbors is given")
        return I(tau, tau)
    s = number(rational(leaf["s"]))
    # x + y >= 2s keeps away from x = 0
    require(s.lo << 1 > PI.hi and s.hi < PI.lo, "s must lie between π/2 and π")
    pairs_fall(f, box, tau, lambda x, y: x.hi + y.hi < 2 * s.lo)
    return s


def two_neighbors(f, box, leaf, claim):
    """Theorem 3: 8 f'(0) > s ∫|f'''|_+, or (kernel "trigonometric") 2 cot(s/4) f'(0) > ∫|f''' + f'|_+."""
    slope0, tau = gradient_kind(f, box), decreasing_from(f, box)
    positive_inside(f, box, tau)
    s = neighbor_bound(f, box, leaf, claim, tau)
    extra = 1 if leaf["kernel"] == "trigonometric" else 0
    target = (cot(s.over(4)) * slope0).lo if extra else (slope0.times(4) / s).lo
    require(rise(f, box, extra, target).hi < target, "the two-neighbor inequality is not verified")


def attention_parameter(claim):
    """The name of β if the formula is attention's, else None."""
    for name in claim["model"]["parameters"]:
        if claim["model"]["formula"] in (f"sin(x)*exp({name}*(cos(x) - 1))", f"sin(x)*exp({name}*cos(x))"):
            return name
    return None


def attention_count(f, box, leaf, claim):
    """Theorem 4 (closed form): −2/3 < β <= 0.

    There, 2π/τ > 3 and (2b)^3 e^{2b}/3! sin^4(τ/2) < 1 at b = 2/3.
    """
    beta = attention_parameter(claim)
    require(beta is not None, "the formula is not attention's")
    lo, hi = leaf_range(leaf, beta)
    require(lo > Fraction(-2, 3) and hi <= 0, "the closed form needs -2/3 < β <= 0")
    b = number(Fraction(2, 3))
    require(
        (b.times(2).power(3) * exp(b.times(2))).over(6).hi < number(Fraction(16, 9)).lo,
        "four clusters at b = 2/3",
    )


def sine_half_to_fourth(b):
    """sin^4(τ/2) = ((1 + c)/2)^2 with c = (sqrt(1 + 4b²) − 1)/(2b), b = −β > 0."""
    c = b.times(2) / (sqrt(number(1) + b.power(2).times(4)) + number(1))
    return (number(1) + c).over(2).power(2)


def attention_three(f, box, leaf, claim):
    """Theorem 5: −0.7 < β < 0, n equal weights.

    K >= 4 is excluded by Theorem 4's Lemma 3, K = 3 by the ratios of the masses.
    """
    beta = attention_parameter(claim)
    require(beta is not None and box[beta].hi < 0, "Theorem 5 is for attention with β < 0")
    n = count_of_equal_weights(claim)
    b = -box[beta]
    four = (b.times(2).power(3) * exp(b.times(2))).over(6) * sine_half_to_fourth(b)
    require(four.hi < ONE and b.hi < ONE, "four or more clusters are not excluded")
    require(n >= 2, "n < 2")
    if n == 2:
        return
    lo = leaf_range(leaf, beta)[0]
    if n % 3 == 0:  # three equal clusters at 2π/3 are the obstacle, below −2/3 only
        require(lo > Fraction(-2, 3), "three equal clusters exist")
        return
    if lo >= Fraction(-2, 3):
        return  # τ <= 2π/3: three clusters only as thirds of the mass at β = −2/3, which n does not allow
    tau = decreasing_from(f, box)  # arcs of three stable clusters: each pair sums to at most 2τ
    short, long = PI.times(2) - I(2 * tau, 2 * tau), I(4 * tau, 4 * tau) - PI.times(2)
    require(short.lo > 0 and long.hi < PI.lo, "the arcs are not bounded")
    values = [on_cell(f, box, a, c, 0, lambda d: d[0]) for a, c in pieces(short.lo, long.hi, 64)]
    smallest, largest = min(v.lo for v in values), max(v.hi for v in values)
    require(smallest > 0, "f > 0 on the arcs")
    # the least ratio of two masses, not all equal
    least = Fraction(-(-n // 3), n // 3) if n > 3 else Fraction(2)
    require(
        least.numerator * smallest > least.denominator * largest, "three unequal clusters are not excluded"
    )


def pieces(lo, hi, k):
    edges = [lo + (hi - lo) * i // k for i in range(k + 1)]
    return list(pairwise(edges))


def attention_at_infinity(f, box, leaf, claim):
    """Theorem 1 for attention with β >= 1, in u = 1/β and z = β (1 − cos x): T(u) · (rise of G over z) < 2.

    f'' = sqrt(β) G(z, u), G = sqrt(R) e^{−z} N, R = z (2 − uz), N = 2z − 3 − u + 3uz − uz²;
    dG/dz = e^{−z} Q/sqrt(R), Q = (1 − uz) N + R (N' − N) < 0 for z >= 10;
    T = τ sqrt(β) = sqrt(2 z_τ) asin(s)/s.
    """
    beta = attention_parameter(claim)
    require(beta is not None, "the formula is not attention's")
    ulo, uhi = inverse_range(leaf, beta)
    require(0 <= ulo <= uhi <= 1, "u = 1/β must lie in [0, 1]")
    u, one, two = span(ulo, uhi), number(1), number(2)
    z0 = two / (u + two + sqrt(u * u + number(4)))
    q = z0 * u.over(2)
    require(q.hi < ONE >> 2, "s² < 1/4")
    series, term, coefficient = number(1), number(1), Fraction(1)
    for k in range(1, 70):  # asin(s)/s = Σ (2k)!/(4^k k!² (2k+1)) q^k; the tail is below q^70/(1 − q)
        coefficient *= Fraction(2 * k - 1, 2 * k)
        term = term * q
        series = series + term * number(coefficient / (2 * k + 1))
    scaled_tau = sqrt(z0.times(2)) * (series + I(0, term.hi + 4))
    end = number(min(Fraction(10), 2 / ulo if ulo else Fraction(10))).hi

    def parts(z):
        n = z.times(2) - number(3) - u + (u * z).times(3) - u * z * z
        r = z * (two - u * z)
        return n, r, (one - u * z) * n + r * (two + u.times(3) - (u * z).times(2) - n)

    def primitive(x):
        n, r, _ = parts(I(x, x))
        return sqrt(r) * exp(I(-x, -x)) * n

    target = (two / scaled_tau).lo
    positive, cells = [], pieces(0, end, 40)
    for _ in range(14):
        unsure, doubt = [], 0
        for lo, hi in cells:
            _, r, slope = parts(I(lo, hi))
            if slope.lo >= 0:
                positive.append((lo, hi))
            elif slope.hi > 0:
                unsure.append((lo, hi))
                value = exp(I(-lo, -lo)) * I(0, slope.hi) / sqrt(r) if r.lo > 0 else I(0, 1 << 2 * P)
                doubt += (I(hi - lo, hi - lo) * value).hi
        if positive:
            positive.sort()
            lo, hi = positive[0][0], positive[-1][1]
            inside = [c for c in unsure if lo < c[0] < hi]
            if (
                not inside
                and sum(b - a for a, b in positive) == hi - lo
                and ((primitive(hi) - primitive(lo)).hi + doubt < target)
            ):
                return
        cells = [c for lo, hi in unsure for c in ((lo, (lo + hi) >> 1), ((lo + hi) >> 1, hi))]
    raise Rejected("the L1 inequality at large β is not verified")


def cluster_count(f, box, leaf, claim):
    """Theorem 6: a 4^{K−1} Σ_{k>=K} |F_k| C(k+K−1, 2K−1) < f'(0) for every K >= max(3, 2π/s).

    The hints are s, a and N; all are verified.
    """
    slope0, tau = gradient_kind(f, box), decreasing_from(f, box)
    positive_inside(f, box, tau)
    s, a = number(rational(leaf["s"])), number(rational(leaf["a"]))
    require(
        s.lo << 1 > PI.hi and s.hi < PI.lo and a.lo > 0,
        "s must lie between π/2 and π, and a must be positive",
    )
    root = sqrt(a)
    pairs_fall(f, box, tau, lambda x, y: x.hi + y.hi < 2 * s.lo)
    pairs_fall(f, box, tau, lambda x, y: half_product(x, y) < root.lo)
    size = leaf["samples"]
    require(
        isinstance(size, int) and 8 <= size <= 1024 and size % 2 == 0,
        "samples must be an even integer in 8..1024",
    )
    values = [f.derivatives(PI.times(2 * j).over(size), box, 1)[0] for j in range(size // 2 + 1)]
    rho, half = number(rational(leaf["strip"])), size // 2
    require(rho.lo > 0, "the strip must be positive")
    top = f.majorant(rho, box).times(2)  # |F_k| <= top e^{−kρ}; aliases of k are size ± k, 2 size ± k, ...
    decay = exp(-rho)
    alias = top * decay.power(size - half) / (number(1) - decay.power(size - half))
    modes = []  # |F_k| for k < half, from samples: F_k = (2/size) Σ f sin
    for k in range(half):
        value = I(0, 0)
        for j in range(1, size // 2):
            value = value + values[j] * sin_cos(PI.times(2 * ((j * k) % size)).over(size))[0]
        value = value.times(4).over(size)
        modes.append(max(abs(value.lo), abs(value.hi)) + 2 * alias.hi)
    sinh = function("sinh", [rho.over(2)])[0]
    first = max(3, math.ceil(Fraction(PI.times(2).lo, s.hi)))
    for count in range(first, 200):
        if sinh.lo > ONE and (a * top.over(4) / sinh.power(2 * count)).hi < slope0.lo:
            return  # and all larger counts, as sinh(ρ/2) > 1
        require(count < half // 2, "too few samples for this many clusters")
        pay(half)
        head = sum(modes[k] * math.comb(k + count - 1, 2 * count - 1) for k in range(count, half))
        # beyond `half` the ratio of consecutive terms is at most q < 1
        q = decay * number(Fraction(half + count, half - count + 1))
        require(q.hi < ONE, "the strip is too narrow for this many clusters")
        tail = top * decay.power(half) * number(math.comb(half + count - 1, 2 * count - 1)) / (number(1) - q)
        require(
            (a * I(0, head + tail.hi) * number(4 ** (count - 1))).hi < slope0.lo,
            f"{count} clusters are not excluded",
        )
    raise Rejected("the count of clusters is not bounded")


def sine_half(x):
    return sin_cos(I(x.hi, x.hi).over(2))[0].hi if x.hi < PI.lo else ONE


def half_product(x, y):
    """An upper bound of sin(x/2) sin(y/2) for x, y in [0, π]: the sines increase."""
    return -(-sine_half(x) * sine_half(y) >> P)


def two_phases(f, box, leaf, claim):
    """n = 2: f > 0 on (0, π) and f'(π) < 0, so the antipodal pair is unstable."""
    gradient_kind(f, box)
    require(claim["model"]["coupling"].get("n") == 2, "this is for n = 2")
    positive_inside(f, box, decreasing_from(f, box))


def degree(f, box, leaf, claim):
    """Theorem 7 (Kassabov, Strogatz, Townsend 2021): connected, every degree above 0.75 (n − 1).

    f = k sin x with k > 0, which is sin x in other units of time.
    """
    require(f.sine_factor(box).lo > 0, "k > 0 is not verified for f = k sin x")
    if claim["model"]["coupling"]["kind"] == "circulant":  # not written out: n is not bounded by the text
        n, offsets = circulant(claim["model"]["coupling"])
        require(math.gcd(n, *offsets) == 1 and 8 * len(offsets) > 3 * (n - 1), "the degrees are too small")
        return
    n, edges = graph(claim)
    degrees = [0] * n
    for i, j in edges:
        degrees[i] += 1
        degrees[j] += 1
    require(connected(n, edges) and 4 * min(degrees) > 3 * (n - 1), "the degrees are too small")


# ------------------------------------------------------------------------------------------------- refutation


def stable_state(f, box, leaf, claim):
    """Theorem 8: a Krawczyk step proves a stationary state near `angles`, and its Hessian that it is stable.

    The Hessian is definite off the rotation.
    """
    gradient_kind(f, box)
    require(2 <= len(leaf["angles"]) <= 500, "a state has from 2 to 500 angles here")
    masses, pairs, sizes = clusters(leaf, claim)
    size = len(masses)
    theta = [rational(q) for q in leaf["angles"]]
    require(len(theta) == size >= 2 and theta[0] == 0, "one angle for each cluster, the first 0")
    radius = rational(leaf["radius"])
    require(radius > 0, "the radius must be positive")
    point = [number(t) for t in theta]
    wide = [
        I(number(t).lo, number(t).hi) + (span(-radius, radius) if k else I(0, 0)) for k, t in enumerate(theta)
    ]

    def pair(x, k, j, order):  # weight_kj f^(order)(x_k − x_j), zero where not coupled
        return pairs[k][j] * f.derivatives(x[k] - x[j], box, 1)[order] if pairs[k][j] is not None else I(0, 0)

    force = [total([pair(point, k, j, 0) for j in range(size) if j != k]) for k in range(1, size)]
    bonds = [[pair(wide, k, j, 1) if j != k else I(0, 0) for j in range(size)] for k in range(size)]
    jacobian = [[total(bonds[k]) if k == j else -bonds[k][j] for j in range(1, size)] for k in range(1, size)]
    guess, off = approximate_inverse(jacobian), span(-radius, radius)
    columns = [
        [(m, row[j]) for m, row in enumerate(jacobian) if row[j].lo or row[j].hi] for j in range(size - 1)
    ]
    for k, row in enumerate(guess):
        image = -total([a * b for a, b in zip(row, force)])
        for j, column in enumerate(columns):
            product = total([row[m] * entry for m, entry in column])
            image = image + ((number(1) if j == k else I(0, 0)) - product) * off
        require(
            image.lo > number(-radius).hi and image.hi < number(radius).lo,
            "the Krawczyk step does not contract",
        )
    require(any(w.lo > 0 and w.hi < PI.times(2).lo for w in wide[1:]), "the state may be synchronized")
    symmetric = [[bonds[k][j] * masses[k] for j in range(size)] for k in range(size)]
    positive_definite(
        [
            [total(symmetric[k]) if k == j else -symmetric[k][j] for j in range(1, size)]
            for k in range(1, size)
        ]
    )
    if claim["model"]["coupling"]["kind"] == "equitable":
        classes_hold(f, box, claim["model"]["coupling"], bonds)
        return
    for k in range(size):
        if sizes[k] > 1:  # oscillators of one cluster apart: the bond to the whole cluster, itself included
            own = pairs[k][k] * f.derivatives(I(0, 0), box, 1)[1]
            require((total(bonds[k]) + own).lo > 0, f"cluster {k} is not stable against coming apart")


def classes_hold(f, box, coupling, bonds):
    """An equitable partition: perturbations of zero sum in each class decay, on any graph of these degrees.

    The form is at least |v_a|² (Σ_b d_ab c_ab − ...) − Σ |c_ab| σ_ab |v_a| |v_b|, c_ab = f'(θ_a − θ_b), where
    the block's norm σ_ab <= sqrt(d_ab d_ba), 0 if the block is complete; inside a complete class the
    adjacency acts as −1.
    """
    sizes, degrees, own = coupling["sizes"], coupling["degrees"], f.derivatives(I(0, 0), box, 1)[1]
    many = [k for k, m in enumerate(sizes) if m > 1]
    matrix = []
    for a in many:
        row = []
        for b in many:
            norm = (
                sqrt(number(degrees[a][b] * degrees[b][a])) if degrees[a][b] not in (0, sizes[b]) else I(0, 0)
            )
            size = max(abs(bonds[a][b].lo), abs(bonds[a][b].hi))  # |d_ab c_ab|
            row.append(-(I(0, size) * norm).over(max(degrees[a][b], 1)))
            if a == b:
                inner = own if degrees[a][a] == sizes[a] - 1 else -own.times(degrees[a][a])
                row[-1] = total(bonds[a]) + own.times(degrees[a][a]) + inner
        matrix.append([v.lo for v in row])  # the least form: diagonal and off-diagonal at their lower ends
    least = [[min(v, matrix[j][i]) for j, v in enumerate(row)] for i, row in enumerate(matrix)]
    positive_definite([[I(v, v) for v in row] for row in least])


def clusters(leaf, claim):
    """(masses, weights_kj of the force on k, numbers of oscillators).

    Of groups of equal weights, of classes, or of single nodes.
    """
    coupling = claim["model"]["coupling"]
    if coupling["kind"] == "equitable":
        sizes, degrees = coupling["sizes"], coupling["degrees"]
        whole = [v for row in [sizes, *degrees] for v in row]
        require(
            all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in whole),
            "sizes and degrees are integers",
        )
        k = len(sizes)
        require(
            k >= 2 and len(degrees) == k and all(len(row) == k for row in degrees) and min(sizes) > 0,
            "a square of degrees",
        )
        for a in range(k):
            for b in range(k):
                require(
                    sizes[a] * degrees[a][b] == sizes[b] * degrees[b][a],
                    "edges between two classes must agree",
                )
                require(degrees[a][b] <= sizes[b] - (a == b), "a degree exceeds its class")
            require(sizes[a] * degrees[a][a] % 2 == 0, "no regular graph of this size and degree")
        return [number(m) for m in sizes], [[number(d) for d in row] for row in degrees], sizes
    if coupling["kind"] in ("graph", "circulant"):
        require(len(leaf["angles"]) == coupling["n"], "one angle for each oscillator")
        n, edges = graph(claim)
        require(connected(n, edges), "the graph is not connected")
        pairs = [[None] * n for _ in range(n)]
        for i, j in edges:
            pairs[i][j] = pairs[j][i] = number(1)
        return [number(1)] * n, pairs, [1] * n
    sizes = leaf["sizes"]
    require(
        all(isinstance(m, int) and not isinstance(m, bool) and m >= 1 for m in sizes),
        "cluster sizes are positive integers",
    )
    require(sum(sizes) == count_of_equal_weights(claim), "the clusters must hold n oscillators")
    masses = [number(Fraction(m, sum(sizes))) for m in sizes]
    return masses, [masses for _ in sizes], sizes


def approximate_inverse(matrix):
    """An inverse of the midpoints in floats (any matrix serves: the Krawczyk test judges it)."""
    n = len(matrix)
    a = [
        [(c.lo + c.hi) / 2 / ONE for c in row] + [float(i == k) for i in range(n)]
        for k, row in enumerate(matrix)
    ]
    for c in range(n):
        pivot = max(range(c, n), key=lambda k: abs(a[k][c]))
        require(a[pivot][c] != 0, "the Jacobian is singular")
        a[c], a[pivot] = a[pivot], a[c]
        a[c] = [v / a[c][c] for v in a[c]]
        for k in range(n):
            pay(1 + n // 5)
            if k != c and a[k][c]:
                a[k] = [v - a[k][c] * w for v, w in zip(a[k], a[c])]
    return [[number(Fraction(v)) for v in row[n:]] for row in a]


def positive_definite(matrix):
    """LDL^T in intervals: every pivot positive."""
    a = [list(row) for row in matrix]
    for c in range(len(a)):
        require(a[c][c].lo > 0, "the Hessian is not verified to be definite across the rotation")
        for k in range(c + 1, len(a)):
            if a[k][c].lo == a[k][c].hi == 0:
                continue
            ratio = a[k][c] / a[c][c]
            for j in range(k, len(a)):
                a[k][j] = a[k][j] - ratio * a[c][j]
                a[j][k] = a[k][j]


def equal_clusters(f, box, leaf, claim):
    """Theorem 8 in closed form: k equal clusters at 2πj/k, k a divisor of n; stationary by symmetry.

    Stable if Σ_j f'(2πj/k)(1 − cos(2πjm/k)) > 0 for m = 1..k−1, and f'(0) + Σ_j f'(2πj/k) > 0 if the clusters
    can come apart.
    """
    n, k = count_of_equal_weights(claim), leaf["count"]
    require(
        isinstance(k, int) and not isinstance(k, bool) and 2 <= k <= 100 and n % k == 0,
        "the count must divide n",
    )
    beta = attention_parameter(claim)
    # f'(2π/3) has the sign of cos − β sin² = −1/2 − 3β/4
    if k == 3 and beta is not None and box.get(beta) is None:
        require(leaf_range(leaf, beta)[1] < Fraction(-2, 3), "β < -2/3")
        return
    slope0 = gradient_kind(f, box)
    bonds = [f.derivatives(PI.times(2 * j).over(k), box, 1)[1] for j in range(1, k)]
    for m in range(1, k):
        waves = [
            (number(1) - sin_cos(PI.times(2 * (j * m % k)).over(k))[1]).positive_part() for j in range(1, k)
        ]
        require(total([b * w for b, w in zip(bonds, waves)]).lo > 0, f"mode {m} is not stable")
    require(n == k or (slope0 + total(bonds)).lo > 0, "the clusters may come apart")


def twisted_state(f, box, leaf, claim):
    """Theorem 9: θ_j = 2πqj/n, stationary by symmetry.

    It is stable if Σ_d f'(2πqd/n)(1 − cos(2πkd/n)) > 0 for k = 1..n−1.
    """
    gradient_kind(f, box)
    coupling = claim["model"]["coupling"]
    require(coupling["kind"] == "circulant", "twisted states are for circulant graphs")
    n, offsets = circulant(coupling)
    q = leaf["winding"]
    require(
        isinstance(q, int) and not isinstance(q, bool) and q % n != 0,
        "the winding number must not be a multiple of n",
    )
    require(math.gcd(n, *offsets) == 1, "the graph is not connected")
    bonds = [f.derivatives(PI.times(2 * (q * d % n)).over(n), box, 1)[1] for d in offsets]
    if all(b.lo > 0 for b in bonds):
        return  # a connected graph of attracting bonds
    require(n <= 20_000, "n is too large for the sum over modes")
    waves = all_waves(n)
    for k in range(1, n // 2 + 1):
        pay(1 + len(offsets) // 4)
        pairs = ((b.lo, waves[k * d % n]) for b, d in zip(bonds, offsets))
        require(sum(b * (w.lo if b > 0 else w.hi) for b, w in pairs) > 0, f"mode {k} is not stable")


def parts(f, box, leaf, claim):
    """Theorem 12: two parts or more that hear nobody outside turn each by itself, so almost no start synchronizes."""
    model = claim["model"]
    coupling, n = model["coupling"], model["coupling"]["n"]
    require(coupling["kind"] == "apart", "this is for networks in parts that hear nobody outside")
    require(model["gain"] == "none", "the gain may join the parts, or vanish")
    require(f.periodic(), "f is not 2π-periodic by its structure")
    smooth(f, box)
    require(
        len(coupling["parts"]) >= 2 and all(coupling["parts"]), "there must be two parts, none of them empty"
    )
    part_of: dict = {}
    for k, part in enumerate(coupling["parts"]):
        for i in part:
            pay(1)
            require(
                type(i) is int and 0 <= i < n and i not in part_of,
                "parts have different nodes from 0 to n - 1",
            )
            part_of[i] = k
    edges = coupling["edges"]
    require(
        isinstance(edges, list) and len({tuple(e) for e in edges}) == len(edges), "edges are different pairs"
    )
    for i, j in edges:
        pay(1)
        require(
            type(i) is int and type(j) is int and 0 <= i < n and 0 <= j < n,
            "an edge is [who hears, who is heard]",
        )
        require(i not in part_of or part_of.get(j) == part_of[i], f"{i} hears {j}, which is outside its part")


def smooth(f, box):
    """f is finite on the whole circle and has a derivative there, over the box."""
    require(set(box) == set(f.names), "f is not shown to be smooth over an infinite range")
    cells = [(-HALF_TURN, HALF_TURN)]
    while cells:
        lo, hi = cells.pop()
        try:
            f.derivatives(I(lo, hi), box, 1)
        except Rejected:
            require(hi - lo > HALF_TURN >> 12, "f is not shown to be finite and smooth on the whole circle")
            cells += [(lo, (lo + hi) >> 1), ((lo + hi) >> 1, hi)]


def some(parts):
    """The parts in words: the first six, and the first eight nodes of each."""
    words = [f"{part[:8]}" + (f" and {len(part) - 8} more" if len(part) > 8 else "") for part in parts[:6]]
    return "; ".join(words) + (f"; and {len(parts) - 6} more parts" if len(parts) > 6 else "")


def all_waves(n):
    """1 − cos(2πk/n) for k = 0..n−1, by the angles' sums: k = many a + b."""
    many = math.isqrt(n) + 1
    low = [sin_cos(PI.times(2 * b).over(n)) for b in range(many)]
    high = [sin_cos(PI.times(2 * many * a).over(n)) for a in range(n // many + 1)]
    both = ((*high[k // many], *low[k % many]) for k in range(n))
    return [(number(1) - (c * d - s * t)).positive_part() for s, c, t, d in both]


def circulant(coupling):
    n, offsets = coupling["n"], coupling["offsets"]
    require(
        isinstance(n, int) and n >= 3 and isinstance(offsets, list) and len(offsets) >= 1,
        "a circulant graph has n, offsets",
    )
    require(all(isinstance(d, int) and 1 <= d < (n + 1) // 2 for d in offsets), "offsets lie in 1..n/2")
    require(len(set(offsets)) == len(offsets), "offsets repeat")
    return n, offsets


def graph(claim):
    coupling = claim["model"]["coupling"]
    if coupling["kind"] == "circulant":
        n, offsets = circulant(coupling)
        return n, [(i, (i + d) % n) for d in offsets for i in range(n)]
    require(coupling["kind"] == "graph", "the claim has no graph")
    n, edges = coupling["n"], [tuple(e) for e in coupling["edges"]]
    require(isinstance(n, int) and n >= 2, "n must be an integer")
    require(len(edges) >= n - 1, "the graph is not connected")
    require(
        all(len(e) == 2 and all(isinstance(i, int) for i in e) and 0 <= e[0] < e[1] < n for e in edges),
        "edges are i < j < n",
    )
    require(len(set(edges)) == len(edges), "edges repeat")
    return n, edges


def connected(n, edges):
    near: list = [[] for _ in range(n)]
    for i, j in edges:
        near[i].append(j)
        near[j].append(i)
    seen, stack = {0}, [0]
    while stack:
        for j in near[stack.pop()]:
            if j not in seen:
                seen.add(j)
                stack.append(j)
    return len(seen) == n


def count_of_equal_weights(claim):
    coupling = claim["model"]["coupling"]
    require(
        coupling["kind"] == "all-to-all" and coupling.get("weights") == "equal", "this needs n equal weights"
    )
    require(
        isinstance(coupling["n"], int) and not isinstance(coupling["n"], bool) and coupling["n"] >= 2,
        "n must be an integer >= 2",
    )
    return coupling["n"]


ALL_TO_ALL = {"l1": l1, "trigonometric": trigonometric, "two-neighbors": two_neighbors, "attention-count": attention_count,
              "attention-three": attention_three, "attention-l1-infinity": attention_at_infinity,
              "cluster-count": cluster_count, "two-phases": two_phases}  # fmt: skip
PROVE = {**ALL_TO_ALL, "degree": degree}
REFUTE = {"stable-state": stable_state, "equal-clusters": equal_clusters, "twisted-state": twisted_state,
          "parts": parts}  # fmt: skip
COUPLINGS = {"all-to-all", "rank-one", "graph", "circulant", "equitable", "apart"}


# ---------------------------------------------------------------------------------------- boxes and the claim


def integers(pair):
    require(
        isinstance(pair, list) and len(pair) == 2 and all(type(v) is int for v in pair),
        "a number is given by two integers",
    )
    require(all(v.bit_length() < 10_000 for v in pair), "an integer is too long")
    return pair


def rational(pair):
    """p/q of [p, q]."""
    numerator, denominator = integers(pair)
    require(denominator > 0, "a denominator must be positive")
    return Fraction(numerator, denominator)


def dyadic(pair):
    """m 2^e of [m, e]."""
    mantissa, exponent = integers(pair)
    require(abs(exponent) < 5000, "an exponent of 2 is too large")
    return Fraction(mantissa) * Fraction(2) ** exponent


def ends(entry):
    """(lo, hi) of {"mid": [m, e], "rad": [m, e]}."""
    mid, rad = dyadic(entry["mid"]), dyadic(entry["rad"])
    require(rad >= 0, "a radius is negative")
    return mid - rad, mid + rad


def inverse_range(leaf, name):
    entry = leaf["box"][name]
    require(entry.get("inverse") is True, "a box to infinity is given in 1/β")
    return ends(entry)


def leaf_range(leaf, name):
    """The parameter's range (lo, hi) of a leaf; hi or lo may be infinite."""
    entry = leaf["box"][name]
    if "inverse" in entry:
        lo, hi = inverse_range(leaf, name)
        require(0 <= lo < hi, "1/β must be positive")
        return 1 / hi, (1 / lo if lo else math.inf)
    if entry.get("below") is not None:
        return -math.inf, dyadic(entry["below"])
    return ends(entry)


def claimed_range(pair):
    def end(v):
        if v in ("inf", "-inf"):
            return math.inf if v == "inf" else -math.inf
        q = rational(v)
        require(q.denominator == v[1], "a rational end must be in lowest terms")
        return q

    require(isinstance(pair, list) and len(pair) == 2, "a range is a pair")
    lo, hi = end(pair[0]), end(pair[1])
    require(lo < hi or (lo == hi and abs(lo) < math.inf), "a claimed range is empty")
    return lo, hi


def ranked(names, claimed, boxes):
    """The same with the ends of each parameter numbered in their order: small integers are quicker to compare."""
    every = [claimed, *boxes]
    order = {n: {e: k for k, e in enumerate(sorted({e for b in every for e in b[n]}))} for n in names}
    first, *others = [{n: tuple(order[n][e] for e in b[n]) for n in names} for b in every]
    return first, others


def tile(names, claimed, leaves):
    """Whether the leaves' boxes fill the claimed box without a gap: by straight cuts, one after another."""
    if len(leaves) == 1:
        return all(leaves[0][n] == claimed[n] for n in names)
    for n in names:
        edges = sorted({b[n][0] for b in leaves} | {b[n][1] for b in leaves})
        for cut in edges[len(edges) // 2 :] + edges[: len(edges) // 2]:
            pay(2 * len(leaves))
            low, high = [b for b in leaves if b[n][1] <= cut], [b for b in leaves if b[n][0] >= cut]
            if low and high and len(low) + len(high) == len(leaves) and claimed[n][0] < cut < claimed[n][1]:
                left, right = {**claimed, n: (claimed[n][0], cut)}, {**claimed, n: (cut, claimed[n][1])}
                return tile(names, left, low) and tile(names, right, high)
    return False


def show(v):
    """A double by its shortest digits, any other rational exactly."""
    return (
        str(float(v))
        if v in (math.inf, -math.inf) or (abs(v) < 2**1000 and Fraction(float(v)) == v)
        else str(v)
    )


def statement(claim: dict) -> str:
    """The claim in plain language; the certificate's own sentence must be this one."""
    model, word = claim["model"], claim["verdict"]
    c = model["coupling"]
    ranges = []
    for name, (lo, hi) in ((n, claimed_range(v)) for n, v in model["parameters"].items()):
        low, high = show(lo), show(hi)
        interval = f"{'(' if low == '-inf' else '['}{low}, {high}{')' if high == 'inf' else ']'}"
        ranges.append(f"{name} = {low}" if lo == hi else f"every {name} in {interval}")
    where = f", {', '.join(ranges)}" if ranges else ""
    network = {
        "all-to-all": f"{c.get('n', 'any number of')} oscillators, all-to-all with {c.get('weights')} weights",
        "rank-one": "any number of oscillators, rank-one coupling with positive factors",
        "graph": f"the connected graph of {c.get('n')} oscillators and {len(c.get('edges', []))} edges",
        "equitable": f"every graph with an equitable partition into classes of {c.get('sizes')} and degrees {c.get('degrees')}",
        "circulant": f"the ring of {c.get('n')} oscillators with neighbors at {c.get('offsets')}",
        "apart": f"the network of {c.get('n')} oscillators and {len(c.get('edges', []))} links, whatever their weights, "
        f"with {len(c.get('parts', []))} parts that hear nobody outside: {some(c.get('parts', []))}",
    }[c["kind"]]
    if word == "refuted" and c["kind"] == "apart":
        return f"Almost no start synchronizes: f(x) = {model['formula']}{where}; {network}; gain {model['gain']}."
    if word == "proved":
        return f"Almost every start synchronizes: f(x) = {model['formula']}{where}; {network}; gain {model['gain']}."
    return f"A stable state that is not synchronized exists: f(x) = {model['formula']}{where}; {network}; gain {model['gain']}."


def verify(data: dict, seconds: float | None = None) -> str:
    """Raise Rejected unless the certificate's claim is verified; returns the statement."""
    return examine(data, seconds)[0]


def examine(data: dict, seconds: float | None = None) -> tuple[str, float]:
    """(the statement, the largest share of its allowance that a box took); Rejected if it is not verified."""
    global deadline
    require(isinstance(data, dict) and data.get("schema") == SCHEMA, "unknown schema")
    claim, leaves = data["claim"], data["leaves"]
    require(
        isinstance(claim["model"]["formula"], str) and isinstance(leaves, list), "a part is of another kind"
    )
    with LOCK:
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        try:
            allow(allowance("", claim, leaves))
            claim_is_tiled(claim, leaves)
            return claim["statement"], max(share_of(claim, leaf) for leaf in leaves)
        finally:
            deadline = math.inf
            allow(math.inf)


def share_of(claim, leaf):
    """The share of its allowance that the box of a leaf takes to be verified."""
    model = claim["model"]
    limit = allowance(model["formula"], model["coupling"], leaf)
    allow(limit)
    leaf_holds(claim, leaf)
    return 1 - (left + rest) / limit


def claim_is_tiled(claim, leaves):
    """The claim is one that theorems are for, its sentence says it, and the boxes of the leaves fill it."""
    model = claim["model"]
    require(set(claim) == {"verdict", "statement", "model"}, "the claim has unknown or missing parts")
    require(
        set(model) == {"formula", "parameters", "coupling", "gain", "frequencies", "field"},
        "the model has unknown parts",
    )
    require(claim["verdict"] in ("proved", "refuted"), "the certificate claims nothing (undecided)")
    require(
        model["frequencies"] == 0 and model["field"] == 0,
        "the theorems are for identical oscillators without a field",
    )
    require(model["gain"] in ("none", "softmax", "none or positive"), "the gain must be positive")
    coupling = model["coupling"]
    allowed = {"all-to-all": {"kind", "n", "weights"}, "rank-one": {"kind"}, "graph": {"kind", "n", "edges"},
               "circulant": {"kind", "n", "offsets"}, "equitable": {"kind", "sizes", "degrees"},
               "apart": {"kind", "n", "edges", "parts"}}  # fmt: skip
    require(coupling["kind"] in COUPLINGS and set(coupling) <= allowed[coupling["kind"]], "unknown coupling")
    if coupling["kind"] == "all-to-all":
        require(coupling.get("weights") in ("any positive", "equal"), "unknown weights")
        require("n" in coupling or coupling["weights"] == "any positive", "equal weights need n")
    if "n" in coupling:
        n = coupling["n"]
        require(
            isinstance(n, int) and not isinstance(n, bool) and 2 <= n <= 10**7,
            "n must be an integer from 2 to 10^7",
        )
    require(claim["statement"] == statement(claim), "the sentence does not say what is claimed")
    names = sorted(model["parameters"])
    for name in names:
        plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and not keyword.iskeyword(name)
        require(plain and name not in ("x", "pi", *FUNCTIONS), f"a parameter cannot be called {name!r}")
    claimed = {n: claimed_range(model["parameters"][n]) for n in names}
    boxes = [{n: leaf_range(leaf, n) for n in names} for leaf in leaves]
    require(
        leaves and all(sorted(leaf["box"]) == names for leaf in leaves),
        "the boxes do not name the parameters",
    )
    for b in boxes:  # a leaf may reach beyond the claim: what holds there holds in the part inside
        for n in names:
            b[n] = (max(b[n][0], claimed[n][0]), min(b[n][1], claimed[n][1]))
            require(b[n][0] <= b[n][1], "a box lies outside the claim")
    require(tile(names, *ranked(names, claimed, boxes)), "the boxes do not tile the claimed parameters")


def leaf_holds(claim, leaf):
    """The theorem of a leaf, verified on its box."""
    model, theorem = claim["model"], leaf["theorem"]
    table = PROVE if claim["verdict"] == "proved" else REFUTE
    require(theorem in table, f"no theorem {theorem!r} for the verdict {claim['verdict']}")
    if theorem in ALL_TO_ALL:
        require(
            model["coupling"]["kind"] in ("all-to-all", "rank-one"),
            "this theorem is for all-to-all or rank-one coupling",
        )
    names = sorted(model["parameters"])
    f = Formula(model["formula"], names)
    finite = {n: leaf_range(leaf, n) for n in names}
    box = {n: span(*v) for n, v in finite.items() if not any(isinstance(e, float) for e in v)}
    # g_i = Σ_j K_ij h(cos), positive where h is
    if model["gain"] == "softmax" and attention_parameter(claim) is None:
        gradient_kind(f, box)
        positive_inside(f, box, decreasing_from(f, box))
    table[theorem](f, box, leaf, claim)


def without_repetition(pairs):
    """A JSON object whose keys are all different, so that every reader reads the same claim."""
    require(len({key for key, _ in pairs}) == len(pairs), "a key is repeated")
    return dict(pairs)


def no_such_number(word):
    raise Rejected(f"{word} is not a number")


def check(path: str) -> bool:
    """True if the certificate in the file is verified, False otherwise."""
    return explain(path)[0]


def explain(path: str) -> tuple[bool, str]:
    """(verified, the statement or the reason why not)."""
    try:
        with open(path, encoding="utf-8") as file:
            return explain_text(file.read())
    except (OSError, UnicodeDecodeError) as error:
        return False, f"unreadable file: {error}"


def explain_text(text: str, seconds: float | None = None) -> tuple[bool, str]:
    """(verified, the statement or the reason why not) of a certificate's JSON text, within some seconds if given."""
    try:
        data = json.loads(text, object_pairs_hook=without_repetition, parse_constant=no_such_number)
        return True, verify(data, seconds)
    except Rejected as reason:
        return False, str(reason)
    except json.JSONDecodeError as error:
        return False, f"the certificate is not JSON: {error}"
    except KeyError as error:
        return False, f"the certificate lacks {error}"
    except (RecursionError, MemoryError):
        return False, "the certificate, or its formula, is nested too deeply"
    except Exception as error:  # of whatever kind: what cannot be read is not verified
        return False, f"the certificate is malformed: {error} ({type(error).__name__})"


if __name__ == "__main__":
    verified, words = explain(sys.argv[1])
    print(words if verified else f"NOT VERIFIED: {words}")
    print("verified" if verified else "")
    sys.exit(0 if verified else 1)
