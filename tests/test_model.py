"""PhaseModel on the whole zoo: double sums, finite differences, symmetries, energy, and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inphase as ip
import zoo
from inphase.coupling import summing

CASES = list(zoo.combinations())


def over(cases):
    """Parametrize with readable names."""
    return pytest.mark.parametrize(
        ("f", "coupling", "gain"), [pytest.param(*c, id=", ".join(c)) for c in cases]
    )


EVERY = over(CASES)
SMOOTH = over([case for case in CASES if case[2] != "callable"])
quick = settings(max_examples=30, deadline=None, derandomize=True)
GRADIENT = {
    "T1": lambda beta: ip.PhaseModel(ip.attention(beta)),
    "T2": lambda beta: ip.PhaseModel(ip.attention(beta), gain="softmax"),
    "S3": lambda beta: ip.PhaseModel(ip.attention(beta), ip.AllToAll(np.arange(1.0, 13.0) / 78)),
}


def start(n, seed=0):
    return np.random.default_rng(seed).uniform(-10, 10, n)


# --------------------------------------------------------------------------------------------------- velocity


@EVERY
def test_velocity_is_the_double_sum(f, coupling, gain):
    for n in (1, 2, 9):
        model, phases = zoo.model(f, coupling, gain, n), start(n)
        assert model.velocity(phases) == pytest.approx(
            zoo.velocity(model, phases), abs=1e-12 * zoo.scale(model, n), rel=0
        )


@pytest.mark.parametrize("f", zoo.INTERACTIONS)
@pytest.mark.parametrize("pairs_up_to", [0, 1000])
def test_velocity_is_the_double_sum_by_modes_and_by_pairs(f, pairs_up_to, monkeypatch):
    monkeypatch.setattr(summing, "PAIRS_UP_TO", pairs_up_to)
    model, phases = zoo.model(f, "weights", "no gain", 300), start(300)
    assert model.velocity(phases) == pytest.approx(
        zoo.velocity(model, phases), abs=1e-13 * model.interaction.maximum
    )


def test_frequencies_and_field_are_added():
    rng = np.random.default_rng(4)
    phases, omega, b = rng.uniform(0, 6, (3, 7))
    model = ip.PhaseModel(ip.attention(2.0), frequencies=omega, field=b, gain="softmax")
    assert model.velocity(phases) == pytest.approx(zoo.velocity(model, phases), abs=1e-14)
    assert ip.PhaseModel(ip.kuramoto(), frequencies=2.0, field=-1).velocity([0.5]) == pytest.approx(
        2 - np.sin(0.5)
    )


@EVERY
def test_leading_axes_are_replicas(f, coupling, gain):
    model, phases = zoo.model(f, coupling, gain, 5), start(30).reshape(2, 3, 5)
    together = model.velocity(phases)
    assert together.shape == (2, 3, 5)
    for i in np.ndindex(2, 3):
        assert np.array_equal(together[i], model.velocity(phases[i]))


def test_velocity_leaves_its_input_alone_and_takes_any_layout():
    model, phases = ip.PhaseModel(ip.attention(2.0), field=0.1), start(24).reshape(4, 6)
    kept = phases.copy()
    expected = model.velocity(phases)
    assert np.array_equal(phases, kept)
    assert np.array_equal(model.velocity(np.asfortranarray(phases)), expected)
    assert np.array_equal(model.velocity(phases[::2, :]), expected[::2])
    assert np.array_equal(model.velocity(phases.tolist()), expected)
    assert model.velocity(phases.astype(np.float32)).dtype == float
    assert model.velocity([0, 1, 2]).shape == (3,)
    assert model.velocity(np.empty((0, 4))).shape == (0, 4)


def test_one_oscillator_feels_itself_only():
    for f in zoo.INTERACTIONS:
        model = ip.PhaseModel(zoo.interaction(f), frequencies=0.5)
        assert model.velocity([1.0]) == pytest.approx(0.5 - zoo.interaction(f)(0.0), abs=1e-14)


# ------------------------------------------------------------------------------------------------- symmetries


@quick
@given(st.sampled_from(CASES), st.integers(2, 8), st.floats(-10, 10), st.integers(0, 99))
def test_velocity_does_not_change_under_rotation(case, n, angle, seed):
    model, phases = zoo.model(*case, n), start(n, seed)
    if case[2] == "callable":
        model = model.replace(gain=lambda p: 1.5 + np.cos(p - p[..., :1]))
    assert model.velocity(phases + angle) == pytest.approx(
        model.velocity(phases), abs=1e-11 * zoo.scale(model, n), rel=1e-11
    )


@quick
@given(st.sampled_from(CASES), st.permutations(range(7)), st.integers(0, 99))
def test_velocity_is_permuted_with_the_oscillators(case, order, seed):
    order = np.array(order)
    model, phases = zoo.model(*case, 7), start(7, seed)
    coupling = model.coupling
    if isinstance(coupling, ip.AllToAll):
        permuted = ip.AllToAll(np.array(np.broadcast_to(coupling.weights(7), 7))[order])
    else:
        permuted = ip.RankOne(coupling.rows[order], coupling.columns[order])
    assert model.replace(coupling=permuted).velocity(phases[order]) == pytest.approx(
        model.velocity(phases)[order], abs=1e-12 * zoo.scale(model, 7), rel=1e-11
    )


@quick
@given(
    st.sampled_from([c for c in CASES if zoo.interaction(c[0]).odd and c[2] != "callable"]),
    st.integers(0, 99),
)
def test_velocity_of_an_odd_interaction_is_reflected_with_the_phases(case, seed):
    model, phases = zoo.model(*case, 6), start(6, seed)
    assert model.velocity(-phases) == pytest.approx(
        -model.velocity(phases), abs=1e-12 * zoo.scale(model, 6), rel=1e-11
    )


@pytest.mark.parametrize("n", range(3, 10))
@pytest.mark.parametrize("beta", [-2.0, 0.0, 1.0, 9.0, 36.0])
@pytest.mark.parametrize("gain", [None, "softmax"])
def test_regular_polygons_are_stationary(n, beta, gain):
    model = ip.PhaseModel(ip.attention(beta), gain=gain)
    for angle in (0.0, 1.0):
        speed = model.velocity(angle + 2 * np.pi * np.arange(n) / n)
        assert np.max(np.abs(speed)) < 1e-14 * (1 + beta**2) * model.interaction.maximum


def test_equal_phases_stay_equal_and_still():
    for f in zoo.INTERACTIONS:
        if zoo.interaction(f).odd:
            speed = ip.PhaseModel(zoo.interaction(f)).velocity(np.full(6, 2.7))
            assert np.ptp(speed) == 0 and np.max(np.abs(speed)) < 1e-14 * zoo.interaction(f).maximum


# --------------------------------------------------------------------------------------------------- Jacobian


def central_differences(model, phases, h=1e-3):
    """Of order 8."""
    total = np.zeros((len(phases), len(phases)))
    for k, a in zip((1, 2, 3, 4), (4 / 5, -1 / 5, 4 / 105, -1 / 280)):
        shifts = k * h * np.eye(len(phases))
        total += a * (model.velocity(phases + shifts) - model.velocity(phases - shifts)) / h
    return total.T


@SMOOTH
def test_jacobian_is_the_derivative_of_the_velocity(f, coupling, gain):
    n = 5
    model, phases = zoo.model(f, coupling, gain, n, field=0.3), start(n)
    J = model.jacobian(phases)
    assert J.shape == (n, n)
    size = 1 + np.max(np.abs(J))
    assert pytest.approx(central_differences(model, phases), abs=1e-9 * size) == J
    assert (J - np.diag(0.3 * np.cos(phases))).sum(axis=1) == pytest.approx(np.zeros(n), abs=1e-13 * size * n)


@over(
    [
        c
        for c in CASES
        if c[2] != "callable" and (c[0] not in ("kuramoto", "attention(0)") or c[2] != "softmax")
    ]
)
def test_low_rank_jacobian_is_the_dense_one(f, coupling, gain):
    n, rng = 6, np.random.default_rng(8)
    model, phases = zoo.model(f, coupling, gain, n, field=rng.normal(size=n)), start(n)
    dense, low = model.jacobian(phases), model.jacobian_low_rank(phases)
    weight = np.sum(np.abs(low.weights))  # modes are accurate relative to their largest sum
    size = 1 + weight * sum(np.max(np.abs(a)) * np.sum(np.abs(F)) for a, F in zip(low.factors, low.modes))
    left, right = low.low_rank()
    assert left.shape == right.shape == (n, low.rank)
    assert low.dense() == pytest.approx(dense, abs=1e-12 * size)
    vector = rng.normal(size=n)
    assert low @ vector == pytest.approx(dense @ vector, abs=1e-12 * size * n)
    shift = 3 * (np.max(np.abs(dense).sum(axis=1)) + 1)
    solution = low.solver(shift)(vector)
    assert shift * solution - dense @ solution == pytest.approx(vector, abs=1e-11 * n * max(1, size / shift))


def test_low_rank_solver_refuses_a_shift_below_the_diagonal():
    low = ip.PhaseModel(-ip.kuramoto()).jacobian_low_rank([0.0, 0.1, 0.2])
    with pytest.raises(np.linalg.LinAlgError, match="shift"):
        low.solver(0.1)


def test_jacobian_of_replicas_is_stacked():
    model, phases = ip.PhaseModel(ip.attention(3.0), gain="softmax"), start(24).reshape(2, 3, 4)
    J = model.jacobian(phases)
    assert J.shape == (2, 3, 4, 4)
    assert np.array_equal(J[1, 2], model.jacobian(phases[1, 2]))
    assert ip.PhaseModel(ip.kuramoto()).jacobian([0.4]).tolist() == [[0.0]]


def test_jacobian_in_sync_is_the_laplacian():
    n = 5
    J = ip.PhaseModel(ip.attention(7.0)).jacobian(np.full(n, 1.0))
    assert pytest.approx(np.full((n, n), 1 / n) - np.eye(n), abs=1e-15) == J


def test_jacobian_refuses_a_callable_gain_and_low_rank_refuses_replicas():
    model = ip.PhaseModel(ip.kuramoto(), gain=lambda p: 2 + np.sin(p))
    with pytest.raises(ValueError, match="callable gain"):
        model.jacobian([0.0, 1.0])
    with pytest.raises(ValueError, match="callable gain"):
        model.jacobian_low_rank([0.0, 1.0])
    with pytest.raises(ValueError, match="shape"):
        ip.PhaseModel(ip.kuramoto()).jacobian_low_rank(np.zeros((2, 3)))


# ----------------------------------------------------------------------------------------------------- energy


@pytest.mark.parametrize("f", [name for name in zoo.INTERACTIONS if zoo.interaction(name).odd])
@pytest.mark.parametrize("coupling", ["equal", "weights", "unnormalized", "some zero"])
def test_energy_is_the_double_sum_of_potentials(f, coupling):
    model, phases = zoo.model(f, coupling, "no gain", 8), start(24).reshape(3, 8)
    c = np.broadcast_to(model.coupling.weights(8), 8)
    U = model.interaction.potential(phases[:, :, None] - phases[:, None, :])
    exact = 0.5 * np.einsum("i,j,rij->r", c, c, U)
    found = model.energy(phases)
    assert found.shape == (3,)
    assert found == pytest.approx(exact, abs=1e-13 * c.sum() ** 2 * model.interaction.maximum)
    assert model.energy(np.full(8, 0.3)) == pytest.approx(
        0, abs=1e-13 * c.sum() ** 2 * model.interaction.maximum
    )


@pytest.mark.parametrize("f", [name for name in zoo.INTERACTIONS if zoo.interaction(name).odd])
def test_the_gradient_of_the_energy_is_the_velocity_times_the_weights(f):
    model, phases = zoo.model(f, "weights", "no gain", 6), start(6)
    h, gradient = 1e-3, np.zeros(6)
    for k, a in zip((1, 2, 3, 4), (4 / 5, -1 / 5, 4 / 105, -1 / 280)):
        shifts = k * h * np.eye(6)
        gradient += a * (model.energy(phases + shifts) - model.energy(phases - shifts)) / h
    assert gradient == pytest.approx(
        model.coupling.weights(6) * model.velocity(phases), abs=1e-10 * model.interaction.maximum
    )


@pytest.mark.parametrize("system", GRADIENT)
@pytest.mark.parametrize("beta", [-0.5, 4.0, 25.0])
def test_energy_never_decreases_along_the_flow(system, beta):
    model = GRADIENT[system](beta)
    run = ip.simulate(model, start(12), t_end=30.0, tolerance=1e-10)
    assert np.min(np.diff(model.energy(run.phase.values))) > -1e-10


@pytest.mark.parametrize("beta", [-0.5, 0.0, 4.0, 25.0])
def test_mean_phase_is_conserved_without_gain(beta):
    run = ip.simulate(GRADIENT["T1"](beta), start(12), t_end=30.0)
    mean = run.phase.values.mean(axis=1)
    assert np.max(np.abs(mean - mean[0])) < 1e-12
    c = np.arange(1.0, 13.0) / 78
    mean = ip.simulate(GRADIENT["S3"](beta), start(12), t_end=30.0).phase.values @ c
    assert np.max(np.abs(mean - mean[0])) < 1e-12


def test_energy_is_refused_where_the_flow_is_no_gradient():
    for model in (
        ip.PhaseModel(ip.sakaguchi(0.3)),
        ip.PhaseModel(ip.kuramoto(), ip.RankOne([1, 2], [1, 1])),
        ip.PhaseModel(ip.kuramoto(), frequencies=[0.0, 1.0]),
        ip.PhaseModel(ip.kuramoto(), field=1.0),
    ):
        assert not model.is_gradient
        with pytest.raises(ValueError, match="gradient flow"):
            model.energy([0.0, 1.0])


# -------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("method", ["velocity", "jacobian", "jacobian_low_rank", "energy"])
@pytest.mark.parametrize(
    ("phases", "message"),
    [
        ([0.0, np.nan], "phases must be finite; got nan at index 1"),
        ([[0.0, 1.0], [np.inf, 2.0]], r"phases must be finite; got inf at index \(1, 0\)"),
        (1.0, "phases must have shape"),
        ([], "phases must have shape"),
        (np.empty((3, 0)), "phases must have shape"),
        ("abc", "phases must be an array of real numbers"),
        ([[0.0, 1.0], [2.0]], "phases must be an array of real numbers"),
        ([0.0, "x"], "phases must be an array of real numbers"),
        ([0.0, 1.0, 2.0], "phases have 3 oscillators, but the coupling AllToAll is for 2"),
    ],
)
def test_bad_phases_are_refused_by_name(method, phases, message, as_a_user):
    model = ip.PhaseModel(ip.kuramoto(), ip.AllToAll([0.5, 0.5]))
    with pytest.raises((TypeError, ValueError), match=message):
        getattr(model, method)(phases)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"interaction": "kuramoto"}, "interaction must be an Interaction.*'kuramoto'"),
        ({"interaction": np.sin}, "interaction must be an Interaction"),
        ({"coupling": 1.0}, "coupling must be a Coupling.*1.0"),
        ({"gain": "hard"}, "gain must be None, \"softmax\" or a function.*'hard'"),
        ({"gain": 2.0}, "gain must be None"),
        ({"frequencies": [0.0, np.nan]}, "frequencies must be finite; got nan at index 1"),
        ({"frequencies": "abc"}, "frequencies = 'abc' is no column of AllToAll"),
        ({"frequencies": [[0.0, 1.0]]}, "frequencies must be a number or have shape"),
        ({"field": np.inf}, "field must be finite"),
        ({"frequencies": [1.0, 2.0, 3.0], "coupling": ip.AllToAll([1.0, 1.0])}, "3"),
        ({"gain": "softmax", "interaction": ip.sakaguchi(0.3)}, "softmax.*h > 0"),
        ({"gain": "softmax", "interaction": -ip.attention(1.0)}, "softmax.*h > 0"),
        ({"gain": "softmax", "interaction": ip.harmonics(sin=[1.0, 1.0])}, "softmax.*h > 0"),
        ({"gain": "softmax", "coupling": ip.RankOne([1.0, -1.0], [1.0, 1.0])}, "positive sums"),
        ({"gain": "softmax", "coupling": ip.RankOne([1.0, 1.0], [1.0, -1.0])}, "positive sums"),
    ],
)
def test_bad_parts_are_refused_by_name(parts, message, as_a_user):
    with pytest.raises((TypeError, ValueError), match=message):
        ip.PhaseModel(**({"interaction": ip.attention(1.0)} | parts))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([0.5, -0.1], "weights must be non-negative.*-0.1 at index 1"),
        ([0.0, 0.0], "weights must be non-negative, not all zero"),
        ([], "weights must have shape"),
        ([[0.5, 0.5]], "weights must have shape"),
        (1.0, "weights must have shape"),
        ([np.nan, 1.0], "weights must be finite"),
        ("ab", "weights must be an array of real numbers"),
    ],
)
def test_bad_weights_are_refused_by_name(weights, message, as_a_user):
    with pytest.raises((TypeError, ValueError), match=message):
        ip.AllToAll(weights)


def test_bad_rows_and_columns_are_refused_by_name():
    for rows, columns, message in (
        ([1.0], [1.0, 2.0], "same length; got 1 and 2"),
        ([np.inf], [1.0], "rows must be finite"),
        ([1.0], [np.nan], "columns must be finite"),
        ([], [], "rows must have shape"),
        ([[1.0]], [1.0], "rows must have shape"),
    ):
        with pytest.raises(ValueError, match=message):
            ip.RankOne(rows, columns)


@pytest.mark.parametrize("part", ["frequencies", "field"])
def test_parts_of_another_length_than_the_phases_are_refused(part):
    model = ip.PhaseModel(ip.kuramoto(), **{part: [0.1, 0.2]})
    with pytest.raises(ValueError, match=rf"{part} has shape \(2,\), but phases have n = 3"):
        model.velocity([0.0, 1.0, 2.0])


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_a_gain_that_is_not_positive_is_refused(value):
    model = ip.PhaseModel(ip.kuramoto(), gain=lambda phases: np.where(phases > 0.5, value, 1.0))
    with pytest.raises(ValueError, match="gain must be positive everywhere"):
        model.velocity([0.0, 1.0])
    assert model.velocity([0.0, 0.4]).shape == (2,)


def test_the_phases_are_never_empty_but_may_be_one():
    model = ip.PhaseModel(ip.attention(4.0), gain="softmax")
    assert model.velocity([2.0]) == pytest.approx(0) and model.energy([2.0]) == pytest.approx(0, abs=1e-15)
    assert model.jacobian_low_rank([2.0]).dense() == pytest.approx(np.zeros((1, 1)), abs=1e-13)


def test_provenance_describes_the_model():
    import json

    model = ip.PhaseModel(ip.attention(4.0), ip.AllToAll([1, 2]), gain="softmax", frequencies=[0.5, 0.25])
    assert json.loads(json.dumps(model.to_dict())) == {
        "interaction": {
            "formula": "sin(x)*exp(beta*(cos(x) - 1))",
            "name": "attention",
            "parameters": {"beta": 4.0},
        },
        "coupling": {"kind": "AllToAll", "columns": [1.0, 2.0]},
        "gain": "softmax",
        "frequencies": [0.5, 0.25],
        "field": 0.0,
    }


def test_forces_whose_squares_are_no_numbers_are_refused_by_name():
    matrix = np.array([[0, 1e308, 1e308], [1e308, 0, 1], [1e308, 1, 0]])
    couplings = (ip.Sparse(matrix), ip.Dense(matrix), 2 * ip.Sparse(matrix), ip.Sparse(matrix / 2))
    models = [ip.PhaseModel(ip.kuramoto(), coupling) for coupling in couplings]
    for model in (
        *models,
        ip.PhaseModel(ip.kuramoto(), damping=1e-300),
        ip.PhaseModel(1e200 * ip.kuramoto()),
    ):
        for use in (
            lambda m: ip.simulate(m, [0.0, 1.0, 2.0], t_end=1.0),
            lambda m: ip.equilibria.find(m, n=3, starts=1),
        ):
            with pytest.raises(
                ValueError, match=r"must give rates of at most 1e\+150; got .*: measure times"
            ):
                use(model)


def test_a_gain_of_tiny_forces_has_a_jacobian():
    """A factor of f cancels from the normalized field, however small it is."""
    phases = [0.0, 0.4, 1.5]
    tiny, usual = (
        ip.PhaseModel(k * ip.attention(2.0), gain="softmax").jacobian(phases) for k in (1e-250, 1.0)
    )
    assert tiny == pytest.approx(usual, rel=1e-12)
