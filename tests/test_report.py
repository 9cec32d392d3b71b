"""Figures show the numbers they are given, the page stands
alone, and experiments of papers come out as stated.
"""

import base64
import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import inphase as ip
from inphase.description import Kept, model_code
from inphase.report import figures, page, style
from inphase.report.branches import branches, curve
from inphase.reproduce import EXPERIMENTS, reproduce


def by_gid(figure, gid):
    return [artist for artist in figure.findobj() if artist.get_gid() == gid]


def texts(figure):
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


@pytest.fixture(scope="module")
def small():
    """n = 24 phases, run and tree."""
    model = ip.PhaseModel(ip.attention(16.0))
    phases = np.random.default_rng(3).uniform(0, 2 * np.pi, 24)
    return model, phases, ip.simulate(model, phases, 10.0), ip.coarsen(model, phases, 1e14)


@pytest.fixture(scope="module")
def large():
    """n = 600 phases: heat map, and only heavy clusters drawn."""
    model = ip.PhaseModel(ip.attention(4.0))
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, 600)
    return model, phases, ip.simulate(model, phases, 60.0), ip.coarsen(model, phases, 1e14)


# ------------------------------------------------------------------------------------------------ interaction


@pytest.mark.parametrize("f", [ip.attention(9.0), ip.kuramoto(), ip.sakaguchi(0.3)], ids=lambda f: f.name)
def test_interaction_figure_draws_f_its_slope_and_tau(f):
    figure = figures.interaction_figure(f)
    (line,), (slope,) = by_gid(figure, "f"), by_gid(figure, "slope")
    assert line.get_ydata() == pytest.approx(f(line.get_xdata()), abs=1e-15)
    assert slope.get_ydata() == pytest.approx(f.derivative()(slope.get_xdata()), abs=1e-14)
    assert line.get_xdata()[[0, -1]] == pytest.approx([-np.pi, np.pi])
    marks = sorted({float(mark.get_xdata()[0]) for mark in by_gid(figure, "tau")})
    assert marks == pytest.approx([-f.attraction_range, f.attraction_range])
    shaded = by_gid(figure, "range")[0]
    assert shaded.get_x() == pytest.approx(-f.attraction_range)
    assert shaded.get_width() == pytest.approx(2 * f.attraction_range)
    assert f"{f.attraction_range:.4f}" in texts(figure)


def test_a_repulsive_interaction_has_no_range_to_shade():
    figure = figures.interaction_figure(-ip.attention(2.0))
    assert not by_gid(figure, "range") and not by_gid(figure, "tau")
    assert "no attraction" in texts(figure)


def test_a_formula_too_long_for_the_width_gives_way_to_the_name():
    f = ip.harmonics(sin=[1.0] + [0.01] * 30)
    figure = figures.interaction_figure(f)
    title = figure.get_suptitle()
    assert title == "f: harmonics"


def test_formulas_in_mathtext():
    assert figures.formula(ip.harmonics(sin=[1, 0.5])) == r"s_{1}\,\sin x + s_{2}\,\sin\left(2\,x\right)"
    assert r"\mathrm{lag}" in figures.formula(ip.sakaguchi(0.1))
    assert figures.formula(ip.attention(1.0)) == ip.attention(1.0).latex()
    assert (figures.symbol("beta"), figures.symbol("s12"), figures.symbol("lag")) == ("β", "s₁₂", "lag")


def test_angles_are_labeled_within_a_turn():
    labels = [style.angle_label(q * np.pi / 4) for q in range(-4, 13)]
    expected = ["−3π/4", "−π/2", "−π/4", "0", "π/4", "π/2", "3π/4", "π"]
    assert labels == ["π", *expected, *expected]


# -------------------------------------------------------------------------------------- synchronization ratio


