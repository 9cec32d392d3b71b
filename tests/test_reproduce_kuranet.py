"""`inphase reproduce kuranet-...` on small networks that are really trained: the numbers, the files, and bad
input.

Rows and extents here are configurations of a minute; what is computed of them is what a whole run computes.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from inphase.cli import main
from inphase.reproduce import EXPERIMENTS, kuranet, kuranet_job, reproduce
from inphase.reproduce.kuranet import CELLS, Extent, Row

SHARED = Path(__file__).parents[2] / "shared"
NAMES = ("kuranet-table1", "kuranet-table2", "kuranet-images")
SIZE, SAMPLES, SEED = 300, 400, 1
TINY = Extent(
    large=SIZE,
    graphs=2,
    burn_in=50,
    changes={
        "nodes": 20,
        "samples": SAMPLES,
        "epochs": 2,
        "hidden": (8, 8),
        "validation_graphs": 2,
        "window": 20,
    },
)
PUBLISHED = ((0.1, 0.2), (0.3, 0.4), (0.5, 0.6))
GLOBAL = Row("Alone", ("case-1",), PUBLISHED, kuranet.GLOBAL | {"burn_in": 50}, starts=3)
CLUSTERS = Row("Two", ("moons", "circles"), PUBLISHED, kuranet.CLUSTERS, (kuranet.SETTLED,), starts=2)


@pytest.fixture(scope="module")
def learn():
    return pytest.importorskip("inphase.learn", exc_type=ImportError)


@pytest.fixture(scope="module")
def made(learn, tmp_path_factory):
    """A table of one row of each kind: one problem without classes, two with."""
    folder, lines = tmp_path_factory.mktemp("trainings"), []
    numbers, found = kuranet.table(
        (GLOBAL, CLUSTERS), folder, extent=TINY, seed=SEED, workers=1, progress=lines.append
    )
    return SimpleNamespace(folder=folder, numbers=numbers, found=found, lines=lines)


def problems_of(numbers):
    return {one["problem"]: one for row in numbers["rows"] for one in row["problems"]}


def strict(text):
    """JSON without NaN and infinities."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


# ---------------------------------------------------------------------------------------------------- numbers


def test_numbers_of_a_table(made):
    numbers = made.numbers
    assert strict(json.dumps(numbers)) and numbers["quick"] is True and numbers["seed"] == SEED
    assert numbers["extent"]["large"] == SIZE and numbers["inphase_version"]
    assert [row["title"] for row in numbers["rows"]] == ["Alone", "Two"]
    assert list(made.found) == list(problems_of(numbers)) == ["case-1", "moons", "circles"]
    for name, one in problems_of(numbers).items():
        assert [start["number"] for start in one["starts"]] == list(range(3 if name == "case-1" else 2))
        assert all(
            start["status"] == "finished" and start["updates"] == 40 and start["seconds"] > 0
            for start in one["starts"]
        )
        for cell in CELLS:
            graphs, n = (2, 100) if cell == "data" else (1, SIZE)
            for kind in ("trained", "untrained"):
                told = one["cells"][cell][kind]
                assert (len(told["values"]), told["n"]) == (graphs, n) and -1e-9 <= told["value"] <= 1
                assert (told["standard_error"] is None) == (graphs == 1)
                low_rank = cell == "size" or (cell == "both" and kind == "untrained")
                assert told["pairs"] == ("low-rank" if low_rank else "all")
                assert (
                    ("rank" in told)
                    == ("coupling_error" in told)
                    == ("tolerance_reached" in told)
                    == low_rank
                )
        assert ("controls" in one) == (name != "case-1") == (one["refined_seconds"] is not None)
    assert [line.split(":")[0] for line in made.lines] == ["case-1", "moons", "circles"]
    value = problems_of(numbers)["moons"]["cells"]["both"]["trained"]["value"]
    assert f"both {value:.4f}" in made.lines[1]


