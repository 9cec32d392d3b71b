"""f, the interaction of two oscillators: one formula, evaluated in four arithmetics.

    dθ_i/dt = ω_i + b_i sin θ_i − (1/g_i) Σ_j K_ij f(θ_i − θ_j)

A new interaction is a formula, `formula(x, m, **parameters)`, given to `Interaction`; the catalog below has
four. The formula is recorded once (`expression/`) and then evaluated in floats (`f(x)`), in balls (`f.ball`),
as Taylor jets of balls (`f.jet`), and traced by JAX (`f.traced`). All figures computed in floats here are
approximations, not proofs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase import expression as ex
from inphase.ball_context import BallContext
from inphase.checks import finite_number, integer
from inphase.expression.arithmetic import Arrays, Balls

EPS = float(np.finfo(float).eps)
PROBES = 4096  # points on which the modes of f are compared with f
LONG = (
    2000  # nodes of a formula; longer ones are taken for few points at a time, as each node keeps its values
)
MOST = 2**18  # harmonics; the grids for sums of more would not see them
MANY_ROOTS = 64  # are found together, as a call of a long formula takes milliseconds for one point or many
RESOLVED = 512  # harmonics that are found by sampling f; more are read off the formula, where it shows them


def _tail(values: NDArray[np.float64]) -> float:
    """The largest mode in a spectrum's upper half, relative to the samples' maximum; 0 for zeros."""
    spectrum = np.abs(np.fft.rfft(values)) * (2 / len(values))
    return float(np.max(spectrum[len(values) // 4 :]) / max(np.max(np.abs(values)), 1e-300))


def _miss(values: NDArray[np.float64], fine: NDArray[np.float64], offset: float) -> float:
    """How far the samples' Fourier series is from f on the grid from `offset` on, relative to max|f|.

    The samples begin at x = 0.
    """
    modes = np.fft.rfft(values)
    modes *= np.exp(1j * offset * np.arange(len(modes)))
    series = np.fft.irfft(modes, len(fine)) * (len(fine) / len(values))
    return float(np.max(np.abs(series - fine)) / max(np.max(np.abs(fine)), 1e-300))


def _sum_of_modes(modes: Mapping[int, complex]) -> NDArray[np.float64]:
    """Re Σ_k F_k e^{ikx} on the coarsest grid of 2^p points, from x = 0, with half of its modes to spare."""
    size = 1 << (4 * max(modes)).bit_length()
    spectrum = np.zeros(size // 2 + 1, dtype=complex)
    for k, mode in modes.items():
        spectrum[k] = mode * (size / 2 if k else size)
    return np.fft.irfft(spectrum, size)


def _bisected(
    g: Callable[[NDArray[np.float64]], NDArray[np.float64]], a: NDArray[np.float64], b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The roots of g between a and b, (m,) each, where it changes sign: halved together, to rounding."""
    below = g(a) < 0
    while np.any(b - a > 1e-15 + 4 * EPS * np.abs(a)):
        middle = (a + b) / 2
        left = (g(middle) < 0) == below
        a, b = np.where(left, middle, a), np.where(left, b, middle)
    return (a + b) / 2