def test_ratio_figure_passes_through_the_ratio_of_the_interaction():
    f = ip.attention(2.0)
    figure = figures.ratio_figure(f)
    for gid, gap in (("pi", np.pi), ("two_pi", 2 * np.pi)):
        (line,), (point,) = by_gid(figure, gid), by_gid(figure, f"now_{gid}")
        assert point.get_xdata() == [2.0]
        assert point.get_ydata() == pytest.approx([f.synchronization_ratio(gap)])
        assert np.interp(-0.5, *line.get_data()) == pytest.approx(
            ip.attention(-0.5).synchronization_ratio(gap), rel=1e-3
        )
    assert by_gid(figure, "one")[0].get_ydata()[0] == 1
    assert "not a proof" in texts(figure)


def test_ratio_without_a_parameter_is_two_bars():
    bars = by_gid(figures.ratio_figure(ip.kuramoto()), "bar")
    # 4 (1 + τ/M)/(τ·2), τ = π/2
    assert sorted(bar.get_width() for bar in bars) == pytest.approx([5 / np.pi, 6 / np.pi])


def test_bad_parameter_values_are_skipped():
    f = ip.Interaction("log(a)*sin(x)", a=2.0)
    curves = figures.ratio_curves(f, "a", [-2.0, 0.0, 0.5, 2.0])
    assert np.isnan(curves["two_pi"]).tolist() == [True, True, False, False]
    assert curves["two_pi"][2:] == pytest.approx([0.0, 5 / np.pi])  # log 0.5 < 0 repels
    line = by_gid(figures.ratio_figure(f), "two_pi")[0]
    assert np.nanmin(line.get_xdata()[np.isfinite(line.get_ydata())]) == pytest.approx(0.0, abs=0.05)
    pole = ip.Interaction("sin(x)/(1 + a*cos(x))", a=0.5)  # refused where |a| >= 1
    assert np.isnan(figures.ratio_curves(pole, "a", [-2.0])["two_pi"]).all()


def test_the_smaller_gap_needs_a_positive_profile():
    curves = figures.ratio_curves(ip.harmonics(sin=[1.0, 0.0]), "s2", [0.25, 0.75])  # h = s1 + 2 s2 cos x
    assert np.isfinite(curves["two_pi"]).all()
    assert np.isnan(curves["pi"]).tolist() == [False, True]


def test_ratio_figure_refuses_what_the_criterion_is_not_about():
    with pytest.raises(ValueError, match="odd"):
        figures.ratio_figure(ip.sakaguchi(0.3))
    with pytest.raises(ValueError, match=r"\['beta'\].*'gamma'"):
        figures.ratio_figure(ip.attention(1.0), "gamma")


# ------------------------------------------------------------------------------------------------- experiment


@given(st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=40), st.floats(-20.0, 20.0))
def test_wrapped_lines_stay_on_the_circle_and_break_only_at_its_edges(steps, start):
    phase = start + np.cumsum([0.0, *steps])
    time = np.arange(len(phase), dtype=float)
    t, x = figures.wrapped_line(time, phase)
    seen = np.isfinite(x)
    assert np.all(np.abs(x[seen]) <= np.pi + 1e-12)
    assert np.all(np.diff(t) >= 0)
    gaps = np.flatnonzero(~seen)
    assert np.abs(x[gaps - 1]) == pytest.approx(np.pi) and x[gaps + 1] == pytest.approx(-x[gaps - 1])
    kept = np.ones(len(x), dtype=bool)
    kept[np.concatenate([gaps - 1, gaps, gaps + 1])] = False
    assert np.exp(1j * x[kept]) == pytest.approx(np.exp(1j * phase), abs=1e-9)
    inside = np.flatnonzero(seen[1:] & seen[:-1])
    assert np.all(np.abs(x[inside + 1] - x[inside]) <= 3.0 + 1e-9)


