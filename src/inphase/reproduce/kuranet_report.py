"""The page of a KuraNet table: tables beside the paper's, analyses, figures, animations of what was trained.

What is drawn comes from the numbers and networks of `kuranet.table`; the analyses simulate, and for C_x in
training there is one short training with the public settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from inphase.report.paper import Measured, Motion, Part, Plate, Section, Table, Text
from inphase.reproduce.kuranet import CELLS, Extent, Found, Numbers, papers_start, untrained_of

if TYPE_CHECKING:
    from inphase.learn.training import Trained

WARNING = "This was a quick trial: fewer nodes, shorter trainings, smaller networks. Its figures are not those of the method."
SOURCE = (
    "Ricci, Jung, Zhang, Chalvidal, Soni, Serre, KuraNet: Systems of coupled oscillators that learn to synchronize, "
    "arXiv 2105.02838 (2021)"
)


def tables(numbers: Numbers) -> Iterator[Part]:
    """The table beside the paper's, every problem of a row that has several, and every start."""
    if numbers["quick"]:
        yield Text(WARNING)
    extent = numbers["extent"]
    yield Table(
        "Loss of the chosen network",
        ["", *(name for _ in CELLS for name in ("trained", "untrained"))],
        [_row(row) for row in numbers["rows"]],
        "Means over time and graphs, ± standard error over graphs where there are several; in parentheses the figures of the "
        f"paper ({SOURCE}). Data: fresh nodes, as many in a graph as in the paper's training. "
        f"Size: {extent['large']} nodes of the training set, by a low-rank operator (images: all pairs). Data and size: "
        f"{extent['large']} fresh nodes, all pairs (untrained: low rank). {extent['burn_in']} steps before the 50 that are "
        "measured. Here all oscillators move in every step, and with rows of unit norm K is divided by sqrt(n_0 n), n_0 nodes "
        "in training, so that time runs alike at all sizes; in the paper's tests of size 500 random oscillators moved in a "
        "step, and K was divided by n.",
        groups=(("Data", 2), ("Size", 2), ("Data and size", 2)),
    )
    several = [row for row in numbers["rows"] if len(row["problems"]) > 1]
    for row in several:
        yield Table(
            f"{row['title']}, one by one",
            ["", "data", "size", "data and size", "rank, size", "error of K, size"],
            [[one["problem"], *_trained(one), *_low_rank(one)] for one in row["problems"]],
            "Loss of the chosen network; the error of the low-rank K is relative, in the Frobenius norm, on rows held out.",
        )
    if several != numbers["rows"]:
        single = [row for row in numbers["rows"] if len(row["problems"]) == 1]
        yield Table(
            "Low-rank operators of the size test",
            ["", "rank", "error of K"],
            [[row["title"], *_low_rank(row["problems"][0])] for row in single],
            "Relative, in the Frobenius norm, on rows held out of the factorization.",
        )
    yield _all_starts(numbers)


def _row(row: Numbers) -> list[Any]:
    cells: list[Any] = [row["title"]]
    for cell in CELLS:
        trained, untrained = row["cells"][cell]["trained"], row["cells"][cell]["untrained"]
        cells.append(_measured(trained, published=trained["published"]))
        cells.append(_measured(untrained, published=untrained["published"], better=None))
    return cells


def _measured(cell: Numbers, **about: Any) -> Measured:
    return Measured(_rounded(cell["value"]), cell["standard_error"], **about)


def _trained(one: Numbers) -> list[Any]:
    cells = (one["cells"][cell]["trained"] for cell in CELLS)
    return [_measured(cell) for cell in cells]


def _low_rank(one: Numbers) -> list[Any]:
    size = one["cells"]["size"]["trained"]
    if size["pairs"] == "all":
        return ["all pairs", None]
    return [size["rank"], Measured(_short(size["coupling_error"]), _short(size["coupling_standard_error"]))]


