"""Delays against exact solutions, a brute-force Runge-Kutta, jitcdde and runs without delays."""

import math

import numpy as np
import pytest
from scipy import sparse
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import lambertw

import inphase as ip
from inphase.coupling.dense import Dense
from inphase.coupling.hypergraph import Hypergraph
from inphase.coupling.sparse import Sparse
from inphase.kernels import steps
from inphase.simulation.delayed import DelayedDormandPrince, delayed, kinks
from inphase.simulation.motion import Motion
from inphase.simulation.past import polynomials


def march(run, times):
    """What `simulate` does with an integration: phases
    (T, replicas, n) at the times, the last one being t_end.
    """
    times, rows = np.asarray(times, dtype=float), np.arange(len(run.phases))
    due, out = np.zeros(len(rows), dtype=np.int64), np.empty((len(times), *run.phases.shape))
    if times[0] == 0.0:
        out[0], due[:] = run.phases, 1
    while run.running.any():
        assert run.accepted_steps + run.rejected_steps < 200_000
        run.advance()
        record = run.before, run.stages, run.interpolant, run.time_before, run.taken, run.accepted
        steps.interpolate(*record, times, due, rows, out)
        arrived = run.accepted & ~run.running
        out[-1, arrived], due[arrived] = run.phases[arrived], len(times)
        run.next_stage()
    return out


def trajectory(model, phases, times, tolerance=1e-9, history=None):
    phases = np.asarray(phases, dtype=float)
    found = march(
        delayed(Motion(model, np.shape(phases)[-1]), np.atleast_2d(phases), times[-1], tolerance, history),
        times,
    )
    return found if phases.ndim == 2 else found[:, 0]


def start(n, seed=0):
    return np.random.default_rng(seed).uniform(0, 2 * np.pi, n)


def network(n, links, longest, seed=0, grid=None):
    """(K, τ): random weights and delays up to `longest` (multiples of `grid`) of n·links pairs, dense."""
    rng = np.random.default_rng(seed)
    joined = np.zeros(n * n, dtype=bool)
    joined[rng.choice(n * n, n * links, replace=False)] = True
    K = np.where(joined, rng.uniform(0.2, 1.0, n * n), 0.0).reshape(n, n) / links
    tau = rng.uniform(0.1 * longest, longest, (n, n))
    return K, (np.rint(tau / grid) * grid if grid else tau) * (K != 0)


# ------------------------------------------------------------------------ a linear equation: order and memory


def linear(delay, exact, t_end, tolerance):
    """y' = −y(t − delay) from the history `exact`."""
    past = polynomials(lambda t: np.array([exact(t)]), np.array([[exact(0.0)]]), np.zeros(1), delay, 1e-12)
    return DelayedDormandPrince(
        lambda y, out, sources: np.negative(sources, out=out),
        np.array([[exact(0.0)]]),
        t_end,
        tolerance,
        heard=np.zeros(1, dtype=np.int64),
        delays=np.array([delay]),
        past=past,
    )


def test_order_five_with_fixed_steps_and_between_them():
    """sin t solves y' = −y(t − π/2)."""
    counts, at_steps, between = np.array([2, 4, 8, 16]), [], []
    for count in counts:
        run, worst = linear(np.pi / 2, math.sin, 4 * np.pi, 1e9), 0.0
        while run.running.any():
            run.step[:] = np.pi / 2 / count
            run.advance()
            middle = run.time_before[0] + 0.5 * run.taken[0]
            worst = max(worst, abs(run.state_within(0, 0.5)[0] - math.sin(middle)))
            run.next_stage()
        assert run.accepted_steps == 8 * count and run.rejected_steps == 0
        at_steps.append(abs(run.phases[0, 0]))
        between.append(worst)
    assert np.polyfit(np.log(counts), np.log(at_steps), 1)[0] == pytest.approx(-5, abs=0.5)
    assert np.polyfit(np.log(counts), np.log(between), 1)[0] < -4.5


