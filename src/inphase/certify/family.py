"""A family of models: f with ranges of its parameters, and what holds of coupling, gain, ω and field."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import sparse

from inphase import expression as ex
from inphase.certify.balls import interval
from inphase.certify.networks import APART, graph_coupling, is_graph, several
from inphase.coupling import AllToAll, Dense, Lattice, RankOne, Ring, Sparse
from inphase.gain import Gain
from inphase.interaction import CATALOG, Interaction

End = Fraction | float  # a rational, or ±inf
PROBED = 100_000  # phases at which a gain is looked at
LARGEST = 10**300  # of finite ends: floats reach that far
ANY = {"kind": "all-to-all", "weights": "any positive"}


@dataclass(frozen=True)
class Family:
    """f(x; parameters) with a range for each parameter, and the model around it.

    `coupling` and `gain` are as certificates write them; `assumptions` are what the user asserts and nothing
    here can check; `obstacle` says which hypothesis of every theorem fails, or is empty. Not `refutable` are
    models with weights of their own: refutations are for equal ones.
    """

    interaction: Interaction
    ranges: Mapping[str, tuple[End, End]]
    coupling: dict[str, Any] = field(default_factory=lambda: dict(ANY))
    gain: str = "none or positive"
    assumptions: tuple[str, ...] = ()
    obstacle: str = ""
    refutable: bool = True

    @property
    def formula(self) -> str:
        """f as text, as certificates write it."""
        return ex.text(self.interaction.expression)

    @property
    def finite(self) -> bool:
        """Whether every range is finite."""
        return not any(math.isinf(v) for pair in self.ranges.values() for v in pair)

    @property
    def attention(self) -> str | None:
        """The name of β if f is attention's."""
        return ex.attention_parameter(self.interaction.expression)

    @property
    def sine_factor(self) -> ex.Expression | None:
        """k, free of x, where f(x) = k sin x for every parameter in the ranges, exactly; else None."""
        known = {name: Fraction(lo) for name, (lo, hi) in self.ranges.items() if lo == hi}
        return ex.sine_factor(ex.fill(self.interaction.expression, known))

    def box(self, ranges: Mapping[str, tuple[End, End]]) -> dict[str, Any]:
        """Balls of finite ranges."""
        return {
            k: interval(lo, hi) for k, (lo, hi) in ranges.items() if not (math.isinf(lo) or math.isinf(hi))
        }


def end(name: str, value: Any) -> End:
    """One end of a range: an exact rational, or ±inf. Text such as "-2/3" or "0.2" is read exactly."""
    try:
        if isinstance(value, str) and value.strip().lstrip("+-") not in ("inf", "infinity"):
            exponent = value.lower().partition("e")[2].strip() or "0"
            if len(value) > 1000 or abs(int(exponent)) > 300:
                raise ValueError
            return Fraction(value.strip())
        if isinstance(value, bool):
            raise TypeError
        number = value if isinstance(value, (int, Fraction)) else float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        raise ValueError(f"the range of {name} needs numbers; got {value!r:.60}") from None
    if isinstance(number, float) and math.isnan(number):
        raise ValueError(f"the range of {name} must not be NaN; got {value!r}")
    if isinstance(number, float) and math.isinf(number):
        return number
    if abs(Fraction(number)) > LARGEST:
        raise ValueError(f"the range of {name} has the end {value!r:.60}: beyond 1e300 give inf or -inf")
    return Fraction(number)


def parameter_range(name: str, value: Any) -> tuple[End, End]:
    """(lo, hi) of a number or a pair."""
    if isinstance(value, (tuple, list, np.ndarray)):
        if len(value) != 2:
            raise ValueError(f"the range of {name} is a pair (lo, hi); got {value!r}")
        lo, hi = end(name, value[0]), end(name, value[1])
    else:
        lo = hi = end(name, value)
    if lo > hi or (lo == hi and math.isinf(lo)):
        raise ValueError(f"the range of {name} is empty: {value!r} (need lo <= hi)")
    return lo, hi


def _middle(lo: End, hi: End) -> float:
    if math.isinf(lo) or math.isinf(hi):
        return 0.0 if lo <= 0 <= hi else float(lo if math.isinf(hi) else hi)
    return float((Fraction(lo) + Fraction(hi)) / 2)


