"""Swing equations: conditions that see velocities, basins with inertia, single nodes, critical clearing times.

One machine against an infinite bus is θ'' = P − D θ' − K sin θ: the separatrix is the stable manifold of its saddle,
integrated backward by SciPy, and without damping the equal-area criterion gives the critical angle.
"""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import inphase as ip
from inphase.equilibria import basins, critical_clearing_time, node_basins, survivability
from inphase.simulation import faster_than, simulate

P, K = 0.5, 1.0
REST, SADDLE = np.arcsin(P / K), np.pi - np.arcsin(P / K)


def machine(damping, **parts):
    return ip.PhaseModel(
        ip.kuramoto(), **{"frequencies": P, "field": -K, "inertia": 1.0, "damping": damping} | parts
    )


def separatrix(damping, down_to):
    """The velocity, as a function of angle from `down_to` up to the saddle, above which the machine slips."""
    rate = -0.5 * (damping + np.sqrt(damping**2 + 4 * np.sqrt(K**2 - P**2)))
    end = lambda t, y: y[0] - down_to  # noqa: E731
    end.terminal = True
    back = solve_ivp(
        lambda t, y: [-y[1], -(P - damping * y[1] - K * np.sin(y[0]))],
        [0, 60],
        [SADDLE - 1e-6, -1e-6 * rate],
        events=end,
        rtol=1e-11,
        atol=1e-13,
        dense_output=True,
        max_step=0.05,
    )
    return lambda angle: back.sol(brentq(lambda t: back.sol(t)[0] - angle, 0, back.t[-1]))[1]


# ----------------------------------------------------------------------------------------------- conditions


def test_a_condition_with_a_third_argument_sees_velocities():
    falling = ip.PhaseModel(ip.kuramoto(), frequencies=[1.0, 0.5], inertia=[1.0, 0.0])
    seen = []

    def half(time, phases, speed):  # v = 1 − exp(−t) passes 0.5 at log 2
        seen.append(speed)
        return speed[0] > 0.5

    alone = falling.replace(coupling=ip.Sparse(np.zeros((2, 2))))
    run = simulate(alone, [0.0, 0.0], t_end=3.0, stop=half)
    assert run.stopped_by == "half" and abs(float(run.end_time) - np.log(2)) < 1e-7
    assert all(speed.shape == (2,) and speed[1] == 0.5 for speed in seen)
    stepped = simulate(alone, [0.0, 0.0], t_end=3.0, stop=[half, faster_than(0.9)], method="rk4", step=0.01)
    assert stepped.stopped_by == "half" and abs(float(stepped.end_time) - np.log(2)) < 0.011
    kept = simulate(alone, [0.0, 0.0], t_end=3.0, stop=lambda time, phases, bound=2.5: time > bound)
    assert abs(float(kept.end_time) - 2.5) < 1e-9  # an argument with a default is the user's own


def test_velocities_that_are_not_known_are_refused():
    slow = ip.PhaseModel(ip.kuramoto(), delays=0.1, inertia=[1.0, 0.0, 1.0])
    with pytest.raises(
        ValueError, match=r"faster than of stop asks for velocities, .* such as 1, are not known"
    ):
        simulate(slow, np.zeros(3), t_end=1.0, stop=faster_than(1.0))
    with pytest.raises(ValueError, match="bound must be a positive"):
        faster_than(0.0)


# --------------------------------------------------------------------------------------- basins and single nodes


def test_the_basin_of_a_machine_is_what_the_separatrix_says():
    damping, widest, samples = 0.4, 2.0, 400
    found = basins(
        machine(damping), 1, samples=samples, seed=2, velocities=widest, t_end=150.0, confidence=0.999
    )
    rng = np.random.default_rng(5)
    starts = np.stack([rng.uniform(-np.pi, np.pi, 4000), rng.uniform(-widest, widest, 4000)])
    settled = solve_ivp(
        lambda t, y: np.concatenate([y[4000:], P - damping * y[4000:] - K * np.sin(y[:4000])]),
        [0, 60],
        starts.ravel(),
        rtol=1e-6,
        atol=1e-6,
    ).y[4000:, -1]
    share = np.mean(np.abs(settled) < 1e-3)  # the others run on at about P/D = 1.25
    assert found.name.values.tolist()[1:] == ["undecided"] and int(found["count"].sum()) == samples
    assert 0.5 < share < 0.9 and found.low[0] < share < found.high[0]
    assert np.allclose(found.phases[0], REST, atol=1e-9)


