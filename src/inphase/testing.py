"""Does a coupling keep its word? Every public verb is tried on it: for the kinds of this library, and for yours.

>>> import inphase as ip
>>> ip.testing.check_coupling(ip.RankOne([1.0, 2.0, 1.0], [0.5, 0.2, 0.3]), verbs=["field", "jacobian", "pickle"])
['field', 'jacobian', 'pickle']
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inphase.checks import check_name, integer
from inphase.coupling import Coupling
from inphase.interaction import Interaction, attention, harmonics, kuramoto
from inphase.kernels.terms import ORDERED, AllPairs, Factors, Field, Links, Term, Triangles
from inphase.model import PhaseModel

Array = NDArray[np.float64]
SHORT = 0.1  # in time scales of the coupling: how long the runs of these checks are
MOST = 100  # oscillators that are tried for a coupling which takes any number


def check_coupling(coupling: Coupling, n: int | None = None, verbs: Iterable[str] | None = None) -> list[str]:
    """Try every public verb on a coupling, against its own `terms` by brute force or against another way.

    Parameters
    ----------
    coupling : Coupling
    n : int, optional
        Oscillators; the coupling's own number, or 7.
    verbs : iterable of str, optional
        Which checks, keys of `CHECKS`; all if not given.

    Returns
    -------
    list of str
        The checks that were made: those that the coupling's facts promise.

    Raises
    ------
    AssertionError
        If one fails, with its name and what differs.
    TypeError, ValueError
        If there is no such check, or the coupling does not take n oscillators.
    """
    if not isinstance(coupling, Coupling):
        raise TypeError(f"coupling must be a Coupling, such as ip.AllToAll(); got {coupling!r:.60}")
    names = list(CHECKS) if verbs is None else [verbs] if isinstance(verbs, str) else list(verbs)
    for name in names:
        check_name("verbs", name, tuple(CHECKS))
    case = _Case(coupling, _size(coupling, n))
    made = []
    for name in names:
        try:
            if CHECKS[name](case) is not False:
                made.append(name)
        except Exception as error:
            raise AssertionError(f"check_coupling({coupling!r}): {name}: {error!r}") from error
    return made


def _size(coupling: Coupling, n: int | None) -> int:
    """The number of oscillators that was asked for, the coupling's own, or the least from 7 on that it takes."""
    if n is not None:
        return integer("n", n, least=1)
    if coupling.size is not None:
        return coupling.size
    for size in range(7, MOST):
        try:
            coupling.check_size(size)
        except ValueError:
            continue
        return size
    raise ValueError(f"n must be given: {coupling!r} takes none of 7..{MOST - 1} oscillators")


@dataclass
class _Case:
    """A coupling of n oscillators, with the numbers that the checks share."""

    coupling: Coupling
    n: int

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.n)
        self.phases = rng.uniform(0, 2 * np.pi, self.n)
        self.heard = rng.uniform(0, 2 * np.pi, self.n)
        self.turns = rng.normal(0, 0.1, self.n)
        self.facts = self.coupling.facts(self.n)
        self.strength = max(self.coupling.mean_strength(self.n), 1e-3)
        self.f = harmonics(sin=[1.0, 0.3], cos=[0.0, 0.2])

    def model(self, f: Interaction | None = None, **parts: Any) -> PhaseModel:
        """A model with this coupling, in units of its strength."""
        return PhaseModel((f or self.f) * (1.0 / self.strength), self.coupling, **parts)

    def run(self, model: PhaseModel, **how: Any) -> Array:
        """The last phases of a short run."""
        from inphase.simulation import simulate

        how = how or {"tolerance": 1e-5 if _single(self) else 1e-9}
        return np.asarray(simulate(model, self.phases, times=[SHORT], **how).phase.values[-1])


def brute_force(terms: Iterable[Term], f: Interaction, phases: Array, heard: Array) -> Array:
    """The sums that terms stand for, term by term: what i = 0..n − 1 feels of what it hears."""
    return np.asarray(np.sum([_force(term, f, phases, heard) for term in terms], axis=0))