def test_a_row_is_the_mean_of_its_problems(made):
    for row in made.numbers["rows"]:
        parts = row["problems"]
        for cell, published in zip(CELLS, PUBLISHED):
            for k, kind in enumerate(("trained", "untrained")):
                told, each = row["cells"][cell][kind], [one["cells"][cell][kind] for one in parts]
                assert told["value"] == pytest.approx(
                    sum(one["value"] for one in each) / len(each), rel=1e-12, abs=1e-15
                )
                assert told["published"] == published[k]
                # over graphs, of which the problems of a row share seed and initial phases
                if cell == "data":
                    first, second = (
                        sum(one["values"][graph] for one in each) / len(each) for graph in (0, 1)
                    )
                    assert told["standard_error"] == pytest.approx(
                        abs(first - second) / 2, rel=1e-9, abs=1e-15
                    )
                else:
                    assert told["standard_error"] is None


# --------------------------------------------------------------------------------------------- what cells are


@pytest.mark.parametrize("name", ["case-1", "moons"])
def test_cells_are_evaluations_of_the_refined_network(name, made, learn):
    """From the paper's initial phases, whatever those of the
    training; size: training nodes; both: fresh ones, all pairs.
    """
    chosen, cells = made.found[name].chosen, problems_of(made.numbers)[name]["cells"]
    start = "zero" if name == "case-1" else "normal"
    assert chosen.settings.start == ("zero" if name == "case-1" else "uniform")
    control = learn.untrained(chosen.problem, SEED)
    for kind, trained in {"trained": chosen, "untrained": control}.items():
        alone = replace(trained, settings=trained.settings.replace(start=start))
        given = {"burn_in": 50, "window": 50, "seed": SEED}
        pairs = "all" if kind == "trained" else "low-rank"
        data = learn.evaluate(alone, 100, graphs=2, split="test", pairs="all", **given).loss.values
        size = learn.evaluate(alone, SIZE, graphs=1, split="train", pairs="low-rank", **given).loss.values
        both = learn.evaluate(alone, SIZE, graphs=1, split="test", pairs=pairs, **given).loss.values
        found = [cells[cell][kind]["value"] for cell in CELLS]
        assert found == pytest.approx([data.mean(), size.mean(), both.mean()], rel=1e-12, abs=1e-15)
        assert cells["data"][kind]["values"] == pytest.approx(data.tolist(), rel=1e-12, abs=1e-15)
        assert cells["data"][kind]["standard_error"] == pytest.approx(
            abs(data[1] - data[0]) / 2, rel=1e-9, abs=1e-15
        )
        assert name == "moons" or len({f"{value:.9f}" for value in found}) == 3


@pytest.mark.parametrize(("cell", "split"), [("size", "train"), ("both", "test")])
def test_cells_by_plain_steps(cell, split, made):
    """V of θ̇_i = ω_i − Σ_j K_ij sin(θ_i − θ_j) over all nodes, with K entry by entry."""
    chosen = made.found["case-1"].chosen
    nodes = chosen.problem.draw(split, {"train": SAMPLES, "test": SIZE}[split], SEED).take(slice(SIZE))
    K, theta, order = chosen.coupling(nodes.features).matrix(SIZE), np.zeros(SIZE), []
    for step in range(100):
        s, c = np.sin(theta), np.cos(theta)
        theta = theta + 0.1 * (nodes.frequencies + c * (K @ s) - s * (K @ c))
        order += [np.hypot(np.cos(theta).mean(), np.sin(theta).mean())] if step >= 50 else []
    told = problems_of(made.numbers)["case-1"]["cells"][cell]["trained"]
    error = 1e-9 if cell == "both" else 5 * told["coupling_error"]
    assert told["value"] == pytest.approx(1 - np.mean(order), abs=error) and error < 0.1


