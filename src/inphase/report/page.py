"""`page`: a study as one HTML file that needs no other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.sparse import issparse

from inphase import initial, observables
from inphase.description import Kept, catalog_arguments, equation, interaction_code, model_code, script
from inphase.interaction import Interaction
from inphase.model import PhaseModel
from inphase.report import figures, network_figures, style, words
from inphase.report.branches import branches, drawn_share
from inphase.report.figures import ratios
from inphase.report.html import document, fact_table, filled, formula_image, image, marked, plain, plate
from inphase.version import version

if TYPE_CHECKING:
    import xarray as xr

    from inphase.graphs import Graph

KINDS = ("proof", "theory", "spectrum", "experiment")


class Study(Protocol):
    """What the page needs of a study: the attributes of `inphase.studies.Study`."""

    @property
    def model(self) -> PhaseModel: ...  # noqa: D102
    @property
    def initial(self) -> NDArray[np.float64]: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def graph(self) -> Graph | None: ...  # noqa: D102
    @property
    def run(self) -> xr.Dataset: ...  # noqa: D102
    @property
    def tree(self) -> xr.Dataset | None: ...  # noqa: D102
    @property
    def growth(self) -> Mapping[str, Sequence[Any]]: ...  # noqa: D102
    @property
    def summary(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def chosen(self) -> Mapping[str, Any]: ...  # noqa: D102


def page(study: Study, drawn: str | None = None) -> str:
    """The report of a study: one HTML document, figures inside, without scripts or external resources.

    Parameters
    ----------
    study : Study
        From `inphase.study`.
    drawn : str, optional
        Its `plates`, where they have been drawn before.

    Returns
    -------
    str
        HTML; everything that comes from the study is escaped.
    """
    summary = study.summary
    body = filled(
        "study.html",
        question=escape(str(summary["question"])),
        answer=escape(str(summary["answer"])),
        evidence=_evidence(summary["evidence"]),
        model=_model(study),
        figures=plates(study) if drawn is None else drawn,
        numbers=fact_table(
            (str(key).replace("_", " "), plain(value)) for key, value in summary["numbers"].items()
        ),
        again=_again(study),
    )
    return document(study.title, _origin(study), body, _provenance(study))


def plates(study: Study) -> str:
    """The figures of a report, as HTML; they do not depend on its summary."""
    return "\n".join(_figures(study))


def _origin(study: Study) -> str:
    n = len(np.atleast_1d(study.initial))
    return (
        f"{n} oscillator{'s' if n != 1 else ''}, seed {escape(str(study.seed))}, inphase {escape(version())}"
    )


def _evidence(items: Iterable[Mapping[str, Any]]) -> str:
    def rank(item: Mapping[str, Any]) -> int:
        return KINDS.index(item["kind"]) if item["kind"] in KINDS else len(KINDS)

    rows, before = [], None
    for item in sorted(items, key=rank):
        kind = str(item["kind"])
        label = (
            '<span class="label proved">proof</span>'
            if item.get("proof")
            else '<span class="label">not a proof</span>'
        )
        value = "" if item.get("value") is None else marked(item["value"])
        head = escape(kind.capitalize()) if kind != before else ""
        rows.append(
            f'<tr><th scope="row">{head}</th><td>{marked(str(item["statement"]))}</td>'
            f'<td class="number">{value}</td><td>{label}</td></tr>'
        )
        before = kind
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Kind", "Statement", "Value", "Standing"))
    return (
        f'<table class="evidence"><thead><tr>{head}</tr></thead><tbody>\n'
        + "\n".join(rows)
        + "\n</tbody></table>"
    )


# -------------------------------------------------------------------------------------------------- the model


PARTS = (
    ("frequencies", "ω", "rad/time"),
    ("field", "b", "rad/time"),
    ("delays", "τ", "time"),
    ("noise", "D", "rad²/time"),
    ("common_noise", "C", "rad²/time"),
    ("inertia", "m", "time² of the coupling"),
    ("damping", "d", "time of the coupling"),
)


def _model(study: Study) -> str:
    model, f = study.model, study.model.interaction
    parts = [formula_image(*equation(model))]
    parts.append(formula_image(f"f(x) = {words.formula(f)}", f"f(x) = {repr(f)[12:-1]}"))
    divisor = model.g.equation(model.coupling, model.delays.ndim if model.has_delays else None)
    if divisor is not None:
        parts.append(formula_image(*divisor))
    driven = [] if model.drive is None else model.drive.equations()
    parts += [formula_image(*part) for part in driven]
    learnt = model.coupling.source()
    if learnt is not None:
        parts.append(formula_image(*learnt))
    facts = [("oscillators n", str(len(study.initial)))]
    facts += [(words.symbol(name), plain(value)) for name, value in f.parameters.items()]
    joined = getattr(getattr(study, "graph", None), "source", None)  # which knows of the tables, too
    facts += [row for row in model.coupling.about() if row[0] != "graph" or joined is None]
    facts += [("graph", str(joined))] if joined is not None else []
    if model.g.kind != "one":
        facts.append(("gain g", model.g.text()))
    for name, values in ({} if model.drive is None else model.drive.parameters).items():
        facts.append((f"{words.symbol(name)} of the drive", _spread(values)))
    for name, letter, unit in PARTS:
        values = getattr(model, name)
        values = values.data if issparse(values) else values
        if np.any(values != (name == "damping")):
            facts.append((f"{name.replace('_', ' ')} {letter} ({unit})", _spread(values)))
    return "\n".join(parts) + "\n" + fact_table(facts)


def _spread(values: NDArray[Any]) -> str:
    """A number, or the mean and the standard deviation of many."""
    spread = f"mean {plain(float(values.mean()))}, standard deviation {plain(float(values.std()))}"
    return spread if values.ndim else plain(float(values))


# ------------------------------------------------------------------------------------------------ the figures


def _figures(study: Study) -> Iterable[str]:
    f, run, tree = study.model.interaction, study.run, study.tree

    def shown(figure: Figure, title: str, caption: str) -> str:
        return plate(image(figure, title), title, caption)

    yield shown(figures.interaction_figure(f), "The interaction and its slope", _interaction_caption(f))
    known = study.model.coupling.facts(len(study.initial))
    mean_field = known.field and known.pairs
    if not mean_field:
        pass  # the ratio is of all-to-all flows
    elif not f.odd:
        yield "<p>The synchronization ratio belongs to gradient flows, f odd; this f is not.</p>"
    elif float(f.derivative()(0.0)) <= 0:
        yield "<p>The synchronization ratio is 0: f′(0) ≤ 0, so oscillators do not attract at short distance.</p>"
    else:
        yield shown(
            figures.ratio_figure(f), "The synchronization ratio", _ratio_caption(study.model, known.common)
        )
    if run.sizes["time"]:
        yield shown(figures.trajectory_figure(run), "Phases and order parameter in time", _run_caption(run))
        yield shown(
            figures.phase_circle_figure(run),
            "The circle at the start and at the end of the run",
            "The arrow is the order parameter R, the mean of e<sup>iθ</sup>"
            + (
                "."
                if run.sizes["oscillator"] <= style.LINES_UP_TO
                else "; the rim is the density of phases, on a logarithmic scale."
            ),
        )
        yield from (shown(*parts) for parts in _network_figures(study))
    else:
        yield "<p>The run kept no time: there is nothing to draw.</p>"
    if len(study.growth.get("mode") or []):
        yield shown(
            figures.growth_figure(study.growth),
            "Growth rates of the uniform state",
            _growth_caption(study.growth),
        )
    if tree is None and mean_field:
        yield "<p>No merger tree was computed: it needs identical oscillators that attract, coupled all to all.</p>"
    elif tree is None:
        return
    elif tree.sizes["event"] == 0:
        yield f"<p>No merger tree: no two oscillators met until time {marked(float(tree.attrs['time_reached']))}.</p>"
    else:
        yield shown(figures.tree_figure(tree, study.initial), "The merger tree", _tree_caption(tree))


def _network_figures(study: Study) -> Iterable[tuple[Figure, str, str]]:
    """For couplings in which an oscillator's place matters: the raster, and the graph where there is one."""
    run, graph = study.run, study.graph
    if study.model.coupling.facts(len(study.initial)).field or run.sizes["time"] < 2:
        return
    caption = "The phase of each oscillator, as color, in the order in which they are numbered."
    every = network_figures.raster_step(run.sizes["oscillator"])
    if every > 1:
        caption += f" One of every {every} is drawn ({marked(100 / every)}%)."
    yield network_figures.raster_figure(run), "Every oscillator in time", caption
    if graph is None:
        return
    placed = (
        "by the graph's own coordinates"
        if network_figures.placed_by_coordinates(graph)
        else "by their distances along edges"
    )
    part, places = _part_drawn(graph), network_figures.layout(graph)
    text = f"Nodes are placed {placed}. Colors: the phases at the end of the run.{part}"
    figure = network_figures.graph_figure(graph, run.phase.values[-1], places=places)
    yield figure, "The graph, colored by phase", text
    half = run.sizes["time"] // 2
    span = float(run.time[-1] - run.time[half])
    speeds = observables.effective_frequencies(run.phase.values[half], run.phase.values[-1], span)
    text = f"The mean of dθ/dt over the last {marked(span)} units of time; gray: the median.{part}"
    yield (
        network_figures.graph_figure(graph, speeds, "frequency", places),
        "The graph, colored by effective frequency",
        text,
    )


