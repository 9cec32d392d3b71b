"""`coarsen`: merger times against closed forms and an
independent integration, and the tree's own bookkeeping.
"""

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import Radau, solve_ivp
from scipy.optimize import brentq

import inphase as ip
from inphase import theory
from inphase.coupling import summing
from inphase.simulation import coarsening

QUICK = {"t_end": 1e14}


def uniform(n, seed=0):
    return np.random.default_rng(seed).uniform(0, 2 * np.pi, n)


def distance_on_circle(a, b):
    return np.abs(np.angle(np.exp(1j * (np.asarray(a) - np.asarray(b)))))


def check_tree(tree, phases, masses):
    """Every invariant of a merger tree that does not depend on the dynamics."""
    n, events = len(phases), tree.sizes["event"]
    assert np.array_equal(tree.clusters.values, n - 1 - np.arange(events))
    assert np.all(np.diff(tree.time.values) >= 0) and np.all(tree.time.values >= 0)
    assert np.all(tree.time.values <= tree.attrs["time_reached"] * (1 + 1e-12))
    merged = tree.merged.values
    assert len(np.unique(merged)) == 2 * events  # every node is merged once
    leaves, mass, position = {i: {i} for i in range(n)}, dict(enumerate(masses)), {}
    for event in range(events):
        left, right = merged[event]
        assert left < n + event and right < n + event
        leaves[n + event] = leaves.pop(left) | leaves.pop(right)
        mass[n + event] = mass[left] + mass[right]
        assert tree.joined_mass.values[event] == pytest.approx([mass[left], mass[right]], rel=1e-12)
        assert float(tree.mass[event]) == pytest.approx(mass[n + event], rel=1e-12)
        a, b = tree.joined_position.values[event]
        # What merges within one step may have been joined with others already; nothing is farther than that.
        assert distance_on_circle(a, b) <= 1.5 * tree.attrs["merge_distance"]
        assert distance_on_circle(tree.position[event], a) <= distance_on_circle(a, b) + 1e-12
        position[n + event] = float(tree.position[event])
    assert len(leaves) == tree.sizes["cluster"] == tree.attrs["clusters_left"] == n - events
    assert sorted(leaf for members in leaves.values() for leaf in members) == list(range(n))
    owner = tree.final_cluster.values
    for members in leaves.values():
        assert len(set(owner[sorted(members)])) == 1
    for cluster in range(tree.sizes["cluster"]):
        members = np.flatnonzero(owner == cluster)
        assert set(members) in leaves.values()
        assert float(tree.final_mass[cluster]) == pytest.approx(
            np.sum(np.asarray(masses)[members]), rel=1e-12
        )
    assert float(tree.final_mass.sum()) == pytest.approx(np.sum(masses), rel=1e-12)
    for name in ("position", "joined_position", "final_position"):
        assert np.all((tree[name].values >= 0) & (tree[name].values <= 2 * np.pi))
    assert (tree.attrs["status"] == "synchronized") == (tree.attrs["clusters_left"] == 1)


# --------------------------------------------------------------------------------------- against closed forms


@pytest.mark.parametrize("gain", [None, "softmax"])
@pytest.mark.parametrize(
    ("beta", "distance"),
    [(36.0, 2.5), (9.0, 3.0), (4.0, 1.0), (0.0, 3.1), (-0.5, 2.0), (100.0, 1.0), (2.0, 0.01)],
)
def test_two_equal_clusters_merge_when_theory_says(beta, distance, gain):
    """d' = −f(d)/g with g = 1 or (h(1) + h(cos d))/2: t = ∫ g dx/f."""
    f = ip.attention(beta)
    model = ip.PhaseModel(f, gain=gain if beta else None)  # for f = sin, g is 1
    exact = theory.two_cluster_merging_time(f, distance, 1e-6, gain)
    tree = ip.coarsen(model, [1.0, 1.0 + distance], t_end=100 * exact)
    assert float(tree.time[0]) == pytest.approx(exact, rel=1e-6)
    assert tree.attrs["status"] == "synchronized"
    assert float(tree.final_position[0]) == pytest.approx(1 + distance / 2, abs=1e-8)


