"""A formula, recorded once as a tree, and what can be done with the tree.

`record` calls a formula with a symbolic `x`; `parse` reads one from text (no code is ever run). The tree then evaluates
in any arithmetic (`evaluate`), differentiates (`derivative`), tells its parity (`parity`), divides by sin x (`profile`),
prints as text and LaTeX, and becomes the tape that the Numba kernels run (`tape`).

Trees are interned: equal trees are the same object, so shared sub-expressions are computed once.

To add an elementary function, add one line to `FUNCTIONS` (name, derivative, parity, LaTeX) and one to
`kernels/tape.py`, and make sure that each namespace in `evaluate` has it.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

Number = int | float | Fraction


class Expression:
    """A node: `kind` is "x", "pi", "constant", "parameter", "+", "-", "*", "/", "**" or the name of a function."""

    __slots__ = ("__weakref__", "arguments", "kind", "value")
    _interned: WeakValueDictionary[tuple[Any, ...], Expression] = WeakValueDictionary()

    kind: str
    arguments: tuple[Expression, ...]
    value: Any  # the number of a constant, the name of a parameter, the integer exponent of a power

    def __new__(cls, kind: str, arguments: tuple[Expression, ...] = (), value: Any = None) -> Expression:
        """The one node of this content."""
        key = (kind, tuple(id(a) for a in arguments), value)
        node = cls._interned.get(key)
        if node is None:
            node = super().__new__(cls)
            node.kind, node.arguments, node.value = kind, arguments, value
            cls._interned[key] = node
        return node

    def __add__(self, other: Any) -> Expression:
        return _add(self, constant(other))

    def __radd__(self, other: Any) -> Expression:
        return _add(constant(other), self)

    def __sub__(self, other: Any) -> Expression:
        return _subtract(self, constant(other))

    def __rsub__(self, other: Any) -> Expression:
        return _subtract(constant(other), self)

    def __mul__(self, other: Any) -> Expression:
        return _multiply(self, constant(other))

    def __rmul__(self, other: Any) -> Expression:
        return _multiply(constant(other), self)

    def __truediv__(self, other: Any) -> Expression:
        return _divide(self, constant(other))

    def __rtruediv__(self, other: Any) -> Expression:
        return _divide(constant(other), self)

    def __neg__(self) -> Expression:
        return _multiply(constant(-1), self)

    def __pos__(self) -> Expression:
        return self

    def __pow__(self, exponent: Any) -> Expression:
        return _power(self, exponent)

    def __abs__(self) -> Expression:
        raise TypeError("abs is not analytic: an interaction must be an analytic formula")

    def __bool__(self) -> bool:
        raise TypeError("a formula cannot branch on x or on a parameter: it is recorded once for all values")

    def __lt__(self, other: Any) -> bool:
        raise TypeError("a formula cannot compare x or a parameter: it is recorded once for all values")

    __le__ = __gt__ = __ge__ = __lt__

    def __repr__(self) -> str:
        return text(self)


# ------------------------------------------------------------------------------------------------ building and recording


def constant(number: Any) -> Expression:
    """A number as an exact rational node; nodes pass through."""
    if isinstance(number, Expression):
        return number
    if isinstance(number, (bool, np.bool_)) or not isinstance(number, (int, float, Fraction, np.integer, np.floating)):
        raise TypeError(f"a formula takes numbers, x and its parameters; got {number!r}")
    if not isinstance(number, (int, Fraction)):
        if not math.isfinite(number):
            raise ValueError(f"a formula's numbers must be finite; got {number!r}")
        number = float(number)
    return Expression("constant", (), Fraction(number))


X = Expression("x")
PI = Expression("pi")
ZERO, ONE = constant(0), constant(1)


def parameter(name: str) -> Expression:
    """A named parameter."""
    return Expression("parameter", (), name)


def _both_constant(a: Expression, b: Expression) -> bool:
    return a.kind == "constant" and b.kind == "constant"


def _add(a: Expression, b: Expression) -> Expression:
    if a is ZERO or b is ZERO:
        return b if a is ZERO else a
    return constant(a.value + b.value) if _both_constant(a, b) else Expression("+", (a, b))


def _subtract(a: Expression, b: Expression) -> Expression:
    if b is ZERO:
        return a
    if a is b:
        return ZERO
    return constant(a.value - b.value) if _both_constant(a, b) else Expression("-", (a, b))


def _multiply(a: Expression, b: Expression) -> Expression:
    if b.kind == "constant":
        a, b = b, a
    if a is ZERO or a is ONE:
        return ZERO if a is ZERO else b
    if _both_constant(a, b):
        return constant(a.value * b.value)
    if a.kind == "constant" and b.kind == "*" and b.arguments[0].kind == "constant":
        return _multiply(constant(a.value * b.arguments[0].value), b.arguments[1])
    return Expression("*", (a, b))


def _divide(a: Expression, b: Expression) -> Expression:
    if b is ZERO:
        raise ValueError(f"the formula divides {text(a)} by zero")
    if a is ZERO or b is ONE:
        return a
    if b.kind == "constant":
        return _multiply(constant(1 / b.value), a)
    return Expression("/", (a, b))


def _power(a: Expression, exponent: Any) -> Expression:
    if isinstance(exponent, Expression) and exponent.kind == "constant":
        exponent = exponent.value
    if isinstance(exponent, Expression) or exponent != int(exponent):
        raise TypeError(f"powers take integer exponents; got {exponent!r} (write exp(p*log(...)) or sqrt(...))")
    exponent = int(exponent)
    if exponent in (0, 1):
        return ONE if exponent == 0 else a
    if (
        a.kind == "constant"
        and abs(exponent) * max(a.value.numerator.bit_length(), a.value.denominator.bit_length()) > 2048
    ):
        raise ValueError(f"the number ({text(a)})**{exponent} is too large for a formula")
    return constant(a.value**exponent) if a.kind == "constant" else Expression("**", (a,), exponent)


@dataclass(frozen=True)
class Function:
    """What the library knows of an elementary function: derivative d(argument), parity, LaTeX name."""

    derivative: Callable[[Expression], Expression]
    parity: str  # "odd", "even" or "none"
    latex: str


def apply(name: str, argument: Any) -> Expression:
    """The function `name` of a node or number."""
    return Expression(name, (constant(argument),))


FUNCTIONS: dict[str, Function] = {
    "sin": Function(lambda u: apply("cos", u), "odd", r"\sin"),
    "cos": Function(lambda u: -apply("sin", u), "even", r"\cos"),
    "tan": Function(lambda u: 1 + apply("tan", u) ** 2, "odd", r"\tan"),
    "exp": Function(lambda u: apply("exp", u), "none", r"\exp"),
    "log": Function(lambda u: 1 / u, "none", r"\log"),
    "sqrt": Function(lambda u: 1 / (2 * apply("sqrt", u)), "none", r"\sqrt"),
    "sinh": Function(lambda u: apply("cosh", u), "odd", r"\sinh"),
    "cosh": Function(lambda u: apply("sinh", u), "even", r"\cosh"),
    "tanh": Function(lambda u: 1 - apply("tanh", u) ** 2, "odd", r"\tanh"),
    "atan": Function(lambda u: 1 / (1 + u**2), "odd", r"\arctan"),
}


class _Recorder:
    """The namespace `m` that a formula sees while it is recorded."""

    pi = PI

    def __getattr__(self, name: str) -> Callable[[Any], Expression]:
        if name in FUNCTIONS:
            return lambda argument: apply(name, argument)
        if name in ("abs", "fabs", "sign", "floor", "ceil", "maximum", "minimum", "where", "mod"):
            raise TypeError(f"{name} is not analytic: an interaction must be an analytic formula")
        raise AttributeError(f"unknown function {name!r} in a formula; known: {', '.join(FUNCTIONS)}, pi")


def record(formula: Callable[..., Any], names: Sequence[str]) -> Expression:
    """Call `formula(x, m, **parameters)` once with symbols and return the tree."""
    return constant(formula(X, _Recorder(), **{name: parameter(name) for name in names}))


def parse(source: str, names: Sequence[str]) -> Expression:
    """Read an expression in x, the parameters `names`, pi and the elementary functions; decimals are exact.

    The text is read by Python's grammar and walked; nothing is executed, and whatever is not arithmetic is refused.
    """
    if len(source) > 10_000:
        raise ValueError(f"the expression has {len(source)} characters; at most 10,000 are read")
    try:
        body = ast.parse(source.strip().replace("^", "**"), mode="eval").body
        return _from_syntax(body, source, names)
    except (SyntaxError, RecursionError, MemoryError, OverflowError) as error:
        raise ValueError(f"cannot read the expression {source!r}: {error}") from None


_OPERATORS: dict[type[ast.operator], Callable[[Expression, Expression], Expression]] = {
    ast.Add: _add,
    ast.Sub: _subtract,
    ast.Mult: _multiply,
    ast.Div: _divide,
    ast.Pow: _power,
}


def _from_syntax(node: ast.expr, source: str, names: Sequence[str]) -> Expression:
    def walk(child: ast.expr) -> Expression:
        return _from_syntax(child, source, names)

    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            digits = ast.get_source_segment(source.strip().replace("^", "**"), node) or repr(node.value)
            if not math.isfinite(float(node.value)) or abs(int(digits.lower().partition("e")[2] or 0)) > 300:
                raise ValueError(f"the number {digits[:40]} in the expression is out of range")
            return constant(Fraction(digits.replace("_", "")))
        case ast.Name(id="x"):
            return X
        case ast.Name(id="pi"):
            return PI
        case ast.Name(id=name) if name in names:
            return parameter(name)
        case ast.Name(id=name):
            known = ", ".join(["x", "pi", *names])
            raise ValueError(
                f"unknown name {name!r} in the expression {source!r}; known: {known} and {', '.join(FUNCTIONS)}"
            )
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -walk(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return walk(operand)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            a, b = walk(left), walk(right)
            if isinstance(operator, ast.Pow) and b.kind == "constant" and abs(b.value) > 1000:
                raise ValueError(f"the exponent {b.value} in {source!r} is larger than 1000")
            return _OPERATORS[type(operator)](a, b)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return apply(name, walk(argument))
        case ast.Call(func=ast.Name(id=name)):
            if name in ("abs", "sign"):
                raise ValueError(f"{name} is not analytic: an interaction must be an analytic formula; got {source!r}")
            raise ValueError(f"unknown function {name!r} in {source!r}; known, of one argument: {', '.join(FUNCTIONS)}")
    raise ValueError(f"{ast.unparse(node)!r} is not arithmetic: the expression {source!r} is refused")


# ------------------------------------------------------------------------------------------------------------- evaluating


def evaluate(expression: Expression, x: Any, namespace: Any, parameters: Mapping[str, Any]) -> Any:
    """The value at `x` in the arithmetic of `namespace`: its functions by name, `pi`, and `constant(Fraction)`."""
    values: dict[int, Any] = {}

    def value(node: Expression) -> Any:
        key = id(node)
        if key not in values:
            values[key] = compute(node)
        return values[key]

    def compute(node: Expression) -> Any:
        match node.kind:
            case "x":
                return x
            case "pi":
                return namespace.pi
            case "constant":
                return namespace.constant(node.value)
            case "parameter":
                return parameters[node.value]
            case "**":
                return namespace.power(value(node.arguments[0]), node.value)
            case "+":
                return value(node.arguments[0]) + value(node.arguments[1])
            case "-":
                return value(node.arguments[0]) - value(node.arguments[1])
            case "*":
                return value(node.arguments[0]) * value(node.arguments[1])
            case "/":
                return value(node.arguments[0]) / value(node.arguments[1])
            case name:
                return getattr(namespace, name)(value(node.arguments[0]))

    return value(expression)


# ----------------------------------------------------------------------------------------------------------- manipulating


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
                return node.value * a ** (node.value - 1) * d(a)
            case name, (a,):
                return ZERO if d(a) is ZERO else FUNCTIONS[name].derivative(a) * d(a)
        raise AssertionError(node.kind)

    return d(expression)


def parity(expression: Expression) -> str:
    """ "odd", "even", "zero", or "none" where the structure shows neither. Exact: a statement about the formula itself."""
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


def _in_cosine(f: Expression) -> bool:
    """Whether x stands in `f` only as cos(k x) or squared sines."""
    if f.kind == "x":
        return False
    if f.kind == "cos" and _multiple(f.arguments[0]) is not None:
        return True
    if f.kind == "**" and f.value % 2 == 0 and f.arguments[0].kind == "sin" and _multiple(f.arguments[0].arguments[0]):
        return True
    return all(_in_cosine(a) for a in f.arguments)


# --------------------------------------------------------------------------------------------------------------- printing

_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}


def _rank(node: Expression) -> int:
    if node.kind == "constant" and (node.value < 0 or node.value.denominator != 1):
        return 1 if node.value < 0 else 2
    return _PRECEDENCE.get(node.kind, 5)


def text(node: Expression) -> str:
    """As text that `parse` reads back exactly."""

    def inner(child: Expression, rank: int) -> str:
        return f"({text(child)})" if _rank(child) < rank else text(child)

    match node.kind, node.arguments:
        case "x" | "pi", _:
            return node.kind
        case "constant", _:
            return str(node.value)
        case "parameter", _:
            return str(node.value)
        case "*", (a, b) if a.kind == "constant" and a.value == -1:
            return f"-{inner(b, 3)}"
        case "+" | "-" | "*" | "/" as operator, (a, b):
            rank = _PRECEDENCE[operator]
            return (
                f"{inner(a, rank)}{operator}{inner(b, rank + 1)}"
                if rank > 1
                else f"{inner(a, 1)} {operator} {inner(b, 2)}"
            )
        case "**", (a,):
            return f"{inner(a, 5)}**{node.value if node.value > 0 else f'({node.value})'}"
        case name, (a,):
            return f"{name}({text(a)})"
    raise AssertionError(node.kind)


_GREEK = (
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "omega",
    "phi",
    "rho",
    "sigma",
    "tau",
)


def latex(node: Expression) -> str:
    """As LaTeX, without dollar signs."""

    def inner(child: Expression, rank: int) -> str:
        return rf"\left({latex(child)}\right)" if _rank(child) < rank else latex(child)

    match node.kind, node.arguments:
        case "x", _:
            return "x"
        case "pi", _:
            return r"\pi"
        case "constant", _:
            q = node.value
            if q.denominator == 1:
                return str(q.numerator)
            short = f"{float(q):.6g}"
            return (
                short
                if q.denominator > 1000
                else rf"{'-' if q < 0 else ''}\frac{{{abs(q.numerator)}}}{{{q.denominator}}}"
            )
        case "parameter", _:
            return f"\\{node.value}" if node.value in _GREEK else str(node.value)
        case "*", (a, b) if a.kind == "constant" and a.value == -1:
            return f"-{inner(b, 2)}"
        case "*", (a, b):
            return rf"{inner(a, 2)}\,{inner(b, 2)}"
        case "/", (a, b):
            return rf"\frac{{{latex(a)}}}{{{latex(b)}}}"
        case "+" | "-" as operator, (a, b):
            return f"{latex(a)} {operator} {inner(b, 2)}"
        case "**", (a,):
            if a.kind in FUNCTIONS and a.kind not in ("exp", "sqrt"):
                return rf"{FUNCTIONS[a.kind].latex}^{{{node.value}}}{_argument(a.arguments[0])}"
            return f"{inner(a, 5)}^{{{node.value}}}"
        case "exp", (a,):
            return f"e^{{{latex(a)}}}"
        case "sqrt", (a,):
            return rf"\sqrt{{{latex(a)}}}"
        case name, (a,):
            return f"{FUNCTIONS[name].latex}{_argument(a)}"
    raise AssertionError(node.kind)


def _argument(node: Expression) -> str:
    return " x" if node is X else rf"\left({latex(node)}\right)"


# ------------------------------------------------------------------------------------------------------------------- tape


@dataclass(frozen=True)
class Tape:
    """A program for `kernels.tape`: line i writes register i; `outputs` are the registers of the results."""

    code: NDArray[np.int64]  # (lines, 3): operation, first operand, second operand or integer exponent
    constants: NDArray[np.float64]  # (lines,): the number that a constant's line writes
    outputs: NDArray[np.int64]


OPERATIONS = ("x", "constant", "+", "-", "*", "/", "**", *FUNCTIONS)


def tape(expressions: Sequence[Expression], parameters: Mapping[str, float]) -> Tape:
    """One program for several expressions with their parameters filled in; common parts are computed once."""
    return _tape(tuple(expressions), tuple(sorted(parameters.items())))


@lru_cache(maxsize=256)
def _tape(expressions: tuple[Expression, ...], items: tuple[tuple[str, float], ...]) -> Tape:
    parameters = dict(items)
    lines: list[tuple[int, int, int]] = []
    constants: list[float] = []
    register: dict[int, int] = {}

    def emit(node: Expression) -> int:
        if id(node) in register:
            return register[id(node)]
        operands = [emit(a) for a in node.arguments]
        number, kind = 0.0, node.kind
        if kind in ("constant", "pi", "parameter"):
            number = {
                "constant": lambda: float(node.value),
                "pi": lambda: math.pi,
                "parameter": lambda: parameters[node.value],
            }[kind]()
            kind = "constant"
        first = operands[0] if operands else 0
        second = operands[1] if len(operands) == 2 else (node.value if kind == "**" else 0)
        lines.append((OPERATIONS.index(kind), first, second))
        constants.append(number)
        register[id(node)] = len(lines) - 1
        return len(lines) - 1

    outputs = [emit(e) for e in expressions]
    return Tape(
        np.array(lines, dtype=np.int64), np.array(constants, dtype=np.float64), np.array(outputs, dtype=np.int64)
    )
