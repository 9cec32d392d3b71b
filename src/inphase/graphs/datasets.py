"""Two graphs of the field, read from a folder of the user's or fetched from their public page."""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import sys
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inphase.files import replace_file
from inphase.graphs.graph import Graph
from inphase.graphs.reading import read

SECONDS = 60  # without an answer, after which a download is given up


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


def dataset(name: str) -> Graph:
    """A graph that the literature on synchronization uses.

    The file ``NAME.gml`` is looked for in the folder that the environment variable INPHASE_DATA names, or
    else in the user's cache folder; if it is not there, it is downloaded into it, once. Its SHA-256 is
    checked.

    Parameters
    ----------
    name : {"us_power_grid", "c_elegans_neural"}
        The high-voltage grid of the western United States: 4941 nodes, 6594 undirected edges, connected. The
        neural network of the worm C. elegans: 297 neurons, directed, weighted by the number of synapses
        (edges given several times are added up); a synapse u -> v means that v listens to u.

    Raises
    ------
    ValueError
        If the name is unknown, or the file is not the one that is known.
    OSError
        If the file cannot be downloaded (the message says where to put it by hand) or written.

    Notes
    -----
    D. J. Watts and S. H. Strogatz, Nature 393, 440 (1998), for both; J. G. White, E. Southgate, J. N. Thomson
    and S. Brenner, Phil. Trans. R. Soc. Lond. B 314, 1 (1986), for the worm. Compiled by M. Newman.

    Examples
    --------
    >>> from inphase import graphs
    >>> graphs.dataset("us_power_grid")  # doctest: +SKIP
    Graph('us_power_grid', 4941 nodes, 6594 undirected edges)
    """
    if name not in DATASETS:
        raise ValueError(f"name must be one of {', '.join(DATASETS)}; got {name!r}")
    source, file = DATASETS[name], data_folder() / f"{name}.gml"
    if not file.is_file():
        content = _download(source, file)
        _check(content, source, source.url)
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, lambda beside: beside.write_bytes(content))
    _check(file.read_bytes(), source, str(file))
    graph = read(file)
    order = (
        np.argsort([int(str(label)) for label in graph.labels])
        if name == "us_power_grid"
        else np.arange(graph.n)
    )
    graph = graph.subgraph(order)  # copies differ in the order of nodes
    return Graph(graph.matrix, {}, graph.labels, name)  # the drawing's coordinates are no places on a map


def data_folder() -> Path:
    """Where files are kept: INPHASE_DATA, or the platform's cache folder."""
    if os.environ.get("INPHASE_DATA"):
        return Path(os.environ["INPHASE_DATA"])
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "inphase"


def _download(source: Source, file: Path) -> bytes:
    request = urllib.request.Request(source.url, headers={"User-Agent": "inphase"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            archive = answer.read()
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return opened.read(source.member)
    except (OSError, http.client.HTTPException, zipfile.BadZipFile, KeyError) as error:
        raise OSError(
            f"{source.url} cannot be downloaded ({error}); get it by hand, and put its {source.member} at {file}, "
            f"or set INPHASE_DATA to a folder that holds {file.name}"
        ) from None


def _check(content: bytes, source: Source, where: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found not in source.hashes:
        raise ValueError(
            f"{where} must hold the known {source.member}, SHA-256 {source.hashes[0]}; got {found}"
        )
