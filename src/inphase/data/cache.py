"""The folder of downloads, and how a file comes into it: asked for once, known by its SHA-256."""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import tarfile
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SECONDS = 60  # without an answer, after which a download is given up


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


@contextmanager
def download(url: str, by_hand: str, name: str) -> Iterator[Any]:
    """The open answer of a page, to be read and unpacked within the block.

    Parameters
    ----------
    url : str
    by_hand : str
        What is wanted of it, and where it has to be put: "power.gml at /folder/us_power_grid.gml".
    name : str
        What a folder that is named by INPHASE_DATA must hold.

    Raises
    ------
    OSError
        Whatever fails within the block; the message says how to do it by hand.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "inphase"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            yield answer
    except (
        OSError,
        EOFError,
        KeyError,
        http.client.HTTPException,
        tarfile.TarError,
        zipfile.BadZipFile,
    ) as error:
        raise OSError(
            f"{url} cannot be downloaded ({error}); get it by hand, and put its {by_hand}, "
            f"or set INPHASE_DATA to a folder that holds {name}"
        ) from None


def check_content(content: bytes | None, hashes: tuple[str, ...], where: str, name: str) -> None:
    """ValueError unless the content, None where there is no file, has one of these SHA-256."""
    found = "no such file" if content is None else hashlib.sha256(content).hexdigest()
    if found not in hashes:
        raise ValueError(f"{where} must hold the known {name}, SHA-256 {hashes[0]}; got {found}")
