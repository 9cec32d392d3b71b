"""Images with masks, from files and from the Berkeley data
set; k-means on the circle; best Dice: against brute force.
"""

import hashlib
import itertools
import tarfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

from inphase.data import bsds
from inphase.data.bsds import KURANET, bsds_folder, bsds_labels
from inphase.learn.images import (
    LabeledImage,
    bsds_image,
    load_image,
    pixel_features,
    read_pixels,
    sample_image,
)
from inphase.learn.problems import from_image
from inphase.learn.segments import best_dice, circular_kmeans, kmeans, symmetric_best_dice

BSDS = Path(__file__).parents[3] / "shared" / "data" / "bsds500"
needs_bsds = pytest.mark.skipif(
    not BSDS.is_dir(), reason="the images of BSDS500 are not here; they may not be copied"
)


def halves(height=20, width=30):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return pixels, (np.arange(width) >= width // 2).astype(int) * np.ones((height, 1), dtype=int)


# --------------------------------------------------------------------------------------------------- features


def test_features_pixel_by_pixel():
    pixels, labels = halves(4, 7)
    found = pixel_features(pixels)
    for row, column in itertools.product(range(4), range(7)):
        expected = [*(pixels[row, column] / 255), column / 6, row / 3]
        assert np.allclose(found[7 * row + column], expected, rtol=1e-15)
    assert np.array_equal(LabeledImage(pixels, labels).features, found)
    assert pixel_features(pixels[..., 0]).shape == (28, 3)


def test_the_task_of_an_image():
    pixels, labels = halves(40, 60)
    task = LabeledImage(pixels, labels, "halves").problem(seed=3, nodes=240)
    everyone = {tuple(row): label for row, label in zip(pixel_features(pixels), labels.ravel())}
    parts = {split: task.draw(split, task.limits[split], seed=1) for split in ("train", "validation", "test")}
    assert task.limits == {"train": 960, "validation": 240, "test": 1200}  # a half, and a half
    sets = [{tuple(row) for row in part.features} for part in parts.values()]
    assert sum(map(len, sets)) == len(set.union(*sets)) == 2400
    for part in parts.values():
        assert all(everyone[tuple(x)] == label for x, label in zip(part.features, part.labels))
    again = LabeledImage(pixels, labels).problem(seed=3, nodes=240).draw("test", 50, seed=1)
    assert np.array_equal(again.features, task.draw("test", 50, seed=1).features)
    other = LabeledImage(pixels, labels).problem(seed=4, nodes=240).draw("test", 1200, seed=1)
    assert {tuple(row) for row in other.features} != sets[2]


@pytest.mark.parametrize(
    ("pixels", "labels", "error", "said"),
    [
        (np.zeros((4, 5, 3)), None, ValueError, "labels must be given: photo has no mask"),
        (
            np.zeros((4, 5, 3)),
            np.zeros((5, 4), int),
            ValueError,
            r"the image's shape \(4, 5\); got shape \(5, 4\)",
        ),
        (np.zeros((4, 5, 4)), np.zeros((4, 5), int), ValueError, r"got shape \(4, 5, 4\)"),
        (np.zeros(5), np.zeros(5, int), ValueError, r"got shape \(5,\)"),
        (np.full((2, 2), 300), np.zeros((2, 2), int), ValueError, "within 0..255; got 300..300"),
        (np.full((2, 2), np.nan), np.zeros((2, 2), int), ValueError, "pixels must be finite"),
        (np.zeros((2, 2)), np.zeros((2, 2)), TypeError, "labels must be whole numbers; got float64"),
        (np.zeros((2, 2)), [[0, 2], [2, 2]], ValueError, "no pixel is of class 1"),
        (np.zeros((2, 2)), [[0, -2], [1, 1]], ValueError, "-1 for none; got -2..1"),
        (np.zeros((2, 2)), np.full((2, 2), -1), ValueError, "got -1..-1"),
    ],
)
def test_bad_images(pixels, labels, error, said):
    with pytest.raises(error, match=said):
        LabeledImage(pixels, labels, "photo")


# ------------------------------------------------------------------------------------------------------ files


def test_files_and_back(tmp_path):
    pixels, labels = halves()
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    Image.fromarray((labels * 200).astype(np.uint8)).save(tmp_path / "mask.png")
    found = load_image(tmp_path / "photo.png", tmp_path / "mask.png")
    assert (
        np.array_equal(found.pixels, pixels)
        and np.array_equal(found.labels, labels)
        and found.name == "photo"
    )
    Image.fromarray(pixels).convert("RGBA").save(tmp_path / "alpha.png")
    assert np.array_equal(read_pixels(tmp_path / "alpha.png"), pixels)
    Image.fromarray(pixels[..., 0]).save(tmp_path / "gray.png")
    assert np.array_equal(read_pixels(tmp_path / "gray.png"), pixels[..., 0])
    smooth = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[:, None], 64, axis=1)
    Image.fromarray(np.stack([smooth] * 3, axis=2)).save(tmp_path / "photo.jpg", quality=95)
    assert np.max(np.abs(read_pixels(tmp_path / "photo.jpg").astype(int) - smooth[..., None])) < 8
    for mode, made in {"P": (labels * 3).astype(np.uint8), "I;16": (labels * 900).astype(np.uint16)}.items():
        picture = Image.fromarray(made)
        if mode == "P":
            picture.putpalette(list(range(256)) * 3)
        picture.save(tmp_path / "other.png")
        assert Image.open(tmp_path / "other.png").mode == mode
        assert np.array_equal(load_image(tmp_path / "photo.png", tmp_path / "other.png").labels, labels)


