"""What of the equation depends on time: formulas in t and tables of times, and what they drive.

    dθ_i/dt = ω_i + ν_i(t) + b_i sin θ_i + F_i(t) sin(ψ_i(t) − θ_i) − κ_i(t) (1/g_i(θ)) Σ_j K_ij f(θ_i − θ_j)

A `Drive` holds ν, F, ψ and κ, so that all other parts of a `PhaseModel` stay numbers. Integrators ask it for
values at the time of each stage, and `simulation/pace.py` for how smooth it is, so that no step jumps over a
pulse.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inphase import expression as ex
from inphase.ball_context import BallContext
from inphase.checks import check_name, finite_array
from inphase.coupling.words import Keep, Words
from inphase.expression.arithmetic import Arrays, Balls

Array = NDArray[np.float64]
PARTS = ("frequencies", "coupling", "force", "phase")
LETTERS = {
    "frequencies": (r"\nu", "ν"),
    "coupling": (r"\kappa", "κ"),
    "force": ("F", "F"),
    "phase": (r"\psi", "ψ"),
}
PROBES = 1025  # moments of a run at which it is looked whether a drive is finite, and how large


class Signal(ABC):
    """A number, or one for each oscillator, at every time."""

    size: int | None
    begin: float
    end: float  # up to this time it is known
    knots: Array  # moments at which it is not smooth

    @abstractmethod
    def __call__(self, time: ArrayLike) -> Array:
        """Values (..., 1) or (..., n) at times (...)."""

    @abstractmethod
    def words(self) -> Words:
        """What it is, for an equation."""

    @abstractmethod
    def to_dict(self) -> Any:
        """For provenance: what `Drive.from_dict` reads back."""

    @abstractmethod
    def code(self, name: str, keep: Keep) -> str:
        """The Python expression that makes it again; `name` is for arrays that are kept."""


class Formula(Signal):
    """A formula in t, with numbers (n,) or () for its parameters."""

    begin, end, knots = -math.inf, math.inf, np.empty(0)

    def __init__(self, expression: ex.Expression, parameters: Mapping[str, Array]) -> None:
        used = ex.parameters(expression)
        self.expression = expression
        self.parameters = {name: values for name, values in parameters.items() if name in used}
        sizes = {len(values) for values in self.parameters.values() if values.ndim}
        self.size = max(sizes, default=None)
        self._values = {
            name: values if values.ndim else float(values) for name, values in self.parameters.items()
        }

    def __call__(self, time: ArrayLike) -> Array:
        """As `Signal`."""
        t = np.asarray(time, dtype=float)[..., None]
        with np.errstate(all="ignore"):  # what is not finite is refused at the door, or ends the run
            found = ex.evaluate(self.expression, None, Arrays(np), {"t": t, **self._values})
        return np.asarray(found + np.zeros_like(t))

    def words(self) -> Words:
        """The formula."""
        return Words(ex.latex(self.expression), ex.text(self.expression))

    def to_dict(self) -> Any:
        """The text."""
        return ex.text(self.expression)

    def code(self, name: str, keep: Keep) -> str:
        """The text, quoted."""
        return repr(ex.text(self.expression))

    def coefficient(self, low: float, high: float, order: int, enough: float) -> float:
        """A bound on the Taylor coefficients of that order, |s^(k)|/k!, from `low` to `high`, for all oscillators.

        Where it is above `enough` it bounds those of one oscillator alone. Oscillators are enclosed together, and
        by halves where that is too coarse.
        """
        names, rows = self._rows
        worst, waiting = 0.0, [rows]
        with BallContext(terms=order + 1):
            while waiting:
                group = waiting.pop()
                size = self._coefficient(
                    low, high, order, dict(zip(names, zip(group.min(axis=0), group.max(axis=0))))
                )
                if size <= enough:
                    worst = max(worst, size)
                elif len(group) == 1:
                    return size
                else:
                    waiting += [group[: len(group) // 2], group[len(group) // 2 :]]
        return worst

    @cached_property
    def _rows(self) -> tuple[list[str], Array]:
        """The names of the parameters, and their numbers for each oscillator that is not like another, ascending."""
        columns = np.broadcast_arrays(np.zeros(1), *self.parameters.values())[1:]
        rows = np.stack(columns, axis=1) if columns else np.zeros((1, 0))
        return list(self.parameters), np.unique(rows, axis=0)

    def _coefficient(
        self, low: float, high: float, order: int, group: dict[str, tuple[float, float]]
    ) -> float:
        from flint import arb_series

        values = {name: _ball(*pair) for name, pair in group.items()}
        series = arb_series([_ball(low, high), 1], prec=order + 1)
        try:
            found = ex.evaluate(self.expression, None, _Balls(), {"t": series, **values})
            coefficients = found.coeffs() if isinstance(found, arb_series) else [found]
            size = float(abs(coefficients[order]).upper()) if len(coefficients) > order else 0.0
        except (ValueError, ZeroDivisionError, OverflowError):  # a divisor or a root that may vanish there
            return math.inf
        return size if size == size else math.inf


class _Balls(Balls):
    """Balls, with a tanh that stays close to ±1 far out."""

    @classmethod
    def tanh(cls, ball: Any) -> Any:
        """±(1 − 2q/(1 + q)) with q = e^{∓2x}, the small one."""
        from flint import arb

        first = ball if isinstance(ball, arb) else ball[0]
        sign = 1 if first.mid() > 0 else -1
        q = (-2 * sign * ball).exp()
        return sign * (1 - 2 * q / (1 + q))


def _ball(low: float, high: float) -> Any:
    from flint import arb

    return arb(low) if low == high else arb(low).union(arb(high))


class Samples(Signal):
    """Values at given times, between which they are interpolated.

    Outside of the times nothing is known, and runs that go there are refused.

    Parameters
    ----------
    times : array_like, shape (T,)
        Ascending, T >= 2.
    values : array_like, shape (T,) or (T, n)
        Of all oscillators, or of each.
    kind : "linear" or "cubic"
        Straight lines, or a cubic spline with two continuous derivatives (scipy's `CubicSpline`).

    Raises
    ------
    ValueError, TypeError
        On bad input.

    Examples
    --------
    >>> import inphase as ip
    >>> ramp = ip.Samples([0.0, 1.0, 2.0], [0.0, 0.5, 0.5])
    >>> ramp(0.5), ramp.end
    (array([0.25]), 2.0)
    """

    def __init__(self, times: ArrayLike, values: ArrayLike, kind: str = "linear") -> None:
        from scipy.interpolate import CubicSpline, PPoly

        self.kind = check_name("kind", kind, ("linear", "cubic"))
        self.times, self.values = finite_array("times", times), finite_array("values", values)
        if self.times.ndim != 1 or len(self.times) < 2 or np.any(np.diff(self.times) <= 0):
            shown = self.times if self.times.size < 6 else f"shape {self.times.shape}"
            raise ValueError(f"times must be ascending, of shape (T,) with T >= 2; got {shown}")
        if self.values.ndim not in (1, 2) or len(self.values) != len(self.times) or not self.values.size:
            count = len(self.times)
            raise ValueError(
                f"values must have shape ({count},) or ({count}, n); got shape {self.values.shape}"
            )
        rows = self.values.reshape(len(self.times), -1)
        if kind == "cubic":
            self._curve = CubicSpline(self.times, rows)
        else:
            slopes = np.diff(rows, axis=0) / np.diff(self.times)[:, None]
            self._curve = PPoly(np.stack([slopes, rows[:-1]]), self.times)
        self.size = self.values.shape[1] if self.values.ndim == 2 else None
        self.begin, self.end, self.knots = float(self.times[0]), float(self.times[-1]), self.times

    def __call__(self, time: ArrayLike) -> Array:
        """As `Signal`; beyond the ends, which rounding may pass, the last value."""
        return np.asarray(self._curve(np.clip(time, self.begin, self.end)))

    def words(self) -> Words:
        """How it is interpolated, and from where to where."""
        text = f"{self.kind} through {len(self.times)} values from t = {self.begin:g} to {self.end:g}"
        return Words(rf"\mathrm{{{text.replace(' ', chr(92) + ' ')}}}", text)

    def to_dict(self) -> Any:
        """The arguments."""
        return {"times": self.times.tolist(), "values": self.values.tolist(), "kind": self.kind}

    def code(self, name: str, keep: Keep) -> str:
        """With few numbers in it, and many kept."""
        arrays = f"{keep(f'{name}_times', self.times)}, {keep(f'{name}_values', self.values)}"
        return f"ip.Samples({arrays}" + (")" if self.kind == "linear" else f", kind={self.kind!r})")

    def __repr__(self) -> str:
        return f"Samples({self.words().text})"


class Drive:
    """The parts of the equation that depend on time, t >= 0.

    Each is a number, a formula in t (a text, which is parsed as those of interactions are, never executed), or
    `Samples`.

    Parameters
    ----------
    frequencies
        ν, added to the natural frequencies, radians per unit of time; 0 if not given.
    coupling
        κ, a factor of the coupling's whole term (with a gain, after the division by it); 1 if not given.
    force, phase
        F and ψ of F sin(ψ − θ_i), radians per unit of time and radians: with ψ = "1.2*t" a field that turns with a
        frequency of its own (forced oscillators, injection locking). Without a force there is none; ψ is 0 if not
        given.
    **parameters : float or array_like, shape (n,)
        Numbers that the formulas name, or one for each oscillator.

    Raises
    ------
    TypeError, ValueError
        With the name of the part, its value and what was expected.

    References
    ----------
    H. Sakaguchi, *Cooperative phenomena in coupled oscillator systems under external fields*, Prog. Theor. Phys.
    79 (1988) 39 (the forced Kuramoto model).

    Examples
    --------
    >>> import inphase as ip
    >>> forced = ip.PhaseModel(ip.kuramoto(), drive=ip.Drive(force=0.5, phase="W*t", W=1.2))
    >>> run = ip.simulate(forced.replace(frequencies=1.0), [0.0], t_end=100.0)
    >>> round(float(run.end_phase[0]) - 120.0, 6)  # it locks: ω − W = F sin(θ − W t)
    -0.411517
    """

    def __init__(
        self,
        *,
        frequencies: Any = None,
        coupling: Any = None,
        force: Any = None,
        phase: Any = None,
        **parameters: Any,
    ) -> None:
        given = {"frequencies": frequencies, "coupling": coupling, "force": force, "phase": phase}
        if phase is not None and force is None:
            raise ValueError("phase is that of a force: give force, too")
        if all(part is None for part in given.values()):
            raise ValueError(f"a drive needs one of {', '.join(PARTS)}")
        self.parameters = {name: _numbers(name, values) for name, values in parameters.items()}
        self.parts = {
            name: _signal(name, part, self.parameters) for name, part in given.items() if part is not None
        }
        if force is not None:
            self.parts.setdefault("phase", _signal("phase", 0.0, {}))
        used = {name for part in self.parts.values() if isinstance(part, Formula) for name in part.parameters}
        unused = [name for name in self.parameters if name not in used]
        if unused:
            raise ValueError(f"no formula of the drive has the parameter {unused[0]!r}")
        sizes = {name: part.size for name, part in self.parts.items() if part.size is not None}
        sizes |= {name: len(values) for name, values in self.parameters.items() if values.ndim}
        if len(set(sizes.values())) > 1:
            shown = ", ".join(f"{name} {size}" for name, size in sizes.items())
            raise ValueError(f"the drive's parts must be for one number of oscillators; got {shown}")
        self.size: int | None = next(iter(sizes.values()), None)

    def __call__(self, time: ArrayLike, phases: Array, out: Array) -> None:
        """`out`, the coupling's term at phases (..., n), becomes the term with all that is driven at times (...)."""
        coupling, frequencies, force = (self.parts.get(name) for name in ("coupling", "frequencies", "force"))
        if coupling is not None:
            out *= coupling(time)
        if frequencies is not None:
            out += frequencies(time)
        if force is not None:
            out += force(time) * np.sin(self.parts["phase"](time) - phases)

    def check(self, begin: float, end: float) -> None:
        """ValueError unless it is known, and finite, from `begin` to `end`."""
        for name, part in self.parts.items():
            if begin < part.begin or end > part.end * (1 + 4e-16):
                raise ValueError(
                    f"the drive's {name} is known from t = {part.begin:g} to {part.end:g}, and the run goes from "
                    f"{begin:g} to {end:g}: extend the table, or shorten the run"
                )
            times = np.linspace(begin, end, PROBES)
            bad = ~np.isfinite(part(times)).all(axis=1)
            if np.any(bad):
                raise ValueError(
                    f"the drive's {name}, {ex.shortened(part.words().text)}, is not finite at t = {times[bad][0]:g}"
                )

    def largest(self, name: str, begin: float, end: float) -> float:
        """The largest |value| of a part that is seen between two times; of one that is not there, 0 (coupling: 1)."""
        if name not in self.parts:
            return 1.0 if name == "coupling" else 0.0
        part = self.parts[name]
        inside = part.knots[(part.knots >= begin) & (part.knots <= end)]
        return float(np.max(np.abs(part(np.concatenate([np.linspace(begin, end, PROBES), inside])))))

    @property
    def end(self) -> float:
        """Up to which all parts are known."""
        return min(part.end for part in self.parts.values())

    @cached_property
    def knots(self) -> Array:
        """The moments at which some part is not smooth, ascending."""
        return np.unique(np.concatenate([part.knots for part in self.parts.values()]))

    @cached_property
    def smooth_terms(self) -> list[tuple[str, float, Formula]]:
        """The formulas that drive velocities: the part that each belongs to, what it is multiplied by at the most, itself."""
        found = [(name, 1.0, self.parts.get(name)) for name in ("frequencies", "coupling")]
        force, phase = self.parts.get("force"), self.parts.get("phase")
        if force is not None and isinstance(phase, Formula):
            given = isinstance(force, Formula)
            factor = force.expression if isinstance(force, Formula) else ex.ONE
            most = 1.0 if given else self.largest("force", force.begin, force.end)
            turns = (factor * ex.apply(name, phase.expression) for name in ("sin", "cos"))
            found += [("force", most, Formula(turn, self.parameters)) for turn in turns]
        else:
            found.append(("force", 1.0, force))
        return [(name, most, part) for name, most, part in found if isinstance(part, Formula)]

    def equations(self) -> list[Words]:
        """ν = ..., κ = ..., for a reader, one of each part."""
        found = []
        for name, part in self.parts.items():
            found.append(self.symbol(name) + Words(" = ", " = ") + part.words())
        return found

    def symbol(self, name: str) -> Words:
        """A part's letter at t, with an index where it differs from oscillator to oscillator."""
        latex, text = LETTERS[name]
        each = self.parts[name].size is not None
        return Words(f"{latex}{'_i' * each}(t)", f"{text}{'_i' * each}(t)")

    def to_dict(self) -> dict[str, Any]:
        """For provenance; `from_dict` reads it back."""
        found = {name: part.to_dict() for name, part in self.parts.items()}
        return found | (
            {"parameters": {name: v.tolist() for name, v in self.parameters.items()}}
            if self.parameters
            else {}
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Drive:
        """The inverse of `to_dict`."""
        given = {name: part for name, part in data.items() if name != "parameters"}
        parts = {name: Samples(**part) if isinstance(part, Mapping) else part for name, part in given.items()}
        return cls(**parts, **data.get("parameters", {}))

    def code(self, keep: Keep) -> str:
        """The Python expression that makes it again."""
        parts = [f"{name}={part.code(f'drive_{name}', keep)}" for name, part in self.parts.items()]
        parts += [
            f"{name}={keep(f'drive_{name}', values) if values.ndim else repr(float(values))}"
            for name, values in self.parameters.items()
        ]
        return f"ip.Drive({', '.join(parts)})"

    def __repr__(self) -> str:
        shown = [f"{name}={part.words().text!r}" for name, part in self.parts.items()]
        return ex.shortened(f"Drive({', '.join(shown)})")


def _numbers(name: str, given: Any) -> Array:
    """A parameter as an array () or (n,)."""
    ex.check_parameter(name, "t")
    values = finite_array(name, given)
    if values.ndim > 1 or not values.size:
        raise ValueError(f"{name} must be a number or have shape (n,); got shape {values.shape}")
    return values


def _signal(name: str, given: Any, parameters: Mapping[str, Array]) -> Signal:
    """A part of a drive, as the user gives it."""
    if isinstance(given, Signal):
        return given
    if isinstance(given, str):
        return Formula(ex.parse(given, list(parameters), variable="t"), parameters)
    if callable(given):
        raise TypeError(
            f'{name} of a drive must be a formula in t, such as "sin(2*t)", or ip.Samples; got a function'
        )
    values = finite_array(name, given)
    if values.ndim:
        raise ValueError(
            f"{name} of a drive must be a number, a formula in t or ip.Samples; got shape {values.shape}: name the "
            f'numbers of the oscillators in a formula, such as Drive({name}="a*sin(t)", a=[...])'
        )
    return Formula(ex.parse(repr(float(values)), [], variable="t"), {})  # decimals, as they are written
