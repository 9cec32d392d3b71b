"""Each kernel against a plain reference: NumPy, 50-digit sums, brute force; with any number of threads."""

import math

import mpmath
import numba as nb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inphase as ip
import zoo
from inphase.coupling import summing
from inphase.kernels import fourier, merging, sincos, steps, tape

SIZES = [1, 2, 511, 512, 513, 5000]
BETAS = [0.0, 0.5, -0.5, 2.0, 25.0, 100.0]


def fifty_digit_sum(f, phases, weights):
    """(Σ_j c_j f(θ_i − θ_j), Σ_j c_j |f(θ_i − θ_j)|), each (n,)."""
    with mpmath.workdps(50):
        theta, c = [mpmath.mpf(t) for t in phases], [mpmath.mpf(w) for w in weights]
        terms = [[cj * zoo.exact(f, a - b) for b, cj in zip(theta, c)] for a in theta]
        return (
            np.array([float(sum(row)) for row in terms]),
            np.array([float(sum(abs(t) for t in row)) for row in terms]),
        )


# ------------------------------------------------------------------------------------------------ mean fields


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("spread", [2 * np.pi, 0.02])
def test_field_by_modes_agrees_with_the_fifty_digit_sum(beta, spread, monkeypatch):
    monkeypatch.setattr(summing, "PAIRS_UP_TO", 0)
    rng = np.random.default_rng(int(10 * beta) % 97)
    phases, weights = rng.uniform(0, spread, 30), rng.dirichlet(np.ones(30))
    f = ip.attention(beta)
    exact, _ = fifty_digit_sum(f, phases, weights)
    (field,) = ip.AllToAll(weights).forces([f], phases)
    assert np.max(np.abs(field - exact)) <= 1e-13 * f.maximum


@pytest.mark.parametrize(
    "name", ["sakaguchi", "harmonics", "with a mean", "even", "rational", "hyperbolic", "powers"]
)
def test_field_by_modes_agrees_with_the_fifty_digit_sum_for_any_formula(name):
    rng = np.random.default_rng(3)
    phases, weights = rng.normal(0, 30, 25), rng.dirichlet(np.ones(25))
    f = zoo.interaction(name)
    exact, _ = fifty_digit_sum(f, phases, weights)
    (field,) = ip.AllToAll(weights).forces([f], phases)
    assert np.max(np.abs(field - exact)) <= 1e-13 * f.maximum


@pytest.mark.parametrize("beta", [2.0, 25.0, 50.0, 100.0, 300.0])
def test_pairwise_field_is_relatively_accurate_where_it_is_tiny(beta):
    """Each particle's nearest neighbor is about a radian away: f is 1e-40 at β = 100."""
    rng = np.random.default_rng(5)
    phases = np.array([0.0, 1.1, 2.3, 3.6, 4.9]) + rng.uniform(-0.05, 0.05, 5)
    weights = rng.dirichlet(np.ones(5))
    f = ip.attention(beta)
    exact, size = fifty_digit_sum(f, phases, weights)
    model = ip.PhaseModel(f, ip.AllToAll(weights))
    assert summing.uses_pairs([f], 5) == (beta > 5)
    error = np.abs(model.velocity(phases) + exact)
    assert np.all(error <= (1e-12 * size if beta > 5 else 1e-13 * f.maximum))
    if beta == 100:
        assert np.max(size) < 1e-20


def test_pairwise_field_is_relatively_accurate_at_1e_minus_40():
    f = ip.attention(100.0)
    phases = np.array([0.0, 1.6, 3.3])  # 100 (cos 1.6 − 1) = −103; the largest force is 1e-40 or so
    exact, size = fifty_digit_sum(f, phases, np.full(3, 1 / 3))
    assert np.min(size) > 1e-50 and np.max(size) < 1e-40
    assert np.all(np.abs(ip.PhaseModel(f).velocity(phases) + exact) <= 1e-12 * size)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("m", [0, 1, 2, 7, 40])
@pytest.mark.parametrize("equal", [True, False])
def test_moments_are_sums_of_powers(n, m, equal):
    rng = np.random.default_rng(n + m)
    phases = rng.uniform(-20, 20, (2, n))
    weights = np.array([1 / n]) if equal else rng.normal(size=n)
    if n == 1:
        weights = np.array([0.7])
    waves = np.exp(1j * np.arange(m + 1)[:, None, None] * phases)
    exact = (waves * weights).sum(axis=2).T
    found = fourier.moments(phases, weights, m)
    assert found.shape == (2, m + 1)
    assert np.max(np.abs(found - exact)) <= 2e-15 * (m + 4) * np.sum(np.abs(weights) * np.ones(n))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("m", [0, 1, 2, 7, 40])