@pytest.mark.parametrize("ending", ["npy", "csv"])
def test_arrays_as_images_and_masks(ending, tmp_path):
    pixels, labels = halves(16, 12)
    gray, photo, mask = pixels[..., 0], tmp_path / f"photo.{ending}", tmp_path / f"mask.{ending}"

    def write(path, values):
        np.save(path, values) if ending == "npy" else np.savetxt(path, values, delimiter=",", fmt="%s")

    write(photo, gray)
    with_none = np.where(np.arange(192).reshape(16, 12) < 3, -1, labels * 5 + 2)
    for values, wanted, names in [
        (labels * 7, labels, ()),
        (with_none, np.where(with_none < 0, -1, labels), ()),
        (np.array(["sky", "cat"])[labels], 1 - labels, ("cat", "sky")),
    ]:
        write(mask, values)
        found = load_image(photo, mask)
        assert (
            np.array_equal(found.pixels, gray)
            and np.array_equal(found.labels, wanted)
            and found.class_names == names
        )
        assert found.problem(nodes=8).class_names == names
    write(photo, gray / 2)
    assert np.array_equal(load_image(photo, mask).pixels, gray / 2)
    write(mask, labels - 2)
    with pytest.raises(ValueError, match="must hold classes >= 0, or -1 for none; got -2"):
        load_image(photo, mask)
    write(mask, labels / 2)
    with pytest.raises(ValueError, match="whole numbers or texts; got float64"):
        load_image(photo, mask)
    write(photo, np.full((16, 12), "x"))
    with pytest.raises(ValueError, match=r"must hold numbers 0\.\.255; got <U"):
        load_image(photo, mask)
    photo.write_bytes(b"\x93NUMPY" if ending == "npy" else b"1,2\n3\n")
    with pytest.raises(ValueError, match="is truncated, or holds no array"):
        load_image(photo, mask)
    photo.unlink()
    with pytest.raises(OSError, match=r"cannot read .*photo"):
        load_image(photo, mask)


