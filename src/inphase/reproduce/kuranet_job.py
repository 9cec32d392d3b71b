"""The experiments `kuranet-table1`, `kuranet-table2`, `kuranet-images`: train, measure, draw, write the page.

FOLDER/NAME.html, NAME.json and NAME-figures/ (each figure as PNG and SVG); FOLDER/trainings/ keeps
checkpoints and measurements, from which a run that was killed goes on, and which the tables share.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from inphase.files import output_folder, replace_file, write_text
from inphase.report.paper import Motion, Part, Plate, paper
from inphase.report.style import png, svg
from inphase.reproduce import kuranet, kuranet_report
from inphase.status import worst
from inphase.version import version

if TYPE_CHECKING:
    from inphase.reproduce.options import Options

ROWS = {
    "kuranet-table1": kuranet.TABLE_1,
    "kuranet-table2": kuranet.TABLE_2,
    "kuranet-images": kuranet.NINE_IMAGES,
}


def carry_out(name: str, description: str, folder: Path, options: Options) -> dict[str, Path]:
    """Train what is not trained yet, measure, draw, write; returns the files.

    Raises ImportError where `inphase[learn]` is not installed.
    """

    rows = ROWS[name]
    if name == "kuranet-images" and options.data is None:
        raise ValueError("kuranet-images needs --data FOLDER: BSDS500, with images/ and groundTruth/ in it")
    began = time.perf_counter()
    extent = kuranet.QUICK if options.quick else kuranet.FULL
    trainings = output_folder(folder / ("trainings-quick" if options.quick else "trainings"))
    numbers, found = kuranet.table(
        rows,
        trainings,
        extent=extent,
        data=options.data,
        seed=options.seed,
        workers=options.workers,
        progress=options.progress,
    )
    parts = list(kuranet_report.tables(numbers))
    if name == "kuranet-table1":
        parts += kuranet_report.synchrony(found, numbers, extent)
    elif name == "kuranet-table2":
        parts += kuranet_report.clusters(found, numbers, extent)
    else:
        assert options.data is not None
        segmented = {}
        for one, of in found.items():
            segmented[one] = kuranet.segmented(of.chosen, options.data, seed=options.seed)
            if options.progress is not None:
                told = segmented[one][0]
                seconds = told["build_seconds"] + told["steps_seconds"]
                options.progress(f"{one}: Dice {told['dice']:.3f}, rank {told['rank']} ({seconds:.0f} s)")
        numbers["segments"] = {one: told for one, (told, _) in segmented.items()}
        parts += kuranet_report.images(
            found, numbers, {one: picture for one, (_, picture) in segmented.items()}
        )
    numbers = {"name": name, "description": description, "proof": False} | numbers
    about = {
        "inphase": version(),
        "source of the published figures": kuranet_report.SOURCE,
        "seed": options.seed,
        "quick": options.quick,
        "seconds": round(time.perf_counter() - began, 1),
        "settings beside the public ones": {
            row.title: json.dumps([row.settings, *row.refined]) for row in rows
        },
    }
    title = description.partition("] ")[2]
    page = paper(
        title[:1].upper() + title[1:],
        "KuraNet, trained and measured by inphase. Computed: not a proof.",
        parts,
        about,
    )
    options.begin(worst(start.status for one in found.values() for start in one.starts.starts))
    return {
        "html": write_text(folder / f"{name}.html", page),
        "json": write_text(folder / f"{name}.json", json.dumps(numbers, indent=1, ensure_ascii=False) + "\n"),
        "figures": _figures(output_folder(folder / f"{name}-figures"), parts),
    }


def _figures(folder: Path, parts: Sequence[Part]) -> Path:
    """Each plate as PNG and SVG, each animation as WebP."""
    for part in parts:
        if isinstance(part, (Plate, Motion)):
            stem = re.sub(r"[^a-z0-9]+", "-", part.title.lower()).strip("-")
            if isinstance(part, Plate):
                files = {".png": png(part.figure), ".svg": svg(part.figure)}
            else:
                files = {".webp": part.animation}
            for suffix, content in files.items():
                replace_file(folder / (stem + suffix), partial(Path.write_bytes, data=content))
    return folder