def test_few_phases_are_lines(small):
    _, _, run, _ = small
    figure = figures.trajectory_figure(run)
    pieces = by_gid(figure, "phases")[0].get_segments()
    assert len(pieces) >= run.sizes["oscillator"]
    starts = sorted(piece[0, 1] for piece in pieces if piece[0, 0] == 0)
    wrapped = np.mod(run.phase.values[0] + np.pi, 2 * np.pi) - np.pi
    assert starts == pytest.approx(sorted(wrapped))
    order = by_gid(figure, "order")[0]
    assert order.get_ydata() == pytest.approx(run.order_parameter.values)


def test_many_phases_are_a_density(large):
    _, _, run, _ = large
    figure = figures.trajectory_figure(run)
    (mesh,) = by_gid(figure, "density")
    density = mesh.get_array()
    assert density.shape[1] == run.sizes["time"]
    floor = mesh.norm.vmin
    raw = figures._density(run.phase.values, density.shape[0])
    assert raw.mean(axis=1) == pytest.approx(1.0)
    assert np.asarray(density) == pytest.approx(np.maximum(raw.T, floor))
    assert not by_gid(figure, "phases")


def test_a_density_knows_where_phases_are():
    density = figures._density(np.array([[0.1, 0.1, 2 * np.pi + 0.1, -np.pi]]), 4)
    assert density.tolist() == [[1.0, 0.0, 3.0, 0.0]]


def test_trajectory_figure_draws_one_run():
    model = ip.PhaseModel(ip.kuramoto())
    run = ip.simulate(model, np.zeros((2, 3)), 1.0)
    with pytest.raises(ValueError, match="replica"):
        figures.trajectory_figure(run)
    one = ip.simulate(model, [0.0, 1.0], times=[2.0])
    style.png(figures.trajectory_figure(one), dpi=30)
    with pytest.raises(ValueError, match="no time"):
        figures.trajectory_figure(one.isel(time=slice(0)))


def test_phase_circle_states_the_order_parameter(small, large):
    for _, _, run, _ in (small, large):
        shown = texts(figures.phase_circle_figure(run))
        for i in (0, -1):
            assert f"{float(run.order_parameter[i]):.4g}" in shown


# ------------------------------------------------------------------------------------------------ merger tree


def test_every_cluster_of_few_oscillators_is_one_line(small):
    _, phases, _, tree = small
    figure = figures.tree_figure(tree, phases)
    lines = by_gid(figure, "clusters")[0].get_segments()
    n, events = tree.sizes["oscillator"], tree.sizes["event"]
    assert events > 10
    assert len(lines) == n + events
    assert np.all(np.concatenate(lines)[:, 0] > 0)
    _, low = figure.axes
    assert low.get_xscale() == low.get_yscale() == "log"
    count = by_gid(figure, "count")[0]
    assert count.get_ydata()[0] == n and count.get_ydata()[-1] == tree.attrs["clusters_left"]
    late = tree.time.values > low.get_xlim()[0]
    for time, clusters in zip(tree.time.values[late], tree.clusters.values[late]):
        drawn = count.get_ydata()[np.searchsorted(count.get_xdata(), time, side="right") - 1]
        assert drawn <= clusters  # events at one time are one step


def test_branches_start_at_the_initial_phases_and_meet(small):
    _, phases, _, tree = small
    found = branches(tree, phases)
    born = [b.position[0] for b in found if b.time[0] == 0]
    assert sorted(np.mod(born, 2 * np.pi)) == pytest.approx(sorted(np.mod(phases, 2 * np.pi)))
    everywhere = np.concatenate([b.position for b in found])
    assert np.ptp(everywhere) < 2 * np.pi
    starts = {(b.time[0], round(b.position[0], 4)): b.mass for b in found if b.time[0] > 0}
    joined = {}
    for b in found:
        if b.ends == "merged":
            key = next(k for k in starts if k[0] == b.time[-1] and abs(k[1] - b.position[-1]) < 2e-4)
            joined[key] = joined.get(key, 0.0) + b.mass
    assert joined == pytest.approx(starts)
    assert sum(b.mass for b in found if b.ends == "left") == pytest.approx(1.0)


