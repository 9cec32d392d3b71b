"""Settings of a training one by one: falling rates, phase lags,
warm starts, updates left out, and checkpoints from before.
"""

import json
import shutil
import tomllib
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

import inphase as ip
from inphase.cli import main
from inphase.config import load as load_model
from inphase.coupling.lagged import Lagged
from inphase.coupling.learnt.coupling import load_arrays, save_arrays

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
learn = pytest.importorskip("inphase.learn", exc_type=ImportError)
pairs, training = learn.network, learn.training

SMALL = {
    "nodes": 12,
    "samples": 36,
    "epochs": 2,
    "hidden": (6, 5),
    "burn_in": 5,
    "window": 4,
    "validation_graphs": 2,
}
UPDATES, RATE = 6, 0.01
# All nodes in one graph, so that every update is by the same nodes, only in another order
FALLING = SMALL | {
    "samples": 12,
    "epochs": UPDATES,
    "rate": RATE,
    "optimizer": "adam",
    "clip": 1e9,
    "dtype": "float64",
}
FALLING |= {"schedule": "cosine", "step": 0.5}


def same(one, other):
    arrays = zip(one.network.arrays().values(), other.network.arrays().values())
    return (
        one.loss == other.loss and one.judged == other.judged and all(np.array_equal(a, b) for a, b in arrays)
    )


def leaves_of(network):
    """(numbers that are trained, running statistics),
    each as a list of arrays in the order of checkpoints.
    """
    return [
        [np.array(leaf) for leaf in jax.tree.leaves(part)]
        for part in pairs.as_parameters(network, np.float64)
    ]


def first_leaves(problem):
    """Those of the random network that a training of the seed 0 begins with."""
    first, _ = pairs.initial(1, problem.settings.hidden, np.random.default_rng([0, 0, 0]), dtype=np.float64)
    return jax.tree.leaves(first)


@pytest.fixture(scope="module")
def slope():
    """(loss, gradient, statistics) of the graph of all nodes of
    `FALLING`, at given numbers: by JAX alone, without updates.
    """
    problem = learn.problem("case-1", **FALLING)
    nodes, made = problem.draw("train", 12, 0), training.task_of(problem)
    shape = jax.tree.structure(pairs.as_parameters(learn.untrained(problem).network)[0])
    with jax.enable_x64(True):
        both = jax.jit(
            jax.value_and_grad(lambda p: training.loss_of(p, nodes, np.zeros(12), made), has_aux=True)
        )

    def at(leaves):
        with jax.enable_x64(True):
            (loss, (_, statistics)), gradient = both(jax.tree.unflatten(shape, leaves))
        return float(loss), [np.array(leaf) for leaf in jax.tree.leaves(gradient)], statistics

    return at


@pytest.fixture(scope="module")
def falling(tmp_path_factory):
    """A training with a rate that falls; what its checkpoint
    held after each update; a copy of its folder at half time.
    """
    folder, half, states = tmp_path_factory.mktemp("falling"), tmp_path_factory.mktemp("half"), []

    def watch(report):
        states.append(load_arrays(folder / "start-000.npz")[0])
        if report["update"] == UPDATES // 2:
            shutil.copy(folder / "start-000.npz", half)

    trained = learn.train("case-1", folder=folder, watch=watch, **FALLING)
    return SimpleNamespace(trained=trained, states=states, folder=folder, half=half)


# --------------------------------------------------------------------------------------------------- schedule


def adam(gradients, rates):
    """The changes by Adam as it was published, for gradients and rates one after the other."""
    first, second = np.zeros_like(gradients[0]), np.zeros_like(gradients[0])
    for k, (g, rate) in enumerate(zip(gradients, rates), start=1):
        first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
        yield -rate * (first / (1 - 0.9**k)) / (np.sqrt(second / (1 - 0.999**k)) + 1e-8)


