"""The page of a paper's tables stands alone, escapes what it
is given, and judges each figure against the published one.
"""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure

import inphase as ip
from inphase.coupling.learnt.network import PairNetwork
from inphase.description import equation
from inphase.report import paper as paper_module
from inphase.report.animation import phases_animation
from inphase.report.html import data_uri, marked, plain
from inphase.report.page import _model
from inphase.report.paper import Measured, Motion, Plate, Section, Table, Text, paper


class Document(HTMLParser):
    """Tags, text and cells of a page; fails on tags that do not close in order."""

    VOID = frozenset({"meta", "img", "br", "source"})

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text, self.cells = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)
        if "td" in self.open:
            self.cells[-1] += ("|" if self.open[-1] == "small" else "") + data

    def count(self, tag):
        return [name for name, _ in self.tags].count(tag)


def figure(points=3):
    drawn = Figure(figsize=(3, 2))
    drawn.subplots().plot(np.arange(points), np.arange(points) % 7)
    return drawn


def table_of(*cells, **more):
    return paper(
        "t", "s", [Table("Results", ["case", *map(str, range(len(cells)))], [["I", *cells]], **more)], {}
    )


ROWS = [
    ["I", Measured(0.0404, 0.0012, published=0.0667, limit=0.055), 0.7412],
    ["II", Measured(0.2, published=0.1527), None],
]


@pytest.fixture(scope="module")
def whole():
    motion = phases_animation([0.0, 1.0], [[0.0, 1.0], [0.5, 0.6]])
    parts = [
        Section("Results & more"),
        Text("First <b>.\n\nSecond: `inphase train`, 10^6 steps."),
        Table("Table <1>", ["case", "ours", "control"], ROWS, "At n < 100.", groups=[("Data", 2)]),
        Plate(figure(), 'The "loss"', "A caption & more"),
        Motion(motion, "Phases <moving>", "c"),
        Motion(motion, "Phases", "c", still=figure()),
    ]
    return paper(
        'KuraNet <script>alert("x")</script>', "seed 0 & n", parts, {"seed": 0, "versions": {"numpy": "<2>"}}
    )


def test_the_page_stands_alone(whole):
    document = Document(whole)
    assert whole.startswith("<!DOCTYPE html>")
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in document.tags}
    for tag, attrs in document.tags:
        assert "href" not in attrs and not any(name.startswith("on") for name in attrs)
        for name in ("src", "srcset"):
            assert name not in attrs or attrs[name].startswith("data:image/")
        assert tag != "img" or attrs["alt"]
    assert not re.search(r"url\(|@import", whole)
    assert not re.search(r"https?://", re.sub(r"base64,[\w+/=]+", "", whole))
    assert document.count("h1") == 1 and document.count("h2") == 2 and document.count("figure") == 4


def test_everything_is_escaped(whole):
    document = Document(whole)
    text = " ".join(document.text)
    for phrase in ('KuraNet <script>alert("x")</script>', "seed 0 & n", "Results & more", "First <b>.", "Table <1>",
                   "At n < 100.", 'The "loss"', "A caption & more", "Phases <moving>", "<2>", "versions: numpy"):  # fmt: skip
        assert phrase in text
    assert "<b>" not in whole and "<code>inphase train</code>" in whole and "10<sup>6</sup> steps" in whole
    assert document.count("p") == 4  # the subtitle, two of text, the legend of the table


def test_readers_who_want_less_motion_get_a_still(whole):
    document = Document(whole)
    sources = [attrs for tag, attrs in document.tags if tag == "source"]
    assert [attrs["media"] for attrs in sources] == ["(prefers-reduced-motion: reduce)"] * 2
    assert [attrs["srcset"].split(";")[0] for attrs in sources] == ["data:image/png", "data:image/svg+xml"]
    moving = [attrs["src"] for tag, attrs in document.tags if tag == "img" and "animation" in attrs["alt"]]
    assert len(moving) == 2 and all(src.startswith("data:image/webp") for src in moving)
    with pytest.raises(ValueError, match="no image"):
        paper("t", "s", [Motion(b"text", "m")], {})


def test_results_are_judged_in_words_as_well_as_in_color(whole):
    document = Document(whole)
    assert document.cells[:4] == [
        "0.0404 ± 0.0012|✓ ≤ 0.0667 paper|✓ ≤ 0.055 goal",
        "0.7412",
        "0.2|✗ > 0.1527 paper",
        "—",
    ]
    assert [attrs["class"] for tag, attrs in document.tags if tag == "small"] == [
        "reached",
        "reached",
        "missed",
    ]
    assert "1 of 2 reach the paper’s figure, 1 of 1 reach the goal" in " ".join(document.text)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (Measured(0.0667, published=0.0667), "0.0667|✓ ≤ 0.0667 paper"),
        # as many digits as tell them apart
        (Measured(0.066700001, published=0.0667), "0.066700001|✗ > 0.0667 paper"),
        (Measured(0.06670001, 0.002, published=0.0667), "0.0667 ± 0.0020|✗ > 0.0667 paper"),
        (Measured(0.71, 0.01, published=0.7001, better="higher"), "0.710 ± 0.010|✓ ≥ 0.7001 paper"),
        (Measured(0.69, limit=0.7, better="higher"), "0.69|✗ < 0.7 goal"),
        (Measured(0.735, 0.004, published=0.7412, better=None), "0.7350 ± 0.0040|(paper 0.7412)"),
        (Measured(-0.5, 0.25), "−0.50 ± 0.25"),
        (Measured(123.4, 12.0), "123 ± 12"),
        (Measured(1.0, 0.0), "1 ± 0"),
        (Measured(2e-9), "2·10−9"),
        (Measured(0.1, note="best of 10 <starts>"), "0.1|best of 10 <starts>"),
        ("diverged", "diverged"),
        (True, "yes"),
        (12, "12"),
    ],
)
def test_cells(cell, shown):
    assert Document(table_of(cell)).cells[0] == shown