def test_the_merging_time_of_softmax_is_an_integral_of_its_own():
    """Derived here: θ_1' = −(½ f(−d))/(½ (h(1) + h(cos d))), so d' = −2 f(d)/(1 + h(cos d))."""
    from scipy.integrate import quad

    f = ip.attention(9.0)
    exact = sum(
        quad(lambda d: (1 + f.profile(d)) / (2 * f(d)), a, b, epsrel=1e-12)[0]
        for a, b in ((1e-6, 1e-4), (1e-4, 1e-2), (1e-2, 0.5), (0.5, 1.5), (1.5, 2.0))
    )
    tree = ip.coarsen(ip.PhaseModel(f, gain="softmax"), [0.0, 2.0], t_end=1e9)
    assert float(tree.time[0]) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize(("merge_distance", "tolerance"), [(1e-2, 1e-9), (1e-4, 1e-10), (1e-8, 1e-11)])
def test_the_event_is_where_the_distance_falls_below_merge_distance(merge_distance, tolerance):
    f = ip.attention(16.0)
    exact = theory.two_cluster_merging_time(f, 2.0, merge_distance)
    tree = ip.coarsen(ip.PhaseModel(f), [0.0, 2.0], 1e14, merge_distance=merge_distance, tolerance=tolerance)
    assert float(tree.time[0]) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("masses", [(0.5, 0.5), (0.9, 0.1), (3.0, 1.0), (1.0, 0.0)])
def test_two_unequal_clusters_merge_at_their_center_of_mass(masses):
    """d' = −(c_1 + c_2) f(d)."""
    f = ip.attention(9.0)
    exact = theory.two_cluster_merging_time(f, 2.0, 1e-6) / sum(masses)
    tree = ip.coarsen(ip.PhaseModel(f, ip.AllToAll(list(masses))), [0.5, 2.5], t_end=1e9)
    assert float(tree.time[0]) == pytest.approx(exact, rel=1e-6)
    center = (masses[0] * 0.5 + masses[1] * 2.5) / sum(masses)
    assert float(tree.position[0]) == pytest.approx(center, abs=1e-7)
    assert float(tree.mass[0]) == pytest.approx(sum(masses))


def test_three_clusters_of_unequal_mass_keep_their_center_of_mass():
    masses, phases = np.array([0.2, 0.5, 0.3]), np.array([0.0, 1.0, 2.2])
    tree = ip.coarsen(ip.PhaseModel(ip.attention(16.0), ip.AllToAll(masses)), phases, **QUICK)
    check_tree(tree, phases, masses)
    assert tree.attrs["status"] == "synchronized"
    assert float(tree.final_position[0]) == pytest.approx(masses @ phases, abs=1e-6)


# ------------------------------------------------------------------------- against an independent integration


def by_radau(f, phases, gain, merge=1e-6):
    """Merger times by SciPy's Radau and merging of neighbors, with each event found by integrating
    to it: the solver's own interpolation does not resolve a gap of 1e-6."""
    x, w, t, times = np.sort(phases), np.full(len(phases), 1 / len(phases)), 0.0, []
    slope, h = f.derivative(), f.profile
    h_slope = h.derivative()
    options = {"rtol": 1e-10, "atol": 1e-13}

    def velocity(_, y):
        difference = y[:, None] - y[None, :]
        force = f(difference) @ w
        return -force / (h(difference) @ w) if gain else -force

    def jacobian(_, y):
        difference = y[:, None] - y[None, :]
        J = slope(difference) * w
        if gain:
            g = (h(difference) @ w)[:, None]
            J = J / g - (f(difference) @ w)[:, None] * h_slope(difference) * w / g**2
        J -= np.diag(np.diag(J))
        return J - np.diag(J.sum(1))

    def gaps(y):
        return np.diff(np.append(y, y[0] + 2 * np.pi))

    while len(x) > 1:
        solver = Radau(velocity, t, x, 1e14, jac=jacobian, **options)
        while gaps(solver.y).min() > merge:
            before, t = solver.y.copy(), solver.t
            solver.step()

        def after(step, before=before):
            return (
                solve_ivp(velocity, (0, step), before, "Radau", jac=jacobian, **options).y[:, -1]
                if step
                else before
            )

        step = brentq(
            lambda s: np.log(np.maximum(gaps(after(s)).min(), 1e-12) / merge), 0, solver.t - t, rtol=1e-7
        )
        x, t = after(step), t + step
        k = int(np.argmin(gaps(x)))
        if k == len(x) - 1:
            x[0] += 2 * np.pi
            x, w, k = np.roll(x, -1), np.roll(w, -1), k - 1
        total = w[k] + w[k + 1]
        x[k], w[k] = (w[k] * x[k] + w[k + 1] * x[k + 1]) / total, total
        x, w = np.delete(x, k + 1), np.delete(w, k + 1)
        times.append(t)
    return np.array(times)