def _part_drawn(graph: Graph) -> str:
    """What share of a graph is drawn, where that is not all."""
    nodes, pairs, total = network_figures.drawn_parts(graph)
    shares = [
        f"{marked(100 * len(drawn) / count)}% of the {count} {name}"
        for drawn, count, name in ((nodes, graph.n, "nodes"), (pairs, total, "edges"))
        if len(drawn) < count
    ]
    return f" Drawn are {' and '.join(shares)}, chosen at random." if shares else ""


def _interaction_caption(f: Interaction) -> str:
    tau, modes = f.attraction_range, len(f.modes) - 1
    text = (
        "f acts on θ<sub>i</sub> − θ<sub>j</sub> with a minus, so f′ &gt; 0 attracts. "
        f"f has {modes} Fourier mode{'s' * (modes != 1)} above 10<sup>−15</sup> of max |f|."
    )
    if float(f.derivative()(0.0)) > 0:
        beyond = (
            f"the attraction range, |x| ≤ τ = {tau:.6g}, beyond which f′ &lt; 0" if tau < np.pi else "τ = π"
        )
        text += f" Shaded: {beyond}; a root found in floating point, to rounding (not a proof)."
    return text


def _ratio_caption(model: PhaseModel, common: bool) -> str:
    two_pi, pi = ratios(model.interaction)
    here = f"{two_pi:.6g} for M = 2π" + (f" and {pi:.6g} for M = π" if np.isfinite(pi) else "")
    text = (
        "4 (1 + τ/M) f′(0) / (τ ∫|f‴|<sub>+</sub>), the L1 criterion of Polyanskiy, Rigollet and Yao (2025), Theorem 2.1: "
        "at 1 or above (shaded), almost every start of identical oscillators coupled all to all synchronizes; below 1 it "
        f"says nothing. Here it is {here}. M bounds the gaps of stable states: 2π always serves, π for "
        "f = sin x · h(cos x) with h &gt; 0. From roots of f′ and f‴ in floating point: not a proof."
    )
    if not (model.is_gradient and common):
        text += " This model is no gradient flow of oscillators that all hear the same: the ratio is that of f alone."
    return text


