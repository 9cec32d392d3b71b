"""Many oscillators in mean fields: Newton's steps and spectra of diagonal + low rank, against dense algebra."""

import numpy as np
import pytest
from scipy.optimize import brentq

import inphase as ip
from inphase.coupling.jacobian import PIVOTS, DiagonalPlusLowRank
from inphase.equilibria import can_polish, classify, locked_velocity, nearest, stability
from inphase.equilibria.locked import Locked
from inphase.equilibria.rightmost import count_right_of, rightmost
from inphase.equilibria.search import DistinctStates, solve
from inphase.equilibria.secular import Symmetric
from inphase.kernels.threads import few_threads
from inphase.theory import locking_coupling

N = 320
SIN = ip.kuramoto()


@pytest.fixture(autouse=True)
def one_thread():
    """Of BLAS: all matrices here are small."""
    with few_threads(1):
        yield


def rng(seed=0):
    return np.random.default_rng(seed)


def weights(seed=1):
    return rng(seed).uniform(0.1, 1.9, N) / N


def signed(seed=2):
    return rng(seed).normal(size=N)


OMEGA = rng(3).normal(0, 0.05, N)
COLUMNS = rng(4).normal(size=(N, 2))
OTHERS = rng(5).normal(size=(N, 2)) / N
SYMMETRIC = {
    "kuramoto": ip.PhaseModel(SIN, frequencies=OMEGA),
    "alike": ip.PhaseModel(SIN),
    "three harmonics": ip.PhaseModel(ip.harmonics(sin=[1.0, 0.7, -0.3]), frequencies=OMEGA),
    "attention": ip.PhaseModel(ip.attention(2.0), frequencies=OMEGA),
    "weights": ip.PhaseModel(SIN, ip.AllToAll(weights()), frequencies=OMEGA),
    "rank one, damped": ip.PhaseModel(
        SIN, ip.RankOne(N * weights(6), weights()), frequencies=OMEGA, damping=N * weights(7)
    ),
    "low rank": ip.PhaseModel(SIN, ip.LowRank(COLUMNS, COLUMNS / N), frequencies=OMEGA),
    "a sum": ip.PhaseModel(SIN, 2 * ip.AllToAll() - ip.LowRank(COLUMNS, COLUMNS / N), frequencies=OMEGA),
    "field": ip.PhaseModel(SIN, field=-0.5, frequencies=OMEGA),
    "repulsion": ip.PhaseModel(-SIN, frequencies=OMEGA),
}
ONE_WAY = {
    "lag": ip.PhaseModel(ip.sakaguchi(0.4), frequencies=OMEGA),
    "a large lag": ip.PhaseModel(ip.sakaguchi(1.4), frequencies=OMEGA),
    "softmax": ip.PhaseModel(ip.attention(2.0), frequencies=0.2 * OMEGA, gain="softmax"),
    "mixed signs": ip.PhaseModel(SIN, ip.RankOne(signed(), weights()), frequencies=OMEGA),
    "low rank, one way": ip.PhaseModel(SIN, ip.LowRank(COLUMNS, OTHERS), frequencies=OMEGA),
}
STARTS = {
    "together": rng(8).normal(0, 0.2, N),
    "anywhere": rng(9).uniform(0, 2 * np.pi, N),
    "two clusters": np.where(np.arange(N) < 50, np.pi, 0.0),
}


def by_factors(model, phases):
    found = model.jacobian_low_rank(phases)
    return DiagonalPlusLowRank(found.diagonal, *found.low_rank())


def dense(model, phases):
    """All eigenvalues off the rotation, by descending real part."""
    matrix = model.jacobian(phases)
    if not np.any(model.field):  # the quotient by the null vector
        off = np.linalg.qr(np.column_stack([np.ones(N), rng().normal(size=(N, N - 1))]))[0][:, 1:]
        matrix = off.T @ matrix @ off
    values = np.linalg.eigvals(matrix)
    return values[np.argsort(-values.real, kind="stable")]


def turn_of(model):
    return np.full(N, 0.0 if np.any(model.field) else 1 / np.sqrt(N))


def taken_apart(monkeypatch):
    """Treat few oscillators as many are."""
    monkeypatch.setitem(stability.__globals__, "WHOLE_LOW_RANK_UP_TO", 0)


def by_dense_algebra(monkeypatch):
    monkeypatch.setitem(locked_velocity.__globals__, "LOW_RANK_FROM", 10**9)