def test_the_size_test_is_on_nodes_of_the_training(made, learn):
    """Those that were drawn for it; and there are enough of them in the whole tables, too."""
    found = made.found["moons"].starts
    task, drawn = found.problem, found.problem.draw("train", SAMPLES, SEED)
    seen = []

    def noted(network, features, rule):
        seen.append(features)
        return learn.Learnt(network, features, rule)

    learn.evaluate(found, SIZE, graphs=1, burn_in=1, window=1, seed=SEED, split="train", coupling=noted)
    assert np.array_equal(seen[0], drawn.features[:SIZE]) and task.settings.samples == SAMPLES
    for row in (*kuranet.TABLE_1, *kuranet.TABLE_2):
        for name in row.problems:
            assert kuranet._problem(name, None).replace(**row.settings).settings.samples >= kuranet.FULL.large


@pytest.mark.parametrize("name", ["moons", "circles"])
def test_controls(name, made):
    """Blocks of one sign gather classes; the loss is made of its two terms."""
    controls = problems_of(made.numbers)[name]["controls"]
    assert set(controls) == {"trained", "block", "untrained"}
    for one in controls.values():
        assert all(0 <= one[part] <= 1 for part in ("loss", "within", "splay"))
        assert one["loss"] == pytest.approx((one["within"] + one["splay"]) / 2, abs=1e-6)  # k = 2
    assert controls["block"]["within"] < 0.1


# ------------------------------------------------------------------------------------------------- the choice


def test_networks_are_chosen_by_validation_alone(made, learn, tmp_path):
    """The least validation loss; and no test node is drawn until the choice is made."""
    for name, one in problems_of(made.numbers).items():
        validation = [start["validation"] for start in one["starts"]]
        assert (
            one["chosen"]
            == one["starts"][int(np.argmin(validation))]["number"]
            == made.found[name].starts.chosen.number
        )
        assert validation == [start.best for start in made.found[name].starts.starts]
    task = made.found["moons"].starts.problem

    def sample(split, count, rng):
        assert split != "test", "a training must not see these nodes"
        return task.sample(split, count, rng)

    shutil.copytree(made.folder / "moons", tmp_path / "moons")
    blind = kuranet._train(replace(task, sample=sample), CLUSTERS, TINY, tmp_path / "moons", SEED, 1)
    assert blind.starts.chosen.number == made.found["moons"].starts.chosen.number
    assert np.array_equal(blind.chosen.network.out, made.found["moons"].chosen.network.out)


def distance(one, other):
    arrays = zip(one.arrays().values(), other.arrays().values())
    return float(np.sqrt(sum(np.sum((a - b) ** 2) for a, b in arrays)))


@pytest.mark.parametrize("name", ["moons", "circles"])
def test_the_refinement_starts_from_the_chosen_network(name, made):
    found = made.found[name]
    refined = found.chosen.network
    others = [start for start in found.starts.starts if start is not found.starts.chosen]
    near = distance(refined, found.starts.network)
    assert 0 < near < 0.5 * min(distance(refined, other.network) for other in others)
    settings = found.chosen.settings
    # epochs are those of the extent
    assert (settings.burn_in, settings.window, settings.epochs) == (100, 50, 2)
    assert found.starts.settings.burn_in != 100
    stored = list((made.folder / name).glob("*refined-1*/start-000.npz"))
    assert (
        stored
        and len(found.chosen.starts) == 1
        and made.found["case-1"].chosen.chosen is made.found["case-1"].starts.chosen
    )


# -------------------------------------------------------------------------------------- what is kept in files