def _run_caption(run: xr.Dataset) -> str:
    attrs, time, n = run.attrs, run.time.values, run.sizes["oscillator"]
    few = n <= style.LINES_UP_TO
    what = (
        f"{n} phases as lines"
        if few
        else f"The density of {n} phases (uniform = 1), on a logarithmic color scale"
    )
    return (
        f"{what}, at {len(time)} times up to {marked(float(time[-1]))}; below, |R| = |mean of e<sup>iθ</sup>|, at the end "
        f"{float(run.order_parameter[-1]):.6g}. {_steps(attrs)}, {attrs['accepted_steps']} steps accepted and "
        f"{attrs['rejected_steps']} rejected; {escape(str(attrs['status']))}."
    )


def _steps(attrs: Mapping[str, Any]) -> str:
    method = escape(str(attrs["method"]))
    if "tolerance" not in attrs:
        return f"{method}, constant steps of {marked(float(attrs['step']))}"
    return f"{method}, local error of each phase per step at most {marked(float(attrs['tolerance']))} rad"


def _growth_caption(growth: Mapping[str, Any]) -> str:
    text = (
        "Bars: the growth rate of the k-th order parameter, |mean of e<sup>ikθ</sup>|, near the uniform state, from the "
        "linearized continuity equation (exact to rounding for infinitely many oscillators)."
    )
    measured, errors = growth.get("measured") or [], growth.get("standard_error") or []
    pairs = [
        (abs(m - p), s)
        for p, m, s in zip(growth["predicted"], measured, errors)
        if m is not None and s is not None
    ]
    if not pairs:
        return text + " The run gave none to compare with."
    difference, error = (marked(float(f"{value:.2g}")) for value in max(pairs))
    return text + (
        " Points: the slope of its logarithm early in the run, with the standard error of the fit, for "
        f"{len(pairs)} mode{'s' if len(pairs) != 1 else ''}; largest difference {difference}, with standard error {error}."
    )


