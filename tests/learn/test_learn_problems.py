"""The sets of nodes: what they are drawn from, independence, parts, and bad input."""

import pickle

import numpy as np
import pytest
from scipy import stats

from inphase.tables import read_labels

learn = pytest.importorskip("inphase.learn", exc_type=ImportError)

NAMES = ["case-1", "case-2", "case-3", "moons", "circles", "spirals", "gmm-2", "gmm-10"]


@pytest.mark.parametrize("name", NAMES)
def test_draws(name):
    task = learn.problem(name)
    nodes, again, other = task.draw("train", 500, 1), task.draw("train", 500, 1), task.draw("test", 500, 1)
    assert all(np.array_equal(a, b) for a, b in zip(nodes, again))
    assert not np.array_equal(nodes.features, other.features)
    assert not np.array_equal(nodes.features, task.draw("train", 500, 2).features)
    assert nodes.features.shape == (500, len(task.columns)) and all(len(part) == 500 for part in nodes)
    assert nodes.delay_steps.max() <= task.longest and nodes.labels.max() + 1 == task.classes
    # none is shared
    assert np.unique(np.concatenate([nodes.features, other.features]), axis=0).shape[0] > 900


def fits(sample, distribution):
    return stats.kstest(sample, distribution.cdf).pvalue > 1e-4


def test_the_laws_of_the_three_cases():
    one, two, three = (learn.problem(f"case-{k}").draw("train", 4000) for k in (1, 2, 3))
    assert fits(one.frequencies, stats.uniform(-1, 2)) and np.array_equal(one.features[:, 0], one.frequencies)
    assert fits(two.frequencies, stats.uniform(-1, 2)) and fits(two.field, stats.uniform(-1, 2))
    assert abs(np.corrcoef(two.frequencies, two.field)[0, 1]) < 0.06  # independent, 4 deviations
    assert np.array_equal(two.features, np.stack([two.frequencies, two.field], axis=1))
    assert fits(three.frequencies, stats.uniform(2, 2))
    law = stats.nbinom(15, 0.5)
    expected = np.append(law.pmf(np.arange(40)), law.sf(39)) * 4000  # the last: capped
    kept = expected > 5
    counts = np.bincount(three.delay_steps, minlength=41)
    assert ((counts - expected)[kept] ** 2 / expected[kept]).sum() < stats.chi2(kept.sum()).isf(1e-4)
    assert np.array_equal(three.features, np.stack([three.frequencies, three.delay_steps], axis=1))


def test_the_places_of_the_clusters():
    moons, circles, spirals, ring = (
        learn.problem(name).draw("train", 3000) for name in ("moons", "circles", "spirals", "gmm-4")
    )
    center = np.array([[0.0, 0.0], [1.0, 0.5]])[moons.labels]
    assert np.abs(np.linalg.norm(moons.features - center, axis=1) - 1).std() == pytest.approx(
        0.05 * np.sqrt(1 - 2 / np.pi), rel=0.1
    )
    radius = np.linalg.norm(circles.features, axis=1)
    assert [radius[circles.labels == k].mean() for k in (0, 1)] == pytest.approx([1.0, 0.5], abs=0.01)
    assert np.array([1.0, 0.5])[circles.labels] - radius == pytest.approx(np.zeros(3000), abs=0.3)
    radius = np.linalg.norm(spirals.features, axis=1)
    assert np.pi - 2.5 < radius.min() < np.pi + 0.5 and 5 * np.pi - 1 < radius.max() < 5 * np.pi + 2.5
    assert stats.kstest((radius - np.pi) ** 2 / (4 * np.pi) ** 2, stats.uniform.cdf).statistic < 0.05
    for k in range(4):
        part = ring.features[ring.labels == k]
        assert part.mean(axis=0) == pytest.approx(
            [10 * np.cos(k * np.pi / 2), 10 * np.sin(k * np.pi / 2)], abs=0.2
        )
        assert np.cov(part.T) == pytest.approx(np.eye(2), abs=0.2)