def test_the_run_knows_where_few_oscillators_start(small):
    _, phases, _, tree = small
    born = [b.position[0] for b in branches(tree) if b.time[0] == 0]
    assert sorted(np.mod(born, 2 * np.pi)) == pytest.approx(sorted(np.mod(phases, 2 * np.pi)))


def test_only_heavy_clusters_of_many_are_drawn_and_the_figure_says_so(large):
    _, phases, _, tree = large
    found = branches(tree, phases)
    assert 1 <= len(found) < 200
    assert all(b.mass >= 0.01 - 1e-12 for b in found)
    assert sum(b.mass for b in found if b.ends == "left") == pytest.approx(1.0)
    figure = figures.tree_figure(tree, phases)
    assert len(by_gid(figure, "clusters")[0].get_segments()) == len(found)
    assert "at least 1 % of the mass" in texts(figure)
    assert by_gid(figure, "count")[0].get_ydata()[0] == 600


def test_a_tree_without_mergers_has_a_line_for_each_oscillator():
    phases = np.array([0.3, 2.0, 4.0])
    tree = ip.coarsen(ip.PhaseModel(ip.attention(36.0)), phases, 100.0)
    assert tree.sizes["event"] == 0
    lines = by_gid(figures.tree_figure(tree, phases), "clusters")[0].get_segments()
    assert sorted(np.mod([line[-1, 1] for line in lines], 2 * np.pi)) == pytest.approx(
        sorted(tree.final_position.values)
    )
    assert sorted(np.mod([line[0, 1] for line in lines], 2 * np.pi)) == pytest.approx(
        sorted(phases), abs=0.02
    )


def test_curves_move_straight_in_time(small):
    _, phases, _, tree = small
    for b in branches(tree, phases):
        time, position = curve(b, 1e-3)
        assert time[-1] == b.time[-1] and position[-1] == b.position[-1]
        assert np.all(np.diff(time) > 0)
        assert position == pytest.approx(np.interp(time, b.time, b.position))


# ----------------------------------------------------------------------------------------------- growth rates


def test_growth_figure_draws_what_was_measured_only():
    growth = {"mode": [1, 2, 3], "predicted": [0.1, -0.2, 0.3], "measured": [0.11, None, 0.28],
              "standard_error": [0.01, None, 0.02]}  # fmt: skip
    figure = figures.growth_figure(growth)
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == [0.1, -0.2, 0.3]
    points, _, (errors,) = next(
        c for c in axes.containers if isinstance(c, matplotlib.container.ErrorbarContainer)
    )
    assert points.get_xdata().tolist() == [1, 3] and points.get_ydata().tolist() == [0.11, 0.28]
    assert [np.ptp(segment[:, 1]) for segment in errors.get_segments()] == pytest.approx([0.02, 0.04])


def test_growth_figure_without_measurements():
    figure = figures.growth_figure(
        {"mode": [1], "predicted": [0.5], "measured": None, "standard_error": None}
    )
    assert "measured" not in texts(figure)


# ------------------------------------------------------------------------------------------------------ files


def test_figures_are_reproducible_and_leave_settings_alone():
    before = dict(matplotlib.rcParams)
    first, second = (style.svg(figures.interaction_figure(ip.kuramoto())) for _ in range(2))
    assert first == second
    assert dict(matplotlib.rcParams) == before
    assert style.png(figures.interaction_figure(ip.kuramoto()), dpi=40).startswith(b"\x89PNG")


# --------------------------------------------------------------------------------------------------- the page


class Document(HTMLParser):
    """What a page holds; fails on tags that do not close in order."""

    VOID = frozenset({"meta", "img", "br", "hr", "link", "input"})

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text, self.titles = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)
        if self.open and self.open[-1] in ("title", "h1"):
            self.titles.append(data)