def _tree_caption(tree: xr.Dataset) -> str:
    attrs, share = tree.attrs, drawn_share(tree)
    left = int(attrs["clusters_left"])
    which = (
        f"with at least {100 * share:g} % of the mass ({len(branches(tree))} over time)"
        if share
        else "of any mass"
    )
    return (
        f"Each line is a cluster {which}, wider the heavier; lines that meet merge. Below, the number of all clusters. The "
        f"last merger is at time {marked(float(tree.time[-1]))}; {left} cluster{'s' if left != 1 else ''} left at time "
        f"{marked(float(attrs['time_reached']))} ({escape(str(attrs['status']))}). {_steps(attrs)}, {attrs['steps']} steps; "
        f"clusters closer than {marked(float(attrs['merge_distance']))} rad become one."
    )


# ----------------------------------------------------------------------------- how to get it, what it is from


def _command(study: Study) -> str | None:
    """The command line, for an interaction of the catalog with scalar parameters and nothing else chosen."""
    f = study.model.interaction
    plain = model_code(study.model, Kept()) == f"ip.PhaseModel({interaction_code(f)})" and not study.chosen
    if not plain or f.name == "harmonics" or catalog_arguments(f) is None or not _from_seed(study):
        return None
    numbers = {name: repr(value).removesuffix(".0") for name, value in f.parameters.items()}
    options = [
        f"--{name}={value}" if value.startswith("-") else f"--{name} {value}"
        for name, value in numbers.items()
    ]
    n = len(study.initial)
    return " ".join(["inphase study", f.name, *options, f"--n {n} --seed {study.seed} --out results/"])


def _from_seed(study: Study) -> bool:
    """Whether the phases are those that the seed alone gives."""
    return np.array_equal(study.initial, initial.phases("uniform", len(study.initial), study.seed))


def again(study: Study) -> tuple[str, Kept]:
    """The Python script that repeats a study, and the numbers that it reads from `inphase.description.FILE`."""
    keep = Kept()
    model = model_code(study.model, keep)
    first = f"n={len(study.initial)}" if _from_seed(study) else f"phases={keep('phases', study.initial)}"
    chosen = "".join(f", {name}={keep.argument(name, value)}" for name, value in study.chosen.items())
    lines = [f"model = {model}", f'ip.study(model, {first}, seed={study.seed}{chosen}, out="again")']
    return script(lines, keep), keep


def _again(study: Study) -> str:
    """The Python lines and the command."""
    text = f"<p>In Python:</p>\n<pre><code>{escape(again(study)[0])}</code></pre>"
    command = _command(study)
    if command:
        text += f"\n<p>On the command line:</p>\n<pre><code>{escape(command)}</code></pre>"
    return text


def _provenance(study: Study) -> str:
    pairs = [("seed", str(study.seed))]
    pairs += [(f"version of {name}", str(value)) for name, value in study.summary["versions"].items()]
    for what, data in (("simulation", study.run), ("merger tree", study.tree)):
        if data is not None:
            for key in ("method", "tolerance", "step", "merge_distance", "status", "wall_time_seconds"):
                if key in data.attrs:
                    pairs.append((f"{what}: {key.replace('_', ' ')}", plain(data.attrs[key])))
    return fact_table(pairs)
