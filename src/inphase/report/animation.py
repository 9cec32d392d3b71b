"""Animations of runs, as the bytes of one image file: phases on the circle, and an image that segments.

They are animated WebP, which every current browser shows in an `img`, without scripts. Equal input gives
equal bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from inphase.checks import finite_array, time_array
from inphase.report.learning_figures import class_color
from inphase.report.network_figures import PHASE
from inphase.report.style import GRAY, INK, LINES_UP_TO, STYLE

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

FRAMES = 72  # at most: of more times, this many, evenly spaced in number
DURATION, REST = 80, 1600  # milliseconds a frame is shown, and the last
DPI = 136
WIDEST = 240  # pixels of an image
ENLARGED = 2  # screen pixels per pixel of an image, in each direction
BINS = 90  # of the circle, for many phases
LARGEST = 1_500_000  # bytes of an animation
QUALITIES = (80, 60, 40, 20, 5)  # of WebP; the first that is small enough is taken


def phases_animation(times: ArrayLike, phases: ArrayLike, labels: ArrayLike | None = None) -> bytes:
    """Oscillators on the circle, colored by class, beside the order parameter of each class up to now.

    Up to 200 oscillators are points; of more, the density of each class is drawn outside the circle. An arrow
    is the order parameter R of a class, the mean of e^{iθ} over it.

    Parameters
    ----------
    times : array_like, shape (T,)
        Ascending.
    phases : array_like, shape (T, n)
        Radians.
    labels : array_like of int, shape (n,), optional
        The class of each oscillator; one class if not given.

    Returns
    -------
    bytes
        An animated WebP of at most 72 frames and 1.5 MB.

    Raises
    ------
    ValueError, TypeError
        If shapes do not fit, numbers are not finite, or times do not ascend.
    """
    t = time_array(times)
    theta = _phases(phases, len(t), ("n",))
    classes = _classes(labels, theta.shape[1])
    means = np.stack([np.exp(1j * theta[:, members]).mean(axis=1) for members in classes], axis=1)
    kept = _frames(len(t))
    with rc_context(STYLE):
        figure = Figure(figsize=(5.8, 2.85), dpi=DPI)
        canvas = FigureCanvasAgg(figure)
        move = _circle(figure, theta, classes, means)
        grow = _order(figure, t, means, labels is not None)

        def frame(i: int) -> Pixels:
            move(i)
            grow(i)
            return _pixels(canvas)

        return _animated([frame(i) for i in kept])


def segmentation_animation(image: ArrayLike, phases: ArrayLike, times: ArrayLike) -> bytes:
    """An image beside the phases of its pixels, as colors of the circle.

    Both are thinned out to at most 240 pixels in width and shown twice as large; a phase shown is that of one
    pixel, not a mean.

    Parameters
    ----------
    image : array_like, shape (h, w, 3)
        Whole numbers 0..255, or real numbers in [0, 1].
    phases : array_like, shape (T, h, w)
        Radians.
    times : array_like, shape (T,)
        Ascending.

    Returns
    -------
    bytes
        An animated WebP of at most 72 frames and 1.5 MB.

    Raises
    ------
    ValueError, TypeError
        If shapes do not fit, numbers are not finite or out of range, or times do not ascend.
    """
    t = time_array(times)
    picture = _picture(image)
    theta = _phases(phases, len(t), ("h", "w"))
    if theta.shape[1:] != picture.shape[:2]:
        raise ValueError(
            f"phases must have shape (T, {picture.shape[0]}, {picture.shape[1]}), as the image; got {theta.shape}"
        )
    height, width = picture.shape[:2]
    wide = min(width, WIDEST)
    high = max(1, round(height * wide / width))
    rows = ((np.arange(high) + 0.5) * height / high).astype(int)
    columns = ((np.arange(wide) + 0.5) * width / wide).astype(int)
    small = np.asarray(Image.fromarray(picture).resize((wide, high), Image.Resampling.BOX))
    seen = theta[:, rows[:, None], columns]
    with rc_context(STYLE):
        figure, shown, clock = _two_panels(small)
        canvas = FigureCanvasAgg(figure)

        def frame(i: int) -> Pixels:
            shown.set_data(PHASE(np.mod(seen[i] + np.pi, 2 * np.pi) / (2 * np.pi), bytes=True))
            clock.set_text(f"phases at time {t[i]:.4g}")
            return _pixels(canvas)

        return _animated([frame(i) for i in _frames(len(t))])


# ---------------------------------------------------------------------------------------------- what is given


def _phases(phases: ArrayLike, count: int, rest: tuple[str, ...]) -> Array:
    theta = finite_array("phases", phases)
    if theta.ndim != 1 + len(rest) or not theta.size or len(theta) != count:
        wanted = ", ".join(["T", *rest])
        raise ValueError(
            f"phases must have shape ({wanted}) with T = {count}, as times; got shape {theta.shape}"
        )
    return theta


def _classes(labels: ArrayLike | None, n: int) -> list[NDArray[np.int64]]:
    """Who is in each class, in the order of the labels."""
    if labels is None:
        return [np.arange(n)]
    found = np.asarray(labels)
    if found.dtype.kind not in "iu":
        raise TypeError(f"labels must be whole numbers; got {labels!r:.60} ({found.dtype})")
    if found.shape != (n,):
        raise ValueError(f"labels must have shape ({n},), one for each oscillator; got shape {found.shape}")
    return [np.flatnonzero(found == label) for label in np.unique(found)]


def _picture(image: ArrayLike) -> Pixels:
    """The image in whole numbers 0..255, (h, w, 3)."""
    whole = np.asarray(image).dtype.kind in "iu"
    values = finite_array("image", image)
    if values.ndim != 3 or values.shape[2] != 3 or not values.size:
        raise ValueError(f"image must have shape (h, w, 3); got shape {values.shape}")
    top = 255 if whole else 1
    if values.min() < 0 or values.max() > top:
        kind = "0..255, whole numbers" if whole else "[0, 1], real numbers"
        raise ValueError(f"image must be within {kind}; got {values.min():g} to {values.max():g}")
    return np.round(values * (255 / top)).astype(np.uint8)


def _frames(count: int) -> NDArray[np.int64]:
    """Which times become frames: the first, the last, and evenly spaced ones between."""
    return np.unique(np.round(np.linspace(0, count - 1, min(count, FRAMES))).astype(np.int64))


# ------------------------------------------------------------------------------------------------- the panels


def _circle(
    figure: Figure, theta: Array, classes: Sequence[Any], means: NDArray[np.complex128]
) -> Callable[[int], None]:
    """The circle on the left; what is returned moves it to a time, by its number."""
    axes = figure.add_axes((0.01, 0.02, 0.46, 0.96))
    axes.set(xlim=(-1.45, 1.45), ylim=(-1.45, 1.45), aspect="equal")
    axes.set_axis_off()
    around = np.linspace(0, 2 * np.pi, 361)
    axes.plot(np.cos(around), np.sin(around), color=GRAY, lw=0.7)
    colors = [class_color(c) for c in range(len(classes))]
    arrows = [axes.plot([], [], "-", color=color, lw=2.2)[0] for color in colors]
    heads = [axes.plot([], [], "o", color=color, ms=5)[0] for color in colors]
    if theta.shape[1] <= LINES_UP_TO:
        shown: list[Any] = [axes.plot([], [], "o", color=c, ms=6, alpha=0.55, mew=0, gid=f"class_{i}")[0]
                            for i, c in enumerate(colors)]  # fmt: skip
    else:
        shown = [axes.add_collection(PolyCollection([], facecolors=to_rgba(c, 0.6), lw=0)) for c in colors]

    def move(i: int) -> None:
        for members, artist, arrow, head, R in zip(classes, shown, arrows, heads, means[i]):
            if theta.shape[1] <= LINES_UP_TO:
                artist.set_data(np.cos(theta[i, members]), np.sin(theta[i, members]))
            else:
                artist.set_verts([_rose(theta[i, members])])
            arrow.set_data([0, R.real], [0, R.imag])
            head.set_data([R.real], [R.imag])

    return move


def _rose(phases: Array) -> Array:
    """The outline, (4 BINS, 2), of a density outside the circle, higher by the log of each bin's share."""
    number = np.minimum((np.mod(phases, 2 * np.pi) * BINS / (2 * np.pi)).astype(int), BINS - 1)
    share = np.bincount(number, minlength=BINS) * (BINS / len(phases))
    outer = np.repeat(1 + 0.42 * np.log1p(share) / np.log1p(BINS), 2)
    angle = 2 * np.pi * (np.repeat(np.arange(BINS), 2) + np.tile([0, 1], BINS)) / BINS
    edge = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.concatenate([outer[:, None] * edge, edge[::-1]])


