"""The sets of nodes: what they are drawn from, independence, parts, and bad input."""

import numpy as np
import pytest
from scipy import stats

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
    assert nodes.lags.max() <= task.longest and nodes.labels.max() + 1 == task.classes
    assert np.unique(np.concatenate([nodes.features, other.features]), axis=0).shape[0] > 900  # none is shared


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
    counts = np.bincount(three.lags, minlength=41)
    assert ((counts - expected)[kept] ** 2 / expected[kept]).sum() < stats.chi2(kept.sum()).isf(1e-4)
    assert np.array_equal(three.features, np.stack([three.frequencies, three.lags], axis=1))


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
        assert part.mean(axis=0) == pytest.approx([10 * np.cos(k * np.pi / 2), 10 * np.sin(k * np.pi / 2)], abs=0.2)
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


# ----------------------------------------------------------------------------------------------------- the user's own


def test_arrays_are_parted():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(200, 2)), np.arange(200) % 3
    task = learn.from_arrays(x, labels, frequencies=np.arange(200.0), field=0.5, lags=np.arange(200) % 5, nodes=20)
    drawn = {split: task.draw(split, count) for split, count in (("train", 60), ("validation", 40), ("test", 100))}
    rows = {split: nodes.frequencies.astype(int) for split, nodes in drawn.items()}
    assert sorted(np.concatenate(list(rows.values()))) == list(range(200))
    for split, nodes in drawn.items():
        assert np.array_equal(nodes.features, x[rows[split]]) and np.array_equal(nodes.labels, labels[rows[split]])
        assert np.array_equal(nodes.lags, rows[split] % 5) and np.all(nodes.field == 0.5)
    assert task.longest == 4 and task.classes == 3 and task.settings.loss == "cluster"
    with pytest.raises(ValueError, match="arrays has 40 nodes for validation; 41 were asked for"):
        task.draw("validation", 41)


SHORT = {"epochs": 1, "hidden": (5,), "window": 5, "burn_in": 0}


@pytest.mark.long
def test_training_on_arrays():
    x = np.random.default_rng(1).normal(size=(110, 2))
    task = learn.from_arrays(x, np.arange(110) % 2, nodes=16, **SHORT)
    found = learn.train(task)
    assert found.chosen.status == "finished" and len(found.chosen.loss) == 2
    assert np.all(np.isfinite(found.chosen.loss))
    assert learn.evaluate(found, burn_in=5).loss.shape == (3,)  # 55 nodes to test are 3 graphs of 16


def test_images():
    image = np.zeros((12, 15, 3), dtype=np.uint8)
    image[:, 7:] = [200, 100, 50]
    task = learn.from_image(image, image[..., 0] > 0, nodes=30, **SHORT)
    nodes = task.draw("test", 90)
    bright = nodes.labels == 1
    assert np.allclose(nodes.features[bright, :3], np.array([200, 100, 50]) / 255) and np.all(nodes.features[~bright, :3] == 0)
    assert nodes.features[:, 3:].min() == 0 and nodes.features[:, 3:].max() == 1
    assert np.array_equal(bright, np.rint(nodes.features[:, 3] * 14) >= 7)
    gray = learn.from_image(image[..., 0], image[..., 0] > 0, nodes=30)
    assert gray.columns == ("gray", "x", "y")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: learn.problem("gmm-1"), ValueError, "problem must be one of case-1, .*; got 'gmm-1'"),
        (lambda: learn.problem("case-1", epoch=3), TypeError, "unknown setting 'epoch'"),
        (lambda: learn.problem("case-1").draw("all", 3), ValueError, "split must be one of train, validation, test"),
        (lambda: learn.from_arrays([[0.0], [np.nan]]), ValueError, "features must be finite; got nan"),
        (lambda: learn.from_arrays(np.zeros((9, 2)), np.zeros(8, int)), ValueError, r"labels must have shape \(9,\)"),
        (lambda: learn.from_arrays(np.zeros((9, 2)), np.zeros(9)), TypeError, "labels must be whole numbers"),
        (lambda: learn.from_arrays(np.zeros((9, 2)), np.zeros(9, int)), ValueError, "at least 2 classes"),
        (lambda: learn.from_arrays(np.zeros((99, 2)), np.r_[1, np.zeros(98, int)]), ValueError, "class 1 has 0 of its 1 nodes"),
        (lambda: learn.from_arrays(np.zeros((99, 2)), np.arange(99) % 2 * 2), ValueError, "class 1 has 0 of its 0 nodes"),
        (lambda: learn.from_arrays(np.zeros((9, 2)), lags=-1), ValueError, "lags must be >= 0; got -1"),
        (lambda: learn.from_arrays(np.zeros((9, 2)), frequencies=[1.0]), ValueError, r"frequencies must have shape \(9,\)"),
        (
            lambda: learn.from_arrays(np.zeros((50, 2))),
            ValueError,
            "nodes must be <= 10, the nodes for validation, a fifth of 50; got 100",
        ),
        (
            lambda: learn.from_image(np.zeros((4, 5, 3)), np.zeros((5, 4), int)),
            ValueError,
            "labels must have the image's shape",
        ),
        (lambda: learn.from_image(np.full((4, 5), 256), np.zeros((4, 5), int)), ValueError, r"image must be within 0\.\.255"),
        (lambda: learn.from_image(np.zeros(4), np.zeros(4, int)), ValueError, "image must have shape"),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
