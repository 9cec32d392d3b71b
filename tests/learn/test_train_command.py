"""`inphase train`: the TOML file, what is written, interruption and resumption, and bad input."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

import inphase as ip
from inphase import learn
from inphase.cli import main
from inphase.config import load as load_model
from inphase.coupling.catalog import named
from inphase.coupling.learnt.coupling import load_network
from inphase.learn import configuration
from inphase.tables import read_columns

CASE = """
[problem]
name = "case-1"
[network]
hidden = [16]
[training]
nodes = 20
samples = 200
epochs = 2
burn_in = 30
window = 10
optimizer = "adam"
rate = 0.02
validation_graphs = 2
[run]
starts = 3
seed = 4
evaluate_n = 50
evaluate_graphs = 2
evaluate_burn_in = 100
"""
OWN = """
[problem]
file = "{file}"
features = ["x", "y"]
frequencies = "omega"
field = "b"
delay_steps = "tau"
labels = "class"
interaction = {{ name = "sakaguchi", parameters = {{ lag = 0.1 }}, strength = 1.5 }}
[network]
hidden = [8]
[training]
nodes = 20
epochs = 2
window = 10
step = 0.5
[run]
evaluate_burn_in = 20
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder of a training in this process, and what the verb printed."""
    folder = tmp_path_factory.mktemp("case-1")
    (folder / "case.toml").write_text(CASE.replace("[run]", "[run]\nworkers = 1"))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert main(["train", str(folder / "case.toml"), "--out", str(folder / "out"), "--json"]) == 0
    return folder / "out", json.loads(out.getvalue()), err.getvalue()


def run(*arguments) -> subprocess.Popen:
    code = "import sys\nfrom inphase.cli import main\nsys.exit(main(['train', *sys.argv[1:]]))"
    given = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "env": os.environ | {"JAX_PLATFORMS": "cpu"},
    }
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], **given)


@pytest.fixture(scope="module")
def trained():
    """The same training by the library."""
    given = tomllib.loads(CASE)
    return learn.train("case-1", starts=3, seed=4, **given["network"], **given["training"])


def test_training_file_tells_what_the_library_finds(done, trained):
    folder, printed, _ = done
    told = json.loads((folder / "training.json").read_text())
    assert told == printed and told["status"] == "finished" and told["chosen"] == trained.chosen.number
    best = [start.best for start in trained.starts]
    assert [start["validation_loss"] for start in told["starts"]] == best and len(set(best)) == 3
    assert told["validation_loss"] == {"best": min(best), "median": sorted(best)[1]}
    tests = [start["test"]["loss"] for start in told["starts"]]
    assert told["test_loss"] == {
        "chosen": tests[told["chosen"]],
        "median": sorted(tests)[1],
        "best": min(tests),
    }
    assert [row["n"] for row in told["evaluation"]] == [20, 50] == [row["n"] for row in told["control"]]
    assert told["settings"] == trained.settings.to_dict() and told["versions"]["inphase"]


def test_evaluation_is_that_of_the_library(done, trained):
    _, told, _ = done
    fresh = learn.evaluate(trained, 50, graphs=2, burn_in=100, seed=4)
    assert told["evaluation"][1]["loss"] == pytest.approx(float(fresh.loss.mean()), rel=1e-12)
    spread = float(fresh.loss.std(ddof=1)) / 2**0.5
    assert told["evaluation"][1]["loss_standard_error"] == pytest.approx(spread, rel=1e-9)
    assert told["evaluation"][1]["pairs"] == "all"
    control = learn.evaluate(learn.untrained(trained.problem, seed=4), 50, graphs=2, burn_in=100, seed=4)
    assert told["control"][1]["variance"] == pytest.approx(float(control.variance.mean()), rel=1e-12)


def test_progress_has_a_line_for_each_judgment(done):
    lines = done[2].splitlines()
    assert len(lines) == 3 * 2 and lines[0].startswith("start 1/3, update 10/20: loss ")
    assert all("V 0." in line and "validation 0." in line and line.endswith(" s left") for line in lines)


def test_coupling_in_a_model(done, trained):
    """coupling.npz by the catalog, with the columns it was
    trained on, and model.toml: the dynamics of the training.
    """
    folder, _, _ = done
    nodes = trained.problem.draw("test", 20, 4)
    coupling = named("learnt", file=str(folder / "coupling.npz"), features=str(folder / "nodes.csv"))
    assert np.array_equal(coupling.matrix(20), trained.coupling(nodes.features).matrix(20))
    config = load_model(folder / "model.toml")
    model = config.build()
    assert np.array_equal(model.frequencies, nodes.frequencies) and config.run.t_end == pytest.approx(11.0)
    wanted = nodes.model(trained.coupling(nodes.features), trained.settings)
    phases = ip.initial.phases("uniform", n=20, seed=1)
    assert np.array_equal(model.velocity(phases), wanted.velocity(phases))
    assert len(ip.equilibria.find(model, starts=3)) >= 1


def test_trained_coupling_in_the_main_job(done, tmp_path, capsys):
    folder, _, _ = done
    assert main(["study", str(folder / "model.toml"), "--out", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["answer"] and "Learnt" in Path(found["files"]["report"]).read_text(encoding="utf-8")
    told = json.loads(Path(found["files"]["study"]).read_text(encoding="utf-8"))
    assert "network_sha256" in json.dumps(told)


def test_interrupt_keeps_the_checkpoint_and_the_same_command_goes_on(tmp_path):
    """Two starts in processes of their own; what goes on
    from them, in this one, finds the numbers of one run.
    """
    path, again, cut = tmp_path / "long.toml", tmp_path / "again.toml", tmp_path / "cut"
    whole = tmp_path / "whole"
    text = CASE.replace("epochs = 2", "epochs = 40\nvalidate_every = 10").replace("starts = 3", "starts = 2")
    path.write_text(text.replace("[run]", "[run]\nworkers = 2"))
    again.write_text(text.replace("[run]", "[run]\nworkers = 1"))
    process = run(path, "--out", cut)
    deadline = time.monotonic() + 240
    while not (cut / "checkpoints" / "start-000.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("inphase: interrupted")
    assert not (cut / "coupling.npz").exists()
    assert main(["train", str(again), "--out", str(cut), "--resume", "--no-progress"]) == 0
    assert main(["train", str(again), "--out", str(whole), "--no-progress"]) == 0
    one, other = (load_network(folder / "coupling.npz") for folder in (cut, whole))
    assert (
        all(np.array_equal(a, b) for a, b in zip(one[0].arrays().values(), other[0].arrays().values()))
        and one[1:] == other[1:]
    )
    told = [json.loads((folder / "training.json").read_text()) for folder in (cut, whole)]
    assert told[0]["evaluation"] == told[1]["evaluation"] and told[0]["test_loss"] == told[1]["test_loss"]
    assert (
        [s["updates"] for s in told[0]["starts"]] == [400, 400] == [s["updates"] for s in told[1]["starts"]]
    )


# --------------------------------------------------------------------------------------------------- own data


@pytest.fixture
def nodes(tmp_path):
    """200 nodes of two classes as arrays, as nodes.csv and as nodes.npz."""
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    table = {
        "x": rng.normal(size=200) + 6 * labels,
        "y": rng.normal(size=200),
        "omega": 0.1 * rng.normal(size=200),
    }
    table |= {"b": rng.uniform(size=200), "tau": rng.integers(0, 4, 200), "class": labels}
    rows = [",".join(repr(value.item()) for value in row) for row in zip(*table.values())]
    (tmp_path / "nodes.csv").write_text("\n".join([",".join(table), *rows]) + "\n")
    both = {"features": np.stack([table["x"], table["y"]], axis=1)}
    np.savez(tmp_path / "nodes.npz", **table, **both)
    return table


@pytest.mark.parametrize("file", ["nodes.csv", "nodes.npz"])
def test_own_nodes(file, nodes, tmp_path):
    """The nodes of a file are those that `from_arrays` draws from the arrays themselves."""
    text = OWN.format(file=tmp_path / file)
    text = text.replace('features = ["x", "y"]\n', "") if file.endswith("npz") else text  # its default array
    (tmp_path / "own.toml").write_text(text)
    found = configuration.load(tmp_path / "own.toml").build()
    x = np.stack([nodes["x"], nodes["y"]], axis=1)
    parts = {"frequencies": nodes["omega"], "field": nodes["b"], "delay_steps": nodes["tau"]}
    wanted = learn.from_arrays(x, nodes["class"], nodes=20, epochs=2, **parts)
    for one, other in zip(found.draw("train", 30, 1), wanted.draw("train", 30, 1)):
        assert np.array_equal(one, other)
    assert (
        found.classes == 2
        and found.longest == 3
        and found.settings.loss == "cluster"
        and found.settings.hidden == (8,)
    )
    assert found.settings.interaction(0.3) == pytest.approx(
        1.5 * (np.sin(0.3 + 0.1) - np.sin(0.1)), rel=1e-12
    )
    assert found.columns == (("x", "y") if file.endswith("csv") else ("x1", "x2"))


def test_training_on_own_nodes_and_the_model_of_them(nodes, tmp_path):
    """model.toml has ω, b, τ in units of time, f and K: the velocity against the double sum."""
    (tmp_path / "own.toml").write_text(OWN.format(file=tmp_path / "nodes.csv"))
    assert main(["train", str(tmp_path / "own.toml"), "--out", str(tmp_path / "out"), "--no-progress"]) == 0
    model = load_model(tmp_path / "out" / "model.toml").build()
    rows = np.genfromtxt(tmp_path / "out" / "nodes.csv", delimiter=",", names=True)
    assert set(rows["label"]) == {0, 1} and np.array_equal(model.delays, rows["delays"])
    given = {nodes["x"][i]: nodes["tau"][i] * 0.5 for i in range(200)}
    assert [given[x] for x in rows["x"]] == rows["delays"].tolist()
    here, heard = np.random.default_rng(1).uniform(0, 6, (2, 20))
    K = model.coupling.matrix(20)
    apart = here[:, None] - heard
    expected = (
        rows["frequencies"]
        + rows["field"] * np.sin(here)
        - 1.5 * (K * (np.sin(apart + 0.1) - np.sin(0.1))).sum(axis=1)
    )
    assert np.allclose(model.flow(here, np.empty(20), heard), expected, rtol=0, atol=1e-12)


def test_columns_of_files(tmp_path, nodes):
    array = np.stack([nodes["x"], nodes["y"]], axis=1)
    np.save(tmp_path / "x.npy", array)
    for file, columns in (
        ("x.npy", None),
        ("x.npy", [0, 1]),
        ("nodes.csv", ["x", "y"]),
        ("nodes.csv", [0, 1]),
        ("nodes.npz", None),
    ):
        assert np.array_equal(read_columns(tmp_path / file, columns), array)


# -------------------------------------------------------------------------------------------------- bad input


def edited(column, row, value):
    """Change a cell of nodes.csv."""

    def change(folder):
        lines = (folder / "nodes.csv").read_text().splitlines()
        cells = lines[row].split(",")
        cells[lines[0].split(",").index(column)] = value
        lines[row] = ",".join(cells)
        (folder / "nodes.csv").write_text("\n".join(lines) + "\n")

    return change


def alone(folder):
    """A class with one member."""
    edited("class", 5, "2")(folder)


def nothing(folder):
    pass


def swapped(old, new):
    return lambda text: text.replace(old, new)


BAD = [
    (edited("x", 3, "nan"), swapped("", ""), "nodes.csv, line 4: ", "x must be a finite number; got 'nan'"),
    (
        edited("tau", 3, "1.5"),
        swapped("", ""),
        "delay_steps of",
        "must be whole numbers; got 1.5 for node 2 (from 0)",
    ),
    (
        alone,
        swapped("", ""),
        "labels must give every class 2 nodes in every part; class 2 has 1 nodes in all",
        "in 'train'",
    ),
    (
        nothing,
        swapped('"class"', '"kind"'),
        "column must be one of x, y, omega, b, tau, class in",
        "nodes.csv'; got 'kind'",
    ),
    (
        nothing,
        lambda t: t.replace('labels = "class"', "").replace("window", 'loss = "cluster"\nwindow'),
        "needs labels",
        "got 0",
    ),
    (
        nothing,
        swapped("[training]", '[training]\nloss = { name = "target-order", R = 1 }'),
        "the loss 'target-order' has no parameter 'R'",
        "it takes r",
    ),
    (
        nothing,
        swapped("[training]", "[training]\nloss = 3"),
        "loss must be one of circular-variance, cluster",
        "got 3",
    ),
    (
        nothing,
        swapped("[run]", "[run]\nworkers = 0"),
        "run.workers: Input should be greater than or equal to 1",
        "got 0",
    ),
    (
        nothing,
        swapped("[training]", "[training]\nrat = 0.1"),
        "unknown key 'training.rat'; known: nodes, samples",
        "dtype",
    ),
    (
        nothing,
        swapped("lag = 0.1 }", "lag = 0.1 }, beta = 2"),
        "unknown key 'problem.interaction.beta'",
        "known: name, formula",
    ),
    (nothing, swapped("[run]", "[runs]"), "unknown key 'runs'", "known: problem, network, training, run"),
    (
        nothing,
        swapped("epochs = 2", "epochs = 2.5"),
        "training.epochs: Input should be a valid integer",
        "got 2.5",
    ),
    (
        nothing,
        swapped("step = 0.5", "step = true"),
        "training.step: Input should be a valid number",
        "got True",
    ),
    (
        nothing,
        swapped("step = 0.5", 'method = "rk4"'),
        "training.method: Input should be 'euler' or 'heun'",
        "got 'rk4'",
    ),
    (nothing, swapped("step = 0.5", "rate = -1"), "rate must be a positive, finite number", "got -1"),
    (nothing, swapped("lag = 0.1", "bate = 0.1"), "problem.interaction: sakaguchi has no", "takes lag"),
    (
        nothing,
        swapped("[problem]", '[problem]\nname = "case-1"'),
        "problem: give one of name, file and image",
        "",
    ),
    (nothing, swapped("nodes.csv", "none.csv"), "none.csv", "there is none"),
    (
        nothing,
        swapped("[run]", "[run]\nevaluate_graphs = 9"),
        "evaluate_graphs must be <= ",
        "leaves 100 nodes to test, and the largest graph has",
    ),
    (
        nothing,
        swapped("[run]", "[run]\nevaluate_n = 160"),
        "evaluate_n must be <= 100, the nodes that nodes leaves to test",
        "got 160",
    ),
    (nothing, swapped("nodes = 20", "nodes = 30"), "nodes must be <= 20, the nodes for validation", "got 30"),
]


@pytest.mark.parametrize(("change", "edit", "says", "also"), BAD, ids=[row[2] for row in BAD])
def test_bad_input_is_refused_in_one_line(change, edit, says, also, nodes, tmp_path, capsys):
    change(tmp_path)
    text = OWN.format(file=tmp_path / "nodes.csv")
    (tmp_path / "own.toml").write_text(edit(text))
    assert main(["train", str(tmp_path / "own.toml"), "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and captured.err.startswith("inphase: ")
    assert says in captured.err and also in captured.err


def test_losses_and_workers_of_a_file():
    text = CASE.replace(
        "epochs = 2", 'epochs = 2\nsparsity = 0.1\nloss = { name = "target-frequency", omega = 0.5 }'
    )
    given = configuration.checked_configuration(
        tomllib.loads(text.replace("[run]", "[run]\nworkers = 2")), "file"
    )
    settings = given.build().settings
    assert (
        settings.loss == learn.losses.TargetFrequency(0.5)
        and settings.sparsity == 0.1
        and given.run.workers == 2
    )
    assert configuration.checked_configuration(tomllib.loads(CASE), "file").run.workers is None


def test_features_that_do_not_fit_a_saved_network(done):
    file = str(done[0] / "coupling.npz")
    with pytest.raises(
        ValueError, match="features must have 1 columns, as the network was trained with; got 2"
    ):
        named("learnt", file=file, features=[[0.0, 1.0], [1.0, 2.0]])
    with pytest.raises(ValueError, match="column must be one of frequency, frequencies"):
        named("learnt", file=file, features=str(done[0] / "nodes.csv"), columns=["omega"])
    with pytest.raises(ValueError, match="columns are of a file"):
        named("learnt", file=file, features=[[0.0], [1.0]], columns=["frequency"])


def test_truncated_files_and_another_training(done, tmp_path, capsys):
    folder, _, _ = done
    out = tmp_path / "out"
    (out / "checkpoints").mkdir(parents=True)
    content = (folder / "checkpoints" / "start-000.npz").read_bytes()
    (out / "checkpoints" / "start-000.npz").write_bytes(content[:1000])
    case = CASE.replace("[run]", "[run]\nworkers = 1")
    (tmp_path / "case.toml").write_text(case)
    assert main(["train", str(tmp_path / "case.toml"), "--out", str(out)]) == 2
    assert "start-000.npz is truncated" in capsys.readouterr().err
    assert (out / "checkpoints" / "start-000.npz").read_bytes() == content[:1000]
    (out / "checkpoints" / "start-000.npz").write_bytes(content)
    (tmp_path / "case.toml").write_text(case.replace("rate = 0.02", "rate = 0.03"))
    assert main(["train", str(tmp_path / "case.toml"), "--out", str(out)]) == 2
    assert "is of another training: rate was 0.02, now 0.03" in capsys.readouterr().err
    assert main(["train", str(tmp_path / "case.toml"), "--out", str(tmp_path / "new"), "--resume"]) == 2
    assert "there is no checkpoint in" in capsys.readouterr().err
    (tmp_path / "coupling.npz").write_bytes((folder / "coupling.npz").read_bytes()[:500])
    with pytest.raises(ValueError, match=r"coupling\.npz is truncated"):
        named("learnt", file=str(tmp_path / "coupling.npz"), features=[[0.0]])


def test_without_jax(tmp_path, capsys, monkeypatch):
    (tmp_path / "case.toml").write_text(CASE)
    for name in [name for name in sys.modules if name.startswith("inphase.learn")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jax", None)
    assert main(["train", str(tmp_path / "case.toml")]) == 2
    assert capsys.readouterr().err == "inphase: learning needs JAX: pip install 'inphase[learn]'\n"


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit) as end:
        main(["train", "--help"])
    assert end.value.code == 0 and "example: inphase train" in capsys.readouterr().out


def test_the_example_of_the_documentation_is_read():
    """Every key of the sections stands in the docstring, and the example builds."""
    text = configuration.__doc__.split("\n\n", 1)[1].rsplit("\n\n", 1)[0]
    found = configuration.checked_configuration(tomllib.loads(text), "docstring")
    assert found.build().settings.epochs == 10 and found.run.evaluate_n == [1000, 10000]
    sections = (
        configuration.ProblemSection,
        configuration.NetworkSection,
        configuration.TrainingSection,
        configuration.RunSection,
    )
    for key in (key for section in sections for key in section.model_fields):
        assert key in text
