"""Learnt couplings at large n by factors: what building and
simulating them takes, and how far they are from all pairs.
"""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np

from benchmarks import Line, benchmark, duration

PEERS = ["jax", "optax"]  # `inphase.learn` needs them


def built_and_run(
    found: Any, features: Any, frequencies: Any, phases: Any, steps: int, tolerance: float
) -> tuple[float, float, Any]:
    """(seconds to build, seconds of the Euler steps, the coupling)."""
    import inphase as ip
    from inphase.coupling.learnt.low_rank import factorize

    start = time.perf_counter()
    coupling = factorize(found.network, features, found.settings.rule, tolerance)
    built = time.perf_counter()
    model = ip.PhaseModel(ip.kuramoto(), coupling, frequencies=frequencies)
    step = found.settings.step
    run = ip.simulate(model, phases, times=[steps * step], method="euler", step=step, max_steps=steps + 1)
    if run.attrs["status"] != "finished":
        raise AssertionError(f"the run ended as {run.attrs['status']}")
    return built - start, time.perf_counter() - built, coupling


def line(
    work: str,
    found: Any,
    given: tuple[Any, Any, Any],
    steps: int,
    tolerance: float,
    target: float,
    rounds: int,
) -> Line:
    built_and_run(found, *(part[:2000] for part in given), steps=2, tolerance=tolerance)  # compile
    results = [built_and_run(found, *given, steps=steps, tolerance=tolerance) for _ in range(rounds)]
    coupling = results[0][2]
    apart = f"{duration([r[0] for r in results])} to build, {duration([r[1] for r in results])} for the steps"
    error = f"rank {coupling.rank}, error {coupling.error:.1e} ± {coupling.standard_error:.0e} on {coupling.rows} rows held out"
    note = "" if coupling.reached else f"; the tolerance {tolerance:g} was not reached"
    return Line(work, [r[0] + r[1] for r in results], "s", ("<=", target), f"{apart}; {error}{note}")


@benchmark("learnt-low-rank", peers=PEERS)
def learnt_low_rank(scale: float) -> list[Line]:
    """Case I, a network trained briefly with the public settings."""
    from inphase.learn import problem, train

    n, steps = max(2000, int(10_000 * scale)), max(20, int(1000 * scale))
    found = train(problem("case-1", samples=2000, epochs=1))
    nodes = problem("case-1").draw("test", n)
    work = f"learnt coupling of low rank, n = {n:,}, {steps} Euler steps, build included"
    return [line(work, found, (nodes.features, nodes.frequencies, np.zeros(n)), steps, 3e-3, 15, 3)]


@benchmark("learnt-image", peers=PEERS)
def learnt_image(scale: float) -> list[Line]:
    """A picture of 481 × 321 pixels in four fields, a network trained briefly on it."""
    from inphase.learn import train
    from inphase.learn.images import LabeledImage

    height, width = (321, 481) if scale == 1 else (60, 80)
    rng = np.random.default_rng(0)
    labels = (np.arange(height)[:, None] > 0.4 * height) * 2 + (np.arange(width) > 0.6 * width)
    pixels = np.array([[40, 80, 160], [200, 190, 120], [60, 120, 40], [150, 60, 50]])[labels]
    image = LabeledImage(np.clip(pixels + rng.normal(0, 15, pixels.shape), 0, 255), labels)
    found = train(image.problem(nodes=200, samples=1000, epochs=1, validation_graphs=1))
    n, steps = height * width, max(4, int(200 * scale))
    work = f"learnt coupling, image of {n:,} pixels, build and {steps} Euler steps"
    phases = rng.normal(np.pi, 1, n)
    first = line(work, found, (image.features, 0.0 * phases, phases), steps, 1e-2, 90, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # kB on Linux
    return [
        first,
        Line(f"{work}: peak memory of the process", [peak], "GB", ("<=", 4), "with JAX and the training"),
    ]
