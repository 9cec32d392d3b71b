"""Couplings with phase lags: double sums, Sakaguchi's model,
states known exactly, and what must not be claimed of them.
"""

import json

import numpy as np
import pytest

import inphase as ip
import zoo
from inphase import certify, config, equilibria
from inphase.coupling import lagged
from inphase.coupling.catalog import named
from inphase.coupling.dense import Dense
from inphase.coupling.lagged import Lagged
from inphase.equilibria.polynomial import all_equilibria

SIN = ip.kuramoto()
SHAPES = {"pairs": (9, 9), "listeners": (9, 1), "heard": (1, 9), "one": ()}


def numbers(n=9, shape=None, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(n, n)) / n,
        rng.uniform(-7, 7, (n, n) if shape is None else shape),
        rng.uniform(-9, 9, (2, 3, n)),
    )


def double_sum(K, lags, f, phases, sources=None):
    gaps = phases[..., :, None] - (phases if sources is None else sources)[..., None, :]
    return (K * f(gaps + lags)).sum(axis=-1)


def bound(K, f):
    return 1e-12 * f.maximum * np.max(np.abs(K).sum(axis=1))


# ------------------------------------------------------------------------------------------------------- sums


@pytest.mark.parametrize("way", ["chosen", "by harmonics", "pair by pair", "pair by pair in parts"])
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_are_double_sums(shape, way, monkeypatch):
    """Several functions at once, replicas, sources that are
    not the phases, and results into arrays that are there.
    """
    K, alpha, (phases, sources) = numbers(shape=SHAPES[shape])
    if way != "chosen":
        whole = lagged.plan
        monkeypatch.setattr(lagged, "plan", lambda fs: whole(fs)._replace(by_edges=way != "by harmonics"))
        monkeypatch.setattr("inphase.coupling.summing.PAIRS_UP_TO", 0)
        monkeypatch.setattr(lagged, "PAIRS", 20 if way.endswith("parts") else 1000)
    for names in (
        ("kuramoto",),
        ("sakaguchi", "harmonics"),
        ("attention(25)", "with a mean", "odd harmonics"),
    ):
        functions = [zoo.interaction(name) for name in names]
        coupling = Lagged(K, alpha)
        for heard in (None, sources):
            out = [np.full(phases.shape, np.nan) for _ in functions]
            for found in (
                coupling.forces(functions, phases, sources=heard),
                coupling.forces(functions, phases, out, heard),
            ):
                for f, values in zip(functions, found):
                    assert np.max(np.abs(values - double_sum(K, alpha, f, phases, heard))) < bound(K, f)
            assert all(one is other for one, other in zip(found, out))


def test_many_pairs_with_many_harmonics_go_pair_by_pair(monkeypatch):
    """Where the matrices of all harmonics would not be held; they are not made."""
    K, alpha, (phases, _) = numbers()
    monkeypatch.setattr(lagged, "HELD", 100)
    f, coupling = zoo.interaction("harmonics"), Lagged(K, alpha)
    assert np.max(np.abs(coupling.forces([f], phases)[0] - double_sum(K, alpha, f, phases))) < bound(K, f)
    assert not coupling._turned
    coupling.forces([SIN], phases)  # one harmonic: always by two matrices
    assert len(coupling._turned) == 1


def test_sums_of_a_wide_interaction_are_relatively_accurate():
    K, alpha, f = np.abs(numbers()[0]), np.full((9, 9), 0.2), ip.attention(50.0)
    phases = np.where(np.arange(9) % 2, 0.0, 2.8) + 1e-3 * np.arange(9)
    K *= phases[:, None] - phases > 1  # who is far behind: f is 1e-43
    terms = K * f(phases[:, None] - phases + alpha)
    found = Lagged(K, alpha).forces([f], phases)[0]
    assert 0 < np.max(np.abs(terms)) < 1e-40
    assert np.all(np.abs(found - terms.sum(axis=1)) <= 1e-12 * np.abs(terms).sum(axis=1))


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_precision(precision):
    K, alpha, (phases, _) = numbers()
    for name in ("kuramoto", "attention(25)"):
        f, coupling = zoo.interaction(name), Lagged(K, alpha, precision)
        (found,) = coupling.forces([f], phases)
        assert found.dtype == np.float64 and coupling.array.dtype == coupling.lags.dtype == precision
        assert np.max(np.abs(found - double_sum(K, alpha, f, phases))) < (
            1e-12 if precision == "float64" else 1e-5
        )