def test_public_settings():
    one, three, five = (learn.problem(name).settings for name in ("case-1", "case-3", "gmm-5"))
    assert (one.step, one.burn_in, one.window, one.nodes, one.samples, one.rate, one.clip) == (
        0.1,
        100,
        50,
        100,
        10_000,
        5e-4,
        1.0,
    )
    assert (three.rate, three.momentum, three.clip, three.epochs) == (0.05, 0.5, 5.0, 3)
    assert (five.step, five.window, five.start, five.optimizer, five.rate, five.gain) == (
        15.0,
        100,
        "normal",
        "adam",
        5e-5,
        0.5,
    )
    assert learn.problem("moons", activation="silu").settings.activation == "silu"


# --------------------------------------------------------------------------------------------- the user's own


def test_arrays_are_parted():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(200, 2)), np.arange(200) % 3
    task = learn.from_arrays(
        x, labels, frequencies=np.arange(200.0), field=0.5, delay_steps=np.arange(200) % 5, nodes=20
    )
    drawn = {
        split: task.draw(split, count) for split, count in (("train", 80), ("validation", 20), ("test", 100))
    }
    rows = {split: nodes.frequencies.astype(int) for split, nodes in drawn.items()}
    assert sorted(np.concatenate(list(rows.values()))) == list(range(200))
    for split, nodes in drawn.items():
        assert np.array_equal(nodes.features, x[rows[split]]) and np.array_equal(
            nodes.labels, labels[rows[split]]
        )
        assert np.array_equal(nodes.delay_steps, rows[split] % 5) and np.all(nodes.field == 0.5)
    assert task.longest == 4 and task.classes == 3 and task.settings.loss == "cluster"
    with pytest.raises(ValueError, match="arrays has 20 nodes for validation; 21 were asked for"):
        task.draw("validation", 21)


SHORT = {"epochs": 1, "hidden": (5,), "window": 5, "burn_in": 0}


@pytest.mark.long
def test_training_on_arrays():
    x = np.random.default_rng(1).normal(size=(170, 2))
    task = learn.from_arrays(x, np.arange(170) % 2, nodes=17, **SHORT)
    found = learn.train(task)
    assert found.chosen.status == "finished" and len(found.chosen.loss) == 4
    assert np.all(np.isfinite(found.chosen.loss))
    assert learn.evaluate(found, burn_in=5).loss.shape == (5,)  # 85 nodes to test


def test_images():
    image = np.zeros((12, 15, 3), dtype=np.uint8)
    image[:, 7:] = [200, 100, 50]
    task = learn.from_image(image, image[..., 0] > 0, nodes=18, **SHORT)
    nodes = task.draw("test", 90)
    bright = nodes.labels == 1
    assert np.allclose(nodes.features[bright, :3], np.array([200, 100, 50]) / 255) and np.all(
        nodes.features[~bright, :3] == 0
    )
    assert nodes.features[:, 3:].min() == 0 and nodes.features[:, 3:].max() == 1
    assert np.array_equal(bright, np.rint(nodes.features[:, 3] * 14) >= 7)
    gray = learn.from_image(image[..., 0], image[..., 0] > 0, nodes=18)
    assert gray.columns == ("gray", "x", "y")


def test_labels_that_are_texts():
    x = np.arange(200.0)[:, None]
    texts = np.array(["dog", "ant", "cat"])[np.arange(200) % 3]
    task = learn.from_arrays(x, texts, nodes=20)
    assert task.class_names == ("ant", "cat", "dog") and task.classes == 3
    nodes = task.draw("test", 100)
    assert [task.class_names[k] for k in nodes.labels] == texts[nodes.features[:, 0].astype(int)].tolist()
    plain = learn.from_arrays(x, np.arange(200) % 3, nodes=20)
    assert plain.class_names == () and np.array_equal(plain.draw("test", 100).features, nodes.features)
    assert np.array_equal(
        learn.from_arrays(x, np.arange(200) % 2 == 0, nodes=20).draw("test", 9).labels,
        (nodes.features[:9, 0] + 1) % 2,
    )


