"""Certificate: a verdict and its evidence, as JSON that the checker re-verifies from the formula alone."""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inphase.certify import checker
from inphase.certify.family import End, Family
from inphase.files import write_text


@dataclass(frozen=True)
class Certificate:
    """What was found about a family of models.

    Attributes
    ----------
    verdict : str
        "proved": almost every start synchronizes, for every parameter in the ranges. "refuted": a stable
        state that is not synchronized is certified, or a network is in parts that hear nobody outside, so
        that almost no start synchronizes, for the parameters named in the statement. "undecided": neither.
    statement : str
        The claim in plain language.
    margin : float
        The least relative margin of the inequalities that decide; negative: the best margin where it failed.
    assumptions : tuple of str
        What the user asserts and nothing here checks.
    """

    verdict: str
    statement: str
    margin: float
    claim: dict[str, Any] = field(repr=False)
    leaves: list[dict[str, Any]] = field(repr=False)
    theorems: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The certificate as plain data: the checker verifies `claim` and `leaves`, not `information`."""
        information = {
            "theorems": list(self.theorems),
            "margin": self.margin if math.isfinite(self.margin) else None,
            "assumptions": list(self.assumptions),
            "seconds": round(self.seconds, 3),
            "versions": versions(),
        }
        return {
            "schema": checker.SCHEMA,
            "claim": self.claim,
            "leaves": self.leaves,
            "information": information,
        }

    def to_json(self) -> str:
        """The certificate as JSON text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the JSON file (beside, then renamed) and return its path."""
        return write_text(Path(path), self.to_json() + "\n")

    def verify(self) -> bool:
        """Run the independent checker on this certificate."""
        return checker.explain_text(self.to_json())[0]

    def __str__(self) -> str:
        return f"{self.verdict}: {self.statement}"


def check(path: str | os.PathLike[str]) -> bool:
    """Whether the checker verifies the certificate in a file; False if it is undecided and claims nothing.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from inphase.certify import check, synchronization
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "proof.json"
    >>> check(synchronization("attention", beta=("-0.66", "inf")).save(path))
    True
    """
    return checker.check(os.fspath(path))


def versions() -> dict[str, str]:
    """The versions of what made a certificate."""
    found = {"python": platform.python_version()}
    for name in ("inphase", "python-flint", "numpy", "scipy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found


def claim_of(
    family: Family, verdict: str, ranges: dict[str, tuple[End, End]], coupling: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The claim of a certificate; the sentence is the checker's own."""

    def ends(value: End) -> Any:
        return (
            ("inf" if value > 0 else "-inf")
            if isinstance(value, float)
            else [value.numerator, value.denominator]
        )

    model = {
        "formula": family.formula,
        "parameters": {name: [ends(lo), ends(hi)] for name, (lo, hi) in sorted(ranges.items())},
        "coupling": coupling or family.coupling,
        "gain": family.gain,
        "frequencies": 0,
        "field": 0,
    }
    claim = {"verdict": verdict, "statement": "", "model": model}
    claim["statement"] = checker.statement(claim) if verdict in ("proved", "refuted") else ""
    return claim


def least_margin(margins: Sequence[float]) -> float:
    """The least of the margins; inf if there are none."""
    return min(margins, default=math.inf)