@pytest.mark.parametrize("alpha", [0.4, -1.3, 2.5])
def test_one_lag_for_all_is_the_model_of_sakaguchi_and_kuramoto(alpha):
    """`ip.sakaguchi` is the same in a frame that turns by −sin α."""
    n, phases = 12, numbers(12)[2]
    omega = np.random.default_rng(1).normal(size=n)
    model = ip.PhaseModel(SIN, Lagged(np.full((n, n), 1 / n), alpha), frequencies=omega)
    known = ip.PhaseModel(ip.sakaguchi(alpha), ip.AllToAll(), frequencies=omega)
    assert np.allclose(model.velocity(phases), known.velocity(phases) - np.sin(alpha), atol=1e-13, rtol=0)
    assert np.allclose(model.jacobian(phases), known.jacobian(phases), atol=1e-13, rtol=0)
    plain = ip.PhaseModel(ip.Interaction("sin(x + lag)", lag=alpha), ip.AllToAll(), frequencies=omega)
    assert np.allclose(model.velocity(phases), plain.velocity(phases), atol=1e-13, rtol=0)


NAMES = ("kuramoto", "sakaguchi", "with a mean", "attention(2)", "attention(25)")
GAINS = [
    (name, gain)
    for name in NAMES
    for gain in (None, "softmax")
    if not gain or zoo.takes_softmax(zoo.interaction(name))
]


@pytest.mark.parametrize(("name", "gain"), GAINS)
def test_velocity_and_jacobian(name, gain):
    f = zoo.interaction(name)
    K, alpha, phases = np.abs(numbers()[0]), numbers()[1], numbers()[2][0, 0]
    model = ip.PhaseModel(f, Lagged(K, alpha), gain=gain, frequencies=K[0], field=0.3)
    force = double_sum(K, alpha, f, phases)
    force = force / double_sum(K, alpha, f.profile, phases) if gain else force
    size = 1 + np.max(np.abs(force))
    assert np.max(np.abs(model.velocity(phases) - (K[0] + 0.3 * np.sin(phases) - force))) < 1e-11 * size
    slopes = np.zeros((9, 9))
    for by, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
        slopes += weight * model.velocity(phases + by * 1e-4 * np.eye(9)).T / 12e-4
    assert np.max(np.abs(model.jacobian(phases) - slopes)) < 1e-6 * np.max(np.abs(slopes))


def test_sums_of_couplings():
    K, alpha, (phases, _) = numbers()
    f, both = zoo.interaction("harmonics"), 0.5 * Lagged(K, alpha) - Dense(K)
    exact = 0.5 * double_sum(K, alpha, f, phases) - double_sum(K, 0.0, f, phases)
    assert np.allclose(both.forces([f], phases)[0], exact, atol=1e-13)
    with pytest.raises(ValueError, match="phase lags"):
        both.matrix(9)


# ---------------------------------------------------------------------------------------- runs and equilibria


def test_two_oscillators_settle_at_their_lag():
    a = 0.7
    model = ip.PhaseModel(SIN, Lagged([[0, 1], [1, 0]], [[0, a], [-a, 0]]))
    end = ip.simulate(model, [0.0, 1.0], t_end=40.0, tolerance=1e-11).phase.values[-1]
    assert end[0] - end[1] == pytest.approx(-a, abs=1e-8)
    states = equilibria.find(model, 2, starts=8)
    gaps = sorted(float(np.angle(np.exp(1j * (state.phases[0] - state.phases[1])))) for state in states)
    assert gaps == pytest.approx([-a, np.pi - a], abs=1e-9)
    (stable,) = states.stable
    assert float(np.exp(1j * (stable.phases[0] - stable.phases[1])).real) == pytest.approx(np.cos(a))
    assert min(stable.eigenvalues.real) == pytest.approx(-2.0)


def test_equilibria_of_frustrated_oscillators():
    n, rng = 6, np.random.default_rng(3)
    K, alpha = rng.uniform(0.5, 1, (n, n)) / n, rng.normal(0, 0.4, (n, n))
    model = ip.PhaseModel(SIN, Lagged(K, alpha), frequencies=rng.normal(0, 0.1, n))
    states = equilibria.find(model, n, starts=10)
    assert states.stable and states.relabelling == "none"
    for state in states:
        force = double_sum(K, alpha, np.sin, state.phases)
        assert np.max(np.abs(model.frequencies - force - state.frequency)) < 1e-10
        off = K * np.cos(state.phases[:, None] - state.phases + alpha)  # the spectrum by hand
        np.fill_diagonal(off, 0.0)
        eigenvalues = np.linalg.eigvals(off - np.diag(off.sum(axis=1)))
        transverse = np.delete(eigenvalues, np.argmin(np.abs(eigenvalues)))  # without the rotation
        assert np.sort(transverse.real) == pytest.approx(np.sort(np.real(state.eigenvalues)), abs=1e-9)
    run = ip.simulate(model, 0.1 * rng.normal(size=n), t_end=60.0, tolerance=1e-10)
    speeds = model.velocity(run.phase.values[-1])
    assert min(abs(speeds.mean() - state.frequency) for state in states.stable) < 1e-6


