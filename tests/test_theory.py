"""Closed forms against independent facts: Bessel functions, 30-digit quadrature, ODEs, known transitions."""

import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import ive

from inphase import theory
from inphase.distributions import bimodal, from_file, lorentzian, normal, point, uniform
from inphase.expression import evaluate
from inphase.interaction import Interaction, attention, harmonics, kuramoto, sakaguchi
from zoo import Mpmath

# ----------------------------------------------------------------------------------------------- growth rates


@pytest.mark.parametrize("beta", [-4.0, 0.5, 5.0, 40.0])
def test_attention_growth_rates_are_bessel_functions(beta):
    k = np.arange(1, 12)
    exact = k**2 * ive(k, beta) * np.exp(abs(beta) - beta) / beta
    f = attention(beta)
    assert theory.growth_rates(f, modes=11) == pytest.approx(exact, abs=1e-14 * 11 * f.maximum)
    mean = ive(0, beta) * np.exp(abs(beta) - beta)
    assert theory.growth_rates(f, gain="softmax", modes=11) == pytest.approx(exact / mean, abs=1e-12)


def test_fastest_mode():
    assert theory.fastest_mode(attention(5)) == 3
    assert theory.fastest_mode(attention(5), gain="softmax") == 3
    assert theory.fastest_mode(attention(5), noise=0.02) == 2
    assert theory.fastest_mode(kuramoto()) == 1
    assert theory.fastest_mode(-kuramoto()) == 0
    assert theory.fastest_mode(harmonics(cos=[1.0])) == 0  # every mode is neutral