def test_single_nodes_of_two_machines_are_one_against_a_bus():
    # θ = θ_1 − θ_0 of two equal machines: θ'' = 2P − D θ' − 2K sin θ; a node's push is a push of θ
    damping, widest, samples = 0.5, 3.0, 80
    two = ip.PhaseModel(
        ip.kuramoto(), ip.Sparse([[0, 1.0], [1.0, 0]]), frequencies=[-P, P], inertia=1.0, damping=damping
    )
    found = node_basins(two, [0.0, REST], widest, samples=samples, seed=1, confidence=0.999)
    bus = ip.PhaseModel(ip.kuramoto(), frequencies=2 * P, field=-2 * K, inertia=1.0, damping=damping)
    alone = node_basins(bus, [REST], widest, samples=samples, seed=1, confidence=0.999)
    assert found["count"][0] != found["count"][1]  # draws of their own
    shares = np.concatenate([found.fraction, alone.fraction])
    assert np.all(shares > 0.3) and np.all(shares < 0.97)
    assert np.max(np.concatenate([found.low, alone.low])) < np.min(np.concatenate([found.high, alone.high]))
    assert np.array_equal(found["count"] + found.undecided, [samples, samples])


def test_survivability_is_the_share_within_the_level_line_of_energy():
    # hardly damped, P = 0: |v| stays within b where v²/2 − cos θ < b²/2 − 1, as the fastest point is the bottom
    bound, samples = 1.5, 150
    model = machine(1e-6, frequencies=0.0)
    found = survivability(model, [0.0], bound, 40.0, samples=samples, seed=4, confidence=0.999)
    rng = np.random.default_rng(0)
    angle, speed = rng.uniform(-np.pi, np.pi, 10**5), rng.uniform(-bound, bound, 10**5)
    share = np.mean(speed**2 / 2 - np.cos(angle) < bound**2 / 2 - 1)
    assert 0.2 < share < 0.8 and found.low[0] < share < found.high[0]
    z, p = 3.2905267314919255, found.fraction[0]  # Wilson's interval, by hand
    middle = (p + z**2 / (2 * samples)) / (1 + z**2 / samples)
    half = z * np.sqrt(p * (1 - p) / samples + z**2 / (4 * samples**2)) / (1 + z**2 / samples)
    assert np.allclose([found.low[0], found.high[0]], [middle - half, middle + half], atol=1e-9)


# ---------------------------------------------------------------------------------------------- clearing times


def test_the_clearing_time_is_where_the_fault_crosses_the_separatrix():
    damping = 0.3
    found = critical_clearing_time(
        machine(damping), machine(damping, field=0.0), [REST], longest=4.0, tolerance=1e-3
    )
    edge = separatrix(damping, REST)
    angle = lambda t: REST + P / damping * (t - (1 - np.exp(-damping * t)) / damping)  # noqa: E731
    exact = brentq(lambda t: P / damping * (1 - np.exp(-damping * t)) - edge(angle(t)), 1.0, 2.6, xtol=1e-12)
    assert abs(found.time - exact) <= found.error + 1e-8 and found.error <= 1e-3
    assert abs(found.phases[0] - angle(found.low)) < 1e-7


@pytest.mark.long
def test_without_damping_it_is_the_equal_area_criterion():
    # cos δ = (π − 2 δ_0) sin δ_0 − cos δ_0 for a fault without transfer; t = sqrt(2 (δ − δ_0)/P); linear in D
    angle = np.arccos((np.pi - 2 * REST) * np.sin(REST) - np.cos(REST))
    exact = np.sqrt(2 * (angle - REST) / P)
    times = [
        critical_clearing_time(machine(d), machine(d, field=0.0), [REST], longest=3.0, tolerance=1e-4).time
        for d in (0.08, 0.04)
    ]
    assert times[0] > times[1] > exact and abs(2 * times[1] - times[0] - exact) < 2e-3


@pytest.mark.long
def test_two_machines_have_the_clearing_time_of_one_and_a_turn_counts_as_lost():
    damping = 1.2  # so much that a machine that slips is caught a turn further
    pair = ip.Sparse([[0, K / 2], [K / 2, 0]])
    two = ip.PhaseModel(ip.kuramoto(), pair, frequencies=[-P / 2, P / 2], inertia=1.0, damping=damping)
    far = two.replace(coupling=ip.Sparse([[0, 1e-300], [1e-300, 0]]))
    found = critical_clearing_time(two, far, [0.0, REST], longest=12.0, tolerance=1e-3)
    one = critical_clearing_time(
        machine(damping), machine(damping, field=0.0), [REST], longest=12.0, tolerance=1e-3
    )
    assert abs(found.time - one.time) <= found.error + one.error and np.isfinite(one.high)
    assert repr(critical_clearing_time(two, two, [0.0, REST], longest=1.0)) == "ClearingTime(longer than 1)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: basins(machine(1.0, inertia=0.0), 1, velocities=1.0),
            "velocities are for models with inertia",
        ),
        (lambda: node_basins(machine(1.0), [REST]), "node_basins needs velocities"),
        (lambda: node_basins(machine(1.0), [SADDLE], 1.0), "the one there is not stable"),
        (lambda: node_basins(machine(1.0), [REST], 1.0, nodes=[1]), "nodes must be at most 0"),
        (lambda: survivability(machine(1.0, inertia=0.0), [REST], 1.0, 1.0), "the model needs inertia"),
        (
            lambda: critical_clearing_time(machine(1.0), machine(1.0, inertia=0.0), [REST], longest=1.0),
            "fault differs",
        ),
    ],
)
def test_bad_questions_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