def _all_starts(numbers: Numbers) -> Table:
    rows = []
    for one in (problem for row in numbers["rows"] for problem in row["problems"]):
        tests = [start["test"]["value"] for start in one["starts"]]
        shown = ", ".join(f"{value:.4f}" for value in tests)
        chosen = tests[[start["number"] for start in one["starts"]].index(one["chosen"])]
        seconds = sum(start["seconds"] for start in one["starts"])
        rows.append(
            [one["problem"], *map(_short, (chosen, np.median(tests), min(tests))), shown, round(seconds, 1)]
        )
    return Table(
        "All starts",
        ["", "chosen", "median", "best", "each", "seconds"],
        rows,
        "Loss on fresh nodes (the cell Data) of the network of every start. The chosen one has the least loss on validation "
        "graphs, which are neither training nor test nodes. Where there is a refinement, these are the networks before it.",
    )


# ------------------------------------------------------------------------------------------- global synchrony


def synchrony(trained: Mapping[str, Found], numbers: Numbers, extent: Extent) -> Iterator[Part]:
    """Training curves, V against C_x, fan-in, landscapes and an animation of Cases I to III."""
    from inphase.learn import analyses, problem
    from inphase.report import learning_figures as figures

    seed, graphs = numbers["seed"], extent.graphs
    lines, found = {}, numbers.setdefault("analyses", {})
    for name, of in trained.items():
        one = of.chosen
        assert one.problem is not None
        yield Section(f"{_title(name)}: {', '.join(one.problem.columns)}")
        yield from _courses(of, _title(name))
        over_graphs = analyses.variance_against_autocorrelation(
            one, graphs=graphs, burn_in=extent.burn_in, seed=seed
        )
        over_updates = analyses.autocorrelation_in_training(problem(name, **extent.changes), seed=seed)
        lines[name] = {"fresh graphs": over_graphs, "updates of the training": over_updates}
        found[name] = {"r_squared": {key: _line(line) for key, line in lines[name].items()}}
        yield Plate(
            figures.autocorrelation_figure(lines[name]),
            f"V against the autocorrelation of features along K, {_title(name)}",
            "C_x = Σ K_ij ⟨x_i − x̄, x_j − x̄⟩ / Σ K_ij |x_i − x̄|². Left: fresh graphs under the chosen network. Right: the "
            "updates of a training with the public settings, which is what the public code drew. Intervals: 95%, bootstrap.",
        )
        fan_in = analyses.fan_in_map(one, graphs=max(100, 2 * graphs), bins=10, seed=seed)
        peaks = analyses.fan_in_peaks(of.starts, graphs=max(100, 2 * graphs), bins=10, seed=seed)
        found[name]["fan_in_peaks"] = {
            "columns": [str(column) for column in peaks.column.values],
            "peak": peaks.peak.values.tolist(),
            "peak_error": peaks.peak_error.values.tolist(),
            "fan_in": peaks.fan_in.values.tolist(),
        }
        yield Plate(figures.fan_in_figure(fan_in), f"Mean fan-in, {_title(name)}", _peaks(peaks))
        landscape = analyses.phase_landscape(one, burn_in=extent.burn_in, seed=seed)
        yield Plate(
            figures.landscape_figure(landscape),
            f"Phase landscape, {_title(name)}",
            "The phase, relative to the mean field, at which a probe of given features ends that listens and is not heard.",
        )
        yield _circle(one, seed, f"{_title(name)}: fresh nodes from θ = 0")


def _courses(of: Found, title: str) -> Iterator[Plate]:
    """The courses of all starts, and that of the refinement."""
    from inphase.report.learning_figures import training_figure

    yield Plate(training_figure(of.starts), f"Training, {title}", "Every start, and the one that was chosen.")
    if of.chosen.chosen is not of.starts.chosen:
        yield Plate(
            training_figure(of.chosen),
            f"Refinement, {title}",
            "The last round: the chosen network, trained on after a burn-in.",
        )


