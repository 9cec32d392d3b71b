"""A recorded formula at all phase differences of few particles: relative accuracy, however small f is."""

from __future__ import annotations

import numpy as np

from inphase.kernels import tape


def differences(phases, program, sources=None):
    """(results, n, n): the tape's results at θ_i − φ_j, phases and sources (n,); φ = θ without sources."""
    gaps = (phases[:, None] - (phases if sources is None else sources)[None, :]).ravel()
    out = np.empty((program.outputs.size, gaps.size))
    tape.run(program.code, program.constants, program.outputs, gaps, out)
    return out.reshape(-1, phases.size, phases.size)
