"""Animations show the phases they are given, frame by frame, and are small files that every browser shows."""

import io

import numpy as np
import pytest
from PIL import Image

from inphase.report import animation
from inphase.report.animation import phases_animation, segmentation_animation, still
from inphase.report.learning_figures import class_color
from inphase.report.network_figures import PHASE


def opened(content):
    return Image.open(io.BytesIO(content))


def frames(content):
    """(pixels of each frame, milliseconds each is shown); Pillow joins equal frames."""
    file, found, shown = opened(content), [], []
    for i in range(file.n_frames):
        file.seek(i)
        found.append(np.array(file.convert("RGB")).astype(int))
        shown.append(file.info["duration"])
    return found, shown


def near(pixels, color, distance=60):
    """Where pixels are close to a color."""
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])
    return np.abs(pixels - rgb).sum(axis=-1) < distance


def left(pixels):
    return pixels[:, : int(0.47 * pixels.shape[1])]


def test_a_point_goes_round_the_circle():
    times, phases = np.arange(4.0), np.array([[0.0], [np.pi / 2], [np.pi], [3 * np.pi / 2]])
    found, shown = frames(phases_animation(times, phases))
    assert len(found) == 4 and shown == [80, 80, 80, 1600]
    where = []
    for pixels in found:
        rows, columns = np.nonzero(near(left(pixels), class_color(0), 150))
        where.append((columns.mean() - left(pixels).shape[1] / 2 - 7, -(rows.mean() - pixels.shape[0] / 2)))
    x, y = np.array(where).T  # right, up, left, down; the arrow R goes with the point
    assert x[0] > 40 and x[2] < -40 and y[1] > 40 and y[3] < -40
    assert abs(x[1]) < 25 and abs(x[3]) < 25 and abs(y[0]) < 25 and abs(y[2]) < 25


def test_classes_have_colors_and_their_order_is_drawn():
    spread = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    phases = np.stack([np.concatenate([a * spread[:6], 2.0 + a * spread[6:]]) for a in (1.0, 0.5, 0.0)])
    labels = np.repeat([5, 2], 6)  # any numbers
    last = frames(phases_animation([0.0, 1.0, 2.0], phases, labels))[0][-1]
    for number in (0, 1):
        assert near(left(last), class_color(number)).sum() > 20
    assert not near(left(frames(phases_animation([0.0, 1.0, 2.0], phases))[0][-1]), class_color(1)).any()


def test_many_phases_are_a_density_outside_the_circle():
    rng = np.random.default_rng(0)
    even, heap = rng.uniform(0, 2 * np.pi, 5000), rng.normal(np.pi, 0.05, 5000)
    first, last = frames(phases_animation([0.0, 1.0], np.stack([even, heap])))[0]
    share = []
    for pixels in (first, last):
        rows, columns = np.nonzero(near(left(pixels), "#669cd0", 120))  # the blue of a class at 0.6 on white
        x, y = columns - 0.24 * pixels.shape[1], rows - pixels.shape[0] / 2
        outside = np.hypot(x, y) > 132  # the circle's radius is 126 pixels
        share.append((x[outside] < 0).mean())
    assert 0.4 < share[0] < 0.6 and share[1] == 1


def test_an_image_segments_beside_itself():
    picture = np.zeros((12, 20, 3), dtype=np.uint8)
    picture[:, :10] = [200, 30, 30]
    phases = np.zeros((2, 12, 20))
    phases[1, :, :10], phases[1, :, 10:] = 2.0, -1.0
    first, last = frames(segmentation_animation(picture, phases, [0.0, 3.0]))[0]
    high, wide, top = 24, 40, 30
    assert first.shape == (high + 74, 2 * wide + 12, 3)
    for pixels in (first, last):
        assert np.abs(pixels[top + 12, 8] - [200, 30, 30]).sum() < 60
        assert np.abs(pixels[top + 12, 32]).sum() < 60
    for column, phase in ((wide + 12 + 8, 2.0), (wide + 12 + 32, -1.0)):
        color = np.array(PHASE((phase + np.pi) / (2 * np.pi))[:3]) * 255
        assert np.abs(last[top + 12, column] - color).sum() < 60
        assert np.abs(first[top + 12, column] - np.array(PHASE(0.5)[:3]) * 255).sum() < 60


def test_large_images_are_thinned_out_and_files_stay_small(monkeypatch):
    rng = np.random.default_rng(1)
    picture = rng.uniform(size=(120, 480, 3))
    phases = rng.uniform(0, 2 * np.pi, (3, 120, 480))  # nothing is harder to compress
    content = segmentation_animation(picture, phases, [0.0, 1.0, 2.0])
    assert opened(content).size == (2 * 480 + 12, 120 + 74)
    assert len(content) <= animation.LARGEST
    monkeypatch.setattr(animation, "LARGEST", len(content) - 1)
    assert len(segmentation_animation(picture, phases, [0.0, 1.0, 2.0])) < len(content)


def test_many_times_become_few_frames(monkeypatch):
    monkeypatch.setattr(animation, "FRAMES", 5)
    assert animation._frames(1000).tolist() == [0, 250, 500, 749, 999]
    assert animation._frames(3).tolist() == [0, 1, 2]
    phases = np.linspace(0, 3, 40)[:, None]
    found, _ = frames(phases_animation(np.arange(40.0), phases))
    assert len(found) == 5


def test_equal_input_gives_equal_bytes():
    phases = np.random.default_rng(2).uniform(0, 6, (3, 10))
    one, two = (phases_animation([0.0, 0.5, 1.0], phases, np.arange(10) % 3) for _ in range(2))
    assert one == two
    assert one[:4] == b"RIFF" and one[8:12] == b"WEBP"


def test_still_is_the_last_frame():
    content = phases_animation([0.0, 1.0], [[0.0], [2.0]])
    last = frames(content)[0][-1]
    assert np.array_equal(np.array(opened(still(content)).convert("RGB")), last)
    assert still(content).startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="no image"):
        still(b"nothing")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: phases_animation([0.0, 1.0], np.zeros((3, 4))),
            ValueError,
            r"phases must have shape \(T, n\) with T = 2",
        ),
        (lambda: phases_animation([0.0, 0.0], np.zeros((2, 4))), ValueError, "times must be ascending"),
        (lambda: phases_animation([0.0], [[np.nan]]), ValueError, "phases must be finite"),
        (lambda: phases_animation([0.0], [[1.0]], [0.5]), TypeError, "labels must be whole numbers"),
        (lambda: phases_animation([0.0], [[1.0]], [1, 2]), ValueError, r"labels must have shape \(1,\)"),
        (
            lambda: segmentation_animation(np.zeros((2, 2)), np.zeros((1, 2, 2)), [0.0]),
            ValueError,
            r"\(h, w, 3\)",
        ),
        (
            lambda: segmentation_animation(np.zeros((2, 3, 3)), np.zeros((1, 3, 2)), [0.0]),
            ValueError,
            r"\(T, 2, 3\)",
        ),
        (
            lambda: segmentation_animation(np.full((2, 2, 3), 7.5), np.zeros((1, 2, 2)), [0.0]),
            ValueError,
            r"within \[0, 1\]",
        ),
        (
            lambda: segmentation_animation(np.full((2, 2, 3), 300), np.zeros((1, 2, 2)), [0.0]),
            ValueError,
            r"0\.\.255",
        ),
    ],
)
def test_bad_input_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