def _rounded(value: float) -> float:
    """0 where rounding has left of a value what it has left of 1."""
    return 0.0 if abs(value) < 1e-12 else value


def _short(value: float) -> float:
    """Three digits; 0 below what rounding leaves of it."""
    return 0.0 if abs(value) < 1e-9 else float(f"{value:.3g}")


def _title(name: str) -> str:
    return {"case-1": "Case I", "case-2": "Case II", "case-3": "Case III"}.get(name, name)


def _line(line: Any) -> Numbers:
    return {
        key: float(line[key])
        for key in ("r_squared", "r_squared_low", "r_squared_high", "slope", "intercept")
    }


def _peaks(peaks: Any) -> str:
    columns = [str(column) for column in peaks.column.values]
    each = (
        "(" + ", ".join(f"{value:.2f} ± {error:.2f}" for value, error in zip(at, errors)) + ")"
        for at, errors in zip(peaks.peak.values, peaks.peak_error.values)
    )
    return f"Σ_j K_ij by features. Peaks in ({', '.join(columns)}), start by start: {'; '.join(each)}."


def _circle(trained: Trained, seed: int, title: str, steps: int = 120) -> Motion:
    """The motion of fresh nodes under the chosen network."""
    from inphase.report.animation import phases_animation

    times, phases, labels = course(trained, 200, steps, seed)
    caption = "Right: order parameters. Steps and initial phases as in the test."
    return Motion(phases_animation(times, phases, labels if labels.min() >= 0 else None), title, caption)


def course(trained: Trained, n: int, steps: int, seed: int) -> tuple[Any, Any, Any]:
    """(times, phases (T, n), labels) of fresh nodes."""
    from inphase.learn.evaluation import phases_after
    from inphase.learn.training import initial_phases

    task, settings = trained.problem, trained.settings
    assert task is not None
    nodes = task.draw("test", n, seed)
    first = initial_phases(papers_start(task), (n,), np.random.default_rng(seed))
    model, kept = nodes.model(trained.coupling(nodes.features), settings), np.arange(steps + 1)
    return settings.step * kept, phases_after(model, first, settings, kept), nodes.labels


# --------------------------------------------------------------------------------------------------- clusters


def clusters(trained: Mapping[str, Found], numbers: Numbers, extent: Extent) -> Iterator[Part]:
    """Controls, coupling by class, phases and an animation of each problem."""
    from inphase.learn import analyses
    from inphase.report import learning_figures as figures

    seed = numbers["seed"]
    yield _controls(numbers)
    for name, of in trained.items():
        one = of.chosen
        assert one.problem is not None
        yield Section(name)
        yield from _courses(of, name)
        nodes = one.problem.draw("test", 100, seed)
        K = one.coupling(nodes.features).matrix(100)
        couplings = {
            "trained": K,
            "block": analyses.block_coupling(nodes.labels, float(np.abs(K).max())).matrix(100),
            "untrained": untrained_of(one, seed).coupling(nodes.features).matrix(100),
        }
        shown = {kind: analyses.sorted_by_class(matrix, nodes.labels) for kind, matrix in couplings.items()}
        yield Plate(
            figures.coupling_figure(shown), f"Coupling by class, {name}", "100 fresh nodes, sorted by class."
        )
        control = analyses.block_control(one, 100, graphs=1, burn_in=extent.burn_in, seed=seed)
        ends = {
            str(kind): control.final_phase.sel(coupling=kind).values[0] for kind in control.coupling.values
        }
        yield Plate(
            figures.circle_figure(ends, control.label.values[0]),
            f"Phases by class, {name}",
            "The end states under the three couplings, from the same phases. S/S_max, the distance of "
            f"the classes from an even spread: {_splays(control)}.",
        )
        landscape = analyses.phase_landscape(one, burn_in=extent.burn_in, seed=seed)
        yield Plate(
            figures.landscape_figure(landscape),
            f"Phase landscape, {name}",
            "The phase, relative to class 0, at which a probe at a given place ends that listens and is not heard.",
        )
        yield _circle(one, seed, f"{name}: fresh nodes from phases around π")