@pytest.mark.parametrize("gain", [None, pytest.param("softmax", marks=pytest.mark.long)])
def test_merger_times_agree_with_an_independent_integration(gain):
    f, phases = ip.attention(9.0), uniform(12, 3)
    tree = ip.coarsen(ip.PhaseModel(f, gain=gain), phases, **QUICK, tolerance=1e-11)
    check_tree(tree, phases, np.full(12, 1 / 12))
    assert tree.time.values == pytest.approx(by_radau(f, phases, gain), rel=1e-4)


def test_the_explicit_integrator_agrees_while_it_can_follow():
    model, phases = ip.PhaseModel(ip.attention(4.0)), uniform(10, 1)
    tree = ip.coarsen(model, phases, t_end=1e6, merge_distance=1e-3)
    t = float(tree.time[4])
    run = ip.simulate(model, phases, times=[t], tolerance=1e-10)
    gaps = np.sort(np.diff(np.sort(np.mod(run.phase.values[0], 2 * np.pi))))
    assert gaps[4] == pytest.approx(1e-3, rel=2e-2) or gaps[5] == pytest.approx(1e-3, rel=2e-2)


# -------------------------------------------------------------------------------------------- whole histories


@pytest.mark.parametrize("gain", [None, "softmax"])
@pytest.mark.parametrize("beta", [1.0, 4.0, 9.0, 16.0, 36.0, 64.0])
def test_sixty_four_particles_have_a_complete_history(beta, gain):
    phases = uniform(64)
    tree = ip.coarsen(ip.PhaseModel(ip.attention(beta), gain=gain), phases, **QUICK)
    check_tree(tree, phases, np.full(64, 1 / 64))
    assert tree.attrs["status"] in ("synchronized", "finished")
    assert tree.attrs["time_reached"] == 1e14 or tree.attrs["status"] == "synchronized"
    left = tree.attrs["clusters_left"]
    assert left == 1 if beta <= 16 else 2 <= left <= 5
    gaps = np.diff(np.sort(tree.final_position.values))
    assert left == 1 or gaps.min() > 0.5


@pytest.mark.parametrize("weights", ["dirichlet", "two scales", "some zero"])
def test_unequal_weights_have_a_complete_history(weights):
    rng = np.random.default_rng(2)
    c = {
        "dirichlet": rng.dirichlet(np.ones(40)),
        "two scales": np.where(np.arange(40) % 5, 1e-6, 1.0),
        "some zero": np.where(np.arange(40) % 3, 1 / 26, 0.0),
    }[weights]
    phases = uniform(40, 5)
    tree = ip.coarsen(ip.PhaseModel(ip.attention(9.0), ip.AllToAll(c)), phases, **QUICK)
    check_tree(tree, phases, c)
    assert tree.attrs["status"] == "synchronized"


@pytest.mark.parametrize(
    "f", [ip.kuramoto(), ip.sakaguchi(0.5), ip.harmonics(sin=[1.0, 0.4]), ip.attention(-0.2)]
)
def test_other_interactions_have_a_complete_history(f):
    phases = uniform(30, 1)
    tree = ip.coarsen(ip.PhaseModel(f), phases, t_end=1e6)
    check_tree(tree, phases, np.full(30, 1 / 30))
    assert tree.attrs["status"] == "synchronized" or f.name == "harmonics"