def test_measurements_are_kept_and_made_anew_for_another_extent(made, tmp_path):
    shutil.copytree(made.folder / "case-1", tmp_path / "case-1")
    path, given = tmp_path / "case-1" / "measured.json", {"seed": SEED, "workers": 1}
    marked = json.loads(path.read_text())
    assert {key: marked[key] for key in marked if key != "about"} == {
        key: value for key, value in made.numbers["rows"][0]["problems"][0].items() if key != "about"
    }
    # so that what is read can be told from what is measured
    marked["cells"]["both"]["trained"]["value"] = 0.125
    path.write_text(json.dumps(marked))
    before = (path.stat().st_mtime_ns, path.read_bytes())
    numbers, found = kuranet.table((GLOBAL,), tmp_path, extent=TINY, **given)
    assert numbers["rows"][0]["cells"]["both"]["trained"]["value"] == 0.125
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    assert np.array_equal(found["case-1"].chosen.network.out, made.found["case-1"].chosen.network.out)
    numbers, _ = kuranet.table((GLOBAL,), tmp_path, extent=replace(TINY, graphs=3), **given)
    told = numbers["rows"][0]["cells"]
    assert told["data"]["trained"]["value"] != made.numbers["rows"][0]["cells"]["data"]["trained"]["value"]
    assert told["both"]["trained"] == made.numbers["rows"][0]["cells"]["both"]["trained"]
    assert json.loads(path.read_text())["about"]["graphs"] == 3
    with pytest.raises(ValueError, match=r"is of another training: epochs was 2, now 3"):
        kuranet.table(
            (GLOBAL,), tmp_path, extent=replace(TINY, changes=TINY.changes | {"epochs": 3}), **given
        )


# The paper's tables 1 and 2: trained (untrained), for data, size and both
PAPER = """\
Case I | .0667 (.7412) | .0681 (.9172) | .0682 (.9144)
Case II | .1527 (.7370) | .1823 (.8969) | .1890 (.9378)
Case III | .3800 (.8920) | .7026 (.9707) | .6855 (.9753)
Moons | .0154 (.5) | .0012 (.5) | .0011 (.5)
Circles | .0257 (.5) | .0015 (.5) | .0021 (.5)
Spirals | .0182 (.5) | .0096 (.5) | .0094 (.5)
GMMk, k = 2..10 | .0144 (.4904) | .0069 (.5424) | .0073 (.5711)
Images | .0376 (.7464) | .0088 (.8363) | .0093 (.8360)
"""


def test_published_figures_are_those_of_the_paper():
    wanted = {}
    for title, *cells in (line.split(" | ") for line in PAPER.splitlines()):
        wanted[title] = tuple(
            tuple(map(float, re.fullmatch(r"(\.\d+) \((\.\d+)\)", cell).groups())) for cell in cells
        )
    rows = [row for table in kuranet_job.ROWS.values() for row in table]
    assert {row.title: row.published for row in rows} == wanted
    assert [len(row.problems) for row in rows] == [1, 1, 1, 1, 1, 1, 9, 9]


# ---------------------------------------------------------------------------------------------------- the job


def files_of(name, folder):
    return {
        kind: folder / f"{name}{end}"
        for kind, end in (("html", ".html"), ("json", ".json"), ("figures", "-figures"))
    }


def checked_files(files, name, folder, figures):
    """The page without anything from elsewhere, strict JSON, every figure twice and animations."""
    assert files == files_of(name, folder)
    page = files["html"].read_text(encoding="utf-8")
    assert not re.search(
        r"""(?:src|href|action|data)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?https?:|@import""", page
    )
    assert "This was a quick trial" in page and "arXiv 2105.02838" in page
    stems = {path.stem for path in files["figures"].iterdir()}
    kinds = {stem: {path.suffix for path in files["figures"].glob(f"{stem}.*")} for stem in stems}
    assert set(map(frozenset, kinds.values())) == {frozenset({".png", ".svg"}), frozenset({".webp"})}
    assert all(path.stat().st_size > 1000 for path in files["figures"].iterdir())
    assert all(any(stem.startswith(figure) for stem in stems) for figure in figures), stems
    return page, strict(files["json"].read_text(encoding="utf-8"))