def test_tiff_files(tmp_path):
    pixels, labels = halves()
    Image.fromarray(pixels).save(tmp_path / "photo.tiff")
    Image.fromarray(labels.astype(np.uint8)).save(tmp_path / "mask.tif")
    found = load_image(tmp_path / "photo.tiff", tmp_path / "mask.tif")
    assert np.array_equal(found.pixels, pixels) and np.array_equal(found.labels, labels)


def test_a_sample_with_a_mask(tmp_path):
    coins = sample_image("coins")
    np.save(tmp_path / "mask.npy", coins > 107)
    found = load_image("skimage:coins", tmp_path / "mask.npy")
    assert (
        found.name == "coins"
        and np.array_equal(found.pixels, coins)
        and np.array_equal(found.labels, coins > 107)
    )
    with pytest.raises(ValueError, match=r"one of skimage.data's samples"):
        load_image("skimage:nothing", tmp_path / "mask.npy")


def test_samples_that_are_not_shipped(monkeypatch):
    from skimage import data

    def offline():
        raise ConnectionError("no internet")

    monkeypatch.setattr(data, "eagle", offline)
    with pytest.raises(
        OSError, match="scikit-image does not ship 'eagle', and cannot download it: no internet"
    ):
        sample_image("eagle")


def test_bad_files(tmp_path):
    pixels, labels = halves()
    photo, mask = tmp_path / "photo.png", tmp_path / "mask.png"
    Image.fromarray(pixels).save(photo)
    Image.fromarray(labels[:-1].astype(np.uint8)).save(mask)
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "cut.png").write_bytes(photo.read_bytes()[:200])
    (tmp_path / "cut.mat").write_bytes(b"MATLAB 5.0")
    scipy.io.savemat(tmp_path / "other.mat", {"x": np.ones(3)})
    cases = [
        ((photo, None), ValueError, "mask must be given: .*photo.png has no mask"),
        ((photo, mask), ValueError, r"the image's shape \(20, 30\); got shape \(19, 30\)"),
        ((photo, photo), ValueError, "must have one channel.*'RGB'"),
        ((tmp_path / "none.png", mask), OSError, "cannot read .*none.png: No such file"),
        ((photo, tmp_path / "none.png"), OSError, "cannot read .*none.png: No such file"),
        ((tmp_path / "text.png", mask), OSError, "cannot read .*text.png: no image"),
        ((tmp_path / "cut.png", mask), OSError, "cannot read .*cut.png"),
        ((photo, tmp_path / "none.mat"), OSError, "cannot read .*none.mat: No such file"),
        ((photo, tmp_path / "cut.mat"), ValueError, "cut.mat is truncated, or no .mat file"),
        ((photo, tmp_path / "other.mat"), ValueError, "other.mat is no ground truth of BSDS"),
    ]
    for given, error, said in cases:
        with pytest.raises(error, match=said):
            load_image(*given)
    with pytest.raises(ValueError, match=r"are for \.mat files"):
        load_image(photo, mask, annotator=0)


def ground_truth(path, *segments):
    """A file laid out as those of BSDS: groundTruth{1, k}.Segmentation."""
    cells = np.empty((1, len(segments)), dtype=object)
    for k, values in enumerate(segments):
        cells[0, k] = {
            "Segmentation": np.asarray(values, dtype=np.uint16),
            "Boundaries": np.zeros((2, 3), np.uint8),
        }
    scipy.io.savemat(path, {"groundTruth": cells})
    return path


def test_ground_truths(tmp_path):
    path = ground_truth(
        tmp_path / "one.mat", [[1, 2, 3], [1, 2, 4]], [[1, 1, 2], [1, 1, 2]], [[1, 2, 2], [1, 2, 2]]
    )
    assert bsds_labels(path).tolist() == [[0, 0, 1], [0, 0, 1]]  # the first of those with the fewest segments
    assert bsds_labels(path, 0).tolist() == [[0, 1, 2], [0, 1, 3]]
    assert bsds_labels(path, 0, [[4, 2], [3]]).tolist() == [[0, 1, 2], [0, 1, 1]]
    assert bsds_labels(path, 1, [[2], [1]]).tolist() == [[1, 1, 0], [1, 1, 0]]  # nothing is left for class 0
    for given, said in [
        ((3,), "annotator must be below 3"),
        ((1, [[3]]), r"has no segment 3; there are 1..2"),
        ((0, [[1, 2], [2]]), "segment 2 is in two"),
    ]:
        with pytest.raises(ValueError, match=said):
            bsds_labels(path, *given)


