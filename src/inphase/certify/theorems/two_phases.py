"""Two oscillators, by hand."""

from __future__ import annotations

import math

from inphase.certify.theorem import Attempt, Box, Theorem


def _two(box: Box) -> Attempt:
    if box.family.coupling.get("n") != 2:
        return Attempt(None, reason="n is not 2")
    if box.finite and box.attracts and box.tau is not None and box.positive:
        return Attempt({}, math.inf)
    return Attempt(None, reason="f > 0 on (0, π) and f'(π) < 0 are not proved")


TWO_PHASES = Theorem(
    "two-phases",
    "Two oscillators with f > 0 on (0, π) and f'(π) < 0 synchronize from almost every start: only the antipodal pair competes.",
    ("n = 2", "f > 0 on (0, π)", "f'(π) < 0"),
    "docs/theory/criteria.md",
    _two,
    cost=0,
    couplings=("all-to-all",),
)