def test_growth_rates_are_eigenvalues_of_the_equation_on_a_grid():
    """f neither odd nor of mean zero, with noise: the linear operator of the density, as a matrix."""
    f = Interaction("sin(x + 0.4) + 0.3*cos(2*x - 1) + 0.7")
    n, D = 32, 0.05
    x = 2 * np.pi * np.arange(n) / n
    F = np.exp(1j * np.outer(x, np.arange(-n // 2 + 1, n // 2)))
    differentiate = (F * (1j * np.arange(-n // 2 + 1, n // 2))) @ F.conj().T / n
    convolve = f(x[:, None] - x) * (2 * np.pi / n)
    uniform = np.full(n, 1 / (2 * np.pi))

    def right_side(rho):
        return differentiate @ (rho * (convolve @ rho)) + D * differentiate @ (differentiate @ rho)

    rates = theory.growth_rates(f, noise=D, modes=6)
    for k, rate in enumerate(rates, 1):
        wave = 1e-6 * np.exp(1j * k * x)
        slope = (right_side(uniform + wave) - right_side(uniform - wave)) / 2
        assert slope == pytest.approx(rate * wave, abs=1e-18 + 1e-9 * abs(rate) * 1e-6)
    assert np.iscomplexobj(rates)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"noise": -1.0}, "noise must be >= 0"),
        ({"noise": np.nan}, "noise"),
        ({"modes": 0}, "modes must be an integer >= 1"),
        ({"gain": "hardmax"}, "gain must be"),
    ],
)
def test_growth_rates_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        theory.growth_rates(kuramoto(), **arguments)


def test_softmax_needs_the_gradient_kind():
    with pytest.raises(ValueError, match="softmax"):
        theory.growth_rates(sakaguchi(0.1), gain="softmax")
    with pytest.raises(TypeError, match="Interaction"):
        theory.growth_rates(np.sin)


def test_attention_ratio_limit():
    assert theory.attention_ratio_limit() == pytest.approx(1.13959076640311291, rel=1e-15)
    # the error of finite β is O(1/β); the last factor leaves 1 + τ/M with τ ~ 1/sqrt(β) out
    ratios = [attention(beta).synchronization_ratio(largest_gap=1e300) for beta in (500.0, 1000.0)]
    assert 2 * ratios[1] - ratios[0] == pytest.approx(theory.attention_ratio_limit(), rel=1e-6)


# ----------------------------------------------------------------------------------------- classical Kuramoto


@pytest.mark.parametrize(
    ("coupling", "width", "modulus"),
    [(4, 0.5, 0.1), (1, 0.5, 0.3), (0.3, 0.5, 0.9), (-2, 0.1, 1.0), (2, 0, 0.01)],
)
def test_ott_antonsen_solves_its_equation(coupling, width, modulus):
    start, center, times = modulus * np.exp(0.4j), 0.7, np.linspace(0, 10, 21)
    z = theory.ott_antonsen(times, coupling, width, start, center)

    def right_side(t, z):
        return (1j * center - width) * z + coupling / 2 * z * (1 - abs(z) ** 2)

    exact = solve_ivp(right_side, (0, 10), [start], "DOP853", t_eval=times, rtol=1e-12, atol=1e-14).y[0]
    assert z == pytest.approx(exact, abs=1e-11)


def test_ott_antonsen_limits_and_refusals():
    assert abs(theory.ott_antonsen(1e6, 4, 0.5, 1e-3)) == pytest.approx(np.sqrt(3) / 2)
    assert theory.ott_antonsen(1e6, 0.5, 0.5, 0.9) == 0
    assert theory.ott_antonsen([[1.0, 2.0]], 1, 1, 0.5).shape == (1, 2)
    for bad in ({"times": -1}, {"width": -1}, {"initial": 1.5}, {"initial": np.nan}, {"coupling": np.inf}):
        with pytest.raises(ValueError):
            theory.ott_antonsen(**({"times": 1, "coupling": 1, "width": 1, "initial": 0.5} | bad))


DENSITIES = {
    "lorentzian": lambda w: 1 / np.pi / (1 + w * w),
    "normal": lambda w: np.exp(-w * w / 2) / np.sqrt(2 * np.pi),
    "uniform": lambda w: 0.5 * (abs(w) <= 1),
}


def test_critical_coupling():
    assert theory.critical_coupling("lorentzian", 0.7) == pytest.approx(1.4, rel=1e-15)
    assert theory.critical_coupling("normal", 2.0) == pytest.approx(2 * np.sqrt(8 / np.pi), rel=1e-15)
    assert theory.critical_coupling("uniform", 3.0) == pytest.approx(12 / np.pi, rel=1e-15)
    for name, density in DENSITIES.items():
        assert theory.critical_coupling(density, 0.3) == pytest.approx(
            theory.critical_coupling(name, 0.3), rel=1e-14
        )


@pytest.mark.parametrize("name", DENSITIES)
def test_order_parameter_of_a_density_agrees_with_the_closed_integral(name):
    K = theory.critical_coupling(name, 2.0) * np.array([[-1, 0.5, 0.999], [1.001, 1.1, 1.5], [3, 100, 1e6]])
    r = theory.order_parameter(K, name, 2.0)
    assert r.shape == K.shape and np.all(r[0] == 0) and np.all(r[1:] > 0) and np.all(r <= 1)
    assert theory.order_parameter(K, DENSITIES[name], 2.0) == pytest.approx(r, abs=1e-11)


def test_order_parameter_lorentzian_closed_form():
    K = np.array([1.0001, 1.1, 2, 50])
    assert theory.order_parameter(K, "lorentzian", 0.5) == pytest.approx(np.sqrt(1 - 1 / K), rel=1e-11)


def test_order_parameter_uniform_jumps():
    critical = 4 * 0.3 / np.pi
    r = theory.order_parameter(critical * np.array([1 - 1e-12, 1 + 1e-12]), "uniform", 0.3)
    assert r[0] == 0
    assert r[1] == pytest.approx(np.pi / 4, abs=1e-7)


@pytest.mark.parametrize(
    ("density", "message"),
    [
        (lambda w: 2 * DENSITIES["normal"](w), "mass 1"),
        (lambda w: DENSITIES["normal"](w - 0.1), "even"),
        (lambda w: (DENSITIES["normal"](w - 2) + DENSITIES["normal"](w + 2)) / 2, "unimodal"),
        (lambda w: -1.0, "distribution"),
        (lambda w: np.nan, "distribution"),
        ("cauchy", "must be one of"),
    ],
)
def test_frequency_densities_are_checked(density, message):
    with pytest.raises(ValueError, match=message):
        theory.critical_coupling(density)
    with pytest.raises(ValueError, match="width"):
        theory.order_parameter(1.0, "normal", 0.0)
    with pytest.raises(TypeError, match="distribution"):
        theory.order_parameter(1.0, 3)


def test_a_distribution_is_its_name():
    K = np.array([0.5, 2.5, 4.0, 9.0])
    for name, make in (("normal", normal), ("lorentzian", lorentzian), ("uniform", uniform)):
        assert theory.critical_coupling(make(3.0, 0.7)) == pytest.approx(
            theory.critical_coupling(name, 0.7), rel=1e-15
        )
        assert np.all(theory.order_parameter(K, make(3.0, 0.7)) == theory.order_parameter(K, name, 0.7))
        assert theory.incoherence_threshold(make(3.0, 0.7)) == pytest.approx(
            theory.critical_coupling(name, 0.7), rel=1e-14
        )
    one_hump = bimodal(1.0, 0.5, 1e-9)  # two peaks on one another
    assert theory.critical_coupling(one_hump) == pytest.approx(
        theory.critical_coupling("normal", 0.5), rel=1e-12
    )
    assert theory.order_parameter(K, one_hump) == pytest.approx(
        theory.order_parameter(K, "normal", 0.5), abs=1e-10
    )


def test_distributions_that_have_no_such_transition(tmp_path):
    (tmp_path / "omega.csv").write_text("1\n2\n")
    for distribution in (point(), from_file(tmp_path / "omega.csv")):
        with pytest.raises(ValueError, match="no density"):
            theory.critical_coupling(distribution)
        with pytest.raises(ValueError, match="no density"):
            theory.incoherence_threshold(distribution)
    with pytest.raises(ValueError, match="see incoherence_threshold"):
        theory.critical_coupling(bimodal(separation=4.0))
    with pytest.raises(ValueError, match="width must be left out"):
        theory.critical_coupling(normal(), 2.0)
    with pytest.raises(ValueError, match="width must be left out"):
        theory.incoherence_threshold(normal(), 2.0)
    with pytest.raises(TypeError, match="Distribution"):
        theory.incoherence_threshold(np.cos)


@pytest.mark.parametrize("half", [0.0, 0.2, 0.499, 0.5, 0.5001, 0.51, 0.7, 3.0, 40.0, 1e5])
def test_incoherence_threshold_of_two_lorentzians(half):
    exact = 4 * 0.5 if half > 0.5 else 2 * (0.5**2 + half**2) / 0.5
    assert theory.incoherence_threshold(bimodal(7.0, 0.5, 2 * half, "lorentzian")) == pytest.approx(
        exact, rel=1e-7
    )


@pytest.mark.parametrize("separation", [0.5, 2.0, 3.0, 5.0, 12.0])
def test_incoherence_threshold_separates_decay_from_growth(separation):
    """Roots λ of 1 = (K/2) ∫ g(ω)/(λ − iω) dω in the right half plane, counted by the argument principle."""
    from scipy.special import wofz

    def growing(K):
        def excess(z):  # ∫ N(ω)/(λ − iω) = sqrt(π/2) w(iλ/sqrt 2), Re λ > 0
            parts = [
                np.sqrt(np.pi / 2) * wofz(1j * (z + s * 0.5j * separation) / np.sqrt(2)) for s in (1, -1)
            ]
            return 1 - K / 4 * sum(parts)

        up = np.linspace(-40, 40, 40001)
        contour = np.concatenate(
            [
                1e-9 + 1j * up[::-1],
                np.linspace(0, 40, 4001) - 40j,
                40 + 1j * up,
                np.linspace(40, 0, 4001) + 40j,
            ]
        )
        return round(np.sum(np.diff(np.unwrap(np.angle(excess(contour))))) / (2 * np.pi))

    threshold = theory.incoherence_threshold(bimodal(0.0, 1.0, separation))
    assert growing(0.999 * threshold) == 0 and growing(1.001 * threshold) == (1 if separation < 2.5 else 2)


def test_incoherent_fluctuations():
    assert theory.incoherent_fluctuations(1.5, lorentzian(2.0, 1.0)) == pytest.approx(4.0, rel=1e-8)
    assert theory.incoherent_fluctuations(0.5, "lorentzian", 0.5) == pytest.approx(2.0, rel=1e-8)
    assert theory.incoherent_fluctuations(0.0, bimodal()) == pytest.approx(1.0, rel=1e-9)
    with pytest.raises(ValueError, match=r"below the threshold of incoherence, 2; got 2\.0"):
        theory.incoherent_fluctuations(2.0)


@pytest.mark.parametrize(
    ("distribution", "K"), [(normal(), 0.8), (normal(), -1.5), (uniform(), 0.6), (bimodal(), 1.0)]
)
def test_incoherent_fluctuations_in_simulations(distribution, K):
    n, replicas, step = 200, 60, 0.1
    omega = np.stack([distribution.draw(n, seed=s) for s in range(replicas)])
    phases, squares = np.random.default_rng(5).uniform(0, 2 * np.pi, omega.shape), []

    def velocity(phases):
        z = np.exp(1j * phases)
        return omega + K * np.imag(np.conj(z) * z.mean(axis=1, keepdims=True))

    for k in range(500):
        middle = phases + step / 2 * velocity(phases)
        phases = phases + step * velocity(middle)
        if k > 200 and k % 5 == 0:
            squares.append(np.abs(np.exp(1j * phases).mean(axis=1)) ** 2)
    found = n * np.mean(squares, axis=0)
    error = np.std(found) / np.sqrt(replicas)
    expected = theory.incoherent_fluctuations(K, distribution)
    assert abs(np.mean(found) - expected) < 4 * error + 0.03 * expected
    assert abs(np.mean(found) - 1) > 4 * error  # so that independent oscillators would not pass


def test_finite_order_parameter_of_a_locked_population_is_exact():
    """The phases θ_i = arcsin((ω_i − mean)/(K r)) are at rest under the double sum."""
    omega = np.random.default_rng(2).normal(5.0, 0.3, 40)
    critical = theory.locking_coupling(omega)
    for K in (1.0001 * critical, 1.5 * critical, 20 * critical):
        r = theory.order_parameter_finite(K, omega)
        phases = np.arcsin((omega - omega.mean()) / (K * r))
        assert abs(np.mean(np.exp(1j * phases))) == pytest.approx(r, abs=1e-12)
        velocity = omega - K / 40 * np.sin(phases[:, None] - phases).sum(axis=1)
        assert velocity == pytest.approx(omega.mean(), abs=1e-11)
    assert theory.order_parameter_finite([[0.0, -1.0]], omega).tolist() == [[0.0, 0.0]]
    assert theory.order_parameter_finite(0.7, [3.0, 3.0, 3.0]) == pytest.approx(1.0, abs=1e-14)
    assert theory.order_parameter_finite([1.9, 2.0001], [-1.0, 1.0]) == pytest.approx(
        [0.0, np.sqrt(0.5)], abs=0.01
    )


@pytest.mark.parametrize("distribution", [normal(1.0, 0.5), lorentzian(-1.0, 0.5), uniform(0.0, 0.5)])
def test_finite_order_parameter_tends_to_the_infinite_one(distribution):
    K = theory.critical_coupling(distribution) * np.array([1.05, 1.3, 2.0])
    limit = theory.order_parameter(K, distribution)
    assert theory.order_parameter_finite(K, distribution.quantiles(20_000)) == pytest.approx(limit, abs=2e-3)
    # random draws: r moves with their disorder, and the frame must be found (the mean of a Lorentzian sample
    # is useless)
    assert theory.order_parameter_finite(K[1:], distribution.draw(20_000, seed=1)) == pytest.approx(
        limit[1:], abs=0.03
    )
    assert theory.order_parameter_finite(0.7 * K[0], distribution.draw(20_000, seed=1)) == 0


# --------------------------------------------------------------------------------------------------- networks


@pytest.mark.parametrize("seed", range(40))
def test_finite_order_parameter_just_above_locking_is_the_locked_state(seed):
    rng = np.random.default_rng(seed)
    omega = rng.standard_normal(int(rng.integers(3, 60)))
    omega -= omega.mean()
    least = theory.locking_coupling(omega)
    for K in least * (1 + np.array([1e-6, 1e-4, 1e-3, 0.5])):
        # from the top down, a ← K r(a) ends at the largest root; here by bisection above the fold, a >= max
        # |ω|
        r = float(theory.order_parameter_finite(K, omega))
        locked = float(np.mean(np.sqrt(1 - (omega / (K * r)) ** 2)))
        assert locked == pytest.approx(r, rel=1e-9)
        above = np.linspace(r * (1 + 1e-7), 1, 2000) * K
        assert np.all(K * np.mean(np.sqrt(1 - (omega / above[:, None]) ** 2), axis=1) < above)


def test_finite_order_parameter_of_a_sample_that_it_once_missed():
    rng = np.random.default_rng(11)
    omega = rng.standard_normal(int(rng.integers(3, 60)))
    omega -= omega.mean()
    assert theory.order_parameter_finite(1.000001 * theory.locking_coupling(omega), omega) == pytest.approx(
        0.84131, abs=1e-5
    )


@pytest.mark.parametrize("seed", range(6))
def test_finite_order_parameter_below_locking_is_the_largest_root(seed):
    """For symmetric frequencies Ω = 0: a root is missed nowhere if K r(a) < a on a fine grid above it."""
    half = np.abs(np.random.default_rng(seed).standard_normal(12))
    omega = np.concatenate([half, -half])
    for K in theory.locking_coupling(omega) * np.array([0.55, 0.8, 0.95, 0.999, 1 - 1e-6]):
        r = float(theory.order_parameter_finite(K, omega))
        above = np.linspace(max(r * (1 + 1e-7), 24**-0.5), 1, 20_001)[:, None] * K
        assert np.all(K * np.mean(np.sqrt(np.maximum(1 - (omega / above) ** 2, 0)), axis=1) < above[:, 0])
        if r:
            assert np.mean(np.sqrt(np.maximum(1 - (omega / (K * r)) ** 2, 0))) == pytest.approx(r, rel=1e-9)


def fold(A, omega):
    """Where the locked state that starts in phase at large K ends, by Newton with shrinking steps of K."""
    n, omega = len(omega), omega - np.mean(omega)

    def laplacian(weights):
        return np.diag(weights.sum(axis=1)) - weights

    def relax(phases, K):
        for _ in range(30):
            difference = phases[:, None] - phases
            force = omega - K * (A * np.sin(difference)).sum(axis=1)
            J = K * laplacian(A * np.cos(difference))
            if np.linalg.eigvalsh(J)[1] <= 0:
                return None
            move = np.linalg.solve(J + 1 / n, force)
            phases = phases + move
            if np.max(np.abs(move)) < 1e-12:
                return phases
        return None

    K = 20 * theory.critical_coupling_bounds(A, omega).estimate
    phases, step = relax(np.zeros(n), K), 0.3
    while step > 1e-7:
        following = relax(phases, K * (1 - step))
        if following is None:
            step /= 2
        else:
            phases, K = following, K * (1 - step)
    return K


def random_graph(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 9))
    A = np.triu((rng.random((n, n)) < rng.uniform(0.1, 0.9)) * rng.choice([1.0, rng.uniform(0.5, 2)]), 1)
    for k in range(1, n):  # a tree under it: connected
        A[rng.integers(k), k] = rng.uniform(0.5, 1.5)
    return A + A.T, rng.normal(size=n)


@pytest.mark.parametrize("seed", range(25))
def test_coupling_bounds_hold_the_critical_coupling(seed):
    A, omega = random_graph(seed)
    bounds, critical = theory.critical_coupling_bounds(A, omega), fold(A, omega)
    conditions = bounds.conditions
    assert bounds.necessary <= critical * (1 + 1e-6)
    for name in ("algebraic", "energy", "cutset", "cutset, sharper"):
        assert conditions[name] >= critical * (1 - 1e-6), name
    assert conditions["degree"] <= conditions["cut"] * (1 + 1e-7)
    assert (
        conditions["energy"] <= conditions["algebraic"]
        and conditions["cutset, sharper"] <= conditions["cutset"]
    )
    assert bounds.sufficient == min(conditions["energy"], conditions["cutset, sharper"])
    # the largest of all cuts, one by one
    n, centered, largest = len(omega), omega - omega.mean(), 0.0
    for number in range(1, 2**n - 1):
        inside = (number >> np.arange(n)) % 2 == 1
        largest = max(largest, abs(centered[inside].sum()) / A[np.ix_(inside, ~inside)].sum())
    assert conditions["cut"] == pytest.approx(largest, rel=1e-7)


def test_coupling_bounds_are_exact_on_trees_and_for_two():
    rng = np.random.default_rng(8)
    A = np.zeros((12, 12))
    for k in range(1, 12):
        A[rng.integers(k), k] = rng.uniform(0.5, 2)
    A, omega = A + A.T, rng.normal(size=12)
    bounds = theory.critical_coupling_bounds(A, omega)
    assert [bounds.necessary, bounds.sufficient] == pytest.approx([bounds.estimate] * 2, rel=1e-9)
    assert fold(A, omega) == pytest.approx(bounds.estimate, rel=1e-6)
    pair = theory.critical_coupling_bounds([[0, 3.0], [3.0, 0]], [1.0, -2.0])
    assert list(pair.conditions.values()) == pytest.approx([0.5] * 6, rel=1e-7)


def test_coupling_bounds_of_all_to_all_hold_the_exact_locking_coupling():
    from scipy.sparse import csr_array

    for seed in range(5):
        omega = np.random.default_rng(seed).normal(size=20)
        # self-loops do not matter
        bounds = theory.critical_coupling_bounds(csr_array(np.full((20, 20), 1 / 20)), omega)
        assert bounds.necessary <= theory.locking_coupling(omega) <= bounds.sufficient
    assert theory.critical_coupling_bounds(np.ones((4, 4)), [2.0] * 4).sufficient == 0


@pytest.mark.parametrize(
    ("matrix", "omega", "message"),
    [
        ([[0, 1], [2, 0]], [1, 2], "matrix must be symmetric"),
        ([[0, -1], [-1, 0]], [1, 2], "matrix must be non-negative; got -1"),
        ([[0, 1, 0], [1, 0, 0], [0, 0, 1]], [1, 2, 3], "matrix must be connected; got 2 components"),
        ([[0, 1], [1, 0]], [1, 2, 3], "frequencies must have shape"),
        ([[0, np.nan], [1, 0]], [1, 2], "matrix must be finite"),
        ([[0, 1, 2], [1, 0, 1]], [1, 2], "matrix must have shape"),
    ],
)
def test_coupling_bounds_refuse(matrix, omega, message):
    with pytest.raises(ValueError, match=message):
        theory.critical_coupling_bounds(matrix, omega)


def test_master_stability_without_delay_is_the_jacobian_of_the_model():
    from inphase import PhaseModel, RankOne

    rng = np.random.default_rng(3)
    rows, columns = rng.uniform(0.5, 1, 6), rng.uniform(0.5, 1, 6)
    f = attention(2.0)
    exact = np.linalg.eigvals(PhaseModel(f, RankOne(rows, columns)).jacobian(np.zeros(6)))
    found = theory.master_stability(f, np.outer(rows, columns))
    assert np.sort(found.real) == pytest.approx(np.sort(exact.real), abs=1e-12)


def transport_matrix(A, c, tau, points=20, decay=None):
    """The delayed linear system as du/dt of its history on
    Chebyshev nodes: its rightmost eigenvalues are spectral.
    """
    n, k = len(A), np.arange(points + 1)
    x = np.cos(np.pi * k / points)
    weight = np.r_[2, np.ones(points - 1), 2] * (-1.0) ** k
    D = np.outer(weight, 1 / weight) / (x[:, None] - x + np.eye(points + 1))
    D = (D - np.diag(D.sum(axis=1))) * (2 / tau)
    M = np.kron(D, np.eye(n)).astype(complex)
    M[:n] = 0
    M[:n, :n] = -c * np.diag(A.sum(axis=1)) if decay is None else -decay
    M[:n, -n:] = c * A
    return M


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize(
    ("frequency", "delay"), [(0.0, 1.0), (0.7, 0.9), (2.0, 1.5), (-1.1, 0.3), (3.0, 0.4)]
)
def test_master_stability_with_delay(directed, frequency, delay):
    ring = np.roll(np.eye(5), 1, axis=1)
    A = 0.6 * ring + 0.4 * ring @ ring if directed else (ring + ring.T) / 2
    f = 1.3 * kuramoto()
    found = theory.master_stability(f, A, delay, frequency)
    c = float(f.derivative()(frequency * delay))
    mu = np.linalg.eigvals(A)
    for rate in found:  # each is a root of its own mode
        assert np.min(np.abs(rate + c * (1 - mu * np.exp(-rate * delay)))) < 1e-11
    spectrum = np.linalg.eigvals(transport_matrix(A, c, delay))
    assert found[0].real == pytest.approx(np.max(spectrum.real), abs=1e-8)
    for rate in found:
        assert np.min(np.abs(spectrum - rate)) < 1e-6
    moving = found[np.abs(found) > 1e-9]
    # Earl and Strogatz
    assert len(moving) >= 4 and (np.all(moving.real < 0) if c > 0 else np.max(moving.real) > 0)


def test_master_stability_of_negative_weights_long_delays_and_refusals():
    A = np.array([[0, -1.0], [-1.0, 0]])
    found = theory.master_stability(kuramoto(), A, delay=2.0)  # d = −1: 0 is the rotation's
    for rate in found:
        assert min(abs(rate - 1 + mu * np.exp(-2 * rate)) for mu in (1, -1)) < 1e-12 and np.all(
            found.real >= -1e-15
        )
    far = theory.master_stability(kuramoto(), [[0, 1.0], [1.0, 0]], delay=5000.0)  # e^{c d τ} would overflow
    assert np.all(np.abs(far) < 1e-3) and far[0] == pytest.approx(0, abs=1e-12)
    star = [[0, 1, 1], [1, 0, 0], [1, 0, 0]]
    assert theory.master_stability(kuramoto(), star).real == pytest.approx([0, -1, -3], abs=1e-13)
    for arguments in ((kuramoto(), star, 1.0), (harmonics(cos=[1.0]), star)):
        with pytest.raises(ValueError, match="one sum"):
            theory.master_stability(*arguments)
    with pytest.raises(ValueError, match="delay must be >= 0"):
        theory.master_stability(kuramoto(), A, delay=-1)


@pytest.mark.parametrize("seed", range(8))
def test_master_stability_has_the_rightmost_root_of_every_mode(seed):
    rng = np.random.default_rng(seed)
    for _ in range(10):
        strength, delay = float(rng.normal()) * rng.choice([0.07, 1.0]), rng.uniform(0.1, 5)
        n = int(rng.integers(2, 6))
        A = rng.random((n, n)) if rng.random() < 0.5 else rng.normal(size=(n, n))
        A += (1 - A.sum(axis=1, keepdims=True)) / n
        found = theory.master_stability(strength * kuramoto(), A, delay)
        spectra = [
            np.max(
                np.linalg.eigvals(
                    transport_matrix(np.array([[mu]]), strength, delay, 40, decay=strength)
                ).real
            )
            for mu in np.linalg.eigvals(A)
        ]
        assert found.real == pytest.approx(sorted(spectra, reverse=True), abs=1e-7)


def test_master_stability_takes_the_principal_branch():
    all_to_all = (np.ones((3, 3)) - np.eye(3)) / 2  # real negative feedback
    found = theory.master_stability(0.07 * kuramoto(), all_to_all, delay=5.0).real
    assert found == pytest.approx([0, -0.14074403668, -0.14074403668], abs=1e-9)
    ring = np.roll(np.eye(3), 1, axis=1)  # repulsion: the mode of the rotation has a positive root beside 0
    found = theory.master_stability(-0.63 * kuramoto(), ring, delay=3.888)
    rotation = float(found[np.argmin(np.abs(found.imag))].real)
    assert 0.55 < rotation == pytest.approx(0.63 * (1 - np.exp(-3.888 * rotation)), abs=1e-12)


# ----------------------------------------------------------------------------------------------------- delays


@pytest.mark.parametrize(
    ("f", "omega", "K", "tau", "lag"),
    [
        (kuramoto(), 1.0, 0.3, 1.0, 0.0),
        (kuramoto(), 1.0, 2.0, 3.0, 0.0),
        (kuramoto(), -4.0, -1.5, 7.0, 0.0),
        (kuramoto(), 0.9, 3.0, 20.0, np.pi),
        (sakaguchi(0.4), 1.0, 1.0, 10.0, 0.0),
        (attention(6.0), 2.0, 5.0, 9.0, 0.0),
        (harmonics(sin=[1.0, -0.8], cos=[0.3]), 0.5, 2.0, 12.0, 1.0),
        (Interaction("0.3 + sin(x - b)", b=0.5), 0.5, 2.0, 5.0, 0.0),
    ],
)
def test_delay_frequencies_are_all_the_roots(f, omega, K, tau, lag):
    found = theory.delay_frequencies(omega, K, tau, f, lag)
    reach = 1.5 * abs(K) * f.maximum
    grid = np.linspace(omega - reach, omega + reach, 400_001)
    values = grid - omega + K * f(grid * tau + lag)
    crossings = np.flatnonzero((values[:-1] < 0) != (values[1:] < 0))
    assert len(found.frequencies) == len(crossings)
    assert np.all((found.frequencies >= grid[crossings]) & (found.frequencies <= grid[crossings + 1]))
    with mpmath.workdps(30):
        for Omega, slope in zip(found.frequencies, found.slopes):
            x = mpmath.mpf(float(Omega))
            parameters = {key: mpmath.mpf(value) for key, value in f.parameters.items()}
            excess = (
                x
                - omega
                + K * evaluate(f.expression, x * mpmath.mpf(tau) + mpmath.mpf(lag), Mpmath(), parameters)
            )
            assert abs(excess / (1 + tau * slope)) < 1e-13 * (1 + abs(omega))
    assert np.array_equal(found.stable, K * f.derivative()(found.frequencies * tau + lag) > 0)


def test_delay_frequencies_in_special_cases():
    assert theory.delay_frequencies(1.0, 2.0, 0.0).frequencies.tolist() == [1.0]
    assert theory.delay_frequencies(1.0, 0.0, 3.0).frequencies == pytest.approx([1.0], abs=1e-15)
    assert theory.delay_frequencies(0.0, 1.0, 1.0).frequencies == pytest.approx([0.0], abs=1e-15)
    many = theory.delay_frequencies(0.0, 10.0, 100.0)  # Ω = −10 sin 100 Ω
    assert len(many.frequencies) == pytest.approx(2 * 10 * 100 / np.pi, abs=3)
    assert np.all(many.stable[1:] != many.stable[:-1])  # they alternate
    with pytest.raises(ValueError, match="delay must be >= 0"):
        theory.delay_frequencies(1.0, 1.0, -1.0)
    with pytest.raises(ValueError, match="coupling"):
        theory.delay_frequencies(1.0, np.nan, 1.0)


@pytest.mark.parametrize("lag", [0.0, np.pi])
def test_two_delayed_oscillators_settle_where_predicted(lag):
    """The stable states of two oscillators, in phase and
    in antiphase, by a plain integration with Heun steps.
    """
    omega, K, tau, steps = 1.0, 0.8, 2.0, 400
    found = theory.delay_frequencies(omega, K, tau, lag=lag)
    step = tau / steps
    for Omega in found.frequencies[found.stable]:
        past = Omega * step * np.arange(-steps, 1)
        history = [np.array([p + 0.05, p + lag - 0.05]) for p in past]
        for _ in range(60 * steps):
            now, before, after = history[-1], history[-1 - steps][::-1], history[-steps][::-1]
            slope = omega - K * np.sin(now - before)
            slope = (slope + omega - K * np.sin(now + step * slope - after)) / 2
            history.append(now + step * slope)
        speed = (history[-1] - history[-1 - steps]) / tau
        assert speed == pytest.approx([Omega, Omega], abs=2e-5)
        assert np.cos(history[-1][0] - history[-1][1]) == pytest.approx(np.cos(lag), abs=1e-9)


# ----------------------------------------------------------------------------------------------- two clusters


@pytest.mark.parametrize(
    ("beta", "start", "end"),
    [(36, 2.5, 0.01), (36, 2.5, 1e-6), (36, 3.1415, 1e-9), (100, 3.0, 0.1), (-3, 3.0, 1e-3)],
)
def test_two_cluster_merging_time_to_thirty_digits(beta, start, end):
    with mpmath.workdps(30):
        cuts = [
            v for v in [*(10.0**-p for p in range(9, 0, -1)), *np.arange(0.2, 3.1, 0.1)] if end < v < start
        ]
        edges = [mpmath.mpf(v) for v in [end, *cuts, start]]
        exact = mpmath.quad(lambda x: mpmath.exp(beta * (1 - mpmath.cos(x))) / mpmath.sin(x), edges)
        assert abs(theory.two_cluster_merging_time(attention(beta), start, end) / exact - 1) < 2e-13
        hidden = Interaction("exp(b*(cos(x) - 1))*cos(x)*tan(x)", b=beta)
        assert hidden.profile is None  # so f itself is integrated, not h
        assert abs(theory.two_cluster_merging_time(hidden, start, end) / exact - 1) < 1e-10


def test_two_cluster_merging_time_closed_forms():
    sine = np.log(np.tan(1.0) / np.tan(0.05))
    assert theory.two_cluster_merging_time(kuramoto(), 2.0, 0.1) == pytest.approx(sine, rel=1e-14)
    # the even part of f cancels between the two clusters: sin(x + a) − sin a acts as cos a · sin x
    assert theory.two_cluster_merging_time(sakaguchi(0.3), 2.0, 0.1) == pytest.approx(
        sine / np.cos(0.3), rel=1e-13
    )
    # softmax: (1 + h)/(2 h) = 1/2 + 1/(2h)
    f = attention(4)
    half = (sine + theory.two_cluster_merging_time(f, 2.0, 0.1)) / 2
    assert theory.two_cluster_merging_time(f, 2.0, 0.1, gain="softmax") == pytest.approx(half, rel=1e-13)
    assert theory.two_cluster_merging_time(f, 1.0, 1.0) == 0


def test_two_clusters_that_never_merge():
    assert theory.two_cluster_merging_time(-kuramoto(), 2.0, 1.0) == np.inf
    assert theory.two_cluster_merging_time(harmonics(sin=[1, -1]), 2.0, 1.0) == np.inf  # f(π/3) = 0
    assert np.isfinite(theory.two_cluster_merging_time(harmonics(sin=[1, -1]), 2.0, 1.05))
    for start, end in [(1.0, 2.0), (1.0, 0.0), (np.pi, 1.0), (np.nan, 1.0)]:
        with pytest.raises(ValueError):
            theory.two_cluster_merging_time(kuramoto(), start, end)