def _splays(control: Any) -> str:
    each = (
        (str(kind), float(control.splay.sel(coupling=kind).values[0])) for kind in control.coupling.values
    )
    return ", ".join(f"{value:.3f} {kind}" for kind, value in each)


def _controls(numbers: Numbers) -> Table:
    kinds = ("trained", "block", "untrained")
    rows = []
    for one in (problem for row in numbers["rows"] for problem in row["problems"]):
        rows.append(
            [
                one["problem"],
                *(_short(one["controls"][kind][part]) for kind in kinds for part in ("within", "splay")),
            ]
        )
    return Table(
        "Controls",
        ["", *(name for _ in kinds for name in ("V in a class", "S/S_max"))],
        rows,
        "The two terms of the loss at the end of the runs: the mean circular variance of a class, and the distance S of the "
        "classes' mean phases from an even spread, over its largest value. Blocks: positive within a class, negative between, "
        "with the largest |K| of the trained network.",
        groups=tuple((kind.capitalize(), 2) for kind in kinds),
    )


# ----------------------------------------------------------------------------------------------------- images


def images(trained: Mapping[str, Found], numbers: Numbers, pictures: Mapping[str, Any]) -> Iterator[Part]:
    """Controls, segments of whole images with Dice coefficients, and one image segmenting.

    Parameters
    ----------
    trained : mapping
    numbers : dict
        With "segments" of each image, as `kuranet.segmented` gives them.
    pictures : mapping
        Of each name: image, truth, phases (T, h, w), times, found segments.
    """
    from inphase.report import learning_figures as figures
    from inphase.report.animation import segmentation_animation

    yield _controls(numbers)
    rows = []
    for name, one in numbers["segments"].items():
        digits = [_short(one[key]) for key in ("dice", "pixels_dice", "coupling_error", "loss")]
        seconds = [round(one[key], 1) for key in ("build_seconds", "steps_seconds")]
        rows.append([name, one["classes"], *digits[:2], one["rank"], *digits[2:], *seconds])
    steps = next(iter(numbers["segments"].values()))["steps"]
    mean = [_short(float(np.mean([row[k] for row in rows]))) for k in (2, 3, 6, 7, 8)]
    yield Table(
        "Segments of the whole images",
        ["", "segments", "Dice, phases", "Dice, pixels", "rank", "error of K", "loss", "build, s", f"{steps} steps, s"],
        [*rows, ["mean", None, Measured(mean[0], published=0.7001, better="higher"),
                 Measured(mean[1], published=0.3719, better=None), None, None, *mean[2:]]],
        "Symmetric best Dice with the annotator's segments: of k-means of the phases on the circle, and of k-means of the "
        "pixels' own features, colors and place. All pixels move, those of the training "
        f"({max(of.chosen.settings.samples for of in trained.values()):,} of an image) among them; K by a low-rank operator "
        "with its error on rows held out.",
    )  # fmt: skip
    for name, of in trained.items():
        picture = pictures[name]
        yield Section(f"Image {name}")
        yield Plate(
            figures.segments_figure(
                picture["image"],
                picture["truth"],
                picture["phases"][-1],
                picture["found"],
                numbers["segments"][name]["dice"],
            ),
            f"Segments, {name}",
            f"{numbers['segments'][name]['classes']} segments, from the phases of all pixels at the end of the run.",
        )
        yield from _courses(of, name)
        if name == next(iter(trained)):
            yield Motion(
                segmentation_animation(picture["image"], picture["phases"], picture["times"]),
                f"Segmenting {name}",
                "The phase of each pixel as color, from phases around π.",
            )