def family(subject: Any, ranges: Mapping[str, Any], n: int | None = None, graph: Any = None) -> Family:
    """Read a model, interaction, formula, catalog name, or a function such as `attention`, with its ranges.

    Raises
    ------
    ValueError, TypeError
        If a range is empty or NaN, a parameter is unknown, or the subject is none of these.
    """
    wanted = {name: parameter_range(name, value) for name, value in ranges.items()}
    n = None if n is None else several(n)
    middles = {name: _middle(*pair) for name, pair in wanted.items()}
    parts: dict[str, Any] = {}
    if is_graph(subject):
        if graph is not None:
            raise ValueError("graph must be left out where the subject is a graph itself")
        interaction, graph = Interaction("sin(x)", name="kuramoto"), subject
        if wanted:
            raise ValueError(f"a graph has no parameter {next(iter(wanted))!r}; its interaction is sin x")
    elif hasattr(subject, "interaction"):
        interaction, parts = subject.interaction, _parts(subject, n, graph)
    elif isinstance(subject, Interaction):
        interaction = subject
    elif isinstance(subject, str):
        known = subject in CATALOG
        interaction = _factory(CATALOG[subject], middles) if known else Interaction(subject, **middles)  # type: ignore[arg-type]
    elif callable(subject):
        interaction = _factory(subject, middles)
    else:
        raise TypeError(
            f"expected a model, an interaction, a formula or a graph; got {type(subject).__name__}"
        )
    unknown = set(wanted) - ex.parameters(interaction.expression)
    if unknown:
        raise ValueError(
            f"unknown parameter {sorted(unknown)[0]!r}; {ex.shortened(interaction.name)} has "
            f"{ex.shortened(sorted(interaction.parameters))}"
        )
    if len(interaction.parameters) == 1:
        spelled = ex.attention_spelling(interaction.expression)
        interaction = Interaction(spelled, name=interaction.name, **interaction.parameters)
    used = ex.parameters(interaction.expression)
    own = {
        name: parameter_range(name, value) for name, value in interaction.parameters.items() if name in used
    }
    if graph is not None:
        parts = parts | {"coupling": graph_coupling(graph)}
        if hasattr(subject, "interaction"):
            _same_size(subject, parts["coupling"])
    elif n is not None and not parts:
        parts = parts | {"coupling": {"kind": "all-to-all", "weights": "equal", "n": int(n)}}
    if n is not None and parts["coupling"].get("n", n) != n:
        raise ValueError(f"n = {n} contradicts the model's {parts['coupling']['n']} oscillators")
    apart = parts.get("coupling", ANY)["kind"] == APART
    if apart:  # where nobody gives a gain there is none: any positive one might join the parts
        parts = {"gain": "none"} | parts
    obstacle = parts.pop("obstacle", "") or (
        _apart_obstacle(interaction, parts) if apart else _shape_obstacle(interaction)
    )
    return Family(interaction, own | wanted, obstacle=obstacle, **parts)


def _factory(function: Callable[..., Any], middles: dict[str, float]) -> Interaction:
    try:
        inspect.signature(function).bind(**middles)
        made = function(**middles)
    except TypeError as error:
        raise ValueError(
            f"{getattr(function, '__name__', function)!s} with {sorted(middles)}: {error}"
        ) from None
    if not isinstance(made, Interaction):
        raise TypeError(f"{function!r} must return an Interaction; got {type(made).__name__}")
    return made


def _apart_obstacle(f: Interaction, parts: Mapping[str, Any]) -> str:
    """What keeps parts that hear nobody outside from turning each by itself, whatever f is like otherwise."""
    if parts.get("gain") != "none":
        return (
            "the graph is in parts that hear nobody outside, but the gain may depend on all phases, or vanish"
        )
    return "" if ex.periodic(f.expression) else _shape_obstacle(f)


def _shape_obstacle(f: Interaction) -> str:
    if f.parity != "odd":
        return "f is not odd by its structure: the flow is not known to be a gradient flow"
    if not ex.periodic(f.expression):
        return "f is not 2π-periodic by its structure (x must stand in sin, cos or tan of integer multiples of x)"
    return ""


GRAPHS = (Sparse, Dense, Ring, Lattice)  # these exactly: the sums of a subclass are its own