def job(name, rows, extent, made, folder, monkeypatch, **given):
    """`reproduce` of these rows from the trainings that are there."""
    monkeypatch.setitem(kuranet_job.ROWS, name, rows)
    monkeypatch.setattr(kuranet, "QUICK", extent)
    shutil.copytree(made, folder / "trainings-quick")
    return reproduce(name, folder, quick=True, seed=SEED, workers=1, **given)


def test_the_page_of_table_2(made, tmp_path, monkeypatch):
    row = replace(CLUSTERS, problems=("moons",))
    files = job("kuranet-table2", (row,), TINY, made.folder, tmp_path, monkeypatch)
    figures = ("training", "refinement", "coupling-by-class", "phases-by-class", "phase-landscape", "moons")
    page, told = checked_files(files, "kuranet-table2", tmp_path, figures)
    assert told["name"] == "kuranet-table2" and told["proof"] is False and told["quick"] is True
    assert told["rows"][0]["problems"] == [problems_of(made.numbers)["moons"]]
    assert all(text in page for text in ("Controls", "All starts", "Low-rank operators"))


@pytest.mark.long
def test_the_page_of_table_1(made, tmp_path, monkeypatch):
    # a line needs 3
    files = job("kuranet-table1", (GLOBAL,), replace(TINY, graphs=4), made.folder, tmp_path, monkeypatch)
    figures = ("training", "v-against-the-autocorrelation", "mean-fan-in", "phase-landscape", "case-i")
    page, told = checked_files(files, "kuranet-table1", tmp_path, figures)
    cells, known = (rows[0]["cells"] for rows in (told["rows"], strict(json.dumps(made.numbers["rows"][:1]))))
    # more graphs
    assert all(cells[cell] == known[cell] for cell in ("size", "both")) and cells["data"] != known["data"]
    assert "Low-rank operators" in page
    found = told["analyses"]["case-1"]
    for line in found["r_squared"].values():
        assert 0 <= line["r_squared"] <= 1 and line["r_squared_low"] <= line["r_squared_high"]
    assert (
        found["fan_in_peaks"]["columns"] == ["frequency"] and -1 <= found["fan_in_peaks"]["peak"][0][0] <= 1
    )


@pytest.mark.long
@pytest.mark.parametrize("name", ["kuranet-table1", "kuranet-table2"])
def test_a_quick_trial(name, learn, tmp_path):
    """As the command line does it."""
    assert main(["reproduce", name, "--quick", "--out", str(tmp_path), "--no-progress"]) == 0
    _, told = checked_files(files_of(name, tmp_path), name, tmp_path, ("training", "phase-landscape"))
    assert [row["title"] for row in told["rows"]] == [row.title for row in kuranet_job.ROWS[name]]
    assert all(len(row["problems"]) <= 2 for row in told["rows"])


# ----------------------------------------------------------------------------------------------------- images

IMAGE = "90076"
SMALL_IMAGE = {
    "nodes": 20,
    "samples": SAMPLES,
    "epochs": 2,
    "hidden": (8, 8),
    "validation_graphs": 2,
    "window": 20,
}
SMALL_IMAGE |= {"validation_nodes": None}


@pytest.fixture(scope="module")
def coarse(tmp_path_factory):
    """Every fifth pixel of one image of BSDS500 and of
    its segments, in a folder laid out as the whole set.
    """
    if not (SHARED / "data" / "bsds500").is_dir():
        pytest.skip("the images of BSDS500 are not in ../shared/data/bsds500; they may not be copied")
    pillow, scipy_io = pytest.importorskip("PIL.Image"), pytest.importorskip("scipy.io")
    folder = tmp_path_factory.mktemp("bsds")
    photo, truth = (
        next((SHARED / "data" / "bsds500").glob(f"{part}/*/{IMAGE}.*")) for part in ("images", "groundTruth")
    )
    with pillow.open(photo) as picture:
        pixels = np.asarray(picture)[::5, ::5]
    given = scipy_io.loadmat(truth)["groundTruth"]
    cells = np.empty((1, given.shape[1]), dtype=object)
    for k in range(given.shape[1]):
        cells[0, k] = {"Segmentation": given[0, k]["Segmentation"][0, 0][::5, ::5]}
    for part in ("images", "groundTruth"):
        (folder / part / "train").mkdir(parents=True)
    pillow.fromarray(pixels).save(folder / "images" / "train" / f"{IMAGE}.jpg", quality=100)
    scipy_io.savemat(folder / "groundTruth" / "train" / f"{IMAGE}.mat", {"groundTruth": cells})
    return SimpleNamespace(folder=folder, shape=pixels.shape[:2])


