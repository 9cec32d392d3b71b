"""A formula, recorded once as a tree, and what can be done with the tree."""

from inphase.expression.calculus import derivative
from inphase.expression.parsing import check_parameter, parse
from inphase.expression.poles import pole
from inphase.expression.printing import latex
from inphase.expression.spectrum import spectrum
from inphase.expression.spelling import quoted, shortened, text
from inphase.expression.structure import (
    attention_parameter,
    attention_spelling,
    fill,
    free,
    parameters,
    parity,
    periodic,
    profile,
    sine_factor,
    slope,
)
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
    fold,
    ordered,
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
    "attention_parameter",
    "attention_spelling",
    "check_parameter",
    "constant",
    "derivative",
    "evaluate",
    "fill",
    "fold",
    "free",
    "latex",
    "ordered",
    "parameter",
    "parameters",
    "parity",
    "parse",
    "periodic",
    "pole",
    "profile",
    "quoted",
    "record",
    "shortened",
    "sine_factor",
    "slope",
    "spectrum",
    "tape",
    "text",
]
