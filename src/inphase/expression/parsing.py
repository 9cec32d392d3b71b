"""Expressions read from text: the arithmetic of Python's grammar, by two stacks; nothing is ever executed.

Python's own parser would set limits that differ from version to version: about 1000 terms of a sum, 200 brackets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from keyword import iskeyword

from inphase.expression.spelling import LONGEST, quoted
from inphase.expression.tree import FUNCTIONS, OPERATORS, PI, Expression, X, apply, constant, parameter, power

DIGITS = 4000  # the most characters of a number
EXPONENT = 1000  # the largest exponent, in absolute value

_DIGITS = "[0-9](?:_?[0-9])*"
_TOKEN = re.compile(
    rf"""\s*(?:
        (?P<number>(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?)(?![\w.])
      | (?P<call>[^\W\d]\w*)\s*\(
      | (?P<name>[^\W\d]\w*)
      | (?P<operator>\*\*|[-+*/^()])
      | (?P<other>[\w.]+|\S)
    )""",
    re.VERBOSE,
)
_RANK = {"+": 1, "-": 1, "*": 2, "/": 2, "negative": 3, "positive": 3, "**": 4}
_PREFIX = {"-": "negative", "+": "positive"}


def check_parameter(name: str, variable: str = "x") -> None:
    """ValueError unless a parameter of formulas in `variable` may be called so."""
    taken = (variable, "pi", *FUNCTIONS)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name in taken or iskeyword(name):
        raise ValueError(
            f"a parameter cannot be called {name!r}: letters, digits and _, and no name that formulas use"
        )


def parse(source: str, names: Sequence[str], variable: str = "x") -> Expression:
    """Read an expression in x, the parameters `names`, pi and the elementary functions; decimals are exact.

    The text is read by Python's rules of arithmetic, with ^ for ** too; nothing is executed, and whatever is not
    arithmetic is refused by a ValueError. A `variable` of another name, such as t, is a parameter of the tree.
    """
    if len(source) > LONGEST:
        raise ValueError(f"the expression has {len(source):,} characters; at most {LONGEST:,} are read")
    reader = _Reader(source, names, variable)
    for kind, token, place in _tokens(source):
        reader.take(kind, token, place)
    return reader.end()


def _tokens(source: str) -> Iterator[tuple[str, str, int]]:
    """The kind, the text and the place of each number, name, function with its bracket, operator and bracket."""
    for match in _TOKEN.finditer(source.rstrip()):
        kind = str(match.lastgroup)
        yield kind, match[kind].replace("^", "**"), match.start(kind)


class _Reader:
    """Values that wait for their operator, and operators and brackets that wait for their last value."""

    def __init__(self, source: str, names: Sequence[str], variable: str) -> None:
        self.source, self.names, self.variable = source, frozenset(names), variable
        self.known = ", ".join([variable, "pi", *names])
        self.values: list[Expression] = []
        self.waiting: list[str] = []  # ranked operators, "(", and names of functions whose bracket is open
        self.complete = False  # whether a value has just ended

    def take(self, kind: str, token: str, place: int) -> None:
        """The next token."""
        if self.complete and token in _RANK:
            self.finish(_RANK[token] + (token == "**"))  # powers are taken from the right
            self.waiting.append(token)
            self.complete = False
        elif self.complete and token == ")":
            self.finish(0)
            if not self.waiting:
                raise self.fault(f"unexpected ')' at character {place + 1}")
            opened = self.waiting.pop()
            if opened != "(":
                self.values[-1] = apply(opened, self.values[-1])
        elif not self.complete and kind in ("number", "name"):
            self.values.append(_number(token) if kind == "number" else self.named(token))
            self.complete = True
        elif not self.complete and kind == "call":
            self.waiting.append(self.function(token))
        elif not self.complete and (token in _PREFIX or token == "("):
            self.waiting.append(_PREFIX.get(token, token))
        else:
            raise self.fault(f"unexpected {token!r:.60} at character {place + 1}")

    def end(self) -> Expression:
        """The whole."""
        if not self.complete:
            raise self.fault("it ends where a value is missing")
        self.finish(0)
        if self.waiting:
            raise self.fault("a bracket is not closed")
        return self.values[0]

    def finish(self, rank: int) -> None:
        """Apply the operators that wait since the last open bracket and hold as tightly as `rank`."""
        while self.waiting and _RANK.get(self.waiting[-1], -1) >= rank:
            operator, b = self.waiting.pop(), self.values.pop()
            if operator == "negative":
                b = -b
            elif operator == "**":
                if b.kind == "constant" and abs(b.value) > EXPONENT:
                    raise ValueError(
                        f"the exponent {b.value} in {quoted(self.source)} is larger than {EXPONENT}"
                    )
                b = power(self.values.pop(), b)
            elif operator != "positive":
                b = OPERATORS[operator](self.values.pop(), b)
            self.values.append(b)

    def named(self, name: str) -> Expression:
        """x, pi or a parameter."""
        if name == "pi" or name == self.variable == "x":
            return PI if name == "pi" else X
        if name in self.names or name == self.variable:
            return parameter(name)
        raise ValueError(
            f"unknown name {quoted(name)} in the expression {quoted(self.source)}; known: {self.known} and "
            + ", ".join(FUNCTIONS)
        )

    def function(self, name: str) -> str:
        """The name itself, if it is a function's."""
        if name in FUNCTIONS:
            return name
        if name in ("abs", "sign"):
            whose = "an interaction" if self.variable == "x" else f"what is given in {self.variable}"
            raise ValueError(
                f"{name} is not analytic: {whose} must be an analytic formula; got {quoted(self.source)}"
            )
        raise ValueError(
            f"unknown function {quoted(name)} in {quoted(self.source)} is refused; known, of one argument: "
            + ", ".join(FUNCTIONS)
        )

    def fault(self, reason: str) -> ValueError:
        """What is said of text that is not arithmetic."""
        return ValueError(f"the expression {quoted(self.source)} is not arithmetic: {reason}")


def _number(digits: str) -> Expression:
    if (
        len(digits) > DIGITS
        or abs(int(digits.lower().partition("e")[2] or 0)) > 300
        or (not digits.isdigit() and not math.isfinite(float(digits)))
    ):
        raise ValueError(f"the number {digits[:40]} in the expression is out of range")
    return constant(Fraction(digits.replace("_", "")))