def test_common_frequency_is_a_change_of_frame():
    model, phases = ip.PhaseModel(ip.attention(9.0)), uniform(12)
    turning = model.replace(frequencies=3.0)
    xr.testing.assert_equal(ip.coarsen(turning, phases, **QUICK), ip.coarsen(model, phases, **QUICK))
    turning = model.replace(frequencies=np.full(12, -1.0))
    xr.testing.assert_equal(ip.coarsen(turning, phases, **QUICK), ip.coarsen(model, phases, **QUICK))


def test_the_history_turns_with_the_start():
    model, phases = ip.PhaseModel(ip.attention(9.0)), uniform(12, 3)
    tree, turned = (ip.coarsen(model, phases + angle, **QUICK) for angle in (0.0, 2.0))
    assert turned.time.values == pytest.approx(tree.time.values, rel=1e-5)
    assert np.max(distance_on_circle(turned.position.values, tree.position.values + 2.0)) < 1e-6
    assert {frozenset(m) for m in turned.merged.values} == {frozenset(m) for m in tree.merged.values}


def test_windings_do_not_matter():
    model, phases = ip.PhaseModel(ip.attention(9.0)), uniform(12, 3)
    wound = phases + 2 * np.pi * np.arange(-6, 6)
    assert ip.coarsen(model, wound, **QUICK).time.values == pytest.approx(
        ip.coarsen(model, phases, **QUICK).time.values, rel=1e-5
    )


def test_a_faster_model_has_the_same_history_in_its_own_time():
    phases = uniform(12, 3)
    slow = ip.coarsen(ip.PhaseModel(ip.attention(9.0)), phases, t_end=1e14)
    fast = ip.coarsen(ip.PhaseModel(ip.attention(9.0), ip.AllToAll(np.ones(12))), phases, t_end=1e14 / 12)
    assert fast.time.values * 12 == pytest.approx(slow.time.values, rel=1e-5)


@pytest.mark.parametrize("gain", [None, "softmax"])
def test_low_rank_steps_give_the_history_of_dense_ones(monkeypatch, gain):
    model, phases = ip.PhaseModel(ip.attention(9.0), gain=gain), uniform(60, 4)
    dense = ip.coarsen(model, phases, **QUICK)
    monkeypatch.setattr(coarsening, "PAIRS_UP_TO", 8)
    monkeypatch.setattr(summing, "PAIRS_UP_TO", 8)
    low = ip.coarsen(model, phases, **QUICK)
    check_tree(low, phases, np.full(60, 1 / 60))
    assert low.time.values == pytest.approx(dense.time.values, rel=1e-5)
    assert {frozenset(m) for m in low.merged.values} == {frozenset(m) for m in dense.merged.values}


@pytest.mark.long
@pytest.mark.parametrize("gain", [None, "softmax"])
def test_four_hundred_particles_merge_by_low_rank_steps_as_by_dense_ones(monkeypatch, gain):
    model, phases = ip.PhaseModel(ip.attention(9.0), gain=gain), uniform(400, 4)
    low = ip.coarsen(model, phases, **QUICK)
    monkeypatch.setattr(coarsening, "PAIRS_UP_TO", 1000)
    dense = ip.coarsen(model, phases, **QUICK)
    assert low.time.values == pytest.approx(dense.time.values, rel=1e-4)
    assert np.array_equal(low.final_cluster.values, dense.final_cluster.values)


@pytest.mark.parametrize("n", [3000])
def test_thousands_of_particles_have_a_complete_history(n):
    phases = uniform(n, 7)
    tree = ip.coarsen(ip.PhaseModel(ip.attention(9.0)), phases, **QUICK)
    check_tree(tree, phases, np.full(n, 1 / n))
    assert tree.attrs["status"] == "synchronized"


# --------------------------------------------------------------------------------------------- special starts