def test_lags_undo_delays():
    """α_ij = −Ω τ_j: synchrony at ω = Ω is a state, and attracts; without lags delays drive phases apart."""
    n, rng = 8, np.random.default_rng(4)
    tau, K = 0.1 * rng.integers(0, 20, n), rng.exponential(0.6 / n, (n, n))
    model = ip.PhaseModel(SIN, Lagged(K, -3.0 * tau[None, :]), frequencies=3.0, delays=tau)
    start = 0.01 * rng.normal(size=n)
    apart = []
    for each in (model, model.replace(coupling=Dense(K))):
        end = ip.simulate(each, start, t_end=20.0, method="heun", step=0.1).phase.values[-1]
        apart.append(1 - abs(np.exp(1j * end).mean()))
    assert apart[0] < 1e-8 and apart[1] > 1e-3


# -------------------------------------------------------------------------------------------- what is claimed


def test_without_lags_it_is_its_matrix():
    K, _, (phases, _) = numbers()
    K += K.T
    plain, dense = Lagged(K, 0.0), Dense(K)
    assert np.array_equal(plain.matrix(9), K) and np.array_equal(plain.edges(9).toarray(), K)
    assert plain.symmetric and ip.PhaseModel(SIN, plain).is_gradient
    assert np.allclose(ip.PhaseModel(SIN, plain).energy(phases), ip.PhaseModel(SIN, dense).energy(phases))
    assert np.allclose(plain.forces([SIN], phases), dense.forces([SIN], phases), atol=1e-14)
    assert "Lagged" in certify.synchronization(ip.PhaseModel(SIN, plain)).statement


@pytest.mark.parametrize("alpha", ["antisymmetric", 0.3, 2 * np.pi])
def test_nothing_is_claimed_of_the_matrix_alone(alpha):
    """K is symmetric with equal positive entries, so that much would be claimed of it without lags."""
    n = 5
    K = np.ones((n, n)) - np.eye(n)
    lags = np.subtract.outer(np.arange(n), np.arange(n)) * 0.5 if alpha == "antisymmetric" else alpha
    coupling = Lagged(K, lags)
    model = ip.PhaseModel(SIN, coupling)
    assert (
        ip.PhaseModel(SIN, Dense(K)).is_gradient
        and certify.synchronization(ip.PhaseModel(SIN, Dense(K))).verdict == "proved"
    )
    assert not coupling.symmetric and not model.is_gradient
    proof = certify.synchronization(model)
    assert proof.verdict == "undecided" and "no theorem here is for the coupling Lagged" in proof.statement
    for claim in (coupling.matrix, coupling.edges):
        with pytest.raises(
            ValueError, match=r"a coupling with phase lags has no plain matrix K_ij; its \.array is K"
        ):
            claim(n)
    with pytest.raises(ValueError, match="energy needs a gradient flow"):
        model.energy(np.zeros(n))
    with pytest.raises(ValueError, match="phase lags"):
        all_equilibria(model, n)


@pytest.mark.parametrize("parts", [{}, {"frequencies": np.linspace(-0.1, 0.1, 5)}])
def test_a_study_has_no_proof_and_no_bounds(parts):
    """Phases near 0 are locked all the same: what the run says stays."""
    model = ip.PhaseModel(SIN, Lagged(np.full((5, 5), 0.2), np.linspace(0, 0.3, 25).reshape(5, 5)), **parts)
    evidence = ip.study(model, phases=0.1 * np.arange(5), t_end=60.0).summary["evidence"]
    assert not any(row["proof"] for row in evidence)
    assert {row["kind"] for row in evidence} <= {"spectrum", "experiment"}
    assert any("near a stable phase-locked state" in row["statement"] for row in evidence)


def test_what_it_says_of_itself():
    K, alpha, _ = numbers()
    coupling, positive = Lagged(K, alpha), Lagged(np.abs(K), alpha)
    assert coupling.size == 9 and not coupling.positive and positive.positive
    assert coupling.mean_strength(9) == pytest.approx(Dense(K).mean_strength(9), rel=1e-14)
    stored = json.loads(json.dumps(coupling.to_dict()))
    again = Lagged(stored["matrix"], stored["lags"], stored["precision"])
    assert stored["kind"] == "Lagged" and np.array_equal(again.array, K) and np.array_equal(again.lags, alpha)
    large = [Lagged(np.ones((101, 101)), lag).to_dict() for lag in (0.1, 0.2)]
    assert large[0]["n"] == 101 and large[0]["sha256"] != large[1]["sha256"]
    assert repr(Lagged([[1.0]], 0.5)) == "Lagged(n = 1, lags within 0.5 and 0.5)"


