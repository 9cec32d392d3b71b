"""Equilibria: states that are known exactly, spectra by other
means, and basins against theory and another integrator.
"""

from pathlib import Path

import numpy as np
import pytest
from scipy import linalg, sparse, stats
from scipy.integrate import solve_ivp

import inphase as ip
import zoo
from inphase.equilibria import Equilibrium, basins, classify, find, locked_velocity, stability
from inphase.equilibria.locked import Locked
from inphase.theory import locking_coupling

SIN = ip.kuramoto()
GRID = Path(__file__).parents[1].parent / "shared" / "data" / "graphs" / "us_power_grid.gml"


def random_graph(n, density, seed):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((n, n)) < density, 1)
    upper[np.arange(n - 1), np.arange(1, n)] = True  # connected
    return (upper + upper.T).astype(float)


def finite_difference(model, phases, step=1e-6):
    """The Jacobian from the double sum of the zoo."""
    unit = step * np.eye(len(phases))
    columns = [(zoo.velocity(model, phases + e) - zoo.velocity(model, phases - e)) / (2 * step) for e in unit]
    return np.array(columns).T


def off_zero(eigenvalues, count=1):
    """Without the ones closest to 0: what is left of a spectrum off the rotation; by descending real part."""
    kept = np.asarray(eigenvalues)[np.argsort(np.abs(eigenvalues))[count:]]
    return kept[np.argsort(-kept.real)]


# --------------------------------------------------------------------------------------------- twisted states