@needs_bsds
@pytest.mark.parametrize("name", KURANET)
def test_the_nine_images(name):
    image = bsds_image(BSDS, name)
    assert image.shape in ((321, 481), (481, 321)) and image.pixels.shape == (*image.shape, 3)
    annotator, groups = KURANET[name]
    assert image.classes == len(groups) + 1 and np.min(image.labels) == 0
    cells = scipy.io.loadmat(next(BSDS.glob(f"groundTruth/*/{name}.mat")))["groundTruth"]
    segments = cells[0, annotator]["Segmentation"][0, 0]
    for number, group in enumerate(groups, 1):
        assert np.array_equal(image.labels == number, np.isin(segments, group))
    assert image.problem().settings.nodes == 1000


@needs_bsds
def test_an_image_that_is_not_there():
    with pytest.raises(OSError, match=r"cannot read .*images/\{train,val,test\}/1.jpg: no such file"):
        bsds_image(BSDS, 1)


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """An archive laid out as that of BSDS500, with one image; its name in place of the public page's."""
    pixels, labels = halves()
    inside = tmp_path / "made" / bsds.INSIDE
    for part, name in (("images", "7.jpg"), ("groundTruth", "7.mat")):
        (inside / part / "train").mkdir(parents=True)
        if part == "images":
            Image.fromarray(pixels).save(inside / part / "train" / name)
        else:
            ground_truth(inside / part / "train" / name, labels + 1)
    (inside / "images" / "train" / "Thumbs.db").write_text("other")
    hashes = {
        f"{part}/train/{name}": hashlib.sha256((inside / part / "train" / name).read_bytes()).hexdigest()
        for part, name in (("images", "7.jpg"), ("groundTruth", "7.mat"))
    }
    with tarfile.open(tmp_path / "set.tgz", "w:gz") as made:
        made.add(tmp_path / "made" / "BSR", "BSR")
        made.add(inside / "images" / "train" / "7.jpg", f"{bsds.INSIDE}images/train/../../../out.jpg")
    monkeypatch.setattr(bsds, "BSDS", (tmp_path / "set.tgz").as_uri())
    monkeypatch.setattr(bsds, "HASHES", hashes)
    monkeypatch.setenv("INPHASE_DATA", str(tmp_path / "cache"))
    return tmp_path / "set.tgz"


def test_the_data_set_is_downloaded_once(archive, tmp_path):
    found = bsds_image(None, 7)
    assert np.array_equal(found.labels, halves()[1]) and found.pixels.shape == (20, 30, 3)
    files = sorted(
        str(path.relative_to(tmp_path / "cache"))
        for path in (tmp_path / "cache").rglob("*")
        if path.is_file()
    )
    assert files == ["bsds500/groundTruth/train/7.mat", "bsds500/images/train/7.jpg"]
    archive.unlink()
    assert np.array_equal(bsds_image(None, "7").labels, found.labels)


def test_a_download_that_fails(archive, tmp_path, monkeypatch):
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(
        OSError, match=r"cannot be downloaded .*; get it by hand, and put its .*, or set INPHASE_DATA"
    ):
        bsds_folder()
    archive.unlink()
    with pytest.raises(OSError, match=r"cannot be downloaded .*No such file"):
        bsds_folder()
    archive.write_bytes(content)
    monkeypatch.setattr(bsds, "HASHES", {"images/train/7.jpg": "0" * 64})
    with pytest.raises(ValueError, match=r"must hold the known .*images/train/7.jpg, SHA-256 000"):
        bsds_folder()
    assert list((tmp_path / "cache").iterdir()) == []  # nothing is left of what failed