def test_by_name_and_from_files(tmp_path):
    K, alpha, (phases, _) = numbers()
    np.save(tmp_path / "K.npy", K)
    np.save(tmp_path / "lags.npy", alpha)
    found = named("lagged", matrix=str(tmp_path / "K.npy"), lags=str(tmp_path / "lags.npy"))
    assert np.array_equal(found.array, K) and np.array_equal(found.lags, alpha)
    (tmp_path / "model.toml").write_text(
        '[interaction]\nname = "kuramoto"\n[coupling]\nkind = "lagged"\n'
        f'matrix = "{(tmp_path / "K.npy").as_posix()}"\nlags = 0.25\n[run]\nt_end = 1\n'
    )
    model = config.load(tmp_path / "model.toml").build()
    assert np.allclose(model.velocity(phases), -double_sum(K, 0.25, np.sin, phases), atol=1e-13)
    with pytest.raises(OSError, match="nowhere"):
        named("lagged", matrix=str(tmp_path / "nowhere.npy"), lags=0.0)
    with pytest.raises(TypeError, match="'lagged'"):
        named("lagged", matrix=[[1.0]])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: Lagged(np.ones((2, 3)), 0.0),
            ValueError,
            r"matrix must have shape \(n, n\) with n >= 1; got shape \(2, 3\)",
        ),
        (lambda: Lagged(np.ones((0, 0)), 0.0), ValueError, r"matrix must have shape \(n, n\)"),
        (lambda: Lagged([[np.nan]], 0.0), ValueError, "matrix must be finite; got nan"),
        (lambda: Lagged([[1j]], 0.0), TypeError, "matrix must be an array of real numbers"),
        (
            lambda: Lagged(np.eye(3), np.zeros(3)),
            ValueError,
            r"lags must be a number or have shape \(3, 3\), \(3, 1\) or \(1, 3\)",
        ),
        (lambda: Lagged(np.eye(3), np.zeros((2, 2))), ValueError, r"got shape \(2, 2\)"),
        (lambda: Lagged(np.eye(3), np.inf), ValueError, "lags must be finite"),
        (lambda: Lagged(np.eye(3), "0.3"), TypeError, "lags must be an array of real numbers"),
        (
            lambda: Lagged(np.eye(3), 0.0, "half"),
            ValueError,
            "precision must be one of float64, float32; got 'half'",
        ),
        (
            lambda: ip.PhaseModel(SIN, Lagged(np.eye(3), 0.1)).velocity(np.zeros(4)),
            ValueError,
            "the coupling Lagged is for 3",
        ),
        (lambda: Lagged(np.eye(3), 0.1).matrix(4), ValueError, "the coupling Lagged is for 3"),
    ],
)
def test_bad_input(make, error, message, as_a_user):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("gain", [None, "softmax"])
def test_locked_states_with_delays(gain):
    """F against the double sum with each pair's delay and lag;
    α_ij = −Ω τ_j makes synchrony a state of frequency Ω = ω.
    """
    n, rng = 6, np.random.default_rng(5)
    tau, K, f = 0.1 * rng.integers(0, 20, n), rng.exponential(0.6 / n, (n, n)), ip.attention(0.5)
    for alpha in (rng.normal(size=(n, n)), np.broadcast_to(-3.0 * tau, (n, n))):
        model = ip.PhaseModel(f, Lagged(K, alpha), frequencies=3.0, delays=tau, gain=gain)
        phases, turns = rng.uniform(0, 6, n), 2.5
        gaps = phases[:, None] - phases + turns * tau + alpha
        force = (K * f(gaps)).sum(axis=1) / ((K * f.profile(gaps)).sum(axis=1) if gain else 1.0)
        assert np.allclose(equilibria.locked_velocity(model, phases, turns), 3.0 - force, atol=1e-12, rtol=0)
    assert np.allclose(equilibria.locked_velocity(model, np.zeros(n), 3.0), 3.0, atol=1e-13, rtol=0)
    assert equilibria.stability(model, np.zeros(n), 3.0).stable
    evidence = ip.study(model, phases=0.01 * rng.normal(size=n), t_end=30.0).summary["evidence"]
    assert any("near a stable phase-locked state" in row["statement"] for row in evidence)