@pytest.mark.parametrize("name", SYMMETRIC)
@pytest.mark.parametrize("start", STARTS)
def test_symmetric_spectra_and_counts_are_those_of_the_dense_matrix(name, start):
    model, phases = SYMMETRIC[name], STARTS[start]
    exact, form = dense(model, phases).real, Symmetric.of(by_factors(model, phases), turn_of(model))
    size = np.max(np.abs(exact))
    assert np.max(np.abs(form.leading(12) - exact[:12])) < 1e-12 * max(size, 1.0)
    # between eigenvalues that differ, and on both sides of clusters
    apart = np.flatnonzero(-np.diff(exact) > 1e-9 * size)[:: max(1, N // 20)]
    for k in apart:
        assert form.above((exact[k] + exact[k + 1]) / 2) == k + 1
    assert form.above(exact[0] + 1e-9 * size) == 0


@pytest.mark.parametrize("name", ONE_WAY)
@pytest.mark.parametrize("start", ["together", "anywhere"])
def test_one_way_spectra_and_counts_are_those_of_the_dense_matrix(name, start):
    model, phases = ONE_WAY[name], STARTS[start]
    exact, matrix = dense(model, phases), by_factors(model, phases)
    assert Symmetric.of(matrix, turn_of(model)) is None
    matrix = matrix.plus(column=np.full(N, -20.0 / N), row=np.ones(N))
    values, errors = rightmost(matrix, 6, 1e-15)
    assert np.max(np.abs(values.real - exact[:6].real)) < 1e-10 and np.max(errors) < 1e-10
    assert np.sort(np.abs(values.imag)) == pytest.approx(np.sort(np.abs(exact[:6].imag)), abs=1e-10)
    for line in (exact[0].real + 1e-6, *(exact[[4, N // 2]].real - 1e-7), 0.0):
        assert count_right_of(matrix, line, 1e-9) == np.count_nonzero(exact.real > line)


def test_equal_and_nearly_equal_diagonal_entries_keep_their_multiplicity():
    values, counts = np.array([1.0, 1.0 + 3e-16, 0.5, 0.5 - 1e-13, -2.0]), [40, 30, 20, 25, 3]
    diagonal, factors = np.repeat(values, counts), rng(0).normal(size=(118, 3))
    signs = np.array([1.0, -1.0, 1.0])
    exact = np.linalg.eigvalsh(np.diag(diagonal) + (factors * signs) @ factors.T)[::-1]
    form = Symmetric(diagonal, factors, signs)
    assert form.leading(100) == pytest.approx(exact[:100], rel=1e-13, abs=1e-12)
    assert form.above(1.0 + 1e-9) == np.count_nonzero(exact > 1.0 + 1e-9) < 5
    assert form.above(1.0 - 1e-9) == np.count_nonzero(exact > 1.0 - 1e-9) > 60


def test_solutions_with_small_and_vanishing_diagonal_entries():
    n = 500
    diagonal = rng(1).normal(size=n)
    diagonal[:30], diagonal[30:50] = 0.0, 1e-14 * diagonal[30:50]
    matrix = DiagonalPlusLowRank(diagonal, rng(2).normal(size=(n, 60)), rng(3).normal(size=(n, 60)))
    right = rng(4).normal(size=n)
    with pytest.raises(np.linalg.LinAlgError, match=f"more than {PIVOTS} entries"):
        matrix.inverse()
    matrix.diagonal[30:50] = 1e-5
    found = matrix.inverse()(right)
    assert np.max(np.abs(matrix.dense() @ found - right)) < 1e-12 * np.max(np.abs(found)) * n
    assert found == pytest.approx(np.linalg.solve(matrix.dense(), right), rel=1e-8, abs=1e-8)


def test_products_sums_and_rows_are_those_of_the_dense_matrices():
    one, other = (
        DiagonalPlusLowRank(*(rng(s).normal(size=shape) for shape in (9, (9, 2), (9, 2)))) for s in (1, 2)
    )
    assert (one @ other).dense() == pytest.approx(one.dense() @ other.dense())
    assert (one.T @ one).dense() == pytest.approx(one.dense().T @ one.dense())
    column, row = rng(3).normal(size=(2, 9))
    assert one.plus(0.3, column, row).dense() == pytest.approx(
        one.dense() + 0.3 * np.eye(9) + np.outer(column, row)
    )
    assert one.rows(np.array([4, 0])) == pytest.approx(one.dense()[[4, 0]])
    assert one.largest_row_sum() == pytest.approx(np.max(np.abs(one.dense()).sum(axis=1)))


@pytest.mark.parametrize(
    "name", ["kuramoto", "three harmonics", "weights", "rank one, damped", "field", "attention"]
)
def test_newtons_method_ends_where_dense_algebra_does(name, monkeypatch):
    model = SYMMETRIC[name]
    compared(model, np.zeros(N), monkeypatch)


@pytest.mark.parametrize("name", ["lag", "softmax"])
def test_newtons_method_ends_where_dense_algebra_does_one_way(name, monkeypatch):
    compared(ONE_WAY[name], np.zeros(N), monkeypatch)


def compared(model, start, monkeypatch, same=1e-10):
    """The state from a start by both ways: phases, Ω, the leading spectrum and its verdicts."""
    taken_apart(monkeypatch)
    one = nearest(model, start, within=np.pi)
    with monkeypatch.context() as again:
        by_dense_algebra(again)
        other = nearest(model, start, within=np.pi)
    assert one is not None and other is not None
    assert one.phases == pytest.approx(other.phases, abs=same) and one.frequency == pytest.approx(
        other.frequency, abs=same
    )
    count = len(one.eigenvalues)
    assert count == 6 and not one.complete and other.complete and one.residual < 1e-13
    assert one.eigenvalues.real == pytest.approx(other.eigenvalues[:count].real, abs=same)
    assert (one.stable, one.index, one.neutral, one.name) == (
        other.stable,
        other.index,
        other.neutral,
        other.name,
    )
    return one


@pytest.mark.parametrize("above", [1e-2, 1e-5, 1e-9])
def test_at_the_fold_where_the_jacobian_is_nearly_singular(above, monkeypatch):
    """The stable locked state and the saddle beside it, as the coupling comes down to where both vanish."""
    strength = locking_coupling(OMEGA) * (1 + above)
    model = ip.PhaseModel(strength * SIN, frequencies=OMEGA)
    found = locked_states(strength)
    assert len(found) == 2
    for phases, stable in zip(found, (True, False)):
        state = compared(model, phases, monkeypatch, same=1e-10 / np.sqrt(above))
        assert state.stable in (stable, None) and (state.stable is not None or above < 1e-8)
        assert state.index in ((0,) if stable or state.stable is None else (1,))


def locked_states(strength):
    """The stable state and the saddle: r = mean of ± sqrt(1 − (ω/Kr)²), with − for the fastest oscillator or for none."""
    away = (OMEGA - OMEGA.mean()) / strength
    fastest = np.arange(N) == np.argmax(np.abs(away))
    grid, found = np.max(np.abs(away)) * (1 + np.geomspace(1e-13, 30.0, 5000)), []
    for back in (np.zeros(N, dtype=bool), fastest):

        def balance(r, back=back):
            roots = np.sqrt(np.maximum(1 - (away / r) ** 2, 0.0))
            return np.mean(np.where(back, -roots, roots)) - r

        values = np.array([balance(r) for r in grid])
        for k in np.flatnonzero(values[:-1] * values[1:] < 0):
            r = brentq(balance, grid[k], grid[k + 1], xtol=1e-16)
            angle = np.arcsin(np.clip(away / r, -1, 1))
            found.append((r, np.where(back, np.pi - angle, angle)))
    return [phases for _, phases in sorted(found, key=lambda one: -one[0])]


def test_unstable_states_keep_their_index(monkeypatch):
    """Antipodal clusters of equal oscillators: eigenvalues −s and s, s = 1 − 2k/n, as often as the clusters are large."""
    taken_apart(monkeypatch)
    for k in (7, 100):
        spectrum = stability(ip.PhaseModel(SIN), np.where(np.arange(N) < k, np.pi, 0.0))
        assert (spectrum.unstable, spectrum.neutral, spectrum.stable) == (k, 0, False)
        assert spectrum.eigenvalues[0].real == pytest.approx(1.0, abs=1e-12)
        assert spectrum.eigenvalues[1:].real == pytest.approx(np.full(5, 1 - 2 * k / N), abs=1e-12)


def test_neutral_directions_are_counted_and_not_only_the_leading_ones(monkeypatch):
    """In the splay state all but the first mode are neutral."""
    taken_apart(monkeypatch)
    spectrum = stability(ip.PhaseModel(SIN), ip.initial.splay(N))
    assert len(spectrum.eigenvalues) == 6 and not spectrum.complete
    assert (spectrum.unstable, spectrum.neutral, spectrum.stable) == (2, N - 3, False)
    turned = stability(ip.PhaseModel(-SIN), ip.initial.splay(N))
    assert (turned.unstable, turned.neutral, turned.stable) == (0, N - 3, None)


def test_singular_newton_steps_end_as_well():
    """Balanced states of equal oscillators: D = 0, and what is left has rank 2."""
    start = ip.initial.splay(N) + 1e-4 * rng(1).normal(size=N)
    system = Locked(ip.PhaseModel(SIN), N)
    assert system.factored
    root = solve(system, start, limit=1e-12)
    assert root is not None and abs(np.exp(1j * root[0]).mean()) < 1e-12
    assert np.max(np.abs(root[0] - start)) < 0.1


def test_sparse_and_small_models_keep_their_ways():
    assert not Locked(ip.PhaseModel(SIN), 3).factored
    assert not Locked(ip.PhaseModel(SIN, ip.Ring(1)), 2000).factored


def test_symmetries_are_known_without_a_matrix():
    """Relabellings of many oscillators in mean fields: none is formed of 10^10 numbers."""
    n = 100_000
    angle = 2 * np.pi * np.arange(n) / n
    waves = np.column_stack([np.cos(angle), np.sin(angle)])
    for coupling, name in (
        (ip.AllToAll(), "all"),
        (ip.LowRank(waves, waves), "shifts and reflections"),
        (ip.LowRank(waves, waves[:, ::-1]), "none"),
        (ip.RankOne(np.ones(n), rng(1).random(n) / n), "none"),
    ):
        system = Locked(ip.PhaseModel(SIN, coupling), n)
        assert DistinctStates(system, ("all", "shifts and reflections")).symmetry == name


@pytest.mark.parametrize(("f", "n"), [(3 * SIN, 100_000), (3 * ip.sakaguchi(0.2), 20_000)])
def test_many_oscillators_in_seconds(f, n):
    omega = rng(0).normal(0, 0.3, n)
    many = ip.PhaseModel(f, frequencies=omega)
    state = nearest(many, np.arcsin((omega - omega.mean()) / 3), within=2.0)
    assert state is not None and state.stable and (state.index, state.neutral) == (0, 0)
    assert state.residual < 1e-12 and len(state.eigenvalues) == 6 and classify(state.phases) == state.name
    assert state.eigenvalue_error < 1e-9 and can_polish(many, n)


@pytest.mark.parametrize("coupling", [ip.AllToAll(), ip.RankOne(np.zeros(N), np.ones(N))])
def test_oscillators_that_do_not_interact(coupling, monkeypatch):
    """Of rank zero, or next to it: all are neutral, or each is held by its field."""
    taken_apart(monkeypatch)
    free = stability(ip.PhaseModel(0 * SIN, coupling), rng(0).uniform(0, 6, N))
    assert (free.unstable, free.neutral, free.stable) == (0, N - 1, None)
    held = stability(ip.PhaseModel(0 * SIN, coupling, field=-np.linspace(1, 2, N)), np.zeros(N))
    assert held.stable and held.eigenvalues.real == pytest.approx(-np.linspace(1, 2, N)[:6], abs=1e-12)


def test_a_chain_of_near_phases_is_no_cluster_and_names_stay_short():
    """Among very many oscillators of a continuous density neighbors are closer than the tolerance of names."""
    chain = np.linspace(0, 0.5, 1_000_000)
    assert classify(chain) == "cohesive"
    sizes = np.arange(1, 60) + 1
    name = classify(np.repeat(np.linspace(0, 6, 59), sizes))
    assert name.startswith("59 clusters (60+59+58+") and name.endswith("+41+...)") and len(name) < 90


def test_who_can_be_polished():
    assert can_polish(ip.PhaseModel(SIN), 1_000_000) and can_polish(ip.PhaseModel(SIN, ip.Ring(1)), 5000)
    assert not can_polish(ip.PhaseModel(SIN, ip.Ring(1)), 100_000)
    assert not can_polish(ip.PhaseModel(SIN, noise=1.0), 10) and not can_polish(ip.PhaseModel(SIN), 1)
    assert not can_polish(ip.PhaseModel(SIN, gain=lambda x: 1 + 0 * x), 10)
    assert not can_polish(ip.PhaseModel(SIN, inertia=1.0), 100_000)
    wide = ip.LowRank(np.ones((20_000, 8)), np.ones((20_000, 8)))
    assert can_polish(ip.PhaseModel(SIN, wide), 20_000)
    assert not can_polish(ip.PhaseModel(ip.attention(9.0), wide), 20_000)


def test_systems_are_solved_right_of_the_diagonal_alone():
    diagonal, column = rng(5).uniform(-1, 1, 20), rng(6).normal(size=(20, 1))
    matrix = DiagonalPlusLowRank(diagonal, column, column)
    right = rng(7).normal(size=20)
    dense = 30.0 * np.eye(20) - np.diag(diagonal) - column @ column.T
    assert matrix.solver(30.0)(right) == pytest.approx(np.linalg.solve(dense, right))
    for shift in (float(diagonal.max()), 0.0):
        with pytest.raises(np.linalg.LinAlgError, match="below the diagonal's maximum"):
            matrix.solver(shift)