def study_of(case, title="a study", **more):
    model, phases, run, tree = case
    rates = np.real(ip.theory.growth_rates(model.interaction, modes=6))
    growth = {"mode": list(range(1, 7)), "predicted": rates.tolist(), "measured": [*(rates[:5] + 0.01), None],
              "standard_error": [0.01] * 5 + [None]}  # fmt: skip
    summary = {
        "question": "Does it <synchronize>?",
        "answer": "Yes & no: “it” depends.",
        "evidence": [
            {"kind": "experiment", "statement": "One cluster is left.", "value": 1.5e8, "proof": False},
            {"kind": "theory", "statement": "ratio < 2 & > 1", "value": 1.25, "proof": False},
            {"kind": "spectrum", "statement": "stable", "value": None, "proof": False},
        ],
        "numbers": {"last_merger": 1.5e8, "clusters": [3, 2, 1], "synchronized": True},
        "versions": {"inphase": "0.1.0", "numpy": np.__version__},
    }
    parts = {
        "model": model,
        "initial": phases,
        "run": run,
        "tree": tree,
        "growth": growth,
        "summary": summary,
        "chosen": {},
    }
    return SimpleNamespace(seed=7, title=title, graph=None, **(parts | more))


def check_stands_alone(html):
    document = Document(html)
    assert html.startswith("<!DOCTYPE html>")
    tags = [tag for tag, _ in document.tags]
    assert not {"script", "link", "iframe", "object"} & set(tags)
    for tag, attrs in document.tags:
        assert "href" not in attrs and not any(name.startswith("on") for name in attrs)
        if tag == "img":
            kind, data = attrs["src"].split(",", 1)
            assert kind == "data:image/svg+xml;base64" and attrs["alt"]
            svg = base64.b64decode(data, validate=True).decode()
            assert ElementTree.fromstring(svg).tag.endswith("svg")
            assert not re.search(r'(href|src)="(?!#|data:)', svg)
        else:
            assert "src" not in attrs
    assert not re.search(r"url\(|@import", html)
    assert not re.search(r"https?://", re.sub(r"base64,[\w+/=]+", "", html))
    assert len(html) < 3_000_000
    return document


def test_page_stands_alone_and_escapes_what_it_is_given(small):
    title = 'n = 24 <script>alert("x")</script> & more'
    html = page(study_of(small, title))
    document = check_stands_alone(html)
    assert document.titles == [title, title]
    text = " ".join(document.text)
    for phrase in ("Does it <synchronize>?", "Yes & no: “it” depends.", "ratio < 2 & > 1", "1.25", "seed 7"):
        assert phrase in text
    labels = [attrs for tag, attrs in document.tags if attrs.get("class", "").startswith("label")]
    assert len(labels) == 3 and text.count("not a proof") >= 3
    kinds = [text.index(kind) for kind in ("Theory", "Spectrum", "Experiment")]
    assert kinds == sorted(kinds)
    assert [tag for tag, _ in document.tags].count("figure") == 6
    assert "model = ip.PhaseModel(ip.attention(beta=16.0))" in text
    assert (
        'phases=parts["phases"]' in text and "inphase study" not in text
    )  # these phases are not those of the seed
    tree = small[3]
    assert f"{tree.attrs['steps']} steps" in text and "no" in text


def test_page_of_a_study_gives_the_command_that_repeats_it():
    result = ip.study(ip.PhaseModel(ip.attention(2.0)), n=30, seed=5)
    text = " ".join(check_stands_alone(page(result)).text)
    assert "inphase study attention --beta 2 --n 30 --seed 5 --out results/" in text
    assert 'ip.study(model, n=30, seed=5, out="again")' in text
    assert result.summary["answer"] in text


def test_page_of_many_oscillators(large):
    html = page(study_of(large))
    document = check_stands_alone(html)
    assert "at least 1 % of the mass" in " ".join(document.text)


