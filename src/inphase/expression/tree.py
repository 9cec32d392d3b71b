"""The tree of a recorded formula: its nodes, its elementary functions, and its value in any arithmetic.

Trees are interned: equal trees are the same object, so shared sub-expressions are computed once. They may be of
any depth, such as a sum of 10,000 terms: whatever walks one goes by `ordered` or `fold`, without recursion.

To add an elementary function, add one line to `FUNCTIONS` (derivative, parity, LaTeX), one branch to
`kernels/tape.py`, and make sure that the namespaces of `arithmetic.py` have it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from inphase.expression.spelling import quoted, shortened, text

BITS = 10_000  # of the numerator and the denominator of a number in a formula
POWER = 1_000_000  # the largest exponent

T = TypeVar("T")


class Expression:
    """A node: its `kind` is "x", "pi", "constant", "parameter", an operator, or a function's name.

    Operators are "+", "-", "*", "/" and "**".
    """

    __slots__ = ("__weakref__", "arguments", "free", "kind", "value")
    _interned: ClassVar[WeakValueDictionary[tuple[Any, ...], Expression]] = WeakValueDictionary()

    kind: str
    arguments: tuple[Expression, ...]
    value: Any  # the number of a constant, the name of a parameter, the integer exponent of a power
    free: bool  # whether x does not occur

    def __new__(cls, kind: str, arguments: tuple[Expression, ...] = (), value: Any = None) -> Expression:
        """The one node of this content."""
        key = (kind, tuple(id(a) for a in arguments), value)
        node = cls._interned.get(key)
        if node is None:
            node = super().__new__(cls)
            node.kind, node.arguments, node.value = kind, arguments, value
            node.free = kind != "x" and all(argument.free for argument in arguments)
            cls._interned[key] = node
        return node

    def __add__(self, other: Any) -> Expression:
        return add(self, constant(other))

    def __radd__(self, other: Any) -> Expression:
        return add(constant(other), self)

    def __sub__(self, other: Any) -> Expression:
        return subtract(self, constant(other))

    def __rsub__(self, other: Any) -> Expression:
        return subtract(constant(other), self)

    def __mul__(self, other: Any) -> Expression:
        return multiply(self, constant(other))

    def __rmul__(self, other: Any) -> Expression:
        return multiply(constant(other), self)

    def __truediv__(self, other: Any) -> Expression:
        return divide(self, constant(other))

    def __rtruediv__(self, other: Any) -> Expression:
        return divide(constant(other), self)

    def __neg__(self) -> Expression:
        return multiply(constant(-1), self)

    def __pos__(self) -> Expression:
        return self

    def __pow__(self, exponent: Any) -> Expression:
        return power(self, exponent)

    def __abs__(self) -> Expression:
        raise TypeError("abs is not analytic: an interaction must be an analytic formula")

    def __bool__(self) -> bool:
        raise TypeError("a formula cannot branch on x or on a parameter: it is recorded once for all values")

    def __lt__(self, other: Any) -> bool:
        raise TypeError("a formula cannot compare x or a parameter: it is recorded once for all values")

    __le__ = __gt__ = __ge__ = __lt__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression):
            raise TypeError("a formula cannot compare x or a parameter: it is recorded once for all values")
        return self is other

    __hash__ = object.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        lines = ordered(self)
        number = {node: line for line, node in enumerate(lines)}
        return _restored, ([(n.kind, tuple(number[a] for a in n.arguments), n.value) for n in lines],)

    def __copy__(self) -> Expression:
        return self

    def __deepcopy__(self, memo: Any) -> Expression:
        return self

    def __repr__(self) -> str:
        return text(self)


def _restored(lines: Sequence[tuple[str, tuple[int, ...], Any]]) -> Expression:
    """The inverse of `Expression.__reduce__`: each line a node, whose arguments are the numbers of earlier lines."""
    nodes: list[Expression] = []
    for kind, arguments, value in lines:
        nodes.append(Expression(kind, tuple(nodes[a] for a in arguments), value))
    return nodes[-1]


def ordered(
    *expressions: Expression, leaf: Callable[[Expression], bool] = lambda node: False
) -> list[Expression]:
    """Every node once, its arguments before it, from left to right: as a recursion would finish with them.

    Below a node that is a `leaf` nothing is looked for.
    """
    found: dict[Expression, None] = {}
    for expression in expressions:
        stack = [expression]
        while stack:
            arguments = () if leaf(stack[-1]) else stack[-1].arguments
            missing = next((a for a in arguments if a not in found), None)
            if missing is None:
                found[stack.pop()] = None
            else:
                stack.append(missing)
    return list(found)


def fold(
    expression: Expression,
    compute: Callable[[Expression, list[T]], T],
    leaf: Callable[[Expression], bool] = lambda node: False,
) -> T:
    """What `compute(node, what it gave for the arguments)` gives for the whole; for a `leaf`, of no arguments."""
    values: dict[Expression, T] = {}
    for node in ordered(expression, leaf=leaf):
        values[node] = compute(node, [] if leaf(node) else [values[a] for a in node.arguments])
    return values[expression]


def constant(number: Any) -> Expression:
    """A number as an exact rational node; nodes pass through."""
    if isinstance(number, Expression):
        return number
    if isinstance(number, (bool, np.bool_)) or not isinstance(
        number, (int, float, Fraction, np.integer, np.floating)
    ):
        raise TypeError(f"a formula takes numbers, x and its parameters; got {quoted(number)}")
    if not isinstance(number, (int, Fraction)):
        if not math.isfinite(number):
            raise ValueError(f"a formula's numbers must be finite; got {number!r}")
        number = float(number)
    exact = Fraction(number)
    if max(exact.numerator.bit_length(), exact.denominator.bit_length()) > BITS:
        raise ValueError(f"a number of the formula has more than {BITS:,} bits, as a fraction of integers")
    return Expression("constant", (), exact)


X = Expression("x")
PI = Expression("pi")
ZERO, ONE = constant(0), constant(1)


def parameter(name: str) -> Expression:
    """A named parameter."""
    return Expression("parameter", (), name)


def _both_constant(a: Expression, b: Expression) -> bool:
    return a.kind == "constant" and b.kind == "constant"


def add(a: Expression, b: Expression) -> Expression:
    """a + b, with numbers folded."""
    if a is ZERO or b is ZERO:
        return b if a is ZERO else a
    return constant(a.value + b.value) if _both_constant(a, b) else Expression("+", (a, b))


def subtract(a: Expression, b: Expression) -> Expression:
    """a − b, with numbers folded."""
    if b is ZERO:
        return a
    if a is b:
        return ZERO
    return constant(a.value - b.value) if _both_constant(a, b) else Expression("-", (a, b))


def multiply(a: Expression, b: Expression) -> Expression:
    """a · b, numbers first, with numbers folded."""
    if b.kind == "constant":
        a, b = b, a
    if a is ZERO or a is ONE:
        return ZERO if a is ZERO else b
    if _both_constant(a, b):
        return constant(a.value * b.value)
    if a.kind == "constant" and b.kind == "*" and b.arguments[0].kind == "constant":
        return multiply(constant(a.value * b.arguments[0].value), b.arguments[1])
    return Expression("*", (a, b))


def divide(a: Expression, b: Expression) -> Expression:
    """a / b, with numbers folded."""
    if b is ZERO:
        raise ValueError(f"the formula divides {shortened(a)} by zero")
    if a is ZERO or b is ONE:
        return a
    if b.kind == "constant":
        return multiply(constant(1 / b.value), a)
    return Expression("/", (a, b))


def power(a: Expression, exponent: Any) -> Expression:
    """a to an integer power."""
    if isinstance(exponent, Expression) and exponent.kind == "constant":
        exponent = exponent.value
    if isinstance(exponent, Expression) or exponent != int(exponent):
        raise TypeError(
            f"powers take integer exponents; got {quoted(exponent)} (write exp(p*log(...)) or sqrt(...))"
        )
    exponent = int(exponent)
    if exponent in (0, 1):
        return ONE if exponent == 0 else a
    if abs(exponent) > POWER:
        raise ValueError(f"an exponent of the formula is larger than {POWER:,}")
    if (
        a.kind == "constant"
        and abs(exponent) * max(a.value.numerator.bit_length(), a.value.denominator.bit_length()) > 2048
    ):
        raise ValueError(f"the number ({shortened(a)})**{exponent} is too large for a formula")
    return constant(a.value**exponent) if a.kind == "constant" else Expression("**", (a,), exponent)


OPERATORS: dict[str, Callable[[Expression, Expression], Expression]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
}


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


@lru_cache(maxsize=32)
def _schedule(expression: Expression) -> list[tuple[Expression, tuple[Expression, ...]]]:
    """The nodes in order, each with the arguments that no later one needs."""
    needed: set[Expression] = set()
    schedule = []
    for node in reversed(ordered(expression)):
        schedule.append((node, tuple({a for a in node.arguments if a not in needed})))
        needed.update(node.arguments)
    return schedule[::-1]


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def evaluate(expression: Expression, x: Any, namespace: Any, parameters: Mapping[str, Any]) -> Any:
    """The value at `x` in a `namespace`: functions by name, `pi`, and `constant(Fraction)`."""
    values: dict[Expression, Any] = {}
    for node, last in _schedule(expression):
        arguments = [values[a] for a in node.arguments]
        if node.kind in _ARITHMETIC:
            values[node] = _ARITHMETIC[node.kind](*arguments)
        elif node.kind == "**":
            values[node] = namespace.power(arguments[0], node.value)
        elif arguments:
            values[node] = getattr(namespace, node.kind)(arguments[0])
        elif node.kind == "constant":
            values[node] = namespace.constant(node.value)
        elif node.kind == "parameter":
            values[node] = parameters[node.value]
        else:
            values[node] = x if node.kind == "x" else namespace.pi
        for argument in last:  # the arrays of a long formula would fill the memory
            del values[argument]
    return values[expression]