def _force(term: Term, f: Interaction, x: Array, y: Array) -> Array:
    n, gaps = len(x), x[:, None] - y[None, :]
    if isinstance(term, Links):
        values = term.weights * f(x[term.rows] - y[term.columns])
        return np.asarray(np.bincount(term.rows, values, n), dtype=float)
    if isinstance(term, AllPairs):
        return np.asarray((term.weights * f(gaps + (0.0 if term.lags is None else term.lags))).sum(axis=1))
    if isinstance(term, Factors):
        return np.asarray((term.left @ term.right.T * f(gaps)).sum(axis=1))
    if isinstance(term, Field) and term.pairwise:
        return np.asarray(term.weights * (f(gaps) @ term.columns))
    j, k = y[None, :, None], y[None, None, :]
    if isinstance(term, Field):
        argument = _argument(term.kind, x[:, None, None], j, k)
        return np.asarray(term.weights * np.einsum("ijk,j,k->i", f(argument), term.columns, term.columns))
    return _of_triangles(term, f, x, y)


def _argument(kind: int, own: Any, j: Any, k: Any) -> Any:
    return own + k - 2 * j if kind == ORDERED else 2 * own - j - k


def _of_triangles(term: Triangles, f: Interaction, x: Array, y: Array) -> Array:
    found = np.zeros(len(x))
    for weight, (a, b, c) in zip(term.weights, term.nodes):
        listeners = [(a, b, c)] if term.directed else [(a, b, c), (b, c, a), (c, a, b)]
        for i, j, k in listeners:
            found[i] += weight * float(f(_argument(term.kind, x[i], y[j], y[k])))
            if term.kind == ORDERED and not term.directed:
                found[i] += weight * float(f(_argument(term.kind, x[i], y[k], y[j])))
    return found


def _same(one: Any, other: Any, within: float) -> None:
    """AssertionError that says how far two arrays are apart, unless they are close."""
    apart = float(np.max(np.abs(np.asarray(one) - np.asarray(other)), initial=0.0))
    assert apart <= within, f"differs by {apart:.3g}, more than {within:.3g}"


def _refusal(call: Callable[[], Any]) -> str:
    """What the ValueError of a call says; nothing if there is none."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return ""


# ----------------------------------------------------------------------------------------------------- checks


def _field(case: _Case) -> None:
    """The sums are those of the terms: for phases that are heard at once, and for others."""
    functions = [case.f, kuramoto()]
    terms, scale = case.coupling.terms(case.n), 1e-12 * max(case.strength * case.n, 1.0)
    for sources in (None, case.heard):
        found = case.coupling.forces(functions, case.phases, sources=sources)
        for f, values in zip(functions, found):
            exact = brute_force(terms, f, case.phases, case.phases if sources is None else sources)
            _same(values, exact, 1e-5 * case.strength * case.n if _single(case) else scale)
    both = case.coupling.forces(functions, np.stack([case.phases, case.heard]))
    _same(both[0][1], case.coupling.forces(functions, case.heard)[0], scale)


def _pairs(case: _Case) -> bool | None:
    """The pairs that are listed are those of the terms; without lags, those of the matrix too."""
    if not case.facts.pairs:
        return False
    joined = case.coupling.joined(case.n)
    values = joined.weights * case.f(case.phases[joined.rows] - case.phases[joined.columns] + joined.lags)
    exact = brute_force(case.coupling.terms(case.n), case.f, case.phases, case.phases)
    _same(np.bincount(joined.rows, values, case.n), exact, 1e-11 * max(case.strength * case.n, 1.0))
    if not case.facts.lags:
        K = np.zeros((case.n, case.n))
        np.add.at(K, (joined.rows, joined.columns), joined.weights)
        _same(K, case.coupling.matrix(case.n), 1e-13 * max(case.strength, 1.0))
    return None


def _delays(case: _Case) -> None:
    """While all that is heard is the constant past, a run follows the terms, integrated by SciPy."""
    from scipy.integrate import solve_ivp

    f, terms = case.f * (1.0 / case.strength), case.coupling.terms(case.n)
    late = case.model(delays=np.linspace(SHORT, 2 * SHORT, case.n))
    within = 1e-5 if _single(case) else 1e-9
    found = case.run(late, tolerance=within, history="constant")
    past = case.phases
    exact = solve_ivp(
        lambda _, now: -brute_force(terms, f, now, past), (0.0, SHORT), past, rtol=1e-10, atol=1e-11
    )
    _same(found, exact.y[:, -1], 1e3 * within)


def _delays_of_pairs(case: _Case) -> bool | None:
    """One delay for all pairs is the same delay for all who are heard."""
    if not case.facts.pairs:
        return False
    within = 1e-5 if _single(case) else 1e-9
    pairs = case.run(case.model(delays=np.full((case.n, case.n), 0.07)), tolerance=within)
    _same(pairs, case.run(case.model(delays=0.07), tolerance=within), 1e3 * within)
    return None


def _noise(case: _Case) -> None:
    """A seed gives the same numbers; a step's noise does not depend on the coupling; steps follow the adaptive run."""
    parts: dict[str, Any] = {"noise": 0.1, "common_noise": 0.05}
    how = {"step": 0.01, "seed": 3}
    noisy = case.model(**parts)
    _same(case.run(noisy, **how), case.run(noisy, **how), 0.0)
    once = {"step": SHORT, "seed": 3, "method": "euler"}
    kicks = [
        case.run(model.replace(**parts), **once) - case.run(model, **once)
        for model in (case.model(), PhaseModel(kuramoto()))
    ]
    assert np.all(np.abs(kicks[1]) > 0), "the noise moves nothing"
    _same(kicks[0], kicks[1], 1e-5 if _single(case) else 1e-11)
    _same(case.run(case.model(), step=0.001), case.run(case.model()), 1e-4)