@pytest.mark.parametrize("delay", [0.2, 0.02, 1e-3])
def test_order_five_where_the_delay_is_shorter_than_the_steps(delay):
    """e^{λt} with λ = −e^{−λτ} solves y' = −y(t − τ)."""
    rate = float(lambertw(-delay).real) / delay
    counts, errors = [], []
    for tolerance in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10):
        run = linear(delay, lambda t: math.exp(rate * t), 4.0, tolerance)
        errors.append(abs(march(run, [4.0])[0, 0, 0] - math.exp(4 * rate)))
        counts.append(run.accepted_steps)
    assert errors[0] < 1e-5 and errors[-1] < 1e-9
    assert np.polyfit(np.log(counts), np.log(errors), 1)[0] < -4.0
    # short delays do not make short steps: the delays themselves would ask for 200
    assert delay == 0.2 or counts[0] < 25


def test_kinks_are_stepped_onto():
    """y = 1 before 0 and y' = −y(t − 1): polynomials of
    degree k in the k-th unit of time, exact up to degree 4.
    """
    run = linear(1.0, lambda t: 1.0, 4.0, 1e-3)
    exact = [1.0, 0.0, -0.5, -1 / 6, 5 / 24]
    assert march(run, np.arange(5.0))[:, 0, 0] == pytest.approx(exact, abs=1e-13)


def test_kinks_are_sums_of_up_to_four_delays():
    assert kinks(np.array([1.0, 0.0, 1.0]), 9.0) == pytest.approx([1, 2, 3, 4])
    found = kinks(np.array([1.0, 2.5]), 6.0)
    assert found == pytest.approx([1, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5])
    # with the sums of two, they would be too many
    assert len(kinks(np.random.default_rng(0).uniform(1, 2, 30), 10.0)) == 30
    assert len(kinks(np.linspace(1, 2, 101), 10.0)) == 0
    # equal up to rounding
    assert kinks(np.array([0.1, 0.2, 0.3]), 10.0) == pytest.approx(0.1 * np.arange(1, 13))