def test_the_rate_of_each_update(falling, slope):
    """Update k is Adam's with the rate (1 + cos(πk/N))/2: the last hardly moves anything."""
    numbers = [first_leaves(falling.trained.problem)]
    count = len(numbers[0])
    numbers += [[state[f"state.{k}"] for k in range(count)] for state in falling.states]
    gradients = [slope(leaves)[1] for leaves in numbers[:-1]]
    rates = RATE * (1 + np.cos(np.pi * np.arange(UPDATES) / UPDATES)) / 2
    for leaf in range(count):
        for k, change in enumerate(adam([g[leaf] for g in gradients], rates)):
            assert np.allclose(
                numbers[k + 1][leaf] - numbers[k][leaf], change, rtol=1e-6, atol=1e-4 * rates[k]
            )
    moved = [max(np.max(np.abs(a - b)) for a, b in zip(one, other)) for one, other in pairwise(numbers)]
    assert 0 < moved[-1] < 0.15 * moved[0]
    assert falling.trained.chosen.loss == pytest.approx(
        [slope(leaves)[0] for leaves in numbers[:-1]], rel=1e-9
    )


def test_a_falling_rate_goes_on_from_a_checkpoint(falling):
    """What a kill at half time leaves: the schedule does not begin anew."""
    reports = []
    again = learn.train("case-1", folder=falling.half, watch=reports.append, **FALLING)
    assert [report["update"] for report in reports] == list(range(UPDATES // 2 + 1, UPDATES + 1))
    assert same(again.chosen, falling.trained.chosen)


def test_another_schedule_is_another_training(falling, tmp_path):
    shutil.copy(falling.half / "start-000.npz", tmp_path)
    with pytest.raises(ValueError, match=r"is of another training: schedule was 'cosine', now 'constant'"):
        learn.train("case-1", folder=tmp_path, **FALLING | {"schedule": "constant"})
    with pytest.raises(ValueError, match=r"is of another training: epochs was 6, now 7"):
        learn.train("case-1", folder=tmp_path, **FALLING | {"epochs": 7})
    with pytest.raises(ValueError, match="schedule must be one of constant, cosine; got 'linear'"):
        learn.Settings(schedule="linear")


# ------------------------------------------------------------------------------------------------- validation


def test_networks_are_judged_on_graphs_of_the_size_that_is_asked_for():
    """As `evaluate` does at that size, from the same phases, on the nodes of the validation split."""
    given = {
        "validation_nodes": 31,
        "validation_graphs": 2,
        "validate_every": 1,
        "epochs": 1,
        "dtype": "float64",
    }
    trained = learn.train("case-1", seed=2, **SMALL | given)
    best = min(trained.chosen.judged, key=lambda row: row[1])
    found = learn.evaluate(
        trained, 31, graphs=2, split="validation", seed=2, burn_in=trained.settings.burn_in
    )
    assert found.variance.values.mean() == pytest.approx(best[2], rel=1e-9)
    usual = learn.train("case-1", seed=2, **SMALL | given | {"validation_nodes": None})
    assert usual.chosen.loss == trained.chosen.loss and usual.chosen.judged != trained.chosen.judged
    with pytest.raises(ValueError, match="validation_nodes must be an integer >= 2; got 1"):
        learn.Settings(validation_nodes=1)


def test_phases_of_validation_say_nothing_of_its_nodes():
    task = learn.problem("case-1", nodes=100, samples=100, start="uniform", validation_graphs=20)
    run = training.Run(task, 0, 0, None)
    omega, phases = (np.asarray(part).ravel() for part in (run.graphs.frequencies, run.graph_phases))
    assert len(omega) == 2000 and abs(np.corrcoef(omega, phases)[0, 1]) < 4 / np.sqrt(2000)


# ------------------------------------------------------------------------------------------- saved and loaded


def test_own_nodes_with_the_name_of_a_problem_are_not_taken_for_it(tmp_path):
    rng = np.random.default_rng(0)
    own = learn.from_arrays(rng.normal(size=(200, 2)), np.arange(200) % 2, name="moons", **SMALL)
    trained = learn.train(own, folder=tmp_path)
    loaded = learn.Trained.load(tmp_path / "trained.npz")
    assert loaded.problem is None and loaded.settings.to_dict() == trained.settings.to_dict()
    with pytest.raises(ValueError, match="problem must be given"):
        learn.evaluate(loaded, graphs=1)
    again, before = (learn.evaluate(one, problem=own, graphs=1, burn_in=5) for one in (loaded, trained))
    assert np.array_equal(again.loss.values, before.loss.values)


def test_a_problem_that_is_given_does_not_change_the_settings_of_a_training(tmp_path):
    loss = learn.losses.TargetOrder(0.5)
    trained = learn.train("case-1", folder=tmp_path, loss=loss, **SMALL)
    loaded = learn.Trained.load(tmp_path / "trained.npz", learn.problem("case-1"))
    assert loaded.settings.to_dict() == loaded.problem.settings.to_dict() == trained.settings.to_dict()
    assert loaded.settings.loss == loss
    assert learn.untrained(loaded.problem).network.hidden == SMALL["hidden"]


def test_checkpoints_know_the_loss_and_the_validation_nodes(tmp_path):
    with pytest.raises(
        ValueError,
        match="loss must have a name where a folder keeps checkpoints: make it a def; got <function",
    ):
        learn.train("case-1", folder=tmp_path, loss=lambda phases, nodes: jnp.mean(phases), **SMALL)
    learn.train("case-1", folder=tmp_path, **SMALL)
    task = learn.problem("case-1", **SMALL)

    def other(split, count, rng):
        nodes = task.sample(split, count, rng)
        return nodes._replace(frequencies=(50 if split == "validation" else 1) * nodes.frequencies)

    with pytest.raises(ValueError, match="is of another training: validation_sha256 was"):
        learn.train(replace(task, sample=other), folder=tmp_path)


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"momentum": 1.0}, ValueError, "momentum must be < 1; got 1"),
        (
            {"loss": learn.losses.Chimera},
            TypeError,
            r"loss must be a loss, Chimera\(...\), and not its class",
        ),
        (
            {"loss": {"name": "cluster", "classes": 2}},
            ValueError,
            "'cluster' for 2 classes needs as many; the problem has 0",
        ),
    ],
)
def test_settings_that_mean_nothing(given, error, said):
    with pytest.raises(error, match=said):
        learn.train("case-1", **SMALL | given)


