"""What a long experiment may be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inphase.status import Status


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
    begin : callable
        Called with how the computation ended, before the first file of the result is written: those of an
        earlier one go.
    """

    quick: bool = False
    data: Path | None = None
    seed: int = 0
    workers: int = 1
    progress: Callable[[str], object] | None = None
    begin: Callable[[Status], object] = lambda status: None