def test_labels_from_files(tmp_path):
    texts = ["dog", "ant, small", "cat"]
    (tmp_path / "a.csv").write_text(
        "x,kind,number\n# a comment\n" + "".join(f'{k},"{t}",{k % 2}\n' for k, t in enumerate(texts))
    )
    (tmp_path / "b.txt").write_text("0 dog -1\n1 ant 0\n2 cat 1\n")
    np.savez(tmp_path / "c.npz", kind=np.array([1, 0, 2]))
    assert (
        read_labels(tmp_path / "a.csv", "kind").tolist()
        == read_labels(tmp_path / "a.csv", 1).tolist()
        == texts
    )
    assert read_labels(tmp_path / "a.csv", "number").tolist() == [0, 1, 0]
    assert read_labels(tmp_path / "b.txt", 1).tolist() == ["dog", "ant", "cat"]
    assert read_labels(tmp_path / "b.txt", 2).tolist() == [-1, 0, 1]
    assert read_labels(tmp_path / "c.npz", "kind").tolist() == [1, 0, 2]
    (tmp_path / "d.csv").write_text("x,kind,number,half\n0,dog,1,0.5\n1,,nan,1\n")
    (tmp_path / "e.csv").write_text("x,kind\n0,dog\n1\n")
    for file, column, said in [
        ("d.csv", "sort", "column must be one of x, kind, number, half in .*; got 'sort'"),
        ("d.csv", 4, "column must be one of .*; got 4"),
        ("d.csv", "number", "line 3: number must be a finite number; got 'nan'"),
        ("d.csv", "half", "whole numbers or texts; got 0.5"),
        ("e.csv", "kind", "line 3: expected 2 fields, .*; got '1'"),
    ]:
        with pytest.raises(ValueError, match=said):
            read_labels(tmp_path / file, column)
    with pytest.raises(ValueError, match=r"node 1 .from 0. has none"):
        learn.from_arrays(np.zeros((2, 1)), read_labels(tmp_path / "d.csv", "kind"))
    with pytest.raises(FileNotFoundError, match=r"must be a file; got .*none.csv', where there is none"):
        read_labels(tmp_path / "none.csv", 0)


def test_nodes_at_given_features():
    """What a drawn node has is what its features say; the rest of a cluster's or an image's node is 0."""
    image = learn.from_image(
        np.arange(400).reshape(20, 20) % 256, np.arange(400).reshape(20, 20) % 2, nodes=40
    )
    steady = learn.from_arrays(np.arange(60.0)[:, None], frequencies=0.5, delay_steps=2, nodes=6)
    for task in [*map(learn.problem, NAMES), image, steady]:
        nodes = task.draw("test", 30, 1)
        found = task.at(nodes.features)
        for name in ("features", "frequencies", "field", "delay_steps"):
            given, wanted = getattr(found, name), getattr(nodes, name)
            assert np.array_equal(given, wanted) and given.dtype == wanted.dtype
        assert np.all(found.labels == -1)
    assert learn.problem("case-3").at([[2.0, 3.6], [2.5, 0.2]]).delay_steps.tolist() == [4, 0]