def _same_size(model: Any, coupling: dict[str, Any]) -> None:
    """ValueError if a model's parts fix another number of oscillators than the graph has."""
    size, n = getattr(model, "size", None), coupling.get("n", sum(coupling.get("sizes", [])))
    if isinstance(size, int) and size != n:
        raise ValueError(f"graph must have the model's {size} oscillators; got {n}")


def _graph_parts(coupling: Any, n: int | None) -> dict[str, Any]:
    """A model's coupling as a graph, or the obstacle to that."""
    if n is None:
        raise ValueError(f"n must be given: the coupling {coupling!r} joins any number of oscillators")
    edges = coupling.edges(n)
    try:
        return {"coupling": graph_coupling(edges)}
    except ValueError as error:  # a model all the same
        return {"obstacle": str(error)}


def _parts(model: Any, n: int | None, graph: Any) -> dict[str, Any]:
    """Coupling, gain, assumptions and obstacles of a PhaseModel, read by its attributes."""
    parts: dict[str, Any] = {"coupling": dict(ANY)}
    coupling, gain = model.coupling, getattr(model, "gain", None)
    obstacles: list[str] = []
    if np.ptp(np.asarray(getattr(model, "frequencies", 0.0))) != 0:
        obstacles.append("natural frequencies differ")
    for name, neutral in (
        ("field", 0),
        ("delays", 0),
        ("noise", 0),
        ("common_noise", 0),
        ("inertia", 0),
        ("damping", 1),
    ):
        values = getattr(model, name, neutral)
        values = np.asarray(values.data if sparse.issparse(values) else values)  # type: ignore[union-attr]
        if np.any(values != neutral):
            obstacles.append(f"the model has {name.replace('_', ' ')}")
    if getattr(model, "varies", ""):
        obstacles.append(f"the model has {model.varies}: it changes in time")
    if graph is not None and not (type(coupling) is AllToAll and coupling.columns is None):
        raise ValueError(
            f"graph must be left out where the model has a coupling of its own; it has {coupling!r}"
        )
    size = getattr(model, "size", None)
    if size is not None and n is not None and n != size:
        raise ValueError(f"n = {n} contradicts the model's {size} oscillators")
    n = size if n is None else n
    n = None if n is None else several(n)
    if type(coupling) is AllToAll:
        weights = getattr(coupling, "columns", None)
        if weights is None:
            if n is not None:
                parts["coupling"] = {"kind": "all-to-all", "weights": "equal", "n": int(n)}
        elif not _positive(weights):
            obstacles.append("a weight is not positive")
        elif np.all(np.asarray(weights) == np.asarray(weights)[0]) and len(weights) > 1:
            parts["coupling"] = {"kind": "all-to-all", "weights": "equal", "n": len(weights)}
        else:
            parts["refutable"] = False
    elif type(coupling) is RankOne:
        parts["coupling"] = {"kind": "rank-one"}
        if not (_positive(coupling.rows) and _positive(coupling.columns)):
            obstacles.append("a factor of the rank-one coupling is not positive")
    elif type(coupling) in GRAPHS:
        found = _graph_parts(coupling, coupling.size if n is None else n)
        obstacles += [found.pop("obstacle")] if "obstacle" in found else []
        parts |= found
    else:
        obstacles.append(f"no theorem here is for the coupling {type(coupling).__name__}")
    if gain in (None, "softmax"):
        parts["gain"] = gain or "none"
    else:
        _probe(Gain.of(gain), n)
        parts["gain"] = "none or positive"
        parts["assumptions"] = (
            "the gain is a smooth positive function of the phases (asserted by the user)",
        )
    return parts | {"obstacle": "; ".join(obstacles)}


def _probe(gain: Gain, n: int | None) -> None:
    """Refuse a function of the user's that is not positive in sync, in a splay state or at random phases."""
    rng = np.random.default_rng(0)
    for size in (2, 3, 5) if n is None else (n,):
        splay = 2 * np.pi * np.arange(size) / size
        rows = int(np.clip(PROBED // size, 1, 200))
        gain.check(np.stack([np.zeros(size), splay, *rng.uniform(-np.pi, np.pi, (rows, size))]))


def _positive(values: Any) -> bool:
    return values is None or bool(np.all(np.asarray(values) > 0))