def test_evaluate_is_the_trigonometric_polynomial(n, m):
    rng = np.random.default_rng(n * 41 + m)
    phases = rng.uniform(-20, 20, (3, n))
    a = rng.normal(size=(3, m + 1)) + 1j * rng.normal(size=(3, m + 1))
    exact = (np.exp(1j * phases[:, :, None] * np.arange(m + 1)) @ a[:, :, None])[:, :, 0].real
    found = fourier.evaluate(phases, a, np.empty((3, n)))
    assert np.max(np.abs(found - exact)) <= 2e-15 * (m + 4) * np.max(np.sum(np.abs(a), axis=1))


def test_replicas_do_not_mix():
    rng = np.random.default_rng(0)
    phases, weights = rng.uniform(0, 6, (5, 700)), rng.random(700)
    together = fourier.moments(phases, weights, 9)
    for row, alone in zip(phases, together):
        assert np.array_equal(fourier.moments(row[None], weights, 9)[0], alone)


def test_the_same_numbers_with_one_and_two_threads(threads):
    rng = np.random.default_rng(2)
    phases, weights = rng.uniform(0, 6, (3, 200_001)), rng.random(200_001)
    a = rng.normal(size=(3, 8)) + 1j * rng.normal(size=(3, 8))
    stages, start, step = rng.normal(size=(4, 3, 200_001)), phases, np.array([0.1, 0.2, 0.3])
    found = []
    for count in (1, 2):
        threads(count)
        found.append(
            [
                fourier.moments(phases, weights, 7),
                fourier.evaluate(phases, a, np.empty(phases.shape)),
                steps.combine(start, stages, np.array([0.1, 0.0, -0.7, 0.3]), step, np.empty(start.shape)),
                steps.error(stages, np.array([0.1, 0.0, -0.7, 0.3]), step),
            ]
        )
    for one, two in zip(*found):
        assert np.array_equal(one, two)


# --------------------------------------------------------------------------------------- elementary functions


@nb.njit(cache=True)
def _sincos(x):
    s, c = np.empty(x.size), np.empty(x.size)
    sincos.sincos_block(x, s, c, x.size)
    return s, c


@nb.njit(cache=True)
def _exp(x):
    out = np.empty(x.size)
    tape.exp_block(x, out, np.empty(x.size, dtype=np.int64), x.size)
    return out


@pytest.mark.parametrize("size", [1e-300, 1e-8, 1.0, 10.0, 1e3, 1e6, 1e9, 1e15])
def test_sincos_block_agrees_with_numpy(size):
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.uniform(-size, size, 2000), [size, -size, 0.0, -0.0]])
    near = np.arange(-40, 41) * (np.pi / 4)
    x = np.concatenate([x, near[np.abs(near) <= size]])
    s, c = _sincos(x)
    assert np.max(np.abs(s - np.sin(x))) < 4e-16 and np.max(np.abs(c - np.cos(x))) < 4e-16
    assert np.all(np.signbit(s[:2000]) == np.signbit(np.sin(x[:2000])))


def test_sine_of_small_numbers_is_relatively_accurate():
    x = np.logspace(-300, -1, 500)
    assert _sincos(x)[0] == pytest.approx(np.sin(x), rel=4e-16)


def test_sincos_of_what_is_not_finite_is_not_a_number():
    s, c = _sincos(np.array([1.0, np.nan, np.inf, -np.inf]))
    assert np.isnan(s[1:]).all() and np.isnan(c[1:]).all() and s[0] == math.sin(1)


def test_exp_block_agrees_with_numpy():
    x = np.concatenate(
        [np.linspace(-708, 709, 20_001), np.logspace(-18, 0, 50), -np.logspace(-18, 0, 50), [0.0]]
    )
    assert _exp(x) == pytest.approx(np.exp(x), rel=1e-15, abs=0)
    assert _exp(np.array([-1e9, -746.0, 710.0, 1e9, np.inf, -np.inf])).tolist() == [
        0,
        0,
        np.inf,
        np.inf,
        np.inf,
        0,
    ]


@pytest.mark.parametrize("n", [1, 2, 17, 40])
def test_pairs_are_all_differences(n):
    phases = np.random.default_rng(n).uniform(0, 6, n)
    f = ip.attention(3.0)
    found = tape.differences(phases, f.tape(f.profile))
    difference = phases[:, None] - phases
    assert found.shape == (2, n, n)
    assert found[0] == pytest.approx(f(difference), abs=1e-15)
    assert found[1] == pytest.approx(f.profile(difference), rel=1e-14)


