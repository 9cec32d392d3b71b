"""What verbs print, and the exit status of what ended early."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inphase.status import Status, worst

if TYPE_CHECKING:
    from rich.console import Console

    from inphase.graphs import Graph


def shows_progress(options: argparse.Namespace) -> bool:
    """Whether someone watches."""
    return not options.no_progress and not options.json and sys.stderr.isatty()


def print_json(found: Mapping[str, Any]) -> None:
    """One JSON object; numbers that JSON cannot hold become null."""
    print(json.dumps(_finite(found), ensure_ascii=False))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value


def print_pairs(found: Mapping[str, Any], width: int) -> None:
    """A line for each key, whose values stand in a column."""
    for key, value in found.items():
        print(f"{key.replace('_', ' '):>{width}}  {value}")


def how_read(graph: Graph | None) -> dict[str, str]:
    """How the graph was read, where it is from a file."""
    return {} if graph is None or graph.source is None else {"graph": str(graph.source)}


def console() -> Console:
    """Where tables are printed, not too wide to read."""
    from rich.console import Console

    return Console(width=min(Console().width, 110))


def print_files(to: Console, files: Mapping[str, str]) -> None:
    """Where each file is."""
    from rich.text import Text

    for name, path in files.items():
        to.print(Text(f"{name:>10}  {path}", style="dim"), soft_wrap=True)


def exit_status(statuses: Iterable[str], folder: str | Path) -> int:
    """0 where the runs came to their end; else a line on standard error, and 130 (interrupted) or 3."""
    status = worst(statuses)
    if status.complete:
        return 0
    what = "interrupted" if status is Status.INTERRUPTED else f"the run ended early ({status.text})"
    print(f"inphase: {what}; what there is was written to {folder}", file=sys.stderr)
    return status.exit_code