def _joint(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """The parameters of both; ValueError where they disagree."""
    clash = [key for key, value in other.items() if one.get(key, value) != value]
    if clash:
        raise ValueError(f"both interactions have a parameter {clash[0]!r} with different values; rename one")
    return {**one, **other}


def _refuse_plain_function(formula: Callable[..., Any]) -> None:
    """TypeError for a function of floats alone, such as np.sin: a formula is recorded from the functions of `m`."""
    name = getattr(formula, "__name__", "")
    module = str(getattr(formula, "__module__", None) or type(formula).__module__).split(".")[0]
    if not isinstance(formula, np.ufunc) and module not in ("math", "numpy", "cmath", "jax", "torch"):
        return
    spelled = name.replace("arc", "a") if name.startswith("arc") else name
    instead = f'Interaction("{spelled}(x)")' if spelled in ex.FUNCTIONS else 'Interaction("sin(x)")'
    raise TypeError(
        f"formula must be a text, or a function of (x, m): instead of {module}.{name} write {instead} or "
        f"Interaction(lambda x, m: m.{spelled if spelled in ex.FUNCTIONS else 'sin'}(x))"
    )


class Interaction:
    """An analytic, 2π-periodic interaction f(x) of the phase difference x = θ_i − θ_j.

    Attraction at short distance is f'(0) > 0 (the model has a minus before the sum).

    Parameters
    ----------
    formula : callable or str
        `formula(x, m, **parameters)`, written with the functions of the namespace `m` (`m.sin`, `m.exp`, ...,
        `m.pi`); or an expression in `x` and the parameters, such as ``"sin(x) + a*sin(2*x)"``, which is
        parsed, never executed.
    name : str, optional
        What reports call it.
    **parameters : float
        Finite numbers.

    Raises
    ------
    TypeError
        If the formula branches on x, uses a function that is not analytic, or a parameter is not a number.
    ValueError
        If a parameter is not finite, the expression cannot be parsed, or f is not finite or not 2π-periodic.

    Examples
    --------
    >>> f = Interaction("sin(x) + a*sin(2*x)", a=0.25)
    >>> round(float(f(1.0)), 4), f.parameters
    (1.0688, {'a': 0.25})
    >>> g = Interaction(lambda x, m, beta: m.sin(x) * m.exp(beta * (m.cos(x) - 1)), beta=2.0)
    >>> bool(abs(g.derivative()(0.0) - 1.0) < 1e-15)
    True
    """

    def __init__(
        self,
        formula: Callable[..., Any] | str | ex.Expression,
        *,
        name: str | None = None,
        **parameters: float,
    ) -> None:
        for key in parameters:
            ex.check_parameter(key)
        self.parameters: dict[str, float] = {
            key: finite_number(key, value) for key, value in parameters.items()
        }
        if isinstance(formula, ex.Expression):
            self.expression = formula
        elif isinstance(formula, str):
            self.expression = ex.parse(formula, list(parameters))
        elif callable(formula):
            _refuse_plain_function(formula)
            self.expression = ex.record(formula, list(parameters))
        else:
            raise TypeError(
                f"formula must be a function of (x, m, ...) or an expression in text; got {ex.quoted(formula)}"
            )
        self.name = name or ex.text(self.expression)
        if not isinstance(formula, ex.Expression):
            self._check_poles()
        self._check_values()

    @property
    def _shown(self) -> str:
        """Its name as messages show it."""
        return ex.shortened(self.name)

    @property
    def _given(self) -> str:
        """Its parameters as messages show them."""
        return f" with {ex.shortened(self.parameters)}" if self.parameters else ""

    def _check_poles(self) -> None:
        try:
            found = ex.pole(self.expression, self.parameters)
        except (
            ZeroDivisionError,
            OverflowError,
        ):  # of the parameters alone: refused as the value that it has
            return
        if found is not None:
            x, part, what = found
            raise ValueError(
                f"the interaction {self._shown} is not finite at x = {round(x, 6) + 0.0:g}{self._given}: "
                f"{ex.shortened(part)} {what} there, and f must be finite and smooth on the whole circle"
            )

    def _check_values(self) -> None:
        near = 3.0 * 0.4 ** np.arange(12)  # narrow interactions live close to 0
        points = np.concatenate([-near, [0.0], near])
        try:
            with np.errstate(all="ignore"):
                here, around = self(points), self(points + 2 * np.pi)
        except (ZeroDivisionError, OverflowError) as error:
            raise ValueError(f"the interaction {self._shown} is not finite{self._given}: {error}") from None
        if not np.all(np.isfinite(here)):
            bad = points[~np.isfinite(here)][0]
            raise ValueError(f"the interaction {self._shown} is not finite at x = {bad:.3g}{self._given}")
        if np.max(np.abs(here - around)) > 1e-8 * (1e-300 + np.max(np.abs(here))):
            raise ValueError(f"the interaction {self._shown} is not 2π-periodic")

    # --------------------------------------------------------------------------------------- four arithmetics

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """f(x) in floats; x in radians, any shape."""
        points = np.asarray(x, dtype=float)
        if points.size > PROBES and len(ex.ordered(self.expression)) > LONG:
            pieces = np.array_split(points.ravel(), math.ceil(points.size / PROBES))
            return np.concatenate([self(piece) for piece in pieces]).reshape(points.shape)
        value = ex.evaluate(self.expression, points, Arrays(np), self.parameters)
        return np.asarray(value + np.zeros_like(points))

    def ball(self, x: Any, **parameters: Any) -> Any:
        """f(x) in ball arithmetic (arb, acb or a power series of either), at the current precision of flint.

        Parameters given here, as balls, replace the interaction's own numbers (which are taken as exact
        doubles).

        Examples
        --------
        >>> from flint import arb
        >>> kuramoto().ball(arb(1)).contains(arb(1).sin().mid())
        True
        """
        from flint import acb, acb_series, arb, arb_series

        if not isinstance(x, arb | acb | arb_series | acb_series):
            raise TypeError(
                f"x must be a ball of python-flint: f.ball(flint.arb({x!r:.40})), or f({x!r:.40}) in floats; "
                f"got {type(x).__name__}"
            )
        with BallContext():
            return self._in_balls(x, parameters)

    def _in_balls(self, x: Any, parameters: dict[str, Any]) -> Any:
        from flint import arb

        values = {key: arb(value) for key, value in self.parameters.items()} | parameters
        return ex.evaluate(self.expression, x, Balls(), values)

    def jet(self, x: Any, order: int, **parameters: Any) -> list[Any]:
        """[f(x), f'(x), ..., f^(order)(x)] as balls, by Taylor arithmetic on the ball x."""
        from flint import arb, arb_series

        with BallContext(terms=order + 1):  # flint drops the terms beyond
            series = self._in_balls(arb_series([arb(x), 1], prec=order + 1), parameters)
            coefficients = [series] if isinstance(series, arb) else series.coeffs()
            coefficients += [arb(0)] * (order + 1 - len(coefficients))
            return [c * arb(k).fac() if k else c for k, c in enumerate(coefficients[: order + 1])]

    def traced(self, x: Any, **parameters: Any) -> Any:
        """f(x) in JAX (the extra `inphase[jax]`), so that it can be jitted, vectorized and differentiated."""
        try:
            import jax.numpy as jnp
        except ImportError as error:
            raise ImportError("tracing needs JAX: pip install 'inphase[jax]'") from error

        return ex.evaluate(self.expression, x, Arrays(jnp), self.parameters | parameters)

    def tape(self, *others: Interaction) -> ex.Tape:
        """f, and other interactions with it, as one program for the pairwise kernels."""
        parameters = dict(self.parameters)
        for other in others:
            parameters = _joint(parameters, other.parameters)
        return ex.tape([self.expression, *(other.expression for other in others)], parameters)

    # -------------------------------------------------------------------------------------- new from old ones

    def _with(self, expression: ex.Expression, name: str | None = None) -> Interaction:
        return Interaction(expression, name=name, **self.parameters)

    def with_parameters(self, **parameters: float) -> Interaction:
        """The same formula with other numbers."""
        unknown = set(parameters) - set(self.parameters)
        if unknown:
            raise TypeError(
                f"unknown parameter {sorted(unknown)[0]!r}; {self._shown} has {ex.shortened(sorted(self.parameters))}"
            )
        found = Interaction(self.expression, name=self.name, **(self.parameters | parameters))
        found._check_poles()
        return found

    def derivative(self, order: int = 1) -> Interaction:
        """The `order`-th derivative, itself an interaction."""
        order, found = integer("order", order, least=0), self.expression
        for _ in range(order):
            found = ex.derivative(found)
        return self._with(found, f"{self.name}{chr(39) * order}")

    @cached_property
    def profile(self) -> Interaction | None:
        """x ↦ h(cos x), where f(x) = sin x · h(cos x) by the formula's structure; else None."""
        found = ex.profile(self.expression)
        return None if found is None else self._with(found, f"h of {self.name}")

    def gain_profile(self, gain: Any) -> Interaction | None:
        """What `gain` sums: None for None, h for "softmax"; else, or where h is not seen, ValueError."""
        if gain is None:
            return None
        if not (isinstance(gain, str) and gain == "softmax"):
            raise ValueError(f'gain must be None or "softmax" here; got {gain!r}')
        if self.profile is None or np.min(self.profile(np.linspace(0, np.pi, 257))) <= 0:
            raise ValueError(
                f'gain="softmax" needs f = sin x · h(cos x) with h > 0; {ex.quoted(self)} is not seen to be so'
            )
        return self.profile

    def __mul__(self, factor: float) -> Interaction:
        return self._with(finite_number("factor", factor) * self.expression, f"{factor:g}·{self.name}")

    __rmul__ = __mul__

    def __neg__(self) -> Interaction:
        return self._with(-self.expression, f"-{self.name}")

    def __add__(self, other: Interaction) -> Interaction:
        if not isinstance(other, Interaction):
            return NotImplemented
        found = Interaction.__new__(
            Interaction
        )  # the sum of two checked terms: to check it again would take long
        found.parameters = _joint(self.parameters, other.parameters)
        found.expression, found.name = self.expression + other.expression, f"{self.name} + {other.name}"
        return found

    def __sub__(self, other: Interaction) -> Interaction:
        return self + (-other) if isinstance(other, Interaction) else NotImplemented

    def __repr__(self) -> str:
        values = "".join(f", {key}={value:g}" for key, value in self.parameters.items())
        return f'Interaction("{ex.text(self.expression)}"{values})'

    def latex(self) -> str:
        """The formula as LaTeX, without dollar signs."""
        return ex.latex(self.expression)

    def to_dict(self) -> dict[str, Any]:
        """Formula (text that `Interaction` reads back exactly), name and parameters; for provenance."""
        return {"formula": ex.text(self.expression), "name": self.name, "parameters": dict(self.parameters)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Interaction:
        """The inverse of `to_dict`."""
        return cls(str(data["formula"]), name=data.get("name"), **dict(data.get("parameters", {})))

    # ----------------------------------------------------------------------------------------- what f is like

    @property
    def parity(self) -> str:
        """ "odd", "even", "zero" or "none" (the structure shows neither), whatever the parameters; exact."""
        return ex.parity(self.expression)

    @cached_property
    def _filled(self) -> ex.Expression:
        """The formula with its own numbers in the place of its parameters."""
        return ex.fill(self.expression, self.parameters)

    @cached_property
    def odd(self) -> bool:
        """Whether f is odd, so that the all-to-all flow is a gradient flow.

        By the structure of its formula with its numbers, or to rounding where that shows nothing.
        """
        shown = self.parity in ("odd", "zero") or ex.parity(self._filled) in ("odd", "zero")
        return shown or bool(np.max(np.abs(self.modes.real)) <= 1e-13 * self.maximum)

    @cached_property
    def sine_strength(self) -> float | None:
        """k where f(x) = k sin x by the structure of its formula with its numbers; else None.

        Examples
        --------
        >>> (2 * kuramoto()).sine_strength, harmonics(sin=[0.5, 0.0]).sine_strength, attention(beta=1.0).sine_strength
        (2.0, 0.5, None)
        """
        found = (ex.sine_factor(self.expression), ex.sine_factor(self._filled))
        factor = next((k for k in found if k is not None), None)
        return None if factor is None else float(self._with(factor)(0.0))

    @cached_property
    def maximum(self) -> float:
        """max |f|, on a grid that resolves f (relative error below 1e-2)."""
        return float(np.max(np.abs(self._samples))) or 1.0

    @property
    def modes(self) -> NDArray[np.complex128]:
        """Fourier modes F_0..F_m, shape (m + 1,), with f(x) = Re Σ_k F_k e^{ikx} to rounding.

        Cut where the modes fall below 1e-15 of max|f| (or the formula's rounding); `truncation` says what was
        cut.
        """
        return self._modes[0]

    @property
    def truncation(self) -> float:
        """Σ |F_k| over the modes that were cut, relative to max|f| (about 1e-15; mostly rounding)."""
        return self._modes[1]

    @cached_property
    def _samples(self) -> NDArray[np.float64]:
        """f on the coarsest grid of 2^p points, from x = 0, whose upper half of modes is rounding.

        A coarse grid can miss a narrow feature of f: its modes must give f on a fine grid, too, and its
        values must have the size of f near 0, where interactions are narrowest.
        """
        shown = ex.spectrum(self.expression, self.parameters) or {}
        if RESOLVED < max(shown, default=0) <= MOST:
            return _sum_of_modes(shown)
        offset = 2 * np.pi / PROBES * (math.sqrt(5) - 1) / 2  # the golden ratio: far from all 2^p points
        probes = self(
            np.concatenate([3.0 * 0.7 ** np.arange(40), offset + 2 * np.pi / PROBES * np.arange(PROBES)])
        )
        before, peak, fine = np.inf, float(np.max(np.abs(probes[:40]))), probes[40:]
        for size in (2**p for p in range(5, 21) if max(shown, default=0) <= MOST):
            values = self(np.arange(size) * (2 * np.pi / size))
            if not np.all(np.isfinite(values)):
                break
            # a coarse grid can miss a narrow f
            tail = _tail(values) if np.max(np.abs(values)) >= peak / 10 else 1.0
            # the formula's own rounding, where it is larger
            settled = tail <= 4 * EPS or (tail < 1e-8 and tail > before / 4)
            if settled and (
                size >= PROBES or _miss(values, fine, offset) <= 1e-10 + 100 * math.sqrt(size) * tail
            ):
                return values
            before = tail
        raise ValueError(
            f"the Fourier series of {self._shown}{self._given} does not decay within 500,000 modes: "
            "f is not analytic on the circle, or too narrow"
        )

    @cached_property
    def _modes(self) -> tuple[NDArray[np.complex128], float]:
        values = self._samples
        coefficients = np.fft.rfft(values) / len(values)
        coefficients[1:] *= 2
        size = np.abs(coefficients)
        above = np.flatnonzero(size > max(1e-15, 2 * _tail(values)) * self.maximum)
        m = max(1, int(above[-1]) if len(above) else 0)
        return coefficients[: m + 1], float(np.sum(size[m + 1 :]) / self.maximum)

    @cached_property
    def contrast(self) -> float:
        """max|h|/min|h| where f = sin x · h(cos x), else 1: how weak f is far away against near by.

        Beyond 1/eps of it, a sum over Fourier modes loses the force between far clusters; pairwise sums do
        not.
        """
        if self.profile is None and self.parity != "odd":
            return 1.0
        x = np.linspace(0.01, np.pi - 0.01, 257)
        values = np.abs(
            self(x) / np.sin(x) if self.profile is None else self.profile(np.linspace(0, np.pi, 257))
        )
        return float(np.max(values) / max(np.min(values), 1e-300))

    def potential(self, x: ArrayLike) -> NDArray[np.float64]:
        """U(x) = −∫_0^x f, periodic (f of mean zero): a pair's energy at distance x, largest in sync.

        Accurate to rounding relative to max|f|. Raises ValueError if f has a mean.
        """
        F = self.modes
        if abs(F[0]) > 1e-13 * self.maximum:
            raise ValueError(f"{self._shown} has the mean {F[0].real:.3g}: its potential is not periodic")
        points = np.asarray(x, dtype=float)
        total = np.zeros_like(points)
        for k, mode in enumerate(F[1:], 1):
            # −∫_0^x Re(F e^{ikt}) dt = Re(i F (e^{ikx} − 1)/k); e^{ikx} − 1 = 2i sin(kx/2) e^{ikx/2}
            total += (-2 * mode / k * np.exp(0.5j * k * points)).real * np.sin(0.5 * k * points)
        return total

    def roots(self, order: int = 0, level: float = 0.0) -> NDArray[np.float64]:
        """Where that derivative crosses `level` on one turn, from just below −π on; ascending, to rounding.

        The grid of the search has the extrema too, where `level` is not 0. Values within 1e-14 of `level`,
        relative to the largest, count as on it, so that flat tails have no roots.

        Parameters
        ----------
        order : int
            0 for f itself.
        level : float

        Returns
        -------
        ndarray, shape (m,)
            Radians.

        Raises
        ------
        TypeError, ValueError
            If `order` is not an integer >= 0, or `level` not a finite number.

        Examples
        --------
        >>> kuramoto().roots(order=1).round(6)
        array([-1.570796,  1.570796])
        >>> kuramoto().roots(level=0.5).round(6)
        array([0.523599, 2.617994])
        """
        from scipy.optimize import brentq

        g, height = self.derivative(order), finite_number("level", level)
        size = 16 * max(32, len(self.modes))
        grid = -np.pi + 2 * np.pi * ((np.arange(size + 1) - 0.5) / size)  # one turn, with −π and 0 inside
        if height:
            grid = np.union1d(grid, (g.roots(1) - grid[0]) % (2 * np.pi) + grid[0])
        values = g(grid)
        largest, values = np.max(np.abs(values)), values - height
        values[np.abs(values) < 1e-14 * largest] = 0.0
        keep = np.flatnonzero(values)  # an exact zero on the grid is bracketed by its neighbors
        grid, values = grid[keep], values[keep]
        change = np.flatnonzero(np.sign(values[:-1]) != np.sign(values[1:]))
        if len(change) > MANY_ROOTS:
            return _bisected(lambda x: np.asarray(g(x)) - height, grid[change], grid[change + 1])
        pairs = [(grid[i], grid[i + 1]) for i in change]
        return np.array(
            [brentq(lambda t: float(g(t)) - height, *pair, xtol=1e-15, rtol=4 * EPS) for pair in pairs]
        )

    @cached_property
    def attraction_range(self) -> float:
        """τ, the least τ with f' < 0 outside [−τ, τ] (radians, in [0, π]); approximate, not a proof."""
        slope = self.derivative()
        if slope(np.pi) > 1e-14 * slope.maximum:
            return float(np.pi)
        roots = self.roots(1)
        return float(np.max(np.abs(roots))) if len(roots) else 0.0

    @cached_property
    def positive_variation(self) -> float:
        """∫ |f'''|_+ over the circle: the rise of f'' by its turning points; approximate, not a proof."""
        roots = self.roots(3)
        second = self.derivative(2)(roots) if len(roots) else np.zeros(1)
        return float(np.sum(np.maximum(np.roll(second, -1) - second, 0.0)))

    def synchronization_ratio(self, largest_gap: float = 2 * np.pi) -> float:
        """4 (1 + τ/M) f'(0) / (τ ∫|f'''|_+): at 1 or above, the L1 criterion gives global synchronization.

        Parameters
        ----------
        largest_gap : float
            M, a bound on the gaps of stable states: 2π always serves; π for f = sin x · h(cos x) with h > 0.

        Returns
        -------
        float
            The ratio, in floats: not a proof. 0 where f'(0) <= 0 (no attraction at short distance).

        References
        ----------
        Polyanskiy, Rigollet, Yao, *Synchronization of mean-field models on the circle* (2025), Theorem 2.1.
        """
        largest_gap = finite_number("largest_gap", largest_gap, positive=True)
        slope = float(self.derivative()(0.0))
        if slope <= 0:
            return 0.0
        tau = self.attraction_range
        return 4 * (1 + tau / largest_gap) * slope / (tau * self.positive_variation)


def checked(interaction: Any) -> Interaction:
    """`interaction` itself; TypeError unless it is one, ValueError where its formula is too long to be saved."""
    if not isinstance(interaction, Interaction):
        raise TypeError(
            f"interaction must be an Interaction, such as ip.kuramoto(); got {ex.quoted(interaction)}"
        )
    ex.text(interaction.expression)
    return interaction


# ------------------------------------------------------------------------------------------------ the catalog


def kuramoto() -> Interaction:
    """sin x: the Kuramoto interaction (Kuramoto, 1975).

    Examples
    --------
    >>> kuramoto().latex()
    '\\\\sin x'
    """
    return Interaction(lambda x, m: m.sin(x), name="kuramoto")


def attention(beta: float) -> Interaction:
    """sin x · e^{β (cos x − 1)}: self-attention on the circle at inverse temperature β (any sign).

    Geshkovski, Letrouit, Polyanskiy, Rigollet, *A mathematical perspective on transformers* (2025).

    Examples
    --------
    >>> round(attention(beta=2).attraction_range, 4)
    0.6749
    """
    return Interaction(
        lambda x, m, beta: m.sin(x) * m.exp(beta * (m.cos(x) - 1)), name="attention", beta=beta
    )


def sakaguchi(lag: float) -> Interaction:
    """sin(x + lag) − sin(lag): frustrated by a phase lag in radians, in the frame of the synchronized state.

    Sakaguchi, Kuramoto, *A soluble active rotater model showing phase transitions via mutual entrainment*
    (1986).

    Examples
    --------
    >>> float(sakaguchi(lag=0.3)(0.0))
    0.0
    """
    return Interaction(lambda x, m, lag: m.sin(x + lag) - m.sin(lag), name="sakaguchi", lag=lag)


def harmonics(sin: Sequence[float] = (), cos: Sequence[float] = ()) -> Interaction:
    """Σ_k sin[k−1] sin(k x) + Σ_k cos[k−1] cos(k x): any trigonometric polynomial of mean 0 (Daido, 1992).

    Examples
    --------
    >>> harmonics(sin=[1, 0.5])
    Interaction("s1*sin(x) + s2*sin(2*x)", s1=1, s2=0.5)
    """
    amplitudes = {f"s{k}": a for k, a in enumerate(sin, 1)} | {f"c{k}": a for k, a in enumerate(cos, 1)}
    if not amplitudes:
        raise ValueError("harmonics needs at least one amplitude, in sin= or cos=")

    def formula(x: Any, m: Any, **amplitude: Any) -> Any:
        terms = [a * (m.sin if key[0] == "s" else m.cos)(int(key[1:]) * x) for key, a in amplitude.items()]
        while len(terms) > 1:  # in pairs, so that the tree stays shallow
            terms = [sum(terms[i + 1 : i + 2], terms[i]) for i in range(0, len(terms), 2)]
        return terms[0]

    return Interaction(formula, name="harmonics", **amplitudes)


CATALOG: dict[str, Callable[..., Interaction]] = {
    "attention": attention,
    "harmonics": harmonics,
    "kuramoto": kuramoto,
    "sakaguchi": sakaguchi,
}
