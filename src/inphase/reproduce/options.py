"""What a long experiment may be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What a long experiment may be told; figures need none of it.

    Parameters
    ----------
    quick : bool
        A trial of a few minutes, whose figures are not those of the method.
    data : path, optional
        The folder of a data set that is not generated.
    seed : int
    workers : int
        Processes.
    progress : callable, optional
        Called with lines of text.
    """

    quick: bool = False
    data: Path | None = None
    seed: int = 0
    workers: int = 1
    progress: Callable[[str], object] | None = None
