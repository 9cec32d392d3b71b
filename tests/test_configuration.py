"""Configurations: strict, told by key, the same for models and trainings; paths; arrays that pass by."""

import tomllib

import numpy as np
import pytest

from inphase import config, configuration
from inphase.cli import main

MODEL = """
[interaction]
name = "attention"
parameters = { beta = 2 }
strength = 1
[coupling]
strength = 2
[model]
frequencies = [1, -1, 0.5]
noise = 0
[run]
seed = 5
t_end = 2
"""
TRAINING = """
[problem]
name = "case-1"
interaction = { name = "sakaguchi", parameters = { lag = 0 }, strength = 2 }
[training]
nodes = 20
rate = 1
[run]
seed = 5
"""


def checked(text):
    """By the door that the text is for."""
    data = tomllib.loads(text)
    if "training" not in data:
        return config.checked_config(data, "file")
    learnt = pytest.importorskip("inphase.learn.configuration", exc_type=ImportError)
    return learnt.checked_configuration(data, "file")


def test_a_whole_number_is_a_float():
    found = checked(MODEL)
    assert found.run.t_end == 2.0 and found.build().frequencies.tolist() == [1.0, -1.0, 0.5]
    assert checked(TRAINING).build().settings.rate == 1.0


@pytest.mark.parametrize("wrong", ['"5"', "true", "[1]", "{ a = 1 }", '"x"'])
@pytest.mark.parametrize(
    ("text", "key", "good"),
    [
        (MODEL, "run.seed", "seed = 5"),
        (MODEL, "run.t_end", "t_end = 2"),
        (MODEL, "interaction.strength", "strength = 1"),
        (MODEL, "coupling.strength", "strength = 2"),
        (TRAINING, "run.seed", "seed = 5"),
        (TRAINING, "training.nodes", "nodes = 20"),
        (TRAINING, "training.rate", "rate = 1"),
        (TRAINING, "problem.interaction.strength", "strength = 2"),
    ],
)
def test_neither_a_text_nor_a_boolean_is_a_number(text, key, good, wrong):
    assert text.count(good) == 1
    with pytest.raises(ValueError) as caught:
        checked(text.replace(good, f"{good.split(' = ')[0]} = {wrong}"))
    got = repr(tomllib.loads(f"x = {wrong}")["x"])
    assert str(caught.value).startswith(f"file: {key}: Input should be a valid ")
    assert str(caught.value).endswith(f"; got {got}")


@pytest.mark.parametrize(
    ("text", "old", "new", "says"),
    [
        (MODEL, "beta = 2", "beta = true", "interaction.parameters.beta: must be a number or a list of numbers"),
        (MODEL, "beta = 2", 'beta = "2"', "interaction.parameters.beta: must be a number or a list of numbers"),
        (MODEL, "noise = 0", "noise = true", "model.noise: must be a number, a list of numbers, a column"),
        (MODEL, "-1, 0.5", "true, 0.5", "model.frequencies.1: Input should be a valid number; got True"),
        (MODEL, "-1, 0.5", '"1", 0.5', "model.frequencies.1: Input should be a valid number; got '1'"),
        (MODEL, "noise = 0", 'noise = { file = "a", seed = 1 }', "model.noise: a file takes column alone"),
        (MODEL, "noise = 0", "noise = { file = 3 }", "model.noise.file: Input should be a valid string; got 3"),
        (MODEL, "noise = 0", "delays = [[0, true]]", "model.delays.0.1: Input should be a valid number; got True"),
        (MODEL, "t_end = 2", "phases = [0, true]", "run.phases: Input should be a valid number at index 1; got True"),
        (MODEL, "t_end = 2", "phases = [0, nan]", "run.phases: phases must be finite; got nan at index 1"),
        (MODEL, "[coupling]", "[coupling]\nweights = [1, true]", "coupling: weights must not have booleans among"),
        (MODEL, "t_end = 2", "options = { a = [[0.5, true]] }", "run.options: a must not have booleans among"),
        (MODEL, "t_end = 2", "tend = 2", "unknown key 'run.tend'; known: n, seed, initial"),
        (MODEL, "[coupling]", "[[coupling]]\nstrength = true\n[[coupling]]", "coupling.0.strength: Input should"),
        (MODEL, 'name = "attention"', "", "interaction: give either name or formula"),
        (TRAINING, 'name = "sakaguchi", ', "", "problem.interaction: give either name or formula"),
        (TRAINING, "lag = 0", "lag = true", "problem.interaction.parameters.lag: must be a number or a list"),
        (TRAINING, "strength = 2", "beta = 2", "unknown key 'problem.interaction.beta'; known: name, formula"),
        (TRAINING, "[problem]", "[problems]", "problem: Field required; unknown key 'problems'; known: problem,"),
    ],
)  # fmt: skip
def test_one_sentence_for_each_key(text, old, new, says):
    assert text.count(old) == 1
    with pytest.raises(ValueError) as caught:
        checked(text.replace(old, new))
    message = str(caught.value)
    assert message.startswith(f"file: {says}")
    assert message.count("; ") == says.count("; ") + ("; got " in message and "; got " not in says)


