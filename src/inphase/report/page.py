"""`page`: a study as one HTML file that needs no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.sparse import issparse

from inphase import initial, observables
from inphase.coupling import AllToAll, Coupling, Learnt, RankOne
from inphase.coupling.learnt.low_rank import LearntLowRank
from inphase.interaction import CATALOG, Interaction
from inphase.model import PhaseModel
from inphase.provenance import version
from inphase.report import figures, network_figures, style, words
from inphase.report.branches import branches, drawn_share
from inphase.report.figures import ratios
from inphase.report.html import document, fact_table, filled, formula_image, image, marked, plain, plate

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


def page(study: Study) -> str:
    """The report of a study: one HTML document with its figures inside, without scripts or external
    resources.

    Parameters
    ----------
    study : Study
        From `inphase.study`.

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
        figures="\n".join(_figures(study)),
        numbers=fact_table(
            (str(key).replace("_", " "), plain(value)) for key, value in summary["numbers"].items()
        ),
        again=_again(study),
    )
    return document(study.title, _origin(study), body, _provenance(study))


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


def _equation(model: PhaseModel) -> tuple[str, str]:
    """The right side that this model has, as LaTeX and as plain text."""
    coupling = model.coupling
    terms, plain = [], []
    if np.any(model.frequencies):
        terms.append(r"\omega_i" if model.frequencies.ndim else r"\omega")
        plain.append("ω_i" if model.frequencies.ndim else "ω")
    if np.any(model.field):
        terms.append(r"b_i\,\sin\theta_i" if model.field.ndim else r"b\,\sin\theta_i")
        plain.append("b_i sin θ_i" if model.field.ndim else "b sin θ_i")
    front, plain_front = r"\dfrac{1}{g_i(\theta)}\,", "(1/g_i(θ)) "
    if model.gain is None:
        front, plain_front = "", ""
    elif isinstance(model.gain, str):
        front, plain_front = r"\dfrac{1}{g_i}\,", "(1/g_i) "
    if isinstance(coupling, AllToAll):
        weight, plain_weight = ("c_j\\,", "c_j ") if coupling.columns is not None else ("", "")
        front = front + ("" if weight else r"\dfrac{1}{n}\,")
        plain_front = plain_front + ("" if weight else "(1/n) ")
    elif isinstance(coupling, RankOne):
        front, plain_front, weight, plain_weight = front + r"r_i\,", plain_front + "r_i ", r"c_j\,", "c_j "
    else:
        weight, plain_weight = r"K_{ij}\,", "K_ij "
    pull, plain_pull = r"f(\theta_i - \theta_j)", "f(θ_i − θ_j)"
    if model.has_delays:
        tau, plain_tau = [(r"\tau", "τ"), (r"\tau_j", "τ_j"), (r"\tau_{ij}", "τ_ij")][model.delays.ndim]
        pull, plain_pull = rf"f(\theta_i(t) - \theta_j(t - {tau}))", f"f(θ_i(t) − θ_j(t − {plain_tau}))"
    if getattr(coupling, "lags", None) is not None:
        pull, plain_pull = rf"{pull[:-1]} + \alpha_{{ij}})", f"{plain_pull[:-1]} + α_ij)"
    left, plain_left = r"\dfrac{d\theta_i}{dt}", "dθ_i/dt"
    if np.any(model.damping != 1):
        d = "d_i" if model.damping.ndim else "d"
        left, plain_left = rf"{d}\,{left}", f"{d} {plain_left}"
    if model.has_inertia:
        m = "m_i" if model.inertia.ndim else "m"
        left, plain_left = rf"{m}\,\dfrac{{d^2\theta_i}}{{dt^2}} + {left}", f"{m} d²θ_i/dt² + {plain_left}"
    noise = (r" + \sqrt{2D}\,\xi_i" if np.any(model.noise) else "") + (
        r" + \sqrt{2C}\,\xi" if np.any(model.common_noise) else ""
    )
    plain_noise = (" + √(2D) ξ_i" if np.any(model.noise) else "") + (
        " + √(2C) ξ" if np.any(model.common_noise) else ""
    )
    latex = rf"{left} = {' + '.join(terms)} - {front}\sum_{{j=1}}^{{n}}\ {weight}{pull}{noise}"
    return (
        latex,
        f"{plain_left} = {' + '.join(plain)} − {plain_front}Σ_j {plain_weight}{plain_pull}{plain_noise}",
    )