@needs_bsds
def test_the_hashes_of_the_nine():
    assert len(bsds.HASHES) == 2 * len(KURANET)
    for name, wanted in bsds.HASHES.items():
        assert hashlib.sha256((BSDS / name).read_bytes()).hexdigest() == wanted


def test_samples_of_scikit_image():
    assert sample_image("astronaut").shape == (512, 512, 3)
    coins = sample_image("coins")
    assert LabeledImage(coins, (coins > 107).astype(int)).features.shape == (coins.size, 3)
    assert set(np.unique(sample_image("horse"))) == {0, 255}
    for name in ("nothing", "data_dir", "cat_", "shepp_logan_phantom"):
        with pytest.raises(ValueError, match=name):
            sample_image(name)


# -------------------------------------------------------------------------------------- k-means on the circle


def cost(phases, labels):
    """Σ (1 − cos(θ − μ)) with the mean directions as centers."""
    return sum(np.sum(labels == c) - abs(np.exp(1j * phases[labels == c]).sum()) for c in np.unique(labels))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_least_cost_of_all_partitions(seed, k):
    phases = np.random.default_rng(seed).uniform(-20, 20, 8)
    least = min(cost(phases, np.array(labels)) for labels in itertools.product(range(k), repeat=8))
    assert cost(phases, circular_kmeans(phases, k)) == pytest.approx(least, abs=1e-12)


@pytest.mark.parametrize("k", [2, 5])
def test_many_phases(k):
    """Against Lloyd's iteration from 200 random starts on the same phases: never worse, and a fixed point."""
    rng = np.random.default_rng(k)
    phases = np.concatenate([rng.normal(c, 0.5, 300) for c in rng.uniform(0, 2 * np.pi, k)])
    labels = circular_kmeans(phases, k)
    wave, best = np.exp(1j * phases), np.inf
    for _ in range(200):
        centers = rng.choice(wave, k, replace=False)
        for _ in range(50):
            mine = np.argmax(np.real(wave[:, None] * centers.conj()), axis=1)
            sums = np.array([wave[mine == c].sum() for c in range(k)])
            centers = np.where(np.abs(sums) > 0, sums / np.maximum(np.abs(sums), 1e-300), centers)
        best = min(best, cost(phases, mine))
    assert cost(phases, labels) <= best * (1 + 1e-3)
    centers = np.array([np.angle(wave[labels == c].sum()) for c in range(k)])
    assert np.array_equal(np.argmax(np.cos(phases[:, None] - centers), axis=1), labels)
    assert np.all(np.diff(np.mod(centers, 2 * np.pi)) > 0)


def test_clusters_across_the_cut_and_of_one_phase():
    phases = np.array([[6.2, 0.1], [3.0, 3.2]]) + 2 * np.pi * np.array([[3, -2], [0, 5]])
    assert (
        circular_kmeans(phases, 2)[0, 0]
        == circular_kmeans(phases, 2)[0, 1]
        != circular_kmeans(phases, 2)[1, 0]
    )
    assert np.array_equal(circular_kmeans(np.zeros(1000), 4), np.zeros(1000))
    assert set(circular_kmeans(np.repeat([0.0, 1.0], 500), 4)) == {0, 1}
    with pytest.raises(ValueError, match="k must be an integer >= 1"):
        circular_kmeans(phases, 0)
    with pytest.raises(ValueError, match="finite"):
        circular_kmeans([np.nan, 0.0], 1)


# ------------------------------------------------------------------------------------------------------- Dice


