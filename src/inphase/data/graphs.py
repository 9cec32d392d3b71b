"""Graphs of the literature as files of their public page."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from inphase.data.cache import check_content, data_folder, download
from inphase.files import replace_file


@dataclass(frozen=True)
class Source:
    """Where a data set comes from.

    Parameters
    ----------
    url : str
        A zip archive on the public page.
    member : str
        The GML file in it.
    hashes : tuple of str
        SHA-256 of the copies of that file that are known to hold this graph.
    """

    url: str
    member: str
    hashes: tuple[str, ...]


DATASETS: dict[str, Source] = {
    # M. Newman's network data page; the second copy of the power grid has a drawing's coordinates added by
    # Gephi.
    "us_power_grid": Source(
        "https://websites.umich.edu/~mejn/netdata/power.zip",
        "power.gml",
        (
            "e46b1348bec3ab9d336c653bde30999b7671551f796dbaaaefa25d153b677512",
            "1453280e177bc64b939dc1970480ba4e6bd4c7bb7f4c539bb4649832b46496fe",
        ),
    ),
    "c_elegans_neural": Source(
        "https://websites.umich.edu/~mejn/netdata/celegansneural.zip",
        "celegansneural.gml",
        ("4b91249d384e47bdfa4d99197ffe4816b47e5ed94a234e60549849bb368238fd",),
    ),
}


def graph_file(name: str) -> Path:
    """NAME.gml in the cache, downloaded if it is not there; its SHA-256 is checked.

    Raises ValueError, OSError as `inphase.graphs.dataset`.
    """
    if name not in DATASETS:
        raise ValueError(f"name must be one of {', '.join(DATASETS)}; got {name!r}")
    source, file = DATASETS[name], data_folder() / f"{name}.gml"
    if not file.is_file():
        with (
            download(source.url, f"{source.member} at {file}", file.name) as answer,
            zipfile.ZipFile(io.BytesIO(answer.read())) as archive,
        ):
            content = archive.read(source.member)
        check_content(content, source.hashes, source.url, source.member)
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, lambda beside: beside.write_bytes(content))
    check_content(file.read_bytes(), source.hashes, str(file), source.member)
    return file