def best_dice(segments, others):
    """Mean over segments of the best 2|A ∩ B|/(|A| + |B|)."""
    found = []
    for a in np.unique(segments):
        mine = segments == a
        found.append(
            max(
                2 * np.sum(mine & (others == b)) / (mine.sum() + np.sum(others == b))
                for b in np.unique(others)
            )
        )
    return np.mean(found)


@pytest.mark.long  # the quick suite has test_images.py
def test_an_image(coarse, learn, tmp_path, monkeypatch):
    """Trained on some pixels, segmented as a whole, drawn, and written."""
    row = Row("One", (IMAGE,), PUBLISHED, kuranet.IMAGES, kuranet.SETTLED_IMAGES, starts=2)
    extent = replace(TINY, changes=SMALL_IMAGE)
    _, found = kuranet.table(
        (row,), tmp_path / "made", extent=extent, data=coarse.folder, seed=SEED, workers=1
    )
    numbers, picture = kuranet.segmented(found[IMAGE].chosen, coarse.folder, steps=20, frames=5, seed=SEED)
    assert (
        numbers["pixels"] == coarse.shape[0] * coarse.shape[1]
        and numbers["classes"] == 4
        and numbers["steps"] == 20
    )
    steps = found[IMAGE].chosen.settings.step * np.array([0, 5, 10, 15, 20])
    assert picture["phases"].shape == (5, *coarse.shape) and np.allclose(picture["times"], steps)
    assert (
        picture["image"].shape == (*coarse.shape, 3)
        and picture["truth"].shape == picture["found"].shape == coarse.shape
    )
    seen = picture["truth"] >= 0
    one, other = picture["found"][seen], picture["truth"][seen]
    assert numbers["dice"] == pytest.approx(min(best_dice(one, other), best_dice(other, one)), rel=1e-12)
    assert 0 < numbers["dice"] <= 1 and 0 < numbers["pixels_dice"] <= 1 and 0 <= numbers["loss"] <= 1
    assert numbers["coupling_error"] >= 0 and numbers["rank"] >= 1

    given = {"data": coarse.folder}
    files = job("kuranet-images", (row,), extent, tmp_path / "made", tmp_path / "out", monkeypatch, **given)
    page, told = checked_files(
        files, "kuranet-images", tmp_path / "out", ("segments", "training", "refinement", "segmenting")
    )
    assert set(told["segments"]) == {IMAGE} and 0 < told["segments"][IMAGE]["dice"] <= 1
    assert "Segments of the whole" in page and "Controls" in page
    cells = told["rows"][0]["problems"][0]["cells"]
    # n as in the paper
    assert cells["data"]["trained"]["n"] == 1000 and len(cells["data"]["trained"]["values"]) == 3
    assert cells["size"]["trained"]["n"] == SIZE and cells["size"]["trained"]["pairs"] == "all"


# -------------------------------------------------------------------------------------------------- bad input