def test_no_legend_where_nothing_is_judged():
    assert "✓" not in table_of(Measured(0.5, published=0.4, better=None), 3)
    assert "✓" in table_of(Measured(0.5, published=0.6), 3)


def test_groups_stand_above_their_columns():
    document = Document(table_of(1, 2, 3, groups=[("Data", 2), ("Size", 1)]))
    heads = [attrs for tag, attrs in document.tags if tag == "th"]
    assert [h.get("colspan") for h in heads[:3]] == [None, "2", "1"] and heads[0]["rowspan"] == "2"


def test_a_figure_of_very_many_lines_becomes_pixels(monkeypatch):
    assert "image/svg+xml" in paper("t", "s", [Plate(figure(), "f")], {})
    monkeypatch.setattr(paper_module, "LARGEST_DRAWING", 5_000)
    html = paper("t", "s", [Plate(figure(), "f")], {})
    assert "image/png" in html and "image/svg+xml" not in html


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Measured(np.nan), ValueError, "value must be a finite number"),
        (lambda: Measured(0.1, -0.1), ValueError, "error must be >= 0"),
        (lambda: Measured(0.1, published="0.2"), TypeError, "published must be a number"),
        (
            lambda: Measured(0.1, better="smaller"),
            ValueError,
            "better must be one of lower, higher; got 'smaller'",
        ),
        (lambda: Measured(0.1, limit=0.2, better=None), ValueError, "where there is a limit"),
        (lambda: Table("t", ["a", "b"], [["x", 1], ["y"]]), ValueError, r"rows\[1\] must have 2 cells"),
        (
            lambda: Table("t", ["a", "b"], [], groups=[("g", 2)]),
            ValueError,
            "groups must cover the 1 columns",
        ),
        (lambda: paper("t", "s", ["words"], {}), TypeError, "parts must be Section, Text"),
        (lambda: data_uri(b"BM.."), ValueError, "must be SVG, PNG, GIF or WebP; got 4 bytes"),
    ],
)
def test_bad_input_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_values_as_text():
    assert [plain(v) for v in (None, True, 3, -0.5, 1.5e-8, [1, 2], {"a": 1})] == \
        ["—", "yes", "3", "−0.5", "1.5·10^−8", "1, 2", "a: 1"]  # fmt: skip
    assert marked(1.5e-8) == "1.5·10<sup>−8</sup>" and marked("<") == "&lt;"


# ------------------------------------------------------------------------ the page of a study that was learnt


def learnt(n=5):
    rng = np.random.default_rng(0)
    one = [np.ones(3)]
    network = PairNetwork(
        rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), [], one, one, one, one, rng.normal(size=3), "silu"
    )
    return ip.Learnt(network, rng.normal(size=(n, 2)), "row-l1")


def test_the_page_of_a_study_tells_what_was_learnt():
    coupling = learnt()
    model = ip.PhaseModel(ip.kuramoto(), coupling)

    class Study:
        initial = np.zeros(5)

    study = Study()
    study.model = model
    document = Document(_model(study))
    text = " ".join(document.text)
    alts = [attrs["alt"] for tag, attrs in document.tags if tag == "img"]
    assert "K_ij = K_μ(x_i, x_j)" in alts and "K_ij f(θ_i − θ_j)" in equation(model).text
    for phrase in (
        "Learnt",
        "4 → 3 → 1, silu",
        "row-l1, symmetric, degree 1",
        coupling.to_dict()["network_sha256"],
    ):
        assert phrase in text


def test_the_page_of_a_study_tells_the_error_of_a_learnt_coupling_of_low_rank():
    pytest.importorskip("jax")
    from inphase.learn import factorize

    exact = learnt(40)
    low = factorize(exact.network, exact.features, "none", tolerance=1e-3)

    class Study:
        initial = np.zeros(40)

    study = Study()
    study.model = ip.PhaseModel(ip.kuramoto(), low)
    html = _model(study)
    document = Document(html)
    assert "K_ij ≈ K_μ(x_i, x_j)" in [attrs["alt"] for tag, attrs in document.tags if tag == "img"]
    assert f"on {low.rows} rows held out" in html and str(low.rank) in document.cells
