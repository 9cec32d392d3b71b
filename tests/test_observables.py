"""Observables against independent references: brute
force, linear programming, closed forms, and symmetries.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linprog
from scipy.spatial.distance import squareform
from scipy.special import ive
from scipy.stats import wasserstein_distance

from inphase import observables as ob

TAU = 2 * np.pi
quick = settings(max_examples=40, deadline=None, derandomize=True)
angles = st.floats(-20, 20, allow_nan=False, width=64)
states = st.integers(1, 12).flatmap(lambda n: arrays(np.float64, n, elements=angles))


def geodesic(a, b):
    """Distance on the circle, for all pairs."""
    return np.abs(np.angle(np.exp(1j * (np.asarray(a)[:, None] - np.asarray(b)[None, :]))))


def by_linear_program(a, b, w_a, w_b, p):
    n, m = len(a), len(b)
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    plan = linprog(
        (geodesic(a, b) ** p).ravel(),
        A_eq=np.vstack([rows, columns])[:-1],
        b_eq=np.concatenate([w_a, w_b])[:-1],
        method="highs",
    )
    assert plan.success
    return plan.fun ** (1 / p)


def by_cyclic_shift(a, b, p):
    """Equal masses: the best of the n matchings that keep the circular order."""
    a, b = np.sort(np.mod(a, TAU)), np.sort(np.mod(b, TAU))
    table, n = geodesic(a, b), len(a)
    matchings = [table[np.arange(n), (np.arange(n) + s) % n] for s in range(n)]
    return min(d.max() * np.mean((d / d.max()) ** p) ** (1 / p) for d in matchings)


# --- order parameters ---


def test_order_parameter_is_the_sum_over_particles():
    rng = np.random.default_rng(1)
    theta, w = rng.normal(size=(2, 3, 7)) * 10, rng.random(7)
    for k in (-2, 0, 1, 3):
        for weights in (None, w):
            result = ob.order_parameter(theta, k, weights)
            mass = np.ones(7) if weights is None else w
            assert result.shape == (2, 3)
            for i in np.ndindex(2, 3):
                direct = (
                    sum(m * np.cos(k * t) + 1j * m * np.sin(k * t) for m, t in zip(mass, theta[i]))
                    / mass.sum()
                )
                assert abs(result[i] - direct) < 1e-14


def test_order_parameter_of_polygons():
    n = 6
    theta = TAU * np.arange(n) / n + 0.3
    for k in range(1, 13):
        expected = np.exp(1j * k * 0.3) if k % n == 0 else 0
        assert abs(ob.order_parameter(theta, k) - expected) < 1e-14


def test_order_parameter_of_the_von_mises_law():
    kappa, x = 2.5, TAU * np.arange(200) / 200
    for k in (1, 2, 5):
        r = ob.order_parameter(x, k, weights=np.exp(kappa * np.cos(x)))
        assert abs(r - ive(k, kappa) / ive(0, kappa)) < 1e-14


def test_weights_are_relative_and_count_like_copies():
    theta = np.array([0.1, 2.0, 4.0])
    copies = np.repeat(theta, [1, 2, 3])
    for weights in ([1, 2, 3], [1e-300, 2e-300, 3e-300], [0.5e308, 1e308, 1.5e308]):
        assert abs(ob.order_parameter(theta, 1, weights) - ob.order_parameter(copies)) < 1e-15


@quick
@given(states, angles)
def test_circular_variance_is_one_minus_r_and_rotation_invariant(theta, shift):
    v = ob.circular_variance(theta)
    assert 0 <= v <= 1
    assert abs(v - (1 - abs(np.mean(np.exp(1j * theta))))) < 1e-14
    assert abs(v - ob.circular_variance(theta + shift)) < 1e-13


def test_circular_variance_keeps_relative_accuracy():
    theta = 1e-9 * np.array([-1.0, 0.0, 2.0, 5.0])  # 1 - |R| in floats would be 0
    assert ob.circular_variance(theta) == pytest.approx(np.var(theta) / 2, rel=1e-12)


# --- gaps, arcs, clusters ---


@quick
@given(states, angles, st.randoms(use_true_random=False))
def test_gaps_sum_to_a_turn_and_keep_the_symmetries(theta, shift, random):
    g = ob.gaps(theta)
    assert g.shape == theta.shape
    assert g.min() >= 0
    assert abs(g.sum() - TAU) < 1e-12
    shuffled = theta.copy()
    random.shuffle(shuffled)
    np.testing.assert_array_equal(ob.gaps(shuffled), g)
    for image in (theta + shift, -theta):
        np.testing.assert_allclose(np.sort(ob.gaps(image)), np.sort(g), atol=1e-13)


def test_gaps_by_hand():
    np.testing.assert_allclose(ob.gaps([6.0, 1.0, 2.0 + 5 * TAU]), [1.0, 4.0, TAU - 5.0], atol=1e-14)
    np.testing.assert_array_equal(ob.gaps([3.0]), [TAU])
    np.testing.assert_array_equal(ob.gaps([-1e-30, 0.0]), [0.0, TAU])  # np.mod(-1e-30, tau) is tau
    two = np.array([[0.0, 1.0, 3.0], [1.0, 1.0, 1.0]])
    np.testing.assert_array_equal(ob.gaps(two), [ob.gaps(two[0]), ob.gaps(two[1])])


@quick
@given(states)
def test_arc_is_the_best_over_starting_points(theta):
    brute = min(np.max(np.mod(theta - start, TAU)) for start in theta)
    # np.mod sends -1e-17 to nearly tau, so the brute force may only be too long, by such ties
    assert ob.arc(theta) <= brute + 1e-13
    assert abs(ob.arc(theta) - (TAU - ob.gaps(theta).max())) < 1e-13


def test_arc_by_hand():
    assert ob.arc([1.0]) == 0
    assert ob.arc([0.5, 0.5 + 1e-12]) == pytest.approx(1e-12, rel=1e-3)
    assert ob.arc([0.0, 1e-25]) == 1e-25
    np.testing.assert_allclose(ob.arc(TAU * np.arange(5) / 5), TAU * 4 / 5)
    np.testing.assert_allclose(ob.arc([[6.2, 0.1], [0.0, np.pi]]), [TAU - 6.1, np.pi])


def test_synchronized_means_one_short_arc():
    chain = 0.01 * np.arange(100)  # neighbors 0.01 apart, ends 0.99
    assert ob.count_clusters(chain, 0.011) == 1
    assert not ob.synchronized(chain, 0.011)
    assert ob.synchronized(chain, 1.0)
    assert ob.synchronized([2.0], 0)
    assert ob.synchronized([-5e-7, 4e-7 + 3 * TAU])
    assert not ob.synchronized([-5e-7, 6e-7])
    np.testing.assert_array_equal(ob.synchronized(np.zeros((2, 3, 4))), np.ones((2, 3), bool))


def same_partition(a, b):
    return np.array_equal(a[:, None] == a[None, :], b[:, None] == b[None, :])


@pytest.mark.parametrize("seed", range(8))
def test_clusters_agree_with_scipy_single_linkage(seed):
    rng = np.random.default_rng(seed)
    theta = rng.uniform(-10, 10, 60)
    for tolerance in (0.02, 0.1, 0.2, 1.0):
        found = ob.clusters(theta, tolerance)
        tree = linkage(squareform(geodesic(theta, theta), checks=False), "single")
        assert same_partition(found.labels, fcluster(tree, tolerance, "distance"))
        assert ob.count_clusters(theta, tolerance) == len(found.positions)


@quick
@given(states, st.floats(0, 3))
def test_clusters_are_consistent(theta, tolerance):
    w = np.arange(len(theta), dtype=float)  # one zero weight
    weights = w if len(theta) > 1 else None
    found = ob.clusters(theta, tolerance, weights)
    count = len(found.positions)
    assert set(found.labels) == set(range(count))
    assert np.all((found.positions >= 0) & (found.positions < TAU)) and np.all(np.diff(found.positions) >= 0)
    assert abs(found.masses.sum() - 1) < 1e-14
    for c in range(count):
        mine = found.labels == c
        mass = w[mine] if weights is not None else np.ones(1)
        assert abs(found.masses[c] - mass.sum() / (w.sum() if weights is not None else 1)) < 1e-14
        if ob.arc(theta[mine]) < 3 and mass.sum() > 0:
            off = np.angle(np.sum(mass * np.exp(1j * theta[mine])) * np.exp(-1j * found.positions[c]))
            assert abs(off) < 1e-13


def test_clusters_by_hand():
    found = ob.clusters([TAU - 0.009, 3.0, 0.03, 3.0], 0.1, weights=[3, 2, 1, 2])
    np.testing.assert_array_equal(found.labels, [0, 1, 0, 1])
    np.testing.assert_allclose(found.positions, [0.00075, 3.0], atol=1e-6)
    np.testing.assert_allclose(found.masses, [0.5, 0.5])
    four = ob.clusters([6.0, 1.0, 0.1, 4.0, 2.0], 0.5)
    np.testing.assert_array_equal(four.labels, [3, 0, 3, 2, 1])
    assert ob.count_clusters([0.0, 0.5], 0.5) == len(ob.clusters([0.0, 0.5], 0.5).positions) == 1
    empty = ob.clusters([1.0, 2.0], 0.1, weights=[0, 1])
    np.testing.assert_allclose(empty.positions, [1.0, 2.0])
    np.testing.assert_array_equal(empty.masses, [0.0, 1.0])
    assert len(ob.clusters(np.linspace(0, TAU, 50), 0.2).positions) == 1  # closed round the circle
    np.testing.assert_array_equal(ob.count_clusters([[[0.0, 2.0]], [[1.0, 1.0]]]), [[2], [1]])


# --- distances ---


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_wasserstein_agrees_with_linear_programming(p, seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 8, 2)
    a, b = rng.uniform(-10, 10, n), rng.uniform(-10, 10, m)
    w_a, w_b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    exact = ob.wasserstein(a, b, p, w_a * 7, w_b * 0.1)
    assert exact == pytest.approx(by_linear_program(a, b, w_a, w_b, p), abs=1e-8)
    equal = ob.wasserstein(a, b, p)
    assert equal == pytest.approx(by_linear_program(a, b, np.full(n, 1 / n), np.full(m, 1 / m), p), abs=1e-8)


@pytest.mark.parametrize("p", [1, 1.01, 2, 7, 1000])
@pytest.mark.parametrize("n", [1, 2, 5, 60])
def test_wasserstein_agrees_with_cyclic_shifts(p, n):
    rng = np.random.default_rng(n)
    for scale in (0.3, 1.0):
        a, b = rng.uniform(0, TAU, n), 2 + rng.uniform(0, TAU * scale, n)
        assert ob.wasserstein(a, b, p) == pytest.approx(by_cyclic_shift(a, b, p), rel=1e-12, abs=1e-14)


def test_wasserstein_agrees_with_the_line_inside_a_half_circle():
    rng = np.random.default_rng(4)
    a, b, w = rng.uniform(5, 8, 30), rng.uniform(5, 8, 20), rng.random(20)
    assert ob.wasserstein(a, b, 1, None, w) == pytest.approx(wasserstein_distance(a, b, None, w), rel=1e-12)


@pytest.mark.parametrize("p", [1, 2, 5])
def test_wasserstein_of_two_points_is_the_geodesic(p):
    for a, b, d in [(0.1, 6.2, TAU - 6.1), (0.0, np.pi, np.pi), (1.0, 1.0 + 4 * TAU, 0.0), (-1.0, 1.5, 2.5)]:
        assert ob.wasserstein([a], [b], p) == pytest.approx(d, abs=1e-14)


@pytest.mark.parametrize("p", [1, 2, 6])
def test_wasserstein_keeps_small_distances(p):
    # The p-th root of a rounding error in the masses would show as 1e-8 (p = 2) or 3e-3 (p = 6).
    rng = np.random.default_rng(8)
    a, w = rng.uniform(0, TAU, 1000), rng.random(1000)
    order = rng.permutation(1000)
    assert ob.wasserstein(a, a[order] + 3 * TAU, p, w, w[order]) < 1e-13
    assert ob.wasserstein(a, a[order] + 1e-6, p, w, w[order]) == pytest.approx(1e-6, rel=1e-8)
    # a polygon against itself, each corner twice
    corners = TAU * np.arange(7) / 7
    assert ob.wasserstein(corners, np.repeat(corners, 3), p) < 1e-14


@quick
@given(st.tuples(states, states, states), angles, st.sampled_from([1, 2, 3]))
def test_wasserstein_is_a_metric_with_the_symmetries_of_the_circle(three, shift, p):
    a, b, c = three
    ab = ob.wasserstein(a, b, p)
    assert 0 <= ab <= np.pi + 1e-12
    assert ab <= ob.wasserstein(a, c, p) + ob.wasserstein(c, b, p) + 1e-12
    for image in [(b, a), (a + shift, b + shift), (-a, -b), (a[::-1], b)]:
        assert ob.wasserstein(*image, p) == pytest.approx(ab, abs=1e-12)
    assert ob.wasserstein(a, b, 1) <= ab + 1e-12


def test_wasserstein_over_leading_axes():
    rng = np.random.default_rng(5)
    a, b = rng.uniform(0, TAU, (3, 1, 4)), rng.uniform(0, TAU, (2, 5))
    w = rng.random(5)
    for p in (1, 2):
        table = ob.wasserstein(a, b, p, None, w)
        assert table.shape == (3, 2)
        assert table[2, 1] == ob.wasserstein(a[2, 0], b[1], p, None, w)
    assert ob.wasserstein(np.zeros((0, 3)), [1.0]).shape == (0,)


def test_periodicity():
    rng = np.random.default_rng(6)
    base, mass = rng.uniform(0, 1, 5), rng.random(5)
    for k in (1, 2, 3, 5):
        theta = (base[None, :] + TAU * np.arange(k)[:, None] / k).ravel()
        assert ob.periodicity(theta, k, np.tile(mass, k)) < 1e-14
        assert ob.periodicity(theta, 7 * k, np.tile(mass, k)) > 1e-3
        assert ob.periodicity([0.4], k) == pytest.approx(TAU / k if k > 1 else 0, abs=1e-14)
    uneven = rng.uniform(0, TAU, (2, 6))
    distances = ob.periodicity(uneven, 3)
    equal = np.full(6, 1 / 6)
    for row, d in zip(uneven, distances):
        assert d == pytest.approx(by_linear_program(row, row + TAU / 3, equal, equal, 1), abs=1e-8)


@pytest.mark.parametrize("size", [60, 61])
def test_density_periodicity_is_the_share_of_variance(size):
    x = TAU * np.arange(size) / size
    rng = np.random.default_rng(7)
    a, b = rng.random(6), rng.random(6)
    rho = 3 + sum(a[m - 1] * np.cos(m * x) + b[m - 1] * np.sin(m * x) for m in range(1, 7))
    power = a**2 + b**2
    for k in (1, 2, 3, 6, 7):
        expected = sum(power[m - 1] for m in range(1, 7) if m % k) / power.sum()
        assert ob.density_periodicity(rho, k) == pytest.approx(expected, abs=1e-13)
        assert ob.density_periodicity(-1e200 * rho, k) == pytest.approx(expected, abs=1e-13)
    both = np.stack([rho, np.exp(np.cos(4 * x))])
    np.testing.assert_allclose(ob.density_periodicity(both, 4)[1], 0, atol=1e-13)
    np.testing.assert_array_equal(ob.density_periodicity([np.zeros(size), np.full(size, 1 / TAU)], 4), [0, 0])


def test_density_periodicity_counts_the_nyquist_mode_once():
    x = TAU * np.arange(8) / 8
    rho = np.cos(4 * x) + np.cos(x)  # mean squares 1 and 1/2
    assert ob.density_periodicity(rho, 4) == pytest.approx(1 / 3)


# --- rings and rotation ---


@pytest.mark.parametrize("q", range(-9, 10))
def test_winding_number_of_twisted_states(q):
    n = 20
    theta = TAU * q * np.arange(n) / n
    noise = np.random.default_rng(q + 9).uniform(-0.1, 0.1, n)
    wrapped = np.angle(np.exp(1j * (theta + 4.0 + noise)))
    assert ob.winding_number(theta) == ob.winding_number(wrapped) == q
    assert ob.winding_number(np.roll(wrapped, 7)) == q
    assert ob.winding_number(wrapped[::-1]) == -q


@quick
@given(arrays(np.float64, (2, 9), elements=angles))
def test_winding_number_is_the_sum_of_wrapped_steps(theta):
    result = ob.winding_number(theta)
    assert result.dtype == np.int64 and result.shape == (2,)
    steps = np.angle(np.exp(1j * np.diff(theta, axis=-1, append=theta[:, :1])))
    if np.abs(steps).max() < np.pi - 1e-9:
        np.testing.assert_allclose(result, steps.sum(axis=-1) / TAU, atol=1e-9)


def test_winding_number_at_the_ambiguous_step():
    assert ob.winding_number([1.0]) == 0
    assert ob.winding_number([0.0, np.pi]) == 1  # both steps are taken as +pi


def test_effective_frequencies():
    start = np.array([[0.0, 1.0], [2.0, 3.0]])
    omega = np.array([[1.5, -2.0], [0.0, 40.0]])
    np.testing.assert_allclose(ob.effective_frequencies(start, start + 8 * omega, 8), omega)


# --- the door ---

ONE_PHASES = [
    ob.order_parameter,
    ob.circular_variance,
    ob.gaps,
    ob.arc,
    ob.synchronized,
    ob.clusters,
    ob.count_clusters,
    ob.winding_number,
    lambda x: ob.periodicity(x, 2),
    lambda x: ob.wasserstein(x, [0.0]),
    lambda x: ob.wasserstein([0.0], x, 2),
    lambda x: ob.effective_frequencies(x, [0.0], 1.0),
    lambda x: ob.effective_frequencies([0.0], x, 1.0),
]


@pytest.mark.parametrize("function", ONE_PHASES)
def test_bad_phases_are_refused(function):
    for bad in ([], 1.0, [0.0, np.nan], [np.inf], np.zeros((3, 0)), [[1.0], [1.0, 2.0]]):
        with pytest.raises(ValueError, match="phases"):
            function(bad)
    for bad in ([1j], ["a"], None, [True]):
        with pytest.raises(TypeError, match="phases"):
            function(bad)


@pytest.mark.parametrize(
    "function",
    [
        lambda w: ob.order_parameter([0.0, 1.0], 1, w),
        lambda w: ob.circular_variance([0.0, 1.0], w),
        lambda w: ob.clusters([0.0, 1.0], 0.1, w),
        lambda w: ob.periodicity([0.0, 1.0], 2, w),
        lambda w: ob.wasserstein([0.0, 1.0], [0.0], 1, w),
        lambda w: ob.wasserstein([0.0], [0.0, 1.0], 2, None, w),
    ],
)
def test_bad_weights_are_refused(function):
    for bad in ([1.0, -1e-9], [1.0], [1.0, 1.0, 1.0], [0.0, 0.0], [np.nan, 1.0], 1.0):
        with pytest.raises(ValueError, match="weights"):
            function(bad)
    with pytest.raises(TypeError, match="weights"):
        function([1.0, 1j])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ob.order_parameter([0.0], 1.0), TypeError, "harmonic must be an integer; got 1.0"),
        (lambda: ob.order_parameter([0.0], True), TypeError, "harmonic"),
        (lambda: ob.clusters([0.0], -0.1), ValueError, "tolerance must be >= 0; got -0.1"),
        (lambda: ob.clusters([[0.0]]), ValueError, r"shape \(1, 1\)"),
        (lambda: ob.count_clusters([0.0], np.nan), ValueError, "tolerance"),
        (lambda: ob.synchronized([0.0], -1), ValueError, "tolerance"),
        (lambda: ob.synchronized([0.0], "1"), TypeError, "tolerance"),
        (lambda: ob.wasserstein([0.0], [0.0], 0.5), ValueError, "p must be >= 1; got 0.5"),
        (lambda: ob.wasserstein([0.0], [0.0], np.inf), ValueError, "p must be a finite number; got inf"),
        (lambda: ob.wasserstein(np.zeros((2, 1)), np.zeros((3, 1))), ValueError, "broadcast"),
        (lambda: ob.periodicity([0.0], 0), ValueError, "k must be an integer >= 1; got 0"),
        (lambda: ob.periodicity([0.0], 2.0), TypeError, "k must be an integer; got 2.0"),
        (lambda: ob.density_periodicity(np.ones(5), 3), ValueError, "at least 2 k = 6"),
        (
            lambda: ob.density_periodicity([1.0, np.nan], 1),
            ValueError,
            "density must be finite; got nan at index",
        ),
        (lambda: ob.effective_frequencies([0.0], [1.0], 0), ValueError, "duration"),
        (lambda: ob.effective_frequencies([0.0], [1.0], -1.0), ValueError, "duration"),
        (lambda: ob.effective_frequencies([0.0], [1.0, 2.0], 1.0), ValueError, "same shape"),
    ],
)
def test_messages_name_the_argument(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_inputs_are_not_changed():
    theta = np.array([7.0, -1.0, 3.0])
    theta.flags.writeable = False
    for function in ONE_PHASES[:-4]:
        function(theta)
    ob.wasserstein(theta, theta, 2)