@pytest.mark.parametrize("name", [*NAMES, "arrays"])
def test_problems_go_to_other_processes(name):
    task = (
        learn.from_arrays(np.arange(90.0)[:, None], ["a", "b", "c"] * 30, nodes=9)
        if name == "arrays"
        else learn.problem(name)
    )
    other = pickle.loads(pickle.dumps(task))
    for one, same in zip(task.draw("train", 20, 4), other.draw("train", 20, 4)):
        assert np.array_equal(one, same)
    assert other.settings.to_dict() == task.settings.to_dict() and other.limits == task.limits
    assert np.array_equal(
        other.at(task.draw("test", 5).features).delay_steps, task.draw("test", 5).delay_steps
    )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: learn.problem("gmm-1"), ValueError, "problem must be one of case-1, .*; got 'gmm-1'"),
        (lambda: learn.problem("case-1", epoch=3), TypeError, "unknown setting 'epoch'"),
        (
            lambda: learn.problem("case-1").draw("all", 3),
            ValueError,
            "split must be one of train, validation, test",
        ),
        (lambda: learn.from_arrays([[0.0], [np.nan]]), ValueError, "features must be finite; got nan"),
        (
            lambda: learn.from_arrays(np.zeros((9, 2)), np.zeros(8, int)),
            ValueError,
            r"labels must have shape \(9,\)",
        ),
        (lambda: learn.from_arrays(np.zeros((9, 2)), np.zeros(9)), TypeError, "labels must be whole numbers"),
        (lambda: learn.from_arrays(np.zeros((9, 2)), np.zeros(9, int)), ValueError, "at least 2 classes"),
        (lambda: learn.from_arrays(np.zeros((9, 2)), ["cat"] * 9), ValueError, "at least 2 classes; got cat"),
        (
            lambda: learn.from_arrays(np.zeros((3, 2)), ["cat", "", "dog"]),
            ValueError,
            r"node 1 \(from 0\) has none",
        ),
        (
            lambda: learn.from_arrays(np.zeros((3, 2)), [0.0, 1.0, np.nan]),
            ValueError,
            r"node 2 \(from 0\) has none",
        ),
        (
            lambda: learn.from_arrays(np.zeros((3, 2)), [0, 1, None]),
            ValueError,
            r"node 2 \(from 0\) has none",
        ),
        (
            lambda: learn.from_arrays(np.zeros((3, 2)), np.array(["cat", 1, "dog"], object)),
            TypeError,
            "labels must be whole numbers",
        ),
        (
            lambda: learn.from_arrays(np.zeros((99, 2)), ["cat"] + ["dog"] * 98),
            ValueError,
            "class cat has 1 nodes in all, 0 of them in",
        ),
        (lambda: learn.problem("case-1").at([[0.0, 1.0]]), ValueError, "features must have 1 columns"),
        (
            lambda: learn.problem("case-3").at([[2.0, 41.0]]),
            ValueError,
            r"within 0\.\.40 steps; got 41\.\.41",
        ),
        (
            lambda: learn.from_arrays(np.zeros((50, 2)), frequencies=np.arange(50.0), nodes=5).at(
                np.zeros((1, 2))
            ),
            ValueError,
            "arrays does not say which frequency",
        ),
        (
            lambda: learn.from_arrays(np.zeros((99, 2)), np.r_[1, np.zeros(98, int)]),
            ValueError,
            "class 1 has 1 nodes in all, 0 of them in",
        ),
        (
            lambda: learn.from_arrays(np.zeros((99, 2)), np.arange(99) % 2 * 2),
            ValueError,
            r"labels must be 0\.\.2, all of them; no node is of class 1",
        ),
        (
            lambda: learn.from_arrays(np.zeros((9, 2)), delay_steps=-1),
            ValueError,
            "delay_steps must be >= 0; got -1",
        ),
        (
            lambda: learn.from_arrays(np.zeros((9, 2)), frequencies=[1.0]),
            ValueError,
            r"frequencies must have shape \(9,\)",
        ),
        (
            lambda: learn.from_arrays(np.zeros((50, 2))),
            ValueError,
            "nodes must be <= 5, the nodes for validation, a tenth of 50; got 100",
        ),
        (
            lambda: learn.from_image(np.zeros((4, 5, 3)), np.zeros((5, 4), int)),
            ValueError,
            "labels must have the image's shape",
        ),
        (
            lambda: learn.from_image(np.full((4, 5), 256), np.zeros((4, 5), int)),
            ValueError,
            r"image must be within 0\.\.255",
        ),
        (lambda: learn.from_image(np.zeros(4), np.zeros(4, int)), ValueError, "image must have shape"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