def brute_dice(segments, others):
    found = []
    for a in np.unique(segments):
        mine = {int(i) for i in np.flatnonzero(segments == a)}
        theirs = [{int(i) for i in np.flatnonzero(others == b)} for b in np.unique(others)]
        found.append(max(2 * len(mine & other) / (len(mine) + len(other)) for other in theirs))
    return sum(found) / len(found)


@pytest.mark.parametrize("seed", range(5))
def test_best_dice_set_by_set(seed):
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, 3, 60), rng.integers(2, 9, 60) * 10
    one_way, back = brute_dice(one, other), brute_dice(other, one)
    assert best_dice(one, other) == pytest.approx(one_way, rel=1e-14)
    assert (
        symmetric_best_dice(one, other)
        == symmetric_best_dice(other, one)
        == pytest.approx(min(one_way, back), rel=1e-14)
    )
    assert one_way != pytest.approx(back, rel=1e-3)
    assert symmetric_best_dice(other.reshape(6, 10), (other * 7 % 11).reshape(6, 10)) == 1.0
    hidden = np.where(rng.uniform(size=60) < 0.3, -1, one)
    seen = hidden >= 0
    assert symmetric_best_dice(hidden, other) == symmetric_best_dice(one[seen], other[seen])


def test_bad_segments():
    with pytest.raises(ValueError, match="same shape"):
        symmetric_best_dice([0, 1], [[0, 1]])
    with pytest.raises(TypeError, match="others must be whole numbers; got float64"):
        symmetric_best_dice([0, 1], [0.0, 1.0])
    with pytest.raises(ValueError, match="got none"):
        symmetric_best_dice([0, -1], [-1, 0])


# ---------------------------------------------------------------------------------------------------- control


def test_kmeans_of_few_points():
    x = np.random.default_rng(2).normal(size=(8, 2))

    def inertia(labels):
        labels = np.array(labels)
        return sum(((x[labels == c] - x[labels == c].mean(axis=0)) ** 2).sum() for c in np.unique(labels))

    least = min(inertia(labels) for labels in itertools.product(range(3), repeat=8))
    assert inertia(kmeans(x, 3, restarts=20)) == pytest.approx(least, rel=1e-12)
    assert np.array_equal(kmeans(x, 3, seed=4), kmeans(x, 3, seed=4))
    assert set(kmeans(np.zeros((5, 2)), 3)) == {0}
    doubled = np.repeat(x[:3], 4, axis=0)  # fewer different points than segments
    assert sorted(np.bincount(kmeans(doubled, 5))) == [4, 4, 4]


@pytest.mark.parametrize(
    ("features", "k", "said"),
    [([0.0, 1.0], 1, "must have shape"), ([[0.0], [1.0]], 3, "k must be <= 2"), ([[np.nan]], 1, "finite")],
)
def test_bad_kmeans(features, k, said):
    with pytest.raises(ValueError, match=said):
        kmeans(features, k)


def test_floats_of_0_to_1_are_refused_with_the_remedy(tmp_path):
    floats = np.linspace(0, 1, 24).reshape(4, 6)
    labels = np.arange(24).reshape(4, 6) % 2
    np.save(tmp_path / "image.npy", floats)
    np.save(tmp_path / "mask.npy", labels)
    for read in (
        lambda: LabeledImage(floats, labels),
        lambda: pixel_features(floats),
        lambda: from_image(floats, labels),
        lambda: load_image(tmp_path / "image.npy", tmp_path / "mask.npy"),
    ):
        with pytest.raises(ValueError, match="multiply them by 255"):
            read()
    assert LabeledImage(255 * floats, labels).features[:, 0].max() == 1.0
    assert LabeledImage(labels, labels).features[:, 0].max() == 1 / 255  # whole numbers say what they are


def test_the_orientation_of_a_camera_is_honored(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    upright = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
    exif = Image.Exif()
    exif[0x0112] = 6  # stored turned by a quarter: to be turned clockwise
    Image.fromarray(np.rot90(upright)).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(read_pixels(tmp_path / "turned.png"), upright)
