"""A formula, recorded once as a tree, and what can be done with the tree."""

from inphase.expression.calculus import derivative, parity, profile
from inphase.expression.parsing import parse
from inphase.expression.printing import latex, text
from inphase.expression.tape import OPERATIONS, Tape, tape
from inphase.expression.tree import (
    FUNCTIONS,
    ONE,
    PI,
    ZERO,
    Expression,
    X,
    apply,
    constant,
    evaluate,
    parameter,
    record,
)

__all__ = [
    "FUNCTIONS",
    "ONE",
    "OPERATIONS",
    "PI",
    "ZERO",
    "Expression",
    "Tape",
    "X",
    "apply",
    "constant",
    "derivative",
    "evaluate",
    "latex",
    "parameter",
    "parity",
    "parse",
    "profile",
    "record",
    "tape",
    "text",
]