def test_one_particle_is_synchronized():
    tree = ip.coarsen(ip.PhaseModel(ip.attention(4.0)), [7.0], t_end=1.0)
    assert (
        tree.attrs["status"] == "synchronized"
        and tree.attrs["clusters_left"] == 1
        and tree.sizes["event"] == 0
    )
    assert tree.final_cluster.values.tolist() == [0] and tree.final_mass.values.tolist() == [1.0]
    assert tree.final_position.values == pytest.approx([7 - 2 * np.pi])


def test_equal_initial_phases_merge_at_time_zero():
    phases = np.array([1.0, 3.0, 1.0, 1.0 + 2 * np.pi, 3.0])
    tree = ip.coarsen(ip.PhaseModel(ip.attention(4.0)), phases, **QUICK)
    check_tree(tree, phases, np.full(5, 0.2))
    assert tree.time.values[:3].tolist() == [0.0, 0.0, 0.0] and tree.time.values[3] > 0
    assert sorted(tree.joined_mass.values[3]) == pytest.approx([0.4, 0.6])


def test_all_phases_equal_is_synchronized_at_zero():
    tree = ip.coarsen(ip.PhaseModel(ip.attention(4.0)), np.full(6, 2.0), t_end=1.0)
    assert (
        tree.attrs["status"] == "synchronized"
        and tree.attrs["time_reached"] == 0
        and not tree.time.values.any()
    )


def test_phases_that_meet_across_zero_merge():
    phases = np.array([0.01, 2 * np.pi - 0.01, 3.0])
    tree = ip.coarsen(ip.PhaseModel(ip.attention(9.0)), phases, **QUICK)
    check_tree(tree, phases, np.full(3, 1 / 3))
    assert set(tree.merged.values[0].tolist()) == {0, 1}
    assert distance_on_circle(tree.position.values[0], 0.0) < 1e-2


@pytest.mark.parametrize("n", [3, 4, 5, 7])
@pytest.mark.parametrize("beta", [1.0, 9.0])
def test_a_regular_polygon_leaves_its_unstable_balance_only_as_late_as_rounding_allows(n, beta):
    """Exactly, it would stay for ever. What happens is rounding
    times growth: ~ 1e-16 e^{λt}, λ the largest rate there.
    """
    model, phases = ip.PhaseModel(ip.attention(beta)), 2 * np.pi * np.arange(n) / n
    rate = float(np.max(np.linalg.eigvals(model.jacobian(phases)).real))
    tree = ip.coarsen(model, phases, **QUICK)
    check_tree(tree, phases, np.full(n, 1 / n))
    assert tree.sizes["event"] == 0 or float(tree.time[0]) > 20 / rate


def test_a_perturbed_polygon_leaves_when_linear_theory_says():
    n, beta, size = 4, 9.0, 1e-5
    model, phases = ip.PhaseModel(ip.attention(beta)), 2 * np.pi * np.arange(4) / n
    values, vectors = np.linalg.eigh(model.jacobian(phases))
    rate, direction = values[-1], vectors[:, -1]
    first = [
        float(ip.coarsen(model, phases + s * direction, **QUICK).time[0]) for s in (size, size * np.exp(-3))
    ]
    assert (first[1] - first[0]) * rate == pytest.approx(3, rel=1e-3)


# ------------------------------------------------------------------------------------------------ the dataset


