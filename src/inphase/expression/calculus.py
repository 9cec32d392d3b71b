"""What the structure of a formula shows: its derivative,
its parity, and h where f(x) = sin x · h(cos x). All exact.
"""

from __future__ import annotations

from functools import lru_cache

from inphase.expression.tree import FUNCTIONS, ONE, ZERO, Expression, X, apply, constant, power


def derivative(expression: Expression) -> Expression:
    """d/dx, by the chain rule."""
    values: dict[int, Expression] = {}

    def d(node: Expression) -> Expression:
        if id(node) not in values:
            values[id(node)] = compute(node)
        return values[id(node)]

    def compute(node: Expression) -> Expression:
        match node.kind, node.arguments:
            case "x", _:
                return ONE
            case "pi" | "constant" | "parameter", _:
                return ZERO
            case "+", (a, b):
                return d(a) + d(b)
            case "-", (a, b):
                return d(a) - d(b)
            case "*", (a, b):
                return d(a) * b + a * d(b)
            case "/", (a, b):
                return d(a) / b if d(b) is ZERO else (d(a) - node * d(b)) / b
            case "**", (a,):
                return constant(node.value) * power(a, node.value - 1) * d(a)
            case name, (a,):
                return ZERO if d(a) is ZERO else FUNCTIONS[name].derivative(a) * d(a)
        raise AssertionError(node.kind)

    return d(expression)


@lru_cache(maxsize=10_000)
def parity(expression: Expression) -> str:
    """ "odd", "even", "zero", or "none" where the structure
    shows neither. Exact: a statement about the formula itself.
    """
    match expression.kind, expression.arguments:
        case "x", _:
            return "odd"
        case "constant", _:
            return "zero" if expression is ZERO else "even"
        case "pi" | "parameter", _:
            return "even"
        case "+" | "-", (a, b):
            kinds = {parity(a), parity(b)} - {"zero"}
            return kinds.pop() if len(kinds) == 1 else ("none" if kinds else "zero")
        case "*" | "/", (a, b):
            kinds = {parity(a), parity(b)}
            if "zero" in kinds or "none" in kinds:
                return "zero" if "zero" in kinds else "none"
            return "even" if len(kinds) == 1 else "odd"
        case "**", (a,):
            inner = parity(a)
            return inner if inner != "odd" else ("even" if expression.value % 2 == 0 else "odd")
        case name, (a,):
            inner = parity(a)
            if inner in ("even", "zero"):
                return "even"
            return FUNCTIONS[name].parity if inner == "odd" else "none"
    raise AssertionError(expression.kind)


def profile(expression: Expression) -> Expression | None:
    """h with f(x) = sin x · h(cos x), still written in x; None where the structure does not show it."""
    quotient = _over_sine(expression)
    return quotient if quotient is not None and _in_cosine(quotient) else None


def _multiple(expression: Expression) -> int | None:
    """The integer k of k·x, or None."""
    if expression is X:
        return 1
    if expression.kind == "*" and expression.arguments[1] is X and expression.arguments[0].kind == "constant":
        k = expression.arguments[0].value
        return int(k) if k.denominator == 1 else None
    return None


@lru_cache(maxsize=10_000)
def _over_sine(f: Expression) -> Expression | None:
    match f.kind, f.arguments:
        case "sin", (u,):
            k = _multiple(u)
            if k is None:
                return None
            return (1 if k > 0 else -1) * _chebyshev_second(abs(k) - 1) if k else ZERO
        case "+" | "-", (a, b):
            p, q = _over_sine(a), _over_sine(b)
            return None if p is None or q is None else (p + q if f.kind == "+" else p - q)
        case "*", (a, b):
            p = _over_sine(a)
            if p is not None:
                return p * b
            q = _over_sine(b)
            return None if q is None else a * q
        case "/", (a, b):
            p = _over_sine(a)
            return None if p is None else p / b
        case "**", (a,) if f.value > 1:
            p = _over_sine(a)
            return None if p is None else p * a ** (f.value - 1)
    return ZERO if f is ZERO else None


def _chebyshev_second(k: int) -> Expression:
    """U_k(cos x) = sin((k + 1) x)/sin x."""
    before, current = ZERO, ONE
    for _ in range(k):
        before, current = current, 2 * apply("cos", X) * current - before
    return current


@lru_cache(maxsize=10_000)
def _in_cosine(f: Expression) -> bool:
    """Whether x stands in `f` only as cos(k x) or squared sines."""
    if f.kind == "x":
        return False
    if f.kind == "cos" and _multiple(f.arguments[0]) is not None:
        return True
    if (
        f.kind == "**"
        and f.value % 2 == 0
        and f.arguments[0].kind == "sin"
        and _multiple(f.arguments[0].arguments[0])
    ):
        return True
    return all(_in_cosine(a) for a in f.arguments)