# ------------------------------------------------------------------------------------------------- phase lags

LAGGED = """
[problem]
name = "case-1"
[network]
hidden = [8]
phase_lags = true
[training]
nodes = 12
samples = 72
epochs = 2
burn_in = 10
window = 5
optimizer = "adam"
rate = 0.02
schedule = "cosine"
validation_graphs = 2
[run]
seed = 4
evaluate_graphs = 2
evaluate_burn_in = 20
"""


@pytest.fixture(scope="module")
def lagged():
    given = tomllib.loads(LAGGED)
    return learn.train("case-1", seed=4, **given["network"], **given["training"])


def test_a_training_with_phase_lags(lagged):
    """θ̇_i = ω_i − Σ_j K_ij sin(θ_i − θ_j + α_ij), step by step."""
    assert lagged.settings.phase_lags and lagged.network.has_lags
    nodes = lagged.problem.draw("test", 12, 7)
    coupling = lagged.coupling(nodes.features)
    K, alpha = coupling.array, coupling.lags
    assert np.max(np.abs(alpha)) > 1e-3 and np.array_equal(K, K.T) and not np.allclose(alpha, alpha.T)
    theta, order = np.zeros(12), []
    for step in range(35):
        theta = theta + 0.1 * (nodes.frequencies - (K * np.sin(theta[:, None] - theta + alpha)).sum(axis=1))
        order += [abs(np.exp(1j * theta).mean())] if step >= 30 else []
    found = learn.evaluate(lagged, graphs=1, burn_in=30, seed=7)
    assert float(found.variance[0]) == pytest.approx(1 - np.mean(order), abs=1e-12)
    assert np.allclose(found.final_phase[0], theta, rtol=0, atol=1e-11)
    plain = ip.simulate(
        nodes.model(Lagged(K, alpha), lagged.settings),
        np.zeros(12),
        times=[3.5],
        method="euler",
        step=0.1,
        max_steps=36,
    )
    assert np.allclose(plain.phase.values[-1], theta, rtol=0, atol=1e-11)


