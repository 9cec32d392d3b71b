"""The style of the house: colors, sizes, labels of angles, and how a figure becomes a file.

No global state of pyplot is touched. `svg` and `png` turn a figure into the bytes of a file.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

P = ParamSpec("P")

# Okabe and Ito's blue and vermilion, told apart by every reader; the rest is ink and grays.
BLUE, RED, INK, GRAY, PALE = "#0072B2", "#D55E00", "#222222", "#767676", "#E9EEF3"
DENSITY = LinearSegmentedColormap.from_list(
    "density", ["#ffffff", "#d6e6f2", "#7fb4d9", "#0072B2", "#08304f", "#030f1a"]
)
NOT_A_PROOF = "computed in floating point: not a proof"
LINES_UP_TO = 200  # oscillators that are drawn as lines
LARGE_IMAGE = 60_000  # bytes of an image within a figure
EMBEDDED = re.compile(rb"data:image/png;base64,([A-Za-z0-9+/=\s]+)")
LONGEST = 2000  # characters that are set in one line: mathtext takes minutes for more, and nobody reads them

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "axes.edgecolor": GRAY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlepad": 8,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.minor.width": 0.5,
    "ytick.minor.width": 0.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "mathtext.fontset": "dejavusans",
    "figure.constrained_layout.w_pad": 0.09,
    "figure.constrained_layout.h_pad": 0.07,
    "svg.hashsalt": "inphase",  # the same figure gives the same file
}


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw with the style of the house, whatever the user's own settings."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


def save(figure: Figure, **options: Any) -> bytes:
    """The bytes of `Figure.savefig` with the style of the house."""
    buffer = io.BytesIO()
    with rc_context(STYLE):
        figure.savefig(buffer, **options)
    return buffer.getvalue()


def svg(figure: Figure) -> bytes:
    """The figure as an SVG file, text as outlines, without a date: equal figures give equal bytes.

    Layers that are images within it (`rasterized`) have at most 256 colors if they are large.
    """
    return EMBEDDED.sub(_fewer_colors, save(figure, format="svg", dpi=200, metadata={"Date": None}))


def _fewer_colors(found: re.Match[bytes]) -> bytes:
    """A large PNG image in an SVG file by a palette: a third of its size, and the eye sees no difference."""
    from PIL import Image

    data = base64.b64decode(found[1])
    if len(data) < LARGE_IMAGE:
        return found[0]
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        palette = image.convert("RGBA").quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        palette.save(buffer, "PNG", optimize=True)
    return b"data:image/png;base64," + base64.b64encode(min(data, buffer.getvalue(), key=len))


def png(figure: Figure, dpi: int = 200) -> bytes:
    """The figure as a PNG file."""
    return save(figure, format="png", dpi=dpi)


# ---------------------------------------------------------------------------------------- angles and formulas


def angle_label(value: float) -> str:
    """A multiple of π/4 as a label in (−π, π]."""
    quarter = round(value / (np.pi / 4))
    quarter = -((-quarter + 4) % 8 - 4) if quarter % 8 != 4 else 4
    divisor = int(np.gcd(quarter, 4))
    top, bottom = abs(quarter) // divisor, 4 // divisor
    sign = "−" if quarter < 0 else ""
    return "0" if quarter == 0 else f"{sign}{top if top > 1 else ''}π{f'/{bottom}' if bottom > 1 else ''}"


def angle_ticks(axis: Any, low: float, high: float) -> None:
    """Ticks at multiples of π/2 (π/4, where the range is short) between two angles, labeled in (−π, π]."""
    step = np.pi / 2 if high - low > 2.6 else np.pi / 4
    ticks = step * np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1)
    at_ends = abs(high - low - 2 * np.pi) < 1e-9
    labels = [angle_label(t) for t in ticks]
    if at_ends and labels[0] == "π":
        labels[0] = "−π"
    axis.set_ticks(ticks, labels)


def fitted_title(figure: Figure, candidates: Sequence[str]) -> None:
    """The first of the candidates that can be set and fits the width, shrunk a little if need be."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    for text in candidates:
        if len(text) > LONGEST:
            continue
        for size in (10.5, 9.5, 8.5):
            title = figure.suptitle(text, fontsize=size)
            try:
                width = title.get_window_extent().width
            except ValueError:  # mathtext cannot read it
                break
            if width < 0.96 * figure.bbox.width:
                return
    figure.suptitle("")
