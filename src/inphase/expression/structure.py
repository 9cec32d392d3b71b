"""What a formula is, decided here alone, by structure: odd, periodic, k sin x, sin x · h(cos x), attention's.

Every answer is exact, a statement about the formula itself; None, False or "none" means that the structure does
not show it, not that it is not so.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from inphase.expression.calculus import derivative
from inphase.expression.parsing import parse
from inphase.expression.tree import (
    FUNCTIONS,
    ONE,
    ZERO,
    Expression,
    X,
    add,
    apply,
    constant,
    divide,
    multiply,
    power,
    subtract,
)


def slope(node: Expression) -> Fraction | None:
    """The rational k of k·x + (free of x), else None."""
    if node is X:
        return Fraction(1)
    if free(node):
        return Fraction(0)
    if node.kind in ("+", "-"):
        a, b = (slope(child) for child in node.arguments)
        return None if a is None or b is None else (a + b if node.kind == "+" else a - b)
    if node.kind == "*" and node.arguments[0].kind == "constant":
        inner = slope(node.arguments[1])
        return None if inner is None else Fraction(node.arguments[0].value) * inner
    return None


def free(node: Expression) -> bool:
    """Whether x does not occur."""
    return node is not X and all(free(child) for child in node.arguments)


def periodic(node: Expression) -> bool:
    """Whether x stands only inside sin, cos, tan of k·x + constant, k an integer: f is 2π-periodic, exactly.

    Examples
    --------
    >>> from inphase.interaction import Interaction
    >>> periodic(Interaction("sin(x)*exp(cos(2*x))").expression)
    True
    """
    if node is X:
        return False
    if node.kind in ("sin", "cos", "tan"):
        k = slope(node.arguments[0])
        if k is not None:
            return k.denominator == 1
    return all(periodic(child) for child in node.arguments)


@lru_cache(maxsize=10_000)
def attention_parameter(node: Expression) -> str | None:
    """The name of β in sin x · e^{β (cos x − 1)} or sin x · e^{β cos x}, attention's formula; else None."""
    names = parameters(node)
    if len(names) != 1:
        return None
    name = names.pop()
    return name if any(node is parse(text, [name]) for text, _ in _attention(name)) else None


def attention_spelling(node: Expression) -> Expression:
    """Attention's formula as `attention_parameter` knows it, from any order; other formulas as they are."""
    names = parameters(node)
    if len(names) == 1:
        name = names.pop()
        for known, others in _attention(name):
            if any(node is parse(text, [name]) for text in others):
                return parse(known, [name])
    return node


def _attention(b: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The two spellings, each with the others that mean the same."""
    return (
        (f"sin(x)*exp({b}*(cos(x) - 1))", (f"exp({b}*(cos(x) - 1))*sin(x)",)),
        (f"sin(x)*exp({b}*cos(x))", (f"exp({b}*cos(x))*sin(x)", f"sin(x)*exp(cos(x)*{b})")),
    )


def parameters(node: Expression) -> set[str]:
    """The names of the parameters that occur."""
    if node.kind == "parameter":
        return {node.value}
    return {name for child in node.arguments for name in parameters(child)}


def fill(expression: Expression, numbers: Mapping[str, float | Fraction]) -> Expression:
    """The formula with exact numbers for some parameters, which may show more structure: 0 times a term goes.

    The formula as it is, where a number would be too long to write out or a divisor is 0.

    Examples
    --------
    >>> fill(parse("a*sin(x) + b*sin(2*x)", ["a", "b"]), {"b": 0})
    a*sin(x)
    """
    values: dict[int, Expression] = {}

    def filled(node: Expression) -> Expression:
        if id(node) not in values:
            values[id(node)] = compute(node)
        return values[id(node)]

    def compute(node: Expression) -> Expression:
        if node.kind == "parameter":
            return constant(numbers[node.value]) if node.value in numbers else node
        if not node.arguments:
            return node
        arguments = [filled(child) for child in node.arguments]
        if node.kind == "**":
            return power(arguments[0], node.value)
        if node.kind in _OPERATORS:
            return _OPERATORS[node.kind](*arguments)
        if arguments[0] is ZERO and FUNCTIONS[node.kind].parity == "odd":
            return ZERO
        return apply(node.kind, arguments[0])

    try:
        return filled(expression)
    except (ValueError, ZeroDivisionError):
        return expression


_OPERATORS = {"+": add, "-": subtract, "*": multiply, "/": divide}


@lru_cache(maxsize=10_000)
def sine_factor(expression: Expression) -> Expression | None:
    """k, of the value that it has at any x, where f(x) = k sin x; None where the structure does not show it.

    Examples
    --------
    >>> sine_factor(parse("a*sin(x)/3 + sin(x)", ["a"])), sine_factor(parse("sin(2*x)", []))
    (1/3*a + 1, None)
    """
    h = profile(expression)
    return h if h is not None and derivative(h) is ZERO else None


@lru_cache(maxsize=10_000)
def parity(expression: Expression) -> str:
    """ "odd", "even", "zero", or "none" where the structure shows neither.

    Exact: a statement about the formula itself.
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
