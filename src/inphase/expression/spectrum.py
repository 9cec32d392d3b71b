"""The Fourier modes of a sum of sines and cosines, read off its tree: of any length, in one walk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from inphase.expression.arithmetic import Arrays
from inphase.expression.structure import slope
from inphase.expression.tree import Expression, evaluate, ordered


def spectrum(expression: Expression, parameters: Mapping[str, float]) -> dict[int, complex] | None:
    """F_k with f(x) = Re Σ_k F_k e^{ikx}, k >= 0, to rounding; None unless f is such a finite sum by its structure.

    Examples
    --------
    >>> from inphase.expression.parsing import parse
    >>> spectrum(parse("2*(cos(x) - a*sin(300*x))/4", ["a"]), {"a": 8.0})
    {1: (0.5+0j), 300: 4j}
    """

    def number(node: Expression) -> float:
        return float(evaluate(node, 0.0, Arrays(np), parameters))

    factors = defaultdict(float, {expression: 1.0})
    found: defaultdict[int, complex] = defaultdict(complex)
    for node in reversed(ordered(expression, leaf=lambda node: node.free or node.kind in ("sin", "cos"))):
        factor = factors.pop(
            node, None
        )  # what it is multiplied by, in all its places: those nodes came before
        match node.kind, node.arguments:
            case _ if factor is None:  # itself a factor
                continue
            case _ if node.free:
                found[0] += factor * number(node)
            case "+" | "-" as sign, (a, b):
                factors[a] += factor
                factors[b] += factor if sign == "+" else -factor
            case "*", (a, b) if a.free:
                factors[b] += factor * number(a)
            case "*" | "/" as sign, (a, b) if b.free:
                factors[a] += factor * number(b) if sign == "*" else factor / number(b)
            case "sin" | "cos" as name, (u,) if (k := slope(u)) is not None and k.denominator == 1:
                mode = factor * np.exp(1j * number(u)) * (-1j if name == "sin" else 1)
                found[abs(int(k))] += complex(mode if k > 0 else np.conj(mode) if k < 0 else mode.real)
            case _:
                return None
    return dict(sorted(found.items()))