def _inertia(case: _Case) -> None:
    """Inertia alone, by constant steps of order 4, is what adaptive steps give."""
    heavy = case.model(inertia=0.5)
    _same(case.run(heavy, step=SHORT / 20, method="rk4"), case.run(heavy), 1e-2 if _single(case) else 1e-7)


def _jacobian(case: _Case) -> None:
    """The Jacobian is the derivative of the velocity, by central differences."""
    model, h = case.model(field=0.2), 1e-5
    steps = h * np.eye(case.n)
    change = (model.velocity(case.phases + steps) - model.velocity(case.phases - steps)).T / (2 * h)
    _same(model.jacobian(case.phases), change, 1e-1 if _single(case) else 1e-7)


def _single(case: _Case) -> bool:
    return case.coupling.precision == "float32"


def _low_rank(case: _Case) -> bool | None:
    """Where K has factors, the Jacobian of low rank is the Jacobian, and it solves."""
    if not case.facts.factors:
        return False
    model = case.model()
    low, whole = model.jacobian_low_rank(case.phases), model.jacobian(case.phases)
    within = 1e-4 if _single(case) else 1e-10
    _same(low.dense(), whole, within)
    shift = 1.0 + float(max(np.max(np.abs(whole).sum(axis=1)), np.max(np.abs(low.diagonal))))
    solved = low.solver(shift)(case.turns)
    _same(shift * solved - whole @ solved, case.turns, within)
    _same(low @ case.turns, whole @ case.turns, within)
    return None


def _softmax(case: _Case) -> bool | None:
    """With positive sums, the softmax gain divides by Σ_j K_ij h."""
    if not case.coupling.positive:
        return False
    f = attention(1.0)
    assert f.profile is not None
    terms = case.coupling.terms(case.n)
    pull, gain = (brute_force(terms, g, case.phases, case.phases) for g in (f, f.profile))
    model = PhaseModel(f, case.coupling, gain="softmax")
    _same(model.velocity(case.phases), -pull / gain, 1e-4 if _single(case) else 1e-11)
    return None


def _energy(case: _Case) -> None:
    """A gradient flow follows the slope of its energy, in the metric of c_i; other models say why they have none."""
    model = case.model(kuramoto())
    if model.is_gradient:
        steps, common = 1e-5 * np.eye(case.n), case.coupling.common_weights(case.n)
        slope = (model.energy(case.phases + steps) - model.energy(case.phases - steps)) / 2e-5
        metric = 1.0 if common is None else common
        _same(slope, metric * model.velocity(case.phases), 1e-1 if _single(case) else 1e-8)
        return
    said = _refusal(lambda: model.energy(case.phases))
    assert "gradient flow, but" in said, said or "an energy of what is no gradient flow"