# --- paths ---


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder with files, and another to work in."""
    folder, work = tmp_path / "data", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    (folder / "edges.csv").write_text("0,1,2.0\n1,2,3.0\n")
    (folder / "omega.csv").write_text("omega\n0.1\n0.2\n0.3\n")
    np.save(folder / "start.npy", [0.0, 1.0, 2.0])
    np.save(folder / "K.npy", np.arange(9.0).reshape(3, 3))
    monkeypatch.chdir(work)
    return folder


def test_paths_of_a_model_are_relative_to_its_file(elsewhere, capsys):
    text = '[interaction]\nname = "kuramoto"\n[coupling]\nkind = "graph"\nfile = "edges.csv"\n'
    text += '[model]\nfrequencies = { file = "omega.csv" }\n'
    text += '[run]\nt_end = 1.0\ninitial = "file"\noptions = { path = "start.npy" }\nout = "results"\n'
    (elsewhere / "system.toml").write_text(text)
    assert config.load("../data/system.toml").build().frequencies.tolist() == [0.1, 0.2, 0.3]
    assert main(["simulate", "../data/system.toml", "--json"]) == 0
    assert (elsewhere / "results" / "trajectory.nc").exists()
    # given on the command line, a path is seen from where the command is given
    assert main(["simulate", "../data/system.toml", "--out", "here", "--phases", "../data/start.npy"]) == 0
    assert (elsewhere.with_name("work") / "here" / "trajectory.nc").exists()
    capsys.readouterr()


def test_options_of_couplings_that_are_files(elsewhere):
    text = '[interaction]\nname = "kuramoto"\n[coupling]\nkind = "lagged"\nmatrix = "K.npy"\nlags = 0.5\n'
    (elsewhere / "system.toml").write_text(text)
    found = config.load("../data/system.toml").build().coupling
    assert found.array.tolist() == np.arange(9.0).reshape(3, 3).tolist()
    (elsewhere / "system.toml").write_text(text.replace("K.npy", str(elsewhere / "K.npy")))
    assert config.load("../data/system.toml").build().coupling.size == 3


def test_paths_of_a_training_are_relative_to_its_file(elsewhere):
    learnt = pytest.importorskip("inphase.learn.configuration", exc_type=ImportError)
    x, omega = np.round(np.random.default_rng(0).normal(size=(2, 200)), 3)
    rows = [f"{a};{b};{k % 2}".replace(".", ",") for k, (a, b) in enumerate(zip(x, omega))]
    (elsewhere / "nodes.csv").write_text("\n".join(["x;omega;kind", *rows]) + "\n")
    text = '[problem]\nfile = "nodes.csv"\nfeatures = ["x"]\nfrequencies = "omega"\nlabels = "kind"\n'
    (elsewhere / "own.toml").write_text(f'{text}[training]\nnodes = 20\n[run]\nout = "results"\n')
    found = learnt.load("../data/own.toml")
    nodes = found.build().draw("test", 100)
    of_file = {pair: k % 2 for k, pair in enumerate(zip(x, omega))}
    assert [of_file[pair] for pair in zip(nodes.features[:, 0], nodes.frequencies)] == nodes.labels.tolist()
    assert found.run.out == "../data/results"
    assert learnt.checked_configuration({"problem": {"name": "case-1"}}, "file").run.out == "results"
    (elsewhere / "image.toml").write_text('[problem]\nimage = "skimage:coins"\nmask = "mask.png"\n')
    section = learnt.load("../data/image.toml").problem
    assert (section.image, section.mask) == ("skimage:coins", "../data/mask.png")


def test_data_sets_are_no_paths(tmp_path):
    for file, found in (("us_power_grid", "us_power_grid"), ("grid.gml", str(tmp_path / "grid.gml"))):
        path = tmp_path / "system.toml"
        path.write_text(f'[interaction]\nname = "kuramoto"\n[coupling]\nkind = "graph"\nfile = "{file}"\n')
        assert config.load(path).coupling.model_extra["file"] == found


# --- arrays and TOML ---


def test_phases_pass_by_as_an_array(tmp_path):
    phases = np.random.default_rng(0).uniform(0, 6, 10)
    made = checked(MODEL.replace("frequencies = [1, -1, 0.5]", "")).with_run("here", phases=phases, t_end=3)
    assert isinstance(made.run.phases, np.ndarray) and np.array_equal(made.run.phases, phases)
    assert (made.run.seed, made.run.t_end) == (5, 3.0) and made.interaction.name == "attention"
    with pytest.raises(ValueError, match=r"^here: run.t_end: Input should be a valid number; got True$"):
        made.with_run("here", t_end=True)
    for wrong, says in (
        (np.array([1.0, np.inf]), "phases must be finite; got inf at index 1"),
        (np.zeros((2, 2)), r"phases must have shape \(n,\) with n >= 1; got shape \(2, 2\)"),
        (np.array(["a"]), "phases must be an array of real numbers"),
    ):
        with pytest.raises(ValueError, match=f"here: run.phases: {says}"):
            made.with_run("here", phases=wrong)


def test_phases_of_an_array_are_not_validated_one_by_one():
    class Whole(np.ndarray):
        def __iter__(self):
            raise AssertionError("the numbers are looked at one by one")

        tolist = __getitem__ = __iter__

    phases = np.zeros(3).view(Whole)
    with pytest.raises(AssertionError):
        list(phases)
    assert checked(MODEL).with_run("here", phases=phases).build().size == 3


def test_toml_comes_back():
    data = {"a": {"x": 0.1, "n": 3, "name": 'quotes " and \\ ω', "deep": {"list": [1.5, 2.5]}}}
    found = tomllib.loads(configuration.toml(data, "A comment."))
    assert found == data