def test_the_control_of_phase_lags_has_none_at_first(lagged):
    control = learn.untrained(lagged.problem, seed=4)
    assert control.network.has_lags and not np.any(control.coupling(np.ones((3, 1))).lags)
    without = learn.untrained(lagged.problem.replace(phase_lags=False), seed=4)
    one, other = (learn.evaluate(trained, graphs=2, burn_in=20) for trained in (control, without))
    assert np.allclose(one.final_phase, other.final_phase, rtol=0, atol=1e-10)


def test_phase_lags_in_files(lagged, tmp_path):
    loaded = learn.Trained.load(lagged.save(tmp_path / "trained.npz"))
    assert loaded.settings.to_dict() == lagged.settings.to_dict() and same(loaded.chosen, lagged.chosen)
    one, other = (learn.evaluate(trained, graphs=2, burn_in=20) for trained in (loaded, lagged))
    assert np.array_equal(one.final_phase, other.final_phase)


def test_phase_lags_of_a_toml_file(lagged, tmp_path, capsys):
    """`inphase train` finds what the library does, and its model.toml runs in `inphase simulate`."""
    (tmp_path / "lags.toml").write_text(LAGGED)
    out = tmp_path / "out"
    assert main(["train", str(tmp_path / "lags.toml"), "--out", str(out), "--no-progress", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["settings"]["phase_lags"] is True and told["settings"]["schedule"] == "cosine"
    fresh = learn.evaluate(lagged, graphs=2, burn_in=20, seed=4)
    assert told["evaluation"][0]["loss"] == pytest.approx(float(fresh.loss.mean()), rel=1e-12)
    config = load_model(out / "model.toml")
    model, nodes = config.build(), lagged.problem.draw("test", 12, 4)
    phases = np.random.default_rng(1).uniform(0, 6, 12)
    wanted = nodes.model(lagged.coupling(nodes.features), lagged.settings)
    assert np.array_equal(model.velocity(phases), wanted.velocity(phases))
    np.save(tmp_path / "phases.npy", phases)
    command = [
        "simulate",
        str(out / "model.toml"),
        "--phases",
        str(tmp_path / "phases.npy"),
        "--out",
        str(tmp_path / "run"),
    ]
    assert main([*command, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    path = next(name for name in json.dumps(printed).split('"') if name.endswith(".nc"))
    with xr.open_dataset(path) as stored:
        end, times = stored.phase.values[-1], stored.time.values
    run = ip.simulate(wanted, phases, times=[times[-1]], method="euler", step=0.1, max_steps=10_000)
    assert times[-1] == pytest.approx(2.5) and np.allclose(end, run.phase.values[-1], rtol=0, atol=1e-11)


def test_phase_lags_are_yes_or_no():
    with pytest.raises(TypeError, match="phase_lags must be True or False; got 1"):
        learn.Settings(phase_lags=1)
    settings = learn.Settings(phase_lags=True, schedule="cosine")
    assert (
        learn.Settings.from_dict(json.loads(json.dumps(settings.to_dict()))).to_dict() == settings.to_dict()
    )


# ------------------------------------------------------------------------------------------------- warm start


@pytest.fixture(scope="module")
def warm(falling, tmp_path_factory):
    """Two starts from the network that `falling` has found."""
    folder, states = tmp_path_factory.mktemp("warm"), []

    def watch(report):
        states.append(load_arrays(folder / f"start-00{report['start']}.npz")[0])

    trained = learn.train(
        "case-1", starts=2, folder=folder, initial=falling.trained.network, watch=watch, **FALLING
    )
    return SimpleNamespace(trained=trained, states=states, folder=folder)


def test_a_warm_start_begins_where_it_is_told(falling, warm, slope):
    """Its first loss is that of the given network, for
    every start, and its statistics follow the given ones.
    """
    numbers, statistics = leaves_of(falling.trained.network)
    loss, _, found = slope(numbers)
    assert [start.loss[0] for start in warm.trained.starts] == pytest.approx([loss, loss], rel=1e-9)
    # which is another than the loss of a random network
    assert abs(loss - falling.trained.chosen.loss[0]) > 1e-6
    assert all(not same(start, falling.trained.chosen) for start in warm.trained.starts)
    old, index = pairs.as_parameters(falling.trained.network, np.float64)[1], len(numbers)
    with jax.enable_x64(True):
        wanted = [np.array(leaf) for leaf in jax.tree.leaves(pairs.follow(old, found, 144))]
    for k, leaf in enumerate(wanted):
        assert np.allclose(warm.states[0][f"state.{index + k}"], leaf, rtol=1e-9, atol=1e-12)
    assert len(wanted) == len(statistics) == 4


def test_a_warm_start_leaves_the_given_network_as_it_was(falling, warm):
    _, about = load_arrays(falling.folder / "trained.npz")
    stored = learn.Trained.load(falling.folder / "trained.npz")
    assert about["chosen"] == 0 and same(stored.chosen, falling.trained.chosen)


def test_what_is_chosen_after_a_warm_start_is_not_worse(falling):
    """A rate that spoils every network: the given one is kept, with the judgment it had."""
    given = falling.trained.chosen
    spoilt = learn.train("case-1", initial=given.network, **FALLING | {"rate": 3.0, "clip": 1e9}).chosen
    assert spoilt.judged[0] == (
        0,
        pytest.approx(given.best, rel=1e-9),
        pytest.approx(min(given.judged, key=lambda r: r[1])[2]),
    )
    assert all(row[1] > given.best for row in spoilt.judged[1:])
    assert spoilt.best == spoilt.judged[0][1] and spoilt.network.sha256 == given.network.sha256


def test_a_warm_start_goes_on_and_refuses_another_network(falling, warm, tmp_path):
    shutil.copy(warm.folder / "start-000.npz", tmp_path)
    again = learn.train("case-1", folder=tmp_path, initial=falling.trained.network, **FALLING)
    assert same(again.starts[0], warm.trained.starts[0])
    with pytest.raises(
        ValueError, match=r"is of another training: initial_sha256 was '[0-9a-f]{64}', now '[0-9a-f]{64}'"
    ):
        learn.train("case-1", folder=tmp_path, initial=warm.trained.starts[1].network, **FALLING)
    with pytest.raises(
        ValueError, match=r"is of another training: initial_sha256 was None, now '[0-9a-f]{64}'"
    ):
        learn.train("case-1", folder=falling.half, initial=falling.trained.network, **FALLING)
    with pytest.raises(
        ValueError, match=r"is of another training: initial_sha256 was '[0-9a-f]{64}', now None"
    ):
        learn.train("case-1", folder=tmp_path, **FALLING)


@pytest.mark.parametrize(
    ("problem", "changes", "message"),
    [
        ("case-2", {}, r"initial must have features 2, as the problem and its settings say; got 1"),
        (
            "case-1",
            {"hidden": (6,)},
            r"initial must have hidden layers \(6,\), as the problem .* got \(6, 5\)",
        ),
        ("case-1", {"activation": "silu"}, r"initial must have activation 'silu', .* got 'leaky_relu'"),
        ("case-1", {"phase_lags": True}, r"initial must have phase lags True, .* got False"),
    ],
)
def test_initial_networks_that_do_not_fit(problem, changes, message, falling):
    with pytest.raises(ValueError, match=message):
        learn.train(problem, initial=falling.trained.network, **FALLING | changes)


def test_initial_networks_of_another_kind(falling, lagged):
    with pytest.raises(TypeError, match="initial must be a PairNetwork; got Trained"):
        learn.train("case-1", initial=falling.trained, **FALLING)
    given = tomllib.loads(LAGGED)
    with pytest.raises(ValueError, match=r"initial must have phase lags False, .* got True"):
        learn.train("case-1", initial=lagged.network, **given["training"], hidden=(8,))


# ---------------------------------------------------------------------------------- updates that are left out


def marked(split, count, rng):
    """Nodes of Case I, of which the first that are to train carry marks in their second feature."""
    omega, mark = rng.uniform(-1, 1, count), np.zeros(count)
    if split == "train":
        mark[0] = 1.0
    none = np.zeros(count, np.int32)
    return learn.Nodes(np.stack([omega, mark], axis=1), omega, np.zeros(count), none, none - 1)


def breaks(phases, nodes):
    """V, times NaN in a graph with the mark 1, and infinity in one with the mark 2."""
    mark = jnp.max(nodes.features[:, 1])
    factor = jnp.where(mark == 1, jnp.nan, jnp.where(mark == 2, jnp.inf, 1.0))
    return learn.circular_variance(phases) * factor


@pytest.fixture(scope="module")
def marked_problem():
    given = SMALL | {"epochs": 3, "optimizer": "adam", "rate": 0.01}
    return learn.Problem("marked", ("omega", "mark"), marked, learn.Settings(loss=breaks, **given))


def test_an_update_by_a_gradient_that_is_not_finite_is_left_out(marked_problem, tmp_path):
    """One node of 36 breaks the loss of its graph: one update of an epoch."""
    trained = learn.train(marked_problem, folder=tmp_path)
    start = trained.chosen
    assert start.status == "finished" and start.skipped == 3 and len(start.loss) == len(start.variance) == 6
    assert np.all(np.isfinite(start.loss)) and all(
        np.all(np.isfinite(a)) for a in start.network.arrays().values()
    )
    before = learn.untrained(marked_problem).network.arrays()
    assert not np.allclose(before["out"], start.network.arrays()["out"])
    loaded = learn.Trained.load(tmp_path / "trained.npz", marked_problem)
    assert loaded.chosen.skipped == 3 and same(learn.train(marked_problem, folder=tmp_path).chosen, start)


@pytest.mark.parametrize("mark", [1, 2], ids=["nan", "inf"])
def test_nothing_changes_by_an_update_that_is_left_out(mark, marked_problem):
    made, nodes = training.task_of(marked_problem), marked_problem.draw("validation", 12)
    numbers = pairs.as_parameters(learn.untrained(marked_problem).network)
    first = training.State(*numbers, training.optimizer_of(made).init(numbers[0]))

    def updated(features):
        state = jax.tree.map(jnp.array, first)
        graph = training.typed(nodes._replace(features=features), np.float32)
        after, loss, _ = training.update(state, graph, np.zeros(12, np.float32), made)
        return jax.tree.leaves(after), float(loss)

    kept, loss = updated(nodes.features + np.array([0.0, mark]))
    assert np.isnan(loss) and all(np.array_equal(a, b) for a, b in zip(kept, jax.tree.leaves(first)))
    moved, loss = updated(nodes.features)
    assert np.isfinite(loss) and sum(not np.array_equal(a, b) for a, b in zip(moved, kept)) > len(kept) // 2


# ------------------------------------------------------------------------------------ checkpoints from before


def older(path, *records):
    """Take from a file what files of earlier versions did not hold."""
    arrays, about = load_arrays(path)
    for key in ("schedule", "phase_lags", "sparsity"):
        del about["training" if "training" in about else "settings"][key]
    about.get("training", {}).pop("initial_sha256", None)
    for record in records or [about["record"]]:
        del (about["starts"][record] if "starts" in about else record)["skipped"]
    save_arrays(path, arrays, about)


def test_checkpoints_without_the_new_settings_go_on(tmp_path):
    """They had what is the default now."""

    def stop(report):
        raise KeyboardInterrupt

    whole = learn.train("case-1", seed=3, folder=tmp_path / "whole", **SMALL)
    cut = tmp_path / "cut"
    assert learn.train("case-1", seed=3, folder=cut, watch=stop, **SMALL).chosen.status == "interrupted"
    older(cut / "start-000.npz")
    reports = []
    again = learn.train("case-1", seed=3, folder=cut, watch=reports.append, **SMALL)
    assert (
        [report["update"] for report in reports] == [6]
        and same(again.chosen, whole.chosen)
        and again.chosen.skipped == 0
    )
    for name, now in {"schedule": "cosine", "phase_lags": True}.items():
        older(cut / "start-000.npz")
        with pytest.raises(
            ValueError, match=f"is of another training: {name} was (False|'constant'), now {now!r}"
        ):
            learn.train("case-1", seed=3, folder=cut, **SMALL | {name: now})
        shutil.copy(tmp_path / "whole" / "start-000.npz", cut)
    older(tmp_path / "whole" / "trained.npz", 0)
    loaded = learn.Trained.load(tmp_path / "whole" / "trained.npz")
    assert (
        loaded.settings.to_dict() == whole.settings.to_dict()
        and same(loaded.chosen, whole.chosen)
        and loaded.chosen.skipped == 0
    )
