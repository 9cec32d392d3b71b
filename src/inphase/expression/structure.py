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
    OPERATORS,
    ZERO,
    Expression,
    X,
    apply,
    constant,
    fold,
    ordered,
    power,
)

MOST_HARMONICS = 20_000  # k of sin(k x), of which U_{k−1} is written out


def slope(node: Expression) -> Fraction | None:
    """The rational k of k·x + (free of x), else None."""
    return fold(node, _slope)


def _slope(node: Expression, inner: list[Fraction | None]) -> Fraction | None:
    if node.free:
        return Fraction(0)
    match node.kind, inner:
        case "x", _:
            return Fraction(1)
        case "+", (Fraction() as a, Fraction() as b):
            return a + b
        case "-", (Fraction() as a, Fraction() as b):
            return a - b
        case "*", (_, Fraction() as b) if node.arguments[0].kind == "constant":
            return Fraction(node.arguments[0].value) * b
    return None


def free(node: Expression) -> bool:
    """Whether x does not occur."""
    return node.free


def periodic(node: Expression) -> bool:
    """Whether x stands only inside sin, cos, tan of k·x + constant, k an integer: f is 2π-periodic, exactly.

    Examples
    --------
    >>> from inphase.interaction import Interaction
    >>> periodic(Interaction("sin(x)*exp(cos(2*x))").expression)
    True
    """

    def rule(node: Expression, inner: list[tuple[Fraction | None, bool]]) -> tuple[Fraction | None, bool]:
        k = _slope(node, [slope for slope, _ in inner])
        if node.kind in ("sin", "cos", "tan") and inner[0][0] is not None:
            return k, inner[0][0].denominator == 1
        return k, node is not X and all(turns for _, turns in inner)

    return fold(node, rule)[1]


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
    return {part.value for part in ordered(node) if part.kind == "parameter"}


def fill(expression: Expression, numbers: Mapping[str, float | Fraction]) -> Expression:
    """The formula with exact numbers for some parameters, which may show more structure: 0 times a term goes.

    The formula as it is, where a number would be too long to write out or a divisor is 0.

    Examples
    --------
    >>> fill(parse("a*sin(x) + b*sin(2*x)", ["a", "b"]), {"b": 0})
    a*sin(x)
    """

    def filled(node: Expression, arguments: list[Expression]) -> Expression:
        if node.kind == "parameter":
            return constant(numbers[node.value]) if node.value in numbers else node
        if not arguments:
            return node
        if node.kind == "**":
            return power(arguments[0], node.value)
        if node.kind in OPERATORS:
            return OPERATORS[node.kind](*arguments)
        if arguments[0] is ZERO and FUNCTIONS[node.kind].parity == "odd":
            return ZERO
        return apply(node.kind, arguments[0])

    try:
        return fold(expression, filled)
    except (ValueError, ZeroDivisionError):
        return expression


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
    return fold(expression, _parity)


def _parity(node: Expression, inner: list[str]) -> str:
    """The parity of a node by those of its arguments."""
    match node.kind, inner:
        case "x", _:
            return "odd"
        case "constant", _:
            return "zero" if node is ZERO else "even"
        case "pi" | "parameter", _:
            return "even"
        case "+" | "-", (a, b):
            kinds = {a, b} - {"zero"}
            return kinds.pop() if len(kinds) == 1 else ("none" if kinds else "zero")
        case "*" | "/", (a, b):
            if "zero" in inner or "none" in inner:
                return "zero" if "zero" in inner else "none"
            return "even" if a == b else "odd"
        case "**", (a,):
            return a if a != "odd" else ("even" if node.value % 2 == 0 else "odd")
        case name, (a,):
            if a in ("even", "zero"):
                return "even"
            return FUNCTIONS[name].parity if a == "odd" else "none"
    raise AssertionError(node.kind)


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
    second: list[Expression] = [
        ONE,
        2 * apply("cos", X),
    ]  # U_k(cos x) = sin((k + 1) x)/sin x, for all terms of f together

    def rule(node: Expression, inner: list[Expression | None]) -> Expression | None:
        match node.kind, node.arguments, inner:
            case "sin", (u,), _ if (k := _multiple(u)) is not None and abs(k) <= MOST_HARMONICS:
                while len(second) < abs(k):
                    second.append(second[1] * second[-1] - second[-2])
                if k == 0:
                    return ZERO
                return second[k - 1] if k > 0 else -second[-k - 1]
            case "+", _, (Expression() as p, Expression() as q):
                return p + q
            case "-", _, (Expression() as p, Expression() as q):
                return p - q
            case "*", (_, b), (Expression() as p, _):
                return p * b
            case "*", (a, _), (_, Expression() as q):
                return a * q
            case "/", (_, b), (Expression() as p, _):
                return p / b
            case "**", (a,), (Expression() as p,) if node.value > 1:
                return p * power(a, node.value - 1)
        return ZERO if node is ZERO else None

    return fold(f, rule)


def _in_cosine(f: Expression) -> bool:
    """Whether x stands in `f` only as cos(k x) or squared sines."""

    def even(node: Expression) -> bool:
        a = node.arguments[0] if node.arguments else node
        if node.kind == "cos":
            return _multiple(a) is not None
        squared = node.kind == "**" and node.value % 2 == 0 and a.kind == "sin"
        return squared and bool(_multiple(a.arguments[0]))

    return not any(node is X for node in ordered(f, leaf=even))