@pytest.mark.parametrize("n", [1, 2, 20])
def test_the_tree_is_written_to_netcdf_and_read_back_equal(tmp_path, n):
    tree = ip.coarsen(ip.PhaseModel(ip.attention(9.0)), uniform(n), **QUICK)
    tree.to_netcdf(tmp_path / "tree.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "tree.nc", engine="h5netcdf") as read:
        xr.testing.assert_equal(tree, read.load())
        assert read.attrs["status"] == tree.attrs["status"]


def test_the_tree_has_provenance():
    tree = ip.coarsen(ip.PhaseModel(ip.attention(9.0)), uniform(5), 1e14, tolerance=1e-8, merge_distance=1e-5)
    assert tree.attrs["tolerance"] == 1e-8 and tree.attrs["merge_distance"] == 1e-5
    assert '"beta": 9.0' in tree.attrs["model"] and tree.attrs["steps"] > 0


def test_initial_phases_are_left_alone():
    phases = uniform(6) + 20
    kept = phases.copy()
    ip.coarsen(ip.PhaseModel(ip.attention(9.0)), phases, **QUICK)
    assert np.array_equal(phases, kept)


def test_the_end_of_time_is_reached_exactly():
    tree = ip.coarsen(ip.PhaseModel(ip.attention(64.0)), [0.0, 2.0, 4.0], t_end=12345.678)
    assert tree.attrs["time_reached"] == 12345.678 and tree.attrs["status"] == "finished"
    assert tree.sizes["event"] == 0 and tree.sizes["cluster"] == 3
    assert tree.final_position.values == pytest.approx([0.0, 2.0, 4.0], abs=1e-9)


def test_max_steps_ends_the_run_with_what_it_has():
    phases = uniform(20)
    tree = ip.coarsen(ip.PhaseModel(ip.attention(9.0)), phases, 1e14, max_steps=200)
    check_tree(tree, phases, np.full(20, 1 / 20))
    assert tree.attrs["status"] == "max_steps" and tree.attrs["steps"] == 200 and 0 < tree.sizes["event"] < 19


@pytest.mark.parametrize("after", [0, 1, 150, 400])
def test_ctrl_c_returns_what_there_is(monkeypatch, after):
    phases, calls = uniform(20), []
    whole = ip.coarsen(ip.PhaseModel(ip.attention(9.0)), phases, **QUICK)
    step = coarsening._Few.step

    def interrupted(self, *arguments):
        calls.append(0)
        if len(calls) > after:
            raise KeyboardInterrupt
        return step(self, *arguments)

    monkeypatch.setattr(coarsening._Few, "step", interrupted)
    tree = ip.coarsen(ip.PhaseModel(ip.attention(9.0)), phases, **QUICK)
    check_tree(tree, phases, np.full(20, 1 / 20))
    assert tree.attrs["status"] == "interrupted"
    assert np.array_equal(tree.time.values, whole.time.values[: tree.sizes["event"]])


# -------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (ip.PhaseModel(ip.kuramoto(), ip.RankOne([1, 2], [1, 1])), "AllToAll"),
        (ip.PhaseModel(ip.kuramoto(), field=0.1), "no field"),
        (ip.PhaseModel(ip.kuramoto(), frequencies=[0.0, 1.0]), "equal frequencies"),
        (ip.PhaseModel(ip.kuramoto(), gain=lambda p: 2 + np.sin(p)), "gain"),
    ],
)
def test_models_whose_equal_phases_part_are_refused(model, message):
    with pytest.raises(ValueError, match=message):
        ip.coarsen(model, [0.0, 1.0], t_end=1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t_end": 0.0}, "t_end must be a positive"),
        ({"t_end": -1.0}, "t_end must be a positive"),
        ({"t_end": np.inf}, "t_end must be a positive"),
        ({"t_end": np.nan}, "t_end must be a positive"),
        ({"t_end": "late"}, "t_end must be a number"),
        ({"tolerance": 0.0}, "tolerance must be a positive"),
        ({"tolerance": "fine"}, "tolerance must be a number"),
        ({"tolerance": 1e-5}, "merge_distance must lie between"),
        ({"merge_distance": 1e-10}, "merge_distance must lie between"),
        ({"merge_distance": 0.5}, "merge_distance must lie between"),
        ({"merge_distance": -1e-6}, "merge_distance must be a positive"),
        ({"merge_distance": np.nan}, "merge_distance must be a positive"),
        ({"phases": [0.0, np.nan]}, "phases must be finite"),
        ({"phases": [[[0.0, 1.0]]]}, r"phases must have shape \(n,\)"),
        ({"phases": []}, "phases must have shape"),
        ({"phases": 1.0}, "phases must have shape"),
        ({"phases": "abc"}, "phases must be an array of real numbers"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message, as_a_user):
    with pytest.raises((TypeError, ValueError), match=message):
        ip.coarsen(
            **({"model": ip.PhaseModel(ip.kuramoto()), "phases": [0.0, 1.0], "t_end": 1.0} | arguments)
        )