# ------------------------------------------------------------------------------------- vectors of integrators


@pytest.mark.parametrize("n", [1, 2, 1023, 1024, 1025, 5000])
@pytest.mark.parametrize("replicas", [1, 3])
def test_combine_and_error_agree_with_numpy(n, replicas):
    rng = np.random.default_rng(n)
    start, stages = rng.normal(size=(replicas, n)), rng.normal(size=(7, replicas, n))
    coefficients, step = np.array([0.3, 0.0, -0.2, 0.5, 0.1]), rng.uniform(0.1, 1, replicas)
    change = step[:, None] * np.tensordot(coefficients, stages[:5], axes=1)
    assert steps.combine(start, stages, coefficients, step, np.empty(start.shape)) == pytest.approx(
        start + change, abs=1e-14
    )
    assert steps.error(stages[:5], coefficients, step) == pytest.approx(np.abs(change).max(axis=1), rel=1e-13)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n", [1, 3, 1030])
def test_an_error_that_is_not_finite_is_infinite(bad, n):
    stages = np.ones((2, 3, n))
    stages[1, 1, n - 1] = bad
    found = steps.error(stages, np.array([0.5, 0.25]), np.full(3, 2.0))
    assert found.tolist() == [1.5, np.inf, 1.5]


def test_interpolate_fills_the_requested_times_of_accepted_steps():
    rng = np.random.default_rng(0)
    start, stages, weights = rng.normal(size=(3, 5)), rng.normal(size=(4, 3, 5)), rng.normal(size=(4, 2))
    time, step = np.array([0.0, 1.0, 0.5]), np.array([1.0, 0.5, 2.0])
    times, rows = np.array([0.25, 0.75, 1.0, 1.5, 2.0, 3.0]), np.array([4, 0, 2])
    due, out = np.array([0, 3, 1]), np.full((6, 5, 5), np.nan)
    accepted = np.array([True, True, False])
    steps.interpolate(start, stages, weights, time, step, accepted, times, due, rows, out)
    assert due.tolist() == [3, 4, 1]
    for replica, row, filled in ((0, 4, [0, 1, 2]), (1, 0, [3])):
        for k in filled:
            theta = (times[k] - time[replica]) / step[replica]
            powers = theta ** np.arange(1, 3)
            exact = start[replica] + step[replica] * np.einsum(
                "si,sp,p->i", stages[:, replica], weights, powers
            )
            assert out[k, row] == pytest.approx(exact, abs=1e-14)
    assert np.isfinite(out).sum() == 4 * 5


# ---------------------------------------------------------------------------------------------------- merging


ascending = st.lists(st.floats(0, 1), min_size=1, max_size=25).map(sorted).map(np.array)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(ascending, st.sampled_from([0.01, 0.1, 0.3]))
def test_groups_span_at_most_the_distance(positions, distance):
    label = merging.groups(positions, distance)
    expected, first = [], None
    for x in positions:
        if first is None or x - first > distance:
            expected.append(expected[-1] + 1 if expected else 0)
            first = x
        else:
            expected.append(expected[-1])
    assert label.tolist() == expected


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(2, 12).flatmap(lambda n: st.permutations(range(n - 1)).map(lambda p: (n, p))), st.data())
def test_join_agrees_with_brute_force(case, data):
    n, permutation = case
    order = np.array(permutation[: data.draw(st.integers(1, n - 1))])
    rng = np.random.default_rng(n)
    positions, masses = np.sort(rng.random(n)), rng.random(n) * (rng.random(n) > 0.3)
    merged = np.empty((len(order), 2), dtype=np.int64)
    rows_x, rows_m = np.empty((2, len(order), 2))
    node, position, mass = merging.join(order, np.arange(n), positions, masses, n, merged, rows_x, rows_m)
    pieces = [([i], i, positions[i], masses[i]) for i in range(n)]
    for row, i in enumerate(order):
        k = next(k for k, piece in enumerate(pieces) if piece[0][-1] == i)
        left, right = pieces[k], pieces[k + 1]
        total = left[3] + right[3]
        center = (left[2] * left[3] + right[2] * right[3]) / total if total > 0 else (left[2] + right[2]) / 2
        assert merged[row].tolist() == [left[1], right[1]]
        assert rows_x[row] == pytest.approx([left[2], right[2]]) and rows_m[row] == pytest.approx(
            [left[3], right[3]]
        )
        pieces[k : k + 2] = [(left[0] + right[0], n + row, center, total)]
    for members, name, x, m in pieces:
        first = members[0]
        assert node[first] == name and position[first] == pytest.approx(x) and mass[first] == pytest.approx(m)
