"""A formula as a program for the Numba kernels (`kernels/tape.py`): any formula, compiled once for all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inphase.expression.tree import FUNCTIONS, Expression, ordered


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
    register: dict[Expression, int] = {}
    for node in ordered(*expressions):
        operands = [register[a] for a in node.arguments]
        number, kind = 0.0, node.kind
        if kind in ("constant", "pi", "parameter"):
            number = (
                math.pi
                if kind == "pi"
                else parameters[node.value]
                if kind == "parameter"
                else float(node.value)
            )
            kind = "constant"
        first = operands[0] if operands else 0
        second = operands[1] if len(operands) == 2 else (node.value if kind == "**" else 0)
        register[node] = len(lines)
        lines.append((OPERATIONS.index(kind), first, second))
        constants.append(number)
    return Tape(
        np.array(lines, dtype=np.int64),
        np.array(constants, dtype=np.float64),
        np.array([register[e] for e in expressions], dtype=np.int64),
    )