def _order(figure: Figure, t: Array, means: NDArray[np.complex128], labeled: bool) -> Callable[[int], None]:
    """|R| in time on the right, up to now."""
    axes = figure.add_axes((0.58, 0.19, 0.40, 0.67))
    last = t[-1] if t[-1] > t[0] else t[0] + 1
    axes.set(
        xlim=(t[0], last), ylim=(0, 1.03), xlabel="time", ylabel="|R| of each class" if labeled else "|R|"
    )
    lines = [axes.plot([], [], color=class_color(c), lw=1.8)[0] for c in range(means.shape[1])]
    title = axes.set_title("", loc="left")

    def grow(i: int) -> None:
        for line, R in zip(lines, np.abs(means[: i + 1]).T):
            line.set_data(t[: i + 1], R)
        title.set_text(f"time {t[i]:.4g}")

    return grow


def _two_panels(picture: Pixels) -> tuple[Figure, Any, Any]:
    """(figure, phases' image, the time's text): images to the pixel, a wheel of colors below."""
    high, wide = picture.shape[0] * ENLARGED, picture.shape[1] * ENLARGED
    gap, top, bottom = 12, 30, 44
    width, height = 2 * wide + gap, high + top + bottom
    # never a pixel too few by rounding
    figure = Figure(figsize=((width + 0.01) / DPI, (height + 0.01) / DPI), dpi=DPI)
    for left, content in ((0, picture), (wide + gap, np.zeros((*picture.shape[:2], 4), dtype=np.uint8))):
        axes = figure.add_axes((left / width, bottom / height, wide / width, high / height))
        shown = axes.imshow(content, interpolation="nearest", aspect="auto")
        axes.set_axis_off()
    figure.text(0, (bottom + high + 9) / height, "image", color=INK)
    clock = figure.text((wide + gap) / width, (bottom + high + 9) / height, "", color=INK)
    bar = figure.add_axes(((wide + gap) / width, (bottom - 16) / height, wide / width, 9 / height))
    bar.imshow(PHASE(np.linspace(0, 1, 256))[None], aspect="auto", extent=(-np.pi, np.pi, 0, 1))
    bar.set_yticks([])
    bar.set_xticks([-np.pi, 0, np.pi], ["−π", "0", "π"])
    bar.tick_params(length=0, pad=2, labelsize=9)
    labels = bar.get_xticklabels()
    labels[0].set_horizontalalignment("left")
    labels[-1].set_horizontalalignment("right")
    bar.spines[:].set_visible(False)
    return figure, shown, clock


# ------------------------------------------------------------------------------------------------------ bytes


def _pixels(canvas: Any) -> Pixels:
    """What is drawn now, (height, width, 3)."""
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def _animated(frames: Iterable[Pixels]) -> bytes:
    """One image file of the frames, of the finest lossy quality that is small enough, or the coarsest."""
    first, *others = [Image.fromarray(np.ascontiguousarray(frame)) for frame in frames]
    durations = [DURATION] * len(others) + [REST]
    for quality in QUALITIES:
        buffer = io.BytesIO()
        first.save(
            buffer, "WEBP", save_all=True, append_images=others, duration=durations, loop=0, quality=quality
        )
        if buffer.tell() <= LARGEST:
            break
    return buffer.getvalue()


def still(animation: bytes) -> bytes:
    """The last frame of an animation, as PNG.

    Raises
    ------
    ValueError
        If the bytes are no image that can be read.
    """
    try:
        with Image.open(io.BytesIO(animation)) as opened:
            opened.seek(getattr(opened, "n_frames", 1) - 1)
            last = opened.convert("RGB")
    except (OSError, EOFError) as error:
        raise ValueError(f"the animation is no image that can be read: {error}") from None
    buffer = io.BytesIO()
    last.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