def _model(study: Study) -> str:
    model, f = study.model, study.model.interaction
    parts = [formula_image(*_equation(model))]
    parts.append(formula_image(f"f(x) = {words.formula(f)}", f"f(x) = {repr(f)[12:-1]}"))
    if model.gain == "softmax":
        weighted = getattr(model.coupling, "columns", None) is not None
        mean = r"\sum_{j=1}^{n}\ c_j\," if weighted else r"\dfrac{1}{n}\,\sum_{j=1}^{n}\ "
        latex = rf"g_i = {mean}h(\cos(\theta_i - \theta_j)),\quad f(x) = \sin x\ h(\cos x)"
        text = f"g_i = {'Σ_j c_j' if weighted else '(1/n) Σ_j'} h(cos(θ_i − θ_j)), f(x) = sin x · h(cos x)"
        parts.append(formula_image(latex, text))
    if isinstance(model.coupling, Learnt):
        parts.append(formula_image(r"K_{ij} = K_\mu(x_i, x_j)", "K_ij = K_μ(x_i, x_j)"))
    elif isinstance(model.coupling, LearntLowRank):
        parts.append(formula_image(r"K_{ij} \approx K_\mu(x_i, x_j)", "K_ij ≈ K_μ(x_i, x_j)"))
    facts = [("oscillators n", str(len(study.initial)))]
    facts += [(words.symbol(name), plain(value)) for name, value in f.parameters.items()]
    facts += _coupling_facts(model.coupling)
    if model.gain is not None:
        facts.append(("gain g", model.gain if isinstance(model.gain, str) else "a function of the phases"))
    for name, letter, unit in PARTS:
        values = getattr(model, name)
        values = values.data if issparse(values) else values
        if np.any(values != (name == "damping")):
            spread = f"mean {plain(float(values.mean()))}, standard deviation {plain(float(values.std()))}"
            facts.append(
                (
                    f"{name.replace('_', ' ')} {letter} ({unit})",
                    spread if values.ndim else plain(float(values)),
                )
            )
    return "\n".join(parts) + "\n" + fact_table(facts)


def _coupling_facts(coupling: Coupling) -> list[tuple[str, str]]:
    """The kind of a coupling; of a learnt one, what it was learnt with and how it is told from others."""
    about = coupling.to_dict()
    if isinstance(coupling, Learnt):
        network, rule = coupling.network, coupling.normalization
        sizes = " → ".join(
            str(size) for size in (2 * network.features, *network.hidden, 1 + network.has_lags)
        )
        trained = f", time as at n = {rule.trained_size}" if rule.keeps_time else ""
        return [
            ("coupling", "Learnt: a network on the features x of two nodes gives their K"),
            ("features of a node", plain(network.features)),
            ("layers of the network", f"{sizes}, {network.activation}"),
            (
                "normalization",
                f"{rule.kind}{', symmetric' * rule.symmetric}, degree {plain(rule.degree)}{trained}",
            ),
            ("precision of K", coupling.precision),
            ("network, SHA-256", about["network_sha256"]),
            ("features, SHA-256", about["features_sha256"]),
        ]
    if isinstance(coupling, LearntLowRank):
        error, spread = plain(float(f"{coupling.error:.2g}")), plain(float(f"{coupling.standard_error:.1g}"))
        return [
            (
                "coupling",
                "Learnt: a network on the features x of two nodes gives their K, here by factors of low rank",
            ),
            ("rank", plain(coupling.rank)),
            ("relative error of K", f"{error} ± {spread}, on {coupling.rows} rows held out"),
        ]
    return [("coupling", about["kind"])]


# ------------------------------------------------------------------------------------------------ the figures


def _figures(study: Study) -> Iterable[str]:
    f, run, tree = study.model.interaction, study.run, study.tree

    def shown(figure: Figure, title: str, caption: str) -> str:
        return plate(image(figure, title), title, caption)

    yield shown(figures.interaction_figure(f), "The interaction and its slope", _interaction_caption(f))
    mean_field = isinstance(study.model.coupling, RankOne)
    if not mean_field:
        pass  # the ratio is of all-to-all flows
    elif not f.odd:
        yield "<p>The synchronization ratio belongs to gradient flows, f odd; this f is not.</p>"
    elif float(f.derivative()(0.0)) <= 0:
        yield "<p>The synchronization ratio is 0: f′(0) ≤ 0, so oscillators do not attract at short distance.</p>"
    else:
        yield shown(figures.ratio_figure(f), "The synchronization ratio", _ratio_caption(study.model))
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
    if isinstance(study.model.coupling, RankOne) or run.sizes["time"] < 2:
        return
    caption = "The phase of each oscillator, as color, in the order in which they are numbered."
    yield network_figures.raster_figure(run), "Every oscillator in time", caption
    if graph is None:
        return
    placed = (
        "by the graph's own coordinates"
        if network_figures.placed_by_coordinates(graph)
        else "by their distances along edges"
    )
    text = f"Nodes are placed {placed}. Colors: the phases at the end of the run."
    yield network_figures.graph_figure(graph, run.phase.values[-1]), "The graph, colored by phase", text
    half = run.sizes["time"] // 2
    span = float(run.time[-1] - run.time[half])
    speeds = observables.effective_frequencies(run.phase.values[half], run.phase.values[-1], span)
    text = f"The mean of dθ/dt over the last {marked(span)} units of time; gray: the median."
    yield (
        network_figures.graph_figure(graph, speeds, "frequency"),
        "The graph, colored by effective frequency",
        text,
    )