def test_memory_is_bounded_by_the_longest_delay():
    model = ip.PhaseModel(ip.kuramoto(), frequencies=[0.0, 0.7, 2.0], delays=[0.3, 1.0, 0.5])
    run, kept = delayed(Motion(model, 3), start(3)[None], 30.0, 1e-8), []
    within = []  # how many steps began within the last max τ
    begun = []
    while run.running.any():
        run.advance()
        run.next_stage()
        if run.accepted[0]:
            begun.append(run.time_before[0])
            within.append(np.count_nonzero(np.array(begun[-200:]) > run.time[0] - 1.0))
            kept.append(run.kept_bytes)
    assert run.accepted_steps > 200
    assert max(kept) <= 2 * (max(within) + 3) * 3 * 5 * 8
    assert kept[-1] == kept[len(kept) // 10]


# --------------------------------------------------------------------------------------- oscillators, exactly


@pytest.mark.parametrize("delay", [0.4, 0.01])
def test_one_that_hears_a_free_one(delay):
    """θ_2' = ω − K sin(θ_2 − ω(t − τ)): the delay is a shift of phase, and tan(x/2) decays as e^{−Kt}."""
    omega, K = 2.0, 0.8
    model = ip.PhaseModel(
        K * ip.kuramoto(), ip.RankOne([0.0, 1.0], [1.0, 0.0]), frequencies=omega, delays=delay
    )
    times = np.linspace(0, 10, 101)
    found = trajectory(model, [0.0, 2.0], times, 1e-11)
    x = 2 * np.arctan(np.tan((2.0 + omega * delay) / 2) * np.exp(-K * times))
    assert found[:, 0] == pytest.approx(omega * times, abs=1e-12)
    assert found[:, 1] == pytest.approx(omega * (times - delay) + x, abs=2e-9)


@pytest.mark.parametrize(
    ("K", "delay", "per"), [(0.5, 0.3, "all"), (1.5, 0.5, "sender"), (0.6, 1.0, "pair"), (-0.7, 1.5, "pair")]
)
def test_two_oscillators_lock_at_the_known_frequency(K, delay, per):
    """Ω = ω − K sin(Ωτ), stable where K cos(Ωτ) > 0 (Yeung
    and Strogatz, Physical Review Letters 82, 648, 1999).
    """
    delays = {"all": delay, "sender": [delay, delay], "pair": [[0.0, delay], [delay, 0.0]]}[per]
    coupling = Dense([[0.0, 1.0], [1.0, 0.0]])
    model = ip.PhaseModel(K * ip.kuramoto(), coupling, frequencies=1.0, delays=delays)
    times = [0.0, 79.0, 80.0]
    found = trajectory(model, [0.0, 0.3], times, 1e-10)
    speed = found[2] - found[1]
    grid = np.linspace(1 - abs(K), 1 + abs(K), 200)
    residual = grid - 1 + K * np.sin(grid * delay)
    brackets = np.flatnonzero(residual[:-1] * residual[1:] < 0)
    roots = [
        brentq(lambda w: w - 1 + K * math.sin(w * delay), grid[b], grid[b + 1], xtol=1e-14) for b in brackets
    ]
    stable = [w for w in roots if K * math.cos(w * delay) > 0]
    apart = (found[2, 0] - found[2, 1]) % (2 * np.pi)
    assert min(apart, 2 * np.pi - apart) < 1e-8
    assert speed[0] == pytest.approx(speed[1], abs=1e-8)
    assert min(abs(w - speed[0]) for w in stable) < 1e-8


# ----------------------------------------------------------------------------------- networks, by other means


def reference(model, K, tau, phases, t_end, h):
    """Fixed steps of classical Runge-Kutta with cubic Hermite
    history, all delays (n, n) multiples of h; uncoupled before 0.
    """
    n, steps_ = len(phases), round(t_end / h)
    lag = np.rint(tau / h).astype(int)
    assert np.allclose(lag * h, tau)
    back = lag.max()
    omega = np.broadcast_to(model.frequencies, n)
    y, begin, end = np.empty((3, back + steps_ + 1, n))  # values, and slopes to the right and to the left
    y[: back + 1] = phases + omega * h * np.arange(-back, 1)[:, None]
    begin[: back + 1], end[: back + 1] = omega, omega
    columns = np.arange(n)[None, :]

    def velocity(state, heard):
        gap = state[:, None] - np.where(lag == 0, state[None, :], heard)
        pull = (K * model.interaction(gap)).sum(axis=1)
        if model.gain == "softmax":
            pull /= (K * model.interaction.profile(gap)).sum(axis=1)
        return omega + model.field * np.sin(state) - pull

    for k in range(back, back + steps_):
        i = k - lag
        j = np.minimum(i + 1, k)  # pairs without delay look nowhere
        now, then = y[i, columns], y[j, columns]
        half = 0.5 * (now + then) + h * (begin[i, columns] - end[j, columns]) / 8
        a = velocity(y[k], now)
        begin[k] = a
        if k > back:
            end[k] = a
        b = velocity(y[k] + 0.5 * h * a, half)
        c = velocity(y[k] + 0.5 * h * b, half)
        d = velocity(y[k] + h * c, then)
        y[k + 1] = y[k] + h / 6 * (a + 2 * b + 2 * c + d)
        end[k + 1] = begin[k + 1] = velocity(
            y[k + 1], np.where(lag > 0, y[np.minimum(k + 1 - lag, k + 1), columns], 0)
        )
    return y[back:]


CASES = {
    "per pair": (ip.kuramoto(), None),
    "per pair, harmonics": (ip.harmonics(sin=[1.0, 0.5], cos=[0.2, 0.0, -0.1]), None),
    "per pair, softmax": (ip.attention(2.0), "softmax"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_delays_of_pairs_against_brute_force(case, kind):
    f, gain = CASES[case]
    n, h = 7, 0.005
    K, tau = network(n, 3, 1.0, grid=0.1)
    tau[np.nonzero(K)[0][0], np.nonzero(K)[1][0]] = 0.0  # some pairs hear at once
    if gain:
        K += np.eye(n) / n
        f = 0.5 * f if gain is None else f
    frequencies, field = np.linspace(-1, 1, n), 0.3
    if kind == "dense":
        model = ip.PhaseModel(f, Dense(K), gain=gain, frequencies=frequencies, field=field, delays=tau)
    else:
        coupling = Sparse(sparse.csr_array(K))
        model = ip.PhaseModel(
            f, coupling, gain=gain, frequencies=frequencies, field=field, delays=sparse.csr_array(tau)
        )
    found = trajectory(model, start(n), np.linspace(0, 5, 51), 1e-10)
    assert found == pytest.approx(reference(model, K, tau, start(n), 5.0, h)[::20], abs=1e-7)


@pytest.mark.parametrize("coupling", ["all", "rank one", "dense"])
@pytest.mark.parametrize("gain", [None, "softmax"])
def test_delays_of_senders_against_brute_force(coupling, gain):
    n, h = 6, 0.005
    chosen = {"all": ip.AllToAll(), "rank one": ip.RankOne(np.linspace(1, 2, n), np.linspace(0.2, 0.4, n)),
              "dense": Dense(0.1 + network(n, 3, 1.0)[0])}[coupling]  # fmt: skip
    delays = np.array([0.0, 0.1, 0.9, 0.25, 0.5, 0.0])
    model = ip.PhaseModel(
        ip.attention(2.0), chosen, gain=gain, frequencies=np.linspace(0, 2, n), field=0.2, delays=delays
    )
    exact = reference(model, chosen.matrix(n), np.tile(delays, (n, 1)), start(n), 4.0, h)[::20]
    assert trajectory(model, start(n), np.linspace(0, 4, 41), 1e-10) == pytest.approx(exact, abs=1e-7)


def test_delays_of_senders_and_of_pairs_are_the_same_where_they_say_the_same():
    n, delays = 8, np.linspace(0, 1.2, 8)
    K = network(n, 4, 1.0)[0]
    by_sender = ip.PhaseModel(ip.attention(1.0), Dense(K), delays=delays, gain=lambda y: 1.5 + np.cos(y))
    by_pair = by_sender.replace(delays=np.tile(delays, (n, 1)))
    times = np.linspace(0, 5, 11)
    assert trajectory(by_sender, start(n), times) == pytest.approx(
        trajectory(by_pair, start(n), times), abs=1e-7
    )


def test_a_network_of_ten_against_jitcdde(tmp_path, monkeypatch):
    jitcdde = pytest.importorskip("jitcdde")
    symengine = pytest.importorskip("symengine")
    monkeypatch.chdir(tmp_path)  # its compiler reads the project file of the folder it is called in
    n = 10
    K, tau = network(n, 3, 2.0)
    omega, phases = np.linspace(0.5, 1.5, n), start(n)

    def rows():
        for i in range(n):
            heard = [
                K[i, j] * symengine.sin(jitcdde.y(i) - jitcdde.y(int(j), jitcdde.t - tau[i, j]))
                for j in np.nonzero(K[i])[0]
            ]
            yield omega[i] - sum(heard)

    theirs = jitcdde.jitcdde(rows, n=n, max_delay=float(tau.max()), verbose=False)
    theirs.compile_C(simplify=False, do_cse=False, verbose=False)
    theirs.set_integration_parameters(rtol=0.0, atol=1e-9, first_step=1e-3, pws_rtol=0.0, pws_atol=1e-10)
    theirs.add_past_point(-float(tau.max()), phases - omega * tau.max(), omega)
    theirs.add_past_point(0.0, phases, omega)
    # by small steps; version 1.8.3 steps on sums of the kinks' times instead
    theirs.initial_discontinuities_handled = True
    times = np.array([1.0, 3.0, 6.0])
    answer = np.array([theirs.integrate(t) for t in times])
    model = ip.PhaseModel(ip.kuramoto(), Sparse(sparse.csr_array(K)), frequencies=omega, delays=tau)
    assert trajectory(model, phases, times, 1e-10) == pytest.approx(answer, abs=1e-6)


# --------------------------------------------------------------------------------------------- short and zero


@pytest.mark.parametrize("per", ["sender", "pair"])
def test_no_delays_are_no_delays(per):
    n = 6
    delays = np.zeros(n) if per == "sender" else np.zeros((n, n))
    model = ip.PhaseModel(ip.attention(2.0), gain="softmax", frequencies=np.linspace(0, 1, n), field=0.1)
    times = np.linspace(0, 6, 13)
    expected = ip.simulate(model, start(n), times=times, tolerance=1e-9).phase.values
    assert trajectory(model.replace(delays=delays), start(n), times) == pytest.approx(expected, abs=1e-7)


def test_tiny_delays_are_nearly_none_and_cost_few_steps():
    n, times = 6, np.array([0.0, 5.0])
    model = ip.PhaseModel(2 * ip.kuramoto(), frequencies=np.linspace(0, 1, n))
    exact = ip.simulate(model, start(n), times=times, tolerance=1e-12)
    far = []
    for delay in (1e-5, 1e-6):
        run = delayed(Motion(model.replace(delays=delay), n), start(n)[None], 5.0, 1e-10)
        far.append(np.max(np.abs(march(run, times)[-1, 0] - exact.phase.values[-1])))
        assert run.accepted_steps + run.rejected_steps < 3 * exact.attrs["accepted_steps"]
    assert far[0] == pytest.approx(10 * far[1], rel=1e-2) and far[0] < 1e-4  # to first order in the delay


def test_delays_shorter_and_longer_than_the_steps_mix():
    n, h = 6, 0.001
    K, tau = network(n, 3, 1.0, grid=0.1)
    sparse_tau = tau.copy()
    sparse_tau[np.nonzero(K)[0][:6], np.nonzero(K)[1][:6]] = [0.001, 0.002, 0.003, 0.005, 0.0, 0.01]
    model = ip.PhaseModel(3 * ip.kuramoto(), Dense(K), frequencies=np.linspace(-1, 1, n), delays=sparse_tau)
    exact = reference(model, K, sparse_tau, start(n), 2.0, h)
    run = delayed(Motion(model, n), start(n)[None], 2.0, 1e-9)
    assert march(run, [1.0, 2.0])[:, 0] == pytest.approx(exact[[1000, 2000]], abs=1e-7)
    assert run.accepted_steps < 400  # 2000 steps would be as short as the shortest delay


# ---------------------------------------------------------------------------------------------------- history

PAIR = ip.PhaseModel(ip.kuramoto(), ip.AllToAll(), frequencies=[0.5, 1.5], delays=[1.0, 0.7])
PHASES = np.array([0.3, 2.0])


def test_the_same_history_in_many_words():
    times = np.linspace(0, 5, 11)
    free = trajectory(PAIR, PHASES, times, 1e-10)
    omega, back = PAIR.frequencies, np.linspace(-1.5, 0, 7)
    for history in (
        "uncoupled",
        lambda t: PHASES + omega * t,
        (back, PHASES + omega * back[:, None]),
        (back[[0, -1]], PHASES + omega * back[[0, -1], None]),
    ):
        assert trajectory(PAIR, PHASES, times, 1e-10, history) == pytest.approx(free, abs=1e-9)
    still = trajectory(PAIR, PHASES, times, 1e-10, "constant")
    assert trajectory(PAIR, PHASES, times, 1e-10, lambda t: PHASES) == pytest.approx(still, abs=1e-9)
    assert np.max(np.abs(still - free)) > 0.1
    # f does not see whole turns
    turned = trajectory(PAIR, PHASES, times, 1e-10, lambda t: PHASES + 2 * np.pi)
    assert turned == pytest.approx(still, abs=1e-8)


def test_a_run_goes_on_from_its_own_past():
    """As a function and as an array, the phases of the last max τ are all that the future depends on."""
    whole = trajectory(PAIR, PHASES, np.linspace(0, 6, 601), 1e-11)
    past = np.linspace(-1, 0, 101)
    spline = CubicSpline(past, whole[200:301])
    for history in ((past, whole[200:301]), lambda t: spline(t)):
        again = trajectory(PAIR, whole[300], np.linspace(0, 3, 301), 1e-9, history)
        assert again == pytest.approx(whole[300:], abs=1e-7)


def test_a_rough_history_is_followed_to_the_tolerance():
    """A kink in the past, against a history with a piece to either side."""

    def bent(t):
        return PHASES + np.abs(t + 0.3137) - 0.3137

    halves = [-1.0, -0.3137, 0.0]
    times = np.linspace(0, 4, 9)
    found = trajectory(PAIR, PHASES, times, 1e-9, bent)
    line = np.unique(np.concatenate([np.linspace(-1, -0.3137, 300), np.linspace(-0.3137, 0, 300), halves]))
    assert found == pytest.approx(
        trajectory(PAIR, PHASES, times, 1e-9, (line, np.array([bent(t) for t in line]))), abs=1e-6
    )
    with pytest.raises(ValueError, match="history must be piecewise smooth"):
        trajectory(PAIR, PHASES, times, 1e-9, lambda t: PHASES + np.sin(1e6 * t))


BAD = [
    (
        (np.linspace(-0.5, 0, 5), np.zeros((5, 2))),
        ValueError,
        "history must reach back to -max τ = -1; it begins at -0.5",
    ),
    ((np.linspace(-2, -1, 5), np.zeros((5, 2))), ValueError, "history times must be ascending and end at 0"),
    (([0.0, -2.0], np.zeros((2, 2))), ValueError, "history times must be ascending"),
    (([-2.0, 0.0], np.zeros((2, 3))), ValueError, r"history phases must have shape \(2, 2\)"),
    (([-2.0, 0.0], [[0.0, np.nan], [0.0, 0.0]]), ValueError, "history phases must be finite"),
    (lambda t: np.zeros(3), ValueError, r"history\(-1\) must have shape \(2,\); got shape \(3,\)"),
    (lambda t: [np.nan, 0.0], ValueError, r"history\(-1\) must be finite"),
    (
        lambda t: PHASES + 0.1,
        ValueError,
        "history must be the initial phases at t = 0; it is 0.1 radians away",
    ),
    ("random", ValueError, 'history must be "uncoupled", "constant"'),
    (3.0, TypeError, 'history must be "uncoupled", "constant"'),
]


@pytest.mark.usefixtures("as_a_user")
@pytest.mark.parametrize(("history", "error", "message"), BAD)
def test_bad_histories(history, error, message):
    with pytest.raises(error, match=message):
        delayed(Motion(PAIR, len(PHASES)), PHASES[None], 1.0, 1e-8, history)


def test_delays_of_pairs_need_pairs():
    model = ip.PhaseModel(ip.kuramoto(), Hypergraph([[0, 1, 2]], n=3), delays=np.ones((3, 3)))
    with pytest.raises(ValueError, match="delays per pair need a coupling of pairs"):
        delayed(Motion(model, 3), np.zeros((1, 3)), 1.0, 1e-8)


def test_delays_of_senders_with_triads():
    """K sin(2 φ_j − φ_k − θ_i) is not a sum over pairs, but what is heard is as late."""
    late = ip.PhaseModel(
        ip.kuramoto(), Hypergraph([[0, 1, 2]], n=3), frequencies=[1.0, 1.0, 1.2], delays=1e-7
    )
    times = np.array([0.0, 3.0])
    at_once = ip.simulate(late.replace(delays=0.0), start(3), times=times).phase.values
    assert trajectory(late, start(3), times) == pytest.approx(at_once, abs=2e-6)


# --------------------------------------------------------------------------------------- replicas and threads


@pytest.mark.parametrize("delays", ["senders", "pairs", "short"])
def test_a_replica_does_not_feel_the_others(delays):
    n = 5
    K, tau = network(n, 3, 0.8)
    tau = {"senders": np.linspace(0.1, 1, n), "pairs": tau, "short": 1e-3 * tau}[delays]
    model = ip.PhaseModel(3 * ip.kuramoto(), Dense(K), frequencies=np.linspace(0, 3, n), delays=tau)
    phases = np.random.default_rng(1).uniform(0, 6, (4, n))
    phases[2] = 0.1 * phases[2]

    def history(t):
        return phases + 0.2 * t

    together = trajectory(model, phases, [2.0, 5.0], 1e-8, history)
    for r in range(4):
        alone = trajectory(model, phases[r], [2.0, 5.0], 1e-8, lambda t, r=r: history(t)[r])
        assert np.array_equal(together[:, r], alone)
    run = delayed(Motion(model, phases.shape[1]), phases, 5.0, 1e-8, history)
    for _ in range(6):
        run.advance()
        run.next_stage()
    run.keep(np.array([True, False, True, True]))
    assert np.array_equal(march(run, [5.0])[-1], together[-1, [0, 2, 3]])


def test_constant_steps_and_adaptive_ones_agree():
    """Heun's method with delays in whole steps is of order 2, also per pair and with inertia."""
    rng = np.random.default_rng(5)
    K, tau = rng.normal(size=(4, 4)), rng.integers(0, 6, (4, 4)) * 0.2
    parts = {"frequencies": rng.normal(size=4), "delays": tau, "damping": [1.0, 2.0, 1.0, 0.5]}
    for inertia in (0.0, [0.5, 1.0, 0.0, 2.0]):
        model = ip.PhaseModel(ip.sakaguchi(0.3), ip.Dense(K), inertia=inertia, **parts)
        exact = ip.simulate(model, PHASES4, times=[3.0], tolerance=1e-11)
        errors = []
        for h in (0.02, 0.01):
            run = ip.simulate(model, PHASES4, times=[3.0], step=h)
            errors.append(float(np.max(np.abs(run.phase - exact.phase))))
        assert errors[1] < 1e-3
        assert 3.3 < errors[0] / errors[1] < 4.7


PHASES4 = np.array([0.1, 1.0, 2.0, 4.0])


@pytest.mark.parametrize("step", [None, 0.05])
def test_histories_through_simulate(step):
    """One oscillator hears another that turns freely:
    θ_0' = sin(θ_1(t − τ) − θ_0), by the history's own law before t = τ.
    """
    model = ip.PhaseModel(ip.kuramoto(), ip.Dense([[0, 1], [0, 0]]), frequencies=[0.0, 1.0], delays=1.0)
    free = ip.simulate(model, [0.0, 0.5], times=[1.0], step=step)
    given = ip.simulate(model, [0.0, 0.5], times=[1.0], step=step, history=lambda t: [0.0, 0.5 + t])
    listed = ip.simulate(
        model, [0.0, 0.5], times=[1.0], step=step, history=([-1.0, 0.0], [[0.0, -0.5], [0.0, 0.5]])
    )
    np.testing.assert_allclose(given.phase, free.phase, rtol=0, atol=1e-7)
    np.testing.assert_allclose(listed.phase, free.phase, rtol=0, atol=1e-7)
    still = ip.simulate(model, [0.0, 0.5], times=[1.0], step=step, history="constant").phase.values[0, 0]
    # θ' = sin(1/2 − θ): tan((1/2 − θ)/2) falls like e^{−t}
    exact = 0.5 - 2 * np.arctan(np.tan(0.25) * np.exp(-1.0))
    assert abs(still - exact) < (1e-7 if step is None else 1e-3)


def test_delays_that_are_no_whole_steps_need_no_more_history():
    model = ip.PhaseModel(ip.kuramoto(), frequencies=[1.0, 1.2], delays=0.2)
    given = ([-0.2, 0.0], [[-0.2, 0.26], [0.0, 0.5]])
    run = ip.simulate(model, [0.0, 0.5], times=[2.0], step=0.003, history=given)
    exact = ip.simulate(model, [0.0, 0.5], times=[2.0], history=given)
    assert np.max(np.abs(run.phase.values - exact.phase.values)) < 4e-3  # t = 2.001, and a lag of 0.201


def test_a_history_without_delays_is_refused():
    with pytest.raises(ValueError, match="history is for models with delays"):
        ip.simulate(ip.PhaseModel(ip.kuramoto()), [0.0, 1.0], t_end=1.0, history="constant")


def test_one_thread_or_two(threads):
    n, links = 3000, 20
    rng = np.random.default_rng(0)
    pairs = rng.choice(n * n, n * links, replace=False)
    K = sparse.csr_array((rng.uniform(0, 0.1, n * links), np.divmod(pairs, n)), shape=(n, n))
    tau = K.copy()
    tau.data = rng.uniform(0.0, 0.5, n * links)
    by_pair = ip.PhaseModel(ip.kuramoto(), Sparse(K), frequencies=rng.normal(size=n), delays=tau)
    by_sender = ip.PhaseModel(
        ip.kuramoto(), frequencies=rng.normal(size=60 * n), delays=rng.uniform(0, 0.5, 60 * n)
    )
    for model in (by_pair, by_sender):
        phases, found = start(model.size), []
        for count in (1, 2):
            threads(count)
            found.append(trajectory(model, phases, [0.2], 1e-4))
        assert np.array_equal(*found)


@pytest.mark.parametrize("delay", [0.05, 1e-4])
def test_a_gain_that_ends_ends_the_run_in_short_steps(delay):
    """NaN beyond phase 1 is no answer: ever shorter steps
    come up to it, as `simulate` expects of an integrator.
    """
    model = ip.PhaseModel(
        ip.kuramoto(), gain=lambda y: np.where(y < 1.0, 2.0, -1.0), frequencies=1.0, delays=delay
    )
    run = delayed(Motion(model, 2), np.array([[0.0, 0.1]]), 5.0, 1e-8)
    for _ in range(400):
        run.advance()
        run.next_stage()
        if run.step[0] < 1e-14:
            break
    assert run.step[0] < 1e-14 and run.rejected_steps > 10
    assert np.all(np.isfinite(run.phases)) and 0.999999 < np.max(run.phases) <= 1.0