def test_page_without_tree_ratio_or_growth():
    frequencies = np.array([-1.0, 0.2, 0.8])
    model = ip.PhaseModel(ip.sakaguchi(0.3), frequencies=frequencies)
    phases = np.array([0.0, 1.0, 3.0])
    case = (model, phases, ip.simulate(model, phases, 5.0), None)
    growth = {"mode": [], "predicted": [], "measured": [], "standard_error": []}
    document = check_stands_alone(page(study_of(case, growth=growth)))
    text = " ".join(document.text)
    assert "No merger tree was computed" in text and "f odd; this f is not" in text
    assert "frequencies=[-1.0, 0.2, 0.8]" in text and "inphase study" not in text
    assert [tag for tag, _ in document.tags].count("figure") == 3


@pytest.mark.parametrize(
    "model",
    [
        ip.PhaseModel(ip.attention(0.1), gain="softmax"),
        ip.PhaseModel(-ip.attention(2.0), frequencies=0.5),
        ip.PhaseModel(ip.harmonics(sin=[1, 0, 0.5], cos=[0.1])),
        ip.PhaseModel(2 * ip.kuramoto(), field=-0.25),
        ip.PhaseModel(ip.Interaction("sin(x) + a*sin(2*x)", a=0.25, name='"quoted"')),
    ],
)
def test_the_python_lines_give_the_model_back(model):
    again = eval(model_code(model, Kept()), {"ip": ip})
    before, after = model.to_dict(), again.to_dict()
    before["interaction"].pop("name"), after["interaction"].pop("name")
    assert before == after


def test_a_study_that_is_trivial_has_a_page_too():
    model = ip.PhaseModel(ip.kuramoto())
    case = (model, np.zeros(1), ip.simulate(model, [0.0], 1.0), ip.coarsen(model, [0.0], 1.0))
    assert "no two oscillators met" in page(study_of(case))


# -------------------------------------------------------------------------------------- experiments of papers


def test_fig1_states_the_attraction_range(tmp_path):
    files = reproduce("fig1", tmp_path / "new" / "folder")
    numbers = json.loads(files["json"].read_text())
    assert round(numbers["attraction_range"], 4) == 0.6749
    x = np.array(numbers["x"])
    assert numbers["f"] == pytest.approx(np.sin(x) * np.exp(2 * (np.cos(x) - 1)))
    assert numbers["proof"] is False
    assert sorted(path.name for path in files["json"].parent.iterdir()) == [
        "fig1.json",
        "fig1.png",
        "fig1.svg",
        "manifest.json",
    ]
    assert files["png"].read_bytes().startswith(b"\x89PNG")
    assert ElementTree.parse(files["svg"]).getroot().tag.endswith("svg")


def test_fig2_crosses_one_where_the_theory_says(tmp_path):
    numbers = json.loads(reproduce("fig2", tmp_path)["json"].read_text())
    assert numbers["crossings"]["pi"] == pytest.approx(-0.261561905359508151, abs=1e-10)
    assert numbers["crossings"]["two_pi"] == pytest.approx(-0.192143494159787209, abs=1e-10)
    assert numbers["limit"] == pytest.approx(1.139590766403113)
    beta, ratio = np.array(numbers["beta"]), np.array(numbers["ratio"]["two_pi"])
    crossing = np.flatnonzero((ratio[:-1] < 1) & (ratio[1:] >= 1))
    assert len(crossing) == 1 and beta[crossing[0]] < -0.1921 < beta[crossing[0] + 1]
    assert np.all(np.array(numbers["ratio"]["pi"])[beta > 0] > numbers["limit"])


def test_an_unknown_experiment_is_named_with_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"'fig1', 'fig2'.*; got 'fig3'"):
        reproduce("fig3", tmp_path)
    assert set(EXPERIMENTS) >= {"fig1", "fig2"}
    assert all(name == e.name and e.description for name, e in EXPERIMENTS.items())