def _interaction_caption(f: Interaction) -> str:
    tau = f.attraction_range
    text = (
        "f acts on θ<sub>i</sub> − θ<sub>j</sub> with a minus, so f′ &gt; 0 attracts. "
        f"f has {len(f.modes) - 1} Fourier modes above 10<sup>−15</sup> of max |f|."
    )
    if float(f.derivative()(0.0)) > 0:
        beyond = (
            f"the attraction range, |x| ≤ τ = {tau:.6g}, beyond which f′ &lt; 0" if tau < np.pi else "τ = π"
        )
        text += f" Shaded: {beyond}; a root found in floating point, to rounding (not a proof)."
    return text


def _ratio_caption(model: PhaseModel) -> str:
    two_pi, pi = ratios(model.interaction)
    here = f"{two_pi:.6g} for M = 2π" + (f" and {pi:.6g} for M = π" if np.isfinite(pi) else "")
    text = (
        "4 (1 + τ/M) f′(0) / (τ ∫|f‴|<sub>+</sub>), the L1 criterion of Polyanskiy, Rigollet and Yao (2025), Theorem 2.1: "
        "at 1 or above (shaded), almost every start of identical oscillators coupled all to all synchronizes; below 1 it "
        f"says nothing. Here it is {here}. M bounds the gaps of stable states: 2π always serves, π for "
        "f = sin x · h(cos x) with h &gt; 0. From roots of f′ and f‴ in floating point: not a proof."
    )
    if not (model.is_gradient and isinstance(model.coupling, AllToAll)):
        text += " The oscillators of this model are not identical, or not coupled all to all: the ratio is that of f alone."
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


def _from_catalog(f: Interaction) -> str | None:
    """The arguments with which the catalog gives f; None where it does not."""
    if f.name not in CATALOG:
        return None
    arguments: dict[str, Any] = dict(f.parameters)
    if f.name == "harmonics":
        orders = {part: [int(key[1:]) for key in arguments if key[0] == part[0]] for part in ("sin", "cos")}
        arguments = {
            part: [f.parameters.get(f"{part[0]}{k}", 0.0) for k in range(1, max(found) + 1)]
            for part, found in orders.items()
            if found
        }
    same = CATALOG[f.name](**arguments).to_dict() == f.to_dict()
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items()) if same else None


def _interaction_code(f: Interaction) -> str:
    arguments = _from_catalog(f)
    if arguments is not None:
        return f"ip.{f.name}({arguments})"
    if f.sine_strength is not None and not f.parameters:
        return f"{f.sine_strength!r} * ip.kuramoto()"
    numbers = "".join(f", {name}={value!r}" for name, value in f.parameters.items())
    return f"ip.Interaction({json.dumps(f.to_dict()['formula'], ensure_ascii=False)}{numbers})"


def _model_code(model: PhaseModel) -> str:
    arguments = [_interaction_code(model.interaction)]
    if isinstance(model.coupling, AllToAll):
        if model.coupling.columns is not None:
            arguments.append("ip.AllToAll(weights)")
    elif isinstance(model.coupling, RankOne):
        arguments.append("ip.RankOne(rows, columns)")
    else:
        arguments.append("coupling")
    if model.gain is not None:
        arguments.append(f'gain="{model.gain}"' if isinstance(model.gain, str) else "gain=gain")
    for name, _, _ in PARTS:
        values = getattr(model, name)
        if issparse(values) or np.any(values != (name == "damping")):
            arguments.append(f"{name}={name}" if values.ndim else f"{name}={float(values)!r}")
    return f"ip.PhaseModel({', '.join(arguments)})"


def _command(study: Study) -> str | None:
    """The command line, for an interaction of the catalog with scalar parameters and nothing else chosen."""
    f = study.model.interaction
    plain = _model_code(study.model) == f"ip.PhaseModel({_interaction_code(f)})"
    if not plain or f.name == "harmonics" or _from_catalog(f) is None or not _from_seed(study):
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


def _again(study: Study) -> str:
    """The Python lines and the command; the summary's own "python" and "command" where it has them."""
    how = f"n={len(study.initial)}" if _from_seed(study) else "phases=phases"
    python = study.summary.get("python") or (
        f'import inphase as ip\n\nmodel = {_model_code(study.model)}\nip.study(model, {how}, seed={study.seed}, out="results")'
    )
    command = study.summary.get("command") or _command(study)
    if re.search(
        r"=(frequencies|field|delays|noise|inertia|damping|gain|phases)\b|(\((weights|rows)|, coupling)\b",
        str(python),
    ):
        python = f"# the arrays of this study: the model's in study.json, the phases at time 0 in trajectory.nc\n{python}"
    text = f"<p>In Python:</p>\n<pre><code>{escape(str(python))}</code></pre>"
    if command:
        text += f"\n<p>On the command line:</p>\n<pre><code>{escape(str(command))}</code></pre>"
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