@pytest.mark.parametrize("n", range(5, 21))
def test_twisted_states_of_a_ring_are_stable_exactly_below_a_quarter(n):
    model = ip.PhaseModel(SIN, ip.Ring(1))
    for q in range(n // 2 + 1):
        spectrum = stability(model, ip.initial.twisted(n, winding=q))
        exact = np.sort(-2 * np.cos(2 * np.pi * q / n) * (1 - np.cos(2 * np.pi * np.arange(1, n) / n)))[::-1]
        assert (
            np.all(np.abs(spectrum.eigenvalues - exact) <= spectrum.errors)
            and np.max(spectrum.errors) < 1e-12
        )
        if 4 * q == n:
            assert spectrum.stable is None and spectrum.neutral == n - 1
        else:
            assert spectrum.stable is (4 * q < n) and spectrum.unstable == np.count_nonzero(exact > 1e-9)


@pytest.mark.parametrize("n", [5, 9, 14])
def test_a_search_on_a_ring_finds_every_twisted_state_once(n):
    found = find(ip.PhaseModel(SIN, ip.Ring(1)), n, starts=30)
    twisted = [state for state in found if state.name.endswith("-twisted")]
    assert sorted(state.name for state in twisted) == sorted(f"{q}-twisted" for q in range(1, n // 2 + 1))
    assert {state.name for state in found.stable} == {"synchronized"} | {
        f"{q}-twisted" for q in range(1, n) if 4 * q < n
    }
    assert found.relabelling == "shifts and reflections"
    both = find(ip.PhaseModel(SIN, ip.Ring(1)), n, starts=0, relabel=False)
    assert {"1-twisted", "-1-twisted"} <= {state.name for state in both}


# ------------------------------------------------------------------------------------------------- all-to-all


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_all_to_all_kuramoto_has_synchrony_two_clusters_and_balanced_states(n):
    """Σ_j sin(θ_i − θ_j) = 0 for all i: R = 0, or every phase is that of R or opposite."""
    found = find(ip.PhaseModel(SIN), n, starts=60)
    names = {state.name for state in found if not state.neutral and state.order_parameter > 1e-6}
    assert names == {"synchronized"} | {f"antipodal ({n - k}+{k})" for k in range(1, n // 2 + 1) if 2 * k < n}
    assert [state.name for state in found.stable] == ["synchronized"]
    for state in found:
        assert state.residual < 1e-15 and state.phases[0] == 0
        if state.order_parameter < 1e-9 and n > 3:
            assert state.neutral >= n - 3
        elif state.name.startswith("antipodal") and 2 * min(sizes(state.name)) < n:
            k, s = min(sizes(state.name)), 1 - 2 * min(sizes(state.name)) / n
            exact = [-s] * (n - k - 1) + [s] * (k - 1)
            assert len(state.eigenvalues) == n - 1 and state.index == k
            values = state.eigenvalues.real
            assert all(np.min(np.abs(values - value)) < 1e-12 for value in exact)
    assert sum(found.hits) + found.failed >= 60


def iterate(monkeypatch):
    """Treat small models as large sparse ones are."""
    monkeypatch.setitem(stability.__globals__, "WHOLE_SPECTRUM_UP_TO", 100)
    monkeypatch.setitem(locked_velocity.__globals__, "DENSE_JACOBIAN_BELOW", 0)


def sizes(name):
    return [int(size) for size in name.split("(")[1].rstrip(")").split("+")]


def test_attraction_becomes_repulsion():
    """−f has the same equilibria with the eigenvalues' signs turned."""
    for state in find(ip.PhaseModel(SIN), 3, starts=20):
        turned = stability(ip.PhaseModel(-SIN), state.phases)
        assert turned.eigenvalues == pytest.approx(-state.eigenvalues[::-1], abs=1e-14)


def test_softmax_gain_has_the_equilibria_of_the_plain_model():
    """They differ by a positive factor per oscillator: the
    same states, the same number of unstable directions.
    """
    plain = find(ip.PhaseModel(ip.attention(3.0)), 4, starts=40)
    normal = find(ip.PhaseModel(ip.attention(3.0), gain="softmax"), 4, starts=40)
    isolated = [{(s.name, s.index) for s in found if not s.neutral} for found in (plain, normal)]
    assert isolated[0] == isolated[1] and len(isolated[0]) >= 3
    for state in normal:
        model = ip.PhaseModel(ip.attention(3.0), gain="softmax")
        exact = off_zero(np.linalg.eigvals(finite_difference(model, state.phases)))
        assert np.sort(state.eigenvalues.real) == pytest.approx(np.sort(exact.real), abs=1e-7)


# ---------------------------------------------------------------------------------------- unequal oscillators


@pytest.mark.parametrize("n", [3, 5, 8])
def test_locked_states_exist_above_the_locking_coupling_and_not_below(n):
    omega = np.random.default_rng(n).normal(0.3, 1.0, n)
    critical = locking_coupling(omega)
    below = find(ip.PhaseModel(0.98 * critical * SIN, frequencies=omega), starts=15)
    assert len(below) == 0 and below.failed >= 15
    above = find(ip.PhaseModel(1.02 * critical * SIN, frequencies=omega), starts=15)
    assert len(above.stable) == 1 and above.relabelling == "none"
    state = above.stable[0]
    assert state.frequency == pytest.approx(np.mean(omega), abs=1e-13)
    assert state.name in ("cohesive", "half circle") or n == 3
    model = ip.PhaseModel(1.02 * critical * SIN, frequencies=omega)
    assert zoo.velocity(model, state.phases) == pytest.approx(np.full(n, state.frequency), abs=1e-12)
    r = state.order_parameter  # ω_i − mean = K r sin(θ_i − ψ)
    psi = np.angle(np.exp(1j * state.phases).mean())
    assert 1.02 * critical * r * np.sin(state.phases - psi) == pytest.approx(omega - omega.mean(), abs=1e-12)


def test_sakaguchi_in_phase_state_turns_and_flips_at_a_right_angle():
    for lag in (0.4, 1.2, 1.9):
        found = find(ip.PhaseModel(ip.sakaguchi(lag), frequencies=1.5), 4, starts=20)
        state = next(s for s in found if s.name == "synchronized")
        assert state.frequency == pytest.approx(1.5 - ip.sakaguchi(lag)(0.0), abs=1e-14)
        assert state.stable is (lag < np.pi / 2)
        assert state.eigenvalues.real == pytest.approx(np.full(3, -np.cos(lag)), abs=1e-14)


def test_a_field_pins_the_phases():
    """One oscillator, dθ/dt = ω + b sin θ: sin θ = −ω/b, stable where b cos θ < 0."""
    found = find(ip.PhaseModel(SIN, frequencies=0.3, field=0.5), 1, starts=10)
    assert [state.stable for state in found] == [True, False]
    for state in found:
        assert np.sin(state.phases[0]) == pytest.approx(-0.6, abs=1e-12) and state.frequency == 0
        assert state.eigenvalues == pytest.approx([0.5 * np.cos(state.phases[0])], abs=1e-12)
    assert len(find(ip.PhaseModel(SIN, frequencies=0.6, field=0.5), 1, starts=10)) == 0


# ----------------------------------------------------------------------------------------------------- graphs


@pytest.mark.parametrize(("kind", "seed"), [(ip.Dense, 1), (ip.Sparse, 1), (ip.Dense, 2)])
def test_equilibria_of_random_graphs_against_finite_differences(kind, seed):
    n, rng = 9, np.random.default_rng(seed)
    model = ip.PhaseModel(SIN, kind(random_graph(n, 0.4, seed)), frequencies=rng.normal(0, 0.1, n))
    found = find(model, starts=45, seed=seed)
    assert len(found) > 10 and len(found.stable) >= 1
    for state in found:
        assert np.max(np.abs(zoo.velocity(model, state.phases) - state.frequency)) <= 1e-12
        exact = off_zero(np.linalg.eigvals(finite_difference(model, state.phases)))
        assert np.sort(state.eigenvalues.real) == pytest.approx(np.sort(exact.real), abs=1e-7)
        assert state.index == np.count_nonzero(exact.real > 1e-6) and state.stable is bool(exact[0].real < 0)


def test_large_sparse_searches_find_the_same_states(monkeypatch):
    """Levenberg's and Newton's steps by sparse factors."""
    model = ip.PhaseModel(
        SIN, ip.Sparse(random_graph(9, 0.4, 1)), frequencies=np.random.default_rng(1).normal(0, 0.1, 9)
    )
    usual = find(model, starts=10)
    monkeypatch.setitem(locked_velocity.__globals__, "DENSE_JACOBIAN_BELOW", 0)
    again = find(model, starts=10)
    assert len(again) >= 0.8 * len(usual) and again[0].residual < 1e-13
    for state in again:
        nearest = min(usual, key=lambda s: np.max(np.abs(np.angle(np.exp(1j * (s.phases - state.phases))))))
        if np.max(np.abs(np.angle(np.exp(1j * (nearest.phases - state.phases))))) < 1e-6:
            assert nearest.index == state.index and state.residual < 1e-12
    assert again[0].phases == pytest.approx(usual[0].phases, abs=1e-12)


def test_directed_graphs_have_complex_spectra():
    """The one-way ring: eigenvalues e^{2πik/n} − 1."""
    n = 7
    matrix = np.roll(np.eye(n), 1, axis=1)
    spectrum = stability(ip.PhaseModel(SIN, ip.Dense(matrix)), np.zeros(n))
    exact = off_zero(np.exp(2j * np.pi * np.arange(n) / n) - 1)
    assert np.sort_complex(spectrum.eigenvalues) == pytest.approx(np.sort_complex(exact), abs=1e-13)
    assert spectrum.stable is True and spectrum.method == "dense"


def test_a_disconnected_graph_is_undecided():
    matrix = linalg.block_diag(random_graph(4, 0.5, 0), random_graph(3, 0.5, 0))
    spectrum = stability(ip.PhaseModel(SIN, ip.Sparse(matrix)), np.zeros(7))
    assert spectrum.stable is None and spectrum.unstable == 0 and spectrum.neutral == 1


@pytest.mark.parametrize("one_way", [False, True])
@pytest.mark.parametrize("at", ["synchrony", "saddle"])
def test_large_sparse_spectra_agree_with_dense_ones(one_way, at, monkeypatch):
    n = 250 if one_way else 500
    matrix = sparse.csr_array(random_graph(n, 4 / n, 3))
    if one_way:
        matrix = sparse.csr_array(sparse.triu(matrix) + 0.5 * sparse.tril(matrix))
    phases = np.zeros(n)
    phases[[7, 19, 100]] = np.pi if at == "saddle" else 0.0
    model = ip.PhaseModel(SIN, ip.Sparse(matrix))
    full = stability(model, phases)
    iterate(monkeypatch)
    part = stability(model, phases)
    assert ("Lanczos" in part.method) is not one_way and len(part.eigenvalues) == 6
    assert part.eigenvalues.real == pytest.approx(full.eigenvalues[:6].real, abs=1e-9)
    assert np.max(part.errors) < 1e-9 and part.stable is full.stable is (at == "synchrony")
    assert part.unstable == full.unstable


def test_all_unstable_directions_are_counted_by_pivots(monkeypatch):
    iterate(monkeypatch)
    phases = np.where(np.arange(120) % 3 == 0, np.pi, 0.0)
    model = ip.PhaseModel(SIN, ip.Sparse(random_graph(120, 0.05, 4)))
    exact = np.count_nonzero(np.linalg.eigvalsh(model.jacobian(phases)) > 1e-9)
    spectrum = stability(model, phases)
    assert exact > 6 and spectrum.unstable == exact and len(spectrum.eigenvalues) == 6


@pytest.mark.skipif(not GRID.exists(), reason="the graph files are not here")
def test_synchrony_of_the_power_grid_decays_with_the_algebraic_connectivity():
    networkx = pytest.importorskip("networkx")
    adjacency = networkx.to_scipy_sparse_array(networkx.read_gml(GRID, label="id"), dtype=float)
    n = adjacency.shape[0]
    spectrum = stability(ip.PhaseModel(SIN, ip.Sparse(adjacency)), np.zeros(n))
    laplacian = sparse.csgraph.laplacian(sparse.csr_matrix(adjacency)).tocsc()
    smallest = np.sort(sparse.linalg.eigsh(laplacian, 4, sigma=-1e-5, which="LM")[0])
    assert n == 4941 and spectrum.stable is True
    assert spectrum.eigenvalues[:3].real == pytest.approx(-smallest[1:], rel=1e-8)
    assert np.all(np.abs(spectrum.eigenvalues[:3].real + smallest[1:]) <= spectrum.errors[:3] + 1e-11)


# ---------------------------------------------------------------------------------------------------- inertia


def test_inertia_keeps_the_states_and_solves_the_quadratic_problem():
    """m λ² + d λ + μ = 0 for each eigenvalue −μ of the first-order model with d = 1."""
    m, d = 2.0, 0.3
    matrix = random_graph(6, 0.5, 5)
    swing = ip.PhaseModel(SIN, ip.Dense(matrix), inertia=m, damping=d)
    for state in find(swing, starts=20):
        mu = np.linalg.eigvalsh(finite_difference(ip.PhaseModel(SIN, ip.Dense(matrix)), state.phases))
        roots = np.concatenate([np.roots([m, d, -value]) for value in mu])
        exact = off_zero(roots)
        assert np.sort_complex(state.eigenvalues.round(6)) == pytest.approx(
            np.sort_complex(exact.round(6)), abs=3e-5
        )
        assert state.index == np.count_nonzero(mu > 1e-6)


def test_oscillators_with_and_without_inertia_mix():
    """Against the generalized problem of (θ, v) with all masses, those of the light ones tiny."""
    n, damping = 5, np.array([1.0, 0.5, 2.0, 1.5, 0.7])
    mass = np.array([0.0, 1.0, 0.0, 3.0, 0.5])
    model = ip.PhaseModel(SIN, ip.Dense(random_graph(n, 0.6, 6)), inertia=mass, damping=damping)
    mixed = stability(model, np.zeros(n))
    torque = -np.diag(random_graph(n, 0.6, 6).sum(axis=1)) + random_graph(n, 0.6, 6)
    left = np.block([[np.zeros((n, n)), np.eye(n)], [torque, -np.diag(damping)]])
    values = linalg.eigvals(left, linalg.block_diag(np.eye(n), np.diag(mass)))
    exact = off_zero(values[np.isfinite(values) & (np.abs(values) < 1e8)])
    assert np.sort_complex(mixed.eigenvalues) == pytest.approx(np.sort_complex(exact), abs=1e-10)
    assert mixed.stable is True and len(mixed.eigenvalues) == 2 * n - 1 - 2


# ----------------------------------------------------------------------------------------------------- delays


@pytest.mark.parametrize("gain", [None, "softmax"])
@pytest.mark.parametrize("delays", ["scalar", "sender", "pair"])
def test_locked_velocity_and_its_derivatives(delays, gain):
    n, rng = 5, np.random.default_rng(0)
    tau = {"scalar": 0.7, "sender": rng.random(n), "pair": rng.random((n, n))}[delays]
    matrix = random_graph(n, 0.7, 1) + np.eye(n)
    f, phases, omega = ip.attention(1.5), rng.uniform(0, 6, n), 0.8
    model = ip.PhaseModel(f, ip.Dense(matrix), gain=gain, frequencies=rng.normal(size=n), delays=tau)
    gaps = phases[:, None] - phases + omega * np.broadcast_to(tau, (n, n))
    force = (matrix * f(gaps)).sum(axis=1)
    if gain:
        force /= (matrix * f.profile(gaps)).sum(axis=1)
    assert locked_velocity(model, phases, omega) == pytest.approx(model.frequencies - force, abs=1e-13)
    if delays != "pair":  # the other way: what is heard has turned back
        heard = phases - omega * np.broadcast_to(tau, n)
        other = model.flow(phases, np.empty(n), sources=heard)
        assert locked_velocity(model, phases, omega) == pytest.approx(other, abs=1e-13)
    system, h = Locked(model, n), 1e-6
    jacobian, column = system.jacobian(phases, omega)
    slopes = [
        (system.residual(phases + e, omega) - system.residual(phases - e, omega)) / (2 * h)
        for e in h * np.eye(n)
    ]
    assert jacobian == pytest.approx(np.array(slopes).T, abs=1e-8)
    turn = (system.residual(phases, omega + h) - system.residual(phases, omega - h)) / (2 * h)
    assert column == pytest.approx(turn, abs=1e-8)


def test_two_delayed_oscillators_lock_where_theory_says():
    """In phase: Ω = ω − K sin Ωτ, stable exactly where K cos
    Ωτ > 0 (Earl and Strogatz 2003); all branches are found.
    """
    strength, tau, omega = 2.0, 3.0, 1.0
    model = ip.PhaseModel(strength * SIN, ip.Dense([[0, 1], [1, 0]]), frequencies=omega, delays=tau)
    grid = np.linspace(omega - 2.5, omega + 2.5, 20001)
    values = omega - strength * np.sin(grid * tau) - grid
    exact = grid[:-1][values[:-1] * values[1:] < 0]
    found = find(model, starts=10)
    in_phase = [s for s in found if s.name == "synchronized"]
    assert len(in_phase) == len(exact) >= 3
    for state in in_phase:
        assert np.min(np.abs(exact - state.frequency)) < 5e-4
        assert omega - strength * np.sin(state.frequency * tau) == pytest.approx(state.frequency, abs=1e-11)
        assert state.stable is bool(np.cos(state.frequency * tau) > 0)


def test_delayed_spectra_are_lambert_functions():
    """λ + D = σ e^{−λτ} on a graph of equal degrees: λ = −D + W_0(σ τ e^{Dτ})/τ are the rightmost."""
    from scipy.special import lambertw

    n, tau = 5, 0.8
    model = ip.PhaseModel(SIN, ip.Ring(1), delays=tau)
    for phases in (np.zeros(n), ip.initial.twisted(n, winding=1)):
        slope = np.cos(phases[1] - phases[0])
        sigma = 2 * slope * np.cos(2 * np.pi * np.arange(1, n) / n)
        exact = np.array(
            [
                lambertw(s * tau * np.exp(2 * slope * tau), k) / tau - 2 * slope
                for s in sigma
                for k in (-1, 0, 1)
            ]
        )
        more = [lambertw(2 * slope * tau * np.exp(2 * slope * tau), k) / tau - 2 * slope for k in (-1, 1)]
        exact = np.concatenate([exact, more])
        exact = exact[np.argsort(-exact.real)][:4]
        spectrum = stability(ip.PhaseModel(SIN, ip.Dense(model.coupling.matrix(n)), delays=tau), phases, 0.0)
        assert spectrum.eigenvalues[:4].real == pytest.approx(exact.real, abs=1e-9)
        assert np.all(np.abs(spectrum.eigenvalues[:4].real - exact.real) <= spectrum.errors[:4] + 1e-9)
        assert spectrum.stable is True


def test_delays_with_inertia_are_undecided():
    state = find(ip.PhaseModel(SIN, delays=0.2, inertia=1.0), 3, starts=0)[0]
    assert state.stable is None and state.index is None and len(state.eigenvalues) == 0


# ------------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("phases", "ring", "name"),
    [
        ([1.0], False, "synchronized"),
        ([1.0, 1.0 + 2 * np.pi], False, "synchronized"),
        (ip.initial.twisted(10, winding=-3) + 1, True, "-3-twisted"),
        (ip.initial.twisted(10, winding=5), True, "5-twisted"),
        (ip.initial.twisted(10, winding=5), False, "antipodal (5+5)"),
        (ip.initial.splay(6)[[3, 1, 5, 0, 2, 4]] + 0.3, False, "splay"),
        (ip.initial.splay(6)[[3, 1, 5, 0, 2, 4]] + 0.3, True, "splay"),
        ([0.0, 2.0], False, "2 clusters (1+1)"),
        ([0, 2, 4, 0, 2, 4, 0], False, "3 clusters (3+2+2)"),
        ([0, 0.3, np.pi, np.pi + 0.3, 1.0, np.pi + 1.0], False, "balanced"),
        ([0.0, 0.3, 0.9], False, "cohesive"),
        ([0.0, 0.3, 1.57], False, "cohesive"),
        ([0.0, 0.3, 1.58], False, "half circle"),
        ([0.0, 1.0, 3.1], False, "half circle"),
        ([0.0, 0.3, 2.0, 4.0], False, "other"),
    ],
)
def test_names_of_states(phases, ring, name):
    assert classify(phases, ring=ring) == name


def test_a_chimera_has_a_smooth_and_a_rough_part():
    n = 200
    wave = 0.3 * np.sin(2 * np.pi * np.arange(n) / n)
    rough = wave.copy()
    rough[60:140] = np.random.default_rng(0).uniform(0, 2 * np.pi, 80)
    assert classify(rough, ring=True) == "chimera-like" and classify(rough) == "other"
    everywhere = np.random.default_rng(0).uniform(0, 2 * np.pi, n)
    defect = ip.initial.twisted(n, winding=2) + wave
    defect[5] += 2.0
    assert classify(everywhere, ring=True) == classify(defect, ring=True) == "other"


# ----------------------------------------------------------------------------------------------------- basins


def test_two_oscillators_with_two_harmonics_have_basins_known_exactly():
    """d' = −2 (sin d + a sin 2d)/2: in phase for |d| < arccos(−1/(2a)), antipodal else."""
    a = 1.5
    exact = np.arccos(-1 / (2 * a)) / np.pi
    found = basins(ip.PhaseModel(ip.harmonics(sin=[1.0, a])), 2, samples=1500, confidence=0.999)
    shares = found.set_index(state="name").sel(state="synchronized")
    assert shares.low < exact < shares.high and float(shares.high - shares.low) < 0.1
    assert found["count"].sum() == 1500 and found.name.values.tolist() == ["synchronized", "antipodal (1+1)"]
    k = int(shares["count"])
    assert float(shares.low) == pytest.approx(stats.beta.ppf(0.0005, k, 1500 - k + 1), rel=1e-9)
    assert float(shares.high) == pytest.approx(stats.beta.ppf(0.9995, k + 1, 1500 - k), rel=1e-9)


def test_each_start_ends_where_another_integrator_takes_it():
    n, samples = 12, 20
    model = ip.PhaseModel(SIN, ip.Ring(1))
    found = basins(model, n, samples=samples, seed=3, replicas_at_once=7)
    other = basins(model, n, samples=samples, seed=3)
    assert found["count"].values.tolist() == other["count"].values.tolist()
    starts = ip.initial.phases("uniform", n, seed=3, replicas=samples)
    ends = [
        solve_ivp(lambda t, y: zoo.velocity(model, y), (0, 60), row, rtol=1e-8, atol=1e-8).y[:, -1]
        for row in starts
    ]
    windings, counts = np.unique(ip.observables.winding_number(np.array(ends)), return_counts=True)
    assert dict(zip(found.winding_number.values, found["count"].values)) == dict(zip(windings, counts))
    assert "undecided" not in found.name.values


def test_a_model_without_locked_states_is_undecided():
    found = basins(ip.PhaseModel(SIN, frequencies=[0.0, 5.0]), samples=10, t_end=20.0)
    assert found.name.values.tolist() == ["undecided"] and found.fraction.values.tolist() == [1.0]


def gaussian(samples, seed):
    """Counts of winding numbers of a ring of 80, their mean
    and deviation, and the chi-square test against a Gaussian.
    """
    found = basins(ip.PhaseModel(SIN, ip.Ring(1)), 80, samples=samples, seed=seed)
    assert set(found.name.values) <= {"synchronized"} | {f"{q}-twisted" for q in range(-19, 20)}
    q = np.repeat(found.winding_number.values, found["count"].values)
    width = np.std(q, ddof=1)
    edges = np.arange(-2.5, 3.0)
    expected = samples * np.diff(np.concatenate([[0], stats.norm.cdf(edges, 0, width), [1]]))
    seen = np.histogram(q, np.concatenate([[-np.inf], edges, [np.inf]]))[0]
    return q, width, stats.chisquare(seen, expected, ddof=1).pvalue


def test_winding_numbers_of_a_ring_of_80_are_gaussian():
    """Wiley, Strogatz, Girvan (2006): Gaussian about 0, as wide as about 0.2 sqrt(n)."""
    q, width, p = gaussian(100, seed=0)
    assert abs(np.mean(q)) < 4 * width / np.sqrt(len(q))
    assert 0.15 < width / np.sqrt(80) < 0.25 and p > 1e-3


@pytest.mark.long
def test_winding_numbers_of_many_rings_of_80_are_gaussian():
    q, width, p = gaussian(3000, seed=1)
    assert abs(np.mean(q)) < 4 * width / np.sqrt(len(q))
    assert 0.17 < width / np.sqrt(80) < 0.22 and p > 1e-3


# ------------------------------------------------------------------------------------------------------ doors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: find(ip.PhaseModel(SIN)), "n must be given"),
        (lambda: find(ip.PhaseModel(SIN, frequencies=[0.0, 1.0]), 3), "n must be 2"),
        (lambda: find(ip.PhaseModel(SIN), 3, starts=-1), "starts must be an integer >= 0"),
        (lambda: find(ip.PhaseModel(SIN), 3, guesses=[0.0, 1.0]), "guesses must have shape"),
        (lambda: find(ip.PhaseModel(SIN), 3, tolerance=0), "tolerance must be a positive"),
        (lambda: find(ip.PhaseModel(SIN, gain=lambda x: 1 + 0 * x), 3), "equilibria need a gain"),
        (lambda: stability(ip.PhaseModel(SIN), [[0.0, 1.0]]), "phases must have shape"),
        (lambda: stability(ip.PhaseModel(SIN), [0.0, np.nan]), "phases must be finite"),
        (lambda: stability(ip.PhaseModel(SIN), [0.0, 1.0], leading=0), "leading must be"),
        (lambda: classify([]), "phases must have shape"),
        (lambda: classify([0.0], tolerance=-1), "tolerance must be a positive"),
        (lambda: basins(ip.PhaseModel(SIN, noise=1.0), 3), "basins needs a model without"),
        (lambda: basins(ip.PhaseModel(SIN), 3, confidence=1.0), "confidence must be below 1"),
        (lambda: basins(ip.PhaseModel(SIN), 3, samples=0), "samples must be"),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_equilibrium_is_json():
    import json

    found = find(ip.PhaseModel(SIN), 3, starts=5)
    data = json.loads(json.dumps(found.to_dict()))
    assert isinstance(found[0], Equilibrium) and len(data["equilibria"]) == len(found) == 3
    assert data["equilibria"][0]["stable"] is True and sum(e["hits"] for e in data["equilibria"]) == sum(
        found.hits
    )


def test_what_is_not_known_is_null_in_json():
    import json

    alone = find(ip.PhaseModel(SIN), 1, starts=2)
    assert np.isnan(alone[0].eigenvalue_error)
    data = json.loads(json.dumps(alone.to_dict(), allow_nan=False))
    assert data["equilibria"][0]["eigenvalue_error"] is None and data["interrupted"] is False


# ------------------------------------------------------------------------------------------------ real graphs


def starts_of(model, n):
    return sum(find(model, n, starts=0).hits) + find(model, n, starts=0).failed


def test_named_starts_are_only_where_symmetry_makes_them_states():
    graph = random_graph(12, 0.3, 0)
    assert starts_of(ip.PhaseModel(SIN, ip.Dense(graph)), 12) == 1
    assert starts_of(ip.PhaseModel(SIN, frequencies=np.linspace(-0.1, 0.1, 12)), 12) == 1
    assert starts_of(ip.PhaseModel(SIN, ip.Ring(1)), 12) == 1 + 11
    assert starts_of(ip.PhaseModel(SIN), 12) == 1 + 11 + 6
    assert starts_of(ip.PhaseModel(SIN, ip.Dense(np.ones((450, 450)) / 450)), 450) == 1 + 10 + 5


@pytest.mark.parametrize("named", [("c_elegans_neural", 0.1), ("us_power_grid", 10.0)])
def test_searches_of_real_graphs_end_soon(named):
    name, strength = named
    file = GRID.with_name(f"{name}.gml")
    if not file.exists():
        pytest.skip("the graph files are not here")
    found = find(ip.PhaseModel(strength * SIN, ip.Sparse(ip.graphs.read(file).matrix)), starts=1)
    assert found[0].name == "synchronized" and found[0].index == 0
    assert sum(found.hits) + found.failed == 2


def test_an_interrupted_search_returns_what_it_found(monkeypatch):
    from inphase.equilibria import search

    real, calls = search.solve, []

    def interrupted(*arguments, **options):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(search, "solve", interrupted)
    found = find(ip.PhaseModel(SIN, ip.Ring(1)), 9, starts=10)
    assert found.status == "interrupted" and found.status.exit_code == 130
    assert found.interrupted and sum(found.hits) + found.failed == 5 and found.to_dict()["interrupted"]
    assert not find(ip.PhaseModel(SIN, ip.Ring(1)), 9, starts=0).interrupted


def test_progress_counts_the_starts(monkeypatch):
    import contextlib

    from inphase.equilibria import search

    seen = []

    @contextlib.contextmanager
    def bar(label, total, shown):
        seen.append((label, total, shown))
        yield seen.append

    monkeypatch.setattr(search, "progress_bar", bar)
    find(ip.PhaseModel(SIN, frequencies=[0.0, 0.1]), starts=2, progress=True)
    assert seen == [("find", 3, True), 1, 2, 3]


def test_small_matrices_have_one_thread_of_blas_and_others_are_given_back(monkeypatch):
    import threadpoolctl

    from inphase.equilibria import search

    def threads():
        return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]

    seen, real = [], search.solve
    monkeypatch.setattr(search, "solve", lambda *a, **k: (seen.append(threads()), real(*a, **k))[1])
    with threadpoolctl.threadpool_limits(limits=2, user_api="blas"):
        before = threads()
        find(ip.PhaseModel(SIN), 4, starts=0)
        assert threads() == before and seen and all(set(counts) == {1} for counts in seen)
