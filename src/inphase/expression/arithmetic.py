"""The arithmetics of `evaluate`: arrays (NumPy, JAX), and balls and their power series (python-flint)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np


class Arrays:
    """The namespace of `evaluate` for arrays: NumPy's functions, or JAX's."""

    constant = staticmethod(float)
    pi = np.pi

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, {"atan": "arctan"}.get(name, name))

    @staticmethod
    def power(base: Any, exponent: int) -> Any:
        """An integer power, negative ones by division."""
        return base**exponent if exponent > 0 else 1 / base ** (-exponent)


class Balls:
    """The namespace of `evaluate` for python-flint's arb, acb and their power series."""

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        return lambda ball: getattr(ball, name)()

    @property
    def pi(self) -> Any:
        """π at the current precision of flint."""
        from flint import arb

        return arb.pi()

    @staticmethod
    def constant(number: Fraction) -> Any:
        """The ball of a rational number."""
        from flint import arb, fmpq

        return arb(fmpq(number.numerator, number.denominator))

    power = staticmethod(Arrays.power)

    @staticmethod
    def sinh(ball: Any) -> Any:
        """By exponentials: power series have no hyperbolic functions of their own."""
        return (ball.exp() - (-ball).exp()) / 2

    @staticmethod
    def cosh(ball: Any) -> Any:
        """As `sinh`."""
        return (ball.exp() + (-ball).exp()) / 2

    @classmethod
    def tanh(cls, ball: Any) -> Any:
        """As `sinh`."""
        return cls.sinh(ball) / cls.cosh(ball)
