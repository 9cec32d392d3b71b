"""The small parts of pages: values and formulas as HTML, tables of facts, figures in the document itself.

What comes from outside is escaped here: `plain` gives text, everything else HTML.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from inphase.report import style
from inphase.version import version

IMAGES = {"png": rb"\x89PNG", "gif": rb"GIF8[79]a", "webp": rb"RIFF....WEBP", "svg+xml": rb"<\?xml|<svg"}


def document(title: str, subtitle: str, body: str, provenance: str, kind: str = "page") -> str:
    """A page in the style of the house; `title` is text, other parts HTML, `kind` a class of the style."""
    about = {"title": escape(title), "version": escape(version()), "style": _text("house.css"), "kind": kind}
    return filled("document.html", subtitle=subtitle, body=body, provenance=provenance, **about)


def filled(template: str, **parts: str) -> str:
    """A template of this folder with its parts, which are HTML.

    Raises
    ------
    KeyError
        If the template wants a part that is not given.
    """
    return Template(_text(template)).substitute(parts)


def _text(name: str) -> str:
    return (files("inphase.report") / name).read_text(encoding="utf-8")


def plain(value: Any) -> str:
    """A value for a reader: six digits, yes and no, lists with commas. Not escaped."""
    if value is None:
        return "—"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return f"{value:d}"
    if isinstance(value, (float, np.floating)):
        power = re.fullmatch(r"(.+)e([+-])0*(\d+)", f"{value:.6g}")
        text = f"{power[1]}·10^{power[2].strip('+')}{power[3]}" if power else f"{value:.6g}"
        return text.removeprefix("1·").replace("-", "−")
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {plain(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        between = "; " if value and isinstance(value[0], Mapping) else ", "
        shown = between.join(plain(item) for item in value[:12])
        return shown if len(value) <= 12 else f"{shown}{between}… ({len(value)} in all)"
    return str(value)


def marked(value: Any) -> str:
    """`plain`, escaped, with powers of ten raised."""
    return re.sub(r"10\^(−?\d+)", r"10<sup>\1</sup>", escape(plain(value)))


def fact_table(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values in two columns."""
    rows = "\n".join(
        f'<tr><th scope="row">{escape(key)}</th><td>{marked(value)}</td></tr>' for key, value in pairs
    )
    return f'<table class="numbers"><tbody>\n{rows}\n</tbody></table>'


def data_uri(content: bytes) -> str:
    """An image as an address that holds it.

    Raises
    ------
    ValueError
        If it is none of SVG, PNG, GIF and WebP.

    Examples
    --------
    >>> data_uri(b"GIF89a...")
    'data:image/gif;base64,R0lGODlhLi4u'
    """
    for kind, mark in IMAGES.items():
        if re.match(mark, content, re.DOTALL):
            return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
    raise ValueError(
        f"an image must be SVG, PNG, GIF or WebP; got {len(content)} bytes that begin with {content[:12]!r}"
    )


def image(figure: Figure, alt: str) -> str:
    """A figure as an image in the page, drawn as lines and letters (SVG)."""
    return f'<img src="{data_uri(style.svg(figure))}" alt="{escape(alt)}">'


def plate(shown: str, title: str, caption: str) -> str:
    """An image, on white, with its caption; both are HTML, the title is not."""
    return (
        f'<figure>\n<div class="plate">{shown}</div>\n'
        f"<figcaption><strong>{escape(title)}.</strong> {caption}</figcaption>\n</figure>"
    )


def _as_text(formula: str) -> str:
    shown = formula if len(formula) <= style.LONGEST else f"{formula[: style.LONGEST]} …"
    return f"<p><code>{escape(shown)}</code></p>"


def formula_image(latex: str, alt: str) -> str:
    """A formula as an SVG image, black on nothing; as text, cut if need be, where mathtext cannot set it."""
    if len(latex) > style.LONGEST:
        return _as_text(alt)
    figure = Figure(figsize=(1, 1))
    try:
        with rc_context(style.STYLE):
            figure.text(0, 0, f"${latex}$", fontsize=12, color="black")
            data = style.save(
                figure,
                format="svg",
                transparent=True,
                bbox_inches="tight",
                pad_inches=0.02,
                metadata={"Date": None},
            )
    except ValueError:
        return _as_text(alt)
    width = re.search(rb'width="([\d.]+)pt"', data)
    em = float(width[1]) / 11 if width else 30.0
    return f'<img class="math" style="width:{em:.1f}em" src="{data_uri(data)}" alt="{escape(alt)}">'