@pytest.mark.usefixtures("learn")
def test_images_need_their_data(tmp_path, capsys):
    with pytest.raises(
        ValueError, match=r"kuranet-images needs --data FOLDER: BSDS500, with images/ and groundTruth/ in it"
    ):
        reproduce("kuranet-images", tmp_path)
    assert main(["reproduce", "kuranet-images", "--out", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("inphase: kuranet-images needs --data") and told.count("\n") == 1
    with pytest.raises(ValueError, match="images need --data"):
        kuranet.table(kuranet.NINE_IMAGES, tmp_path)
    assert not list(tmp_path.rglob("*.npz"))


@pytest.mark.usefixtures("learn")
def test_a_folder_without_images(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    message = r"cannot read .*data/images/\{train,val,test\}/90076\.jpg: no such file"
    with pytest.raises(OSError, match=message):
        reproduce("kuranet-images", tmp_path / "out", quick=True, data=tmp_path / "data")
    given = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    assert main(["reproduce", "kuranet-images", "--quick", *given]) == 2
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("name", "given", "error", "message"),
    [
        (
            "kuranet-table3",
            {},
            ValueError,
            r"experiment must be one of \[.*'kuranet-table1'.*\]; got 'kuranet-table3'",
        ),
        ("kuranet-table1", {"workers": 0}, ValueError, "workers must be an integer >= 1; got 0"),
        ("kuranet-table1", {"workers": 1.5}, TypeError, "workers must be an integer; got 1.5"),
        ("kuranet-table1", {"seed": -1}, ValueError, "seed must be an integer >= 0; got -1"),
    ],
)
def test_bad_input(name, given, error, message, tmp_path):
    with pytest.raises(error, match=message):
        reproduce(name, tmp_path / "out", quick=True, **given)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["kuranet-table1", "kuranet-table2"])
def test_without_jax(name, tmp_path, capsys, monkeypatch):
    for module in [module for module in sys.modules if module.startswith("inphase.learn")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "jax", None)
    assert main(["reproduce", name, "--quick", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "inphase: learning needs JAX: pip install 'inphase[learn]'\n"


# ------------------------------------------------------------------------------------------- the command line


def test_the_list(capsys):
    assert main(["reproduce"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(EXPERIMENTS) and set(NAMES) <= set(EXPERIMENTS)
    assert main(["reproduce", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        name: entry.description for name, entry in EXPERIMENTS.items()
    }


def test_options_of_the_command_line(tmp_path, capsys, monkeypatch):
    """What the verb is told arrives at the experiment, and its lines of progress on standard error."""
    seen = {}

    def run(name, description, folder, options):
        seen.update(name=name, folder=folder, options=options)
        if options.progress:
            options.progress("a line")
        return {"html": folder / "page.html"}

    monkeypatch.setitem(EXPERIMENTS, "kuranet-images", replace(EXPERIMENTS["kuranet-images"], run=run))
    given = [
        "--quick",
        "--data",
        "photographs",
        "--seed",
        "3",
        "--workers",
        "2",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(["reproduce", "kuranet-images", *given]) == 0
    options, told = seen["options"], capsys.readouterr()
    assert (options.quick, options.data, options.seed, options.workers) == (True, Path("photographs"), 3, 2)
    assert (
        seen["folder"] == tmp_path / "out"
        and told.err == "a line\n"
        and told.out == f"{tmp_path / 'out' / 'page.html'}\n"
    )
    assert main(["reproduce", "kuranet-images", "--no-progress", "--json", "--out", str(tmp_path)]) == 0
    options, told = seen["options"], capsys.readouterr()
    assert (options.quick, options.data, options.seed, options.progress) == (False, None, 0, None)
    assert options.workers >= 1 and told.err == ""
    assert json.loads(told.out) == {"name": "kuranet-images", "files": [str(tmp_path / "page.html")]}
    with pytest.raises(SystemExit):
        main(["reproduce", "kuranet-table1", "--workers", "two"])
    assert "--workers" in capsys.readouterr().err


def test_the_library_begins_without_jax():
    """Neither `import inphase` nor the list of experiments imports it."""
    code = (
        "import sys, inphase.reproduce.kuranet, inphase.reproduce.kuranet_job; sys.exit('jax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