def _equilibria(case: _Case) -> None:
    """States that are found are at rest in their frame, and their stability can be asked for."""
    from inphase import equilibria

    model = case.model(kuramoto())
    found = equilibria.find(model, case.n, starts=4)
    for state in found:
        turning = equilibria.locked_velocity(model, state.phases, state.frequency)
        _same(turning, state.frequency, 1e-5 if _single(case) else 1e-8)
        equilibria.stability(model, state.phases, state.frequency)
    if case.facts.pairs:
        late = case.model(kuramoto(), delays=np.full((case.n, case.n), 0.1))
        for state in equilibria.find(late, case.n, starts=2):
            _same(equilibria.locked_velocity(late, state.phases, state.frequency), state.frequency, 1e-5)


def _lyapunov(case: _Case) -> None:
    """All exponents add up to the mean divergence."""
    from inphase import equilibria

    found = equilibria.lyapunov_exponents(case.model(), case.phases, t_end=1.0, transient=0.2, interval=0.02)
    _same(found.exponent.sum(), found.divergence, 1e-2)


def _coarsen(case: _Case) -> bool | None:
    """Where all hear the same, clusters merge or rest."""
    from inphase.simulation import coarsen

    common = case.coupling.common_weights(case.n)
    if common is None or np.min(common) < 0 or not np.any(common):
        return False
    tree = coarsen(case.model(kuramoto()), case.phases, t_end=1e6)
    assert tree.sizes["oscillator"] == case.n
    return None


def _study(case: _Case) -> None:
    """The main job runs, its page says the equation, and its code gives the same run again."""
    from inphase.report.page import again, page
    from inphase.studies import study

    model = case.model(kuramoto(), frequencies=case.turns)
    result = study(model, phases=case.phases, t_end=1.0)
    equation = case.coupling.equation()
    assert equation.text and equation.latex and "Σ" in page(result)
    code, kept = again(result)
    again_run = _executed(code, kept.arrays)
    _same(again_run.run.phase.values, result.run.phase.values, 1e-5 if _single(case) else 1e-12)


def _executed(code: str, arrays: dict[str, Any]) -> Any:
    """What the last line of a report's code returns, run in a folder with the numbers that it reads."""
    import contextlib

    from inphase.description import FILE
    from inphase.files import write_arrays

    *lines, last = code.replace(', out="again"', "").splitlines()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        if arrays:
            write_arrays(Path(FILE), arrays)
        names: dict[str, Any] = {}
        exec("\n".join(lines), names)
        return eval(last, names)


def _toml(case: _Case) -> bool | None:
    """The tables of a TOML file give the coupling back."""
    import tomllib

    import tomli_w

    from inphase.config import checked_config
    from inphase.coupling.catalog import KINDS

    said = _refusal(case.coupling.tables)
    if said:
        assert "file of their own" in said, said
        return False
    tables = case.coupling.tables()
    if not all(table["kind"] in KINDS for table in tables):
        return False  # of a kind that the catalog does not name
    text = tomli_w.dumps({"interaction": {"name": "kuramoto"}, "coupling": tables})
    again = checked_config(tomllib.loads(text), "check_coupling").build()
    same = PhaseModel(kuramoto(), case.coupling)
    _same(again.velocity(case.phases), same.velocity(case.phases), 1e-5 if _single(case) else 1e-12)
    return None


def _pickle(case: _Case) -> None:
    """A copy that was pickled gives the same numbers."""
    again = pickle.loads(pickle.dumps(case.coupling))
    _same(again.forces([case.f], case.phases)[0], case.coupling.forces([case.f], case.phases)[0], 0.0)


CHECKS: dict[str, Callable[[_Case], bool | None]] = {
    "field": _field,
    "pairs": _pairs,
    "delays": _delays,
    "delays of pairs": _delays_of_pairs,
    "noise": _noise,
    "inertia": _inertia,
    "jacobian": _jacobian,
    "low rank": _low_rank,
    "softmax": _softmax,
    "energy": _energy,
    "equilibria": _equilibria,
    "lyapunov": _lyapunov,
    "coarsen": _coarsen,
    "study": _study,
    "toml": _toml,
    "pickle": _pickle,
}
