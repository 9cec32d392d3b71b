"""A network whose every link has a delay of its own: against
jitcdde (compiled C, Bogacki-Shampine with Hermite history).
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable

import numpy as np

from benchmarks import Line, benchmark, duration, seconds

T_END, LINKS = 100.0, 10
# tolerances that give about the same error; it is measured, and ours must be no larger
OURS, THEIRS = 1e-5, 1e-4
STRENGTH = 2.0 / LINKS
STACK = 2**29  # bytes: the C function keeps an array per delay on the stack, too many for the usual 8 MB


def network(n: int, longest: float):
    """(receivers, senders, delays, frequencies, phases)
    of n oscillators with LINKS links each on the average.
    """
    rng = np.random.default_rng(0)
    receivers, senders = np.divmod(rng.choice(n * n, n * LINKS, replace=False), n)
    delays = longest * (1 - rng.random(n * LINKS))
    return receivers, senders, delays, rng.normal(0.3, 0.05, n), rng.uniform(0, 2 * np.pi, n)


def ours(n: int, longest: float) -> Callable[[float], np.ndarray]:
    """tolerance -> phases at T_END."""
    from scipy import sparse

    import inphase as ip
    from inphase.coupling.sparse import Sparse
    from inphase.simulation.delayed import delayed
    from inphase.simulation.motion import Motion

    receivers, senders, delays, frequencies, phases = network(n, longest)
    K = sparse.csr_array((np.full(len(delays), STRENGTH), (receivers, senders)), shape=(n, n))
    tau = sparse.csr_array((delays, (receivers, senders)), shape=(n, n))
    model = ip.PhaseModel(ip.kuramoto(), Sparse(K), frequencies=frequencies, delays=tau)

    def run(tolerance: float) -> np.ndarray:
        one = delayed(Motion(model, len(phases)), phases[None], T_END, tolerance)
        while one.running.any():
            one.advance()
            one.next_stage()
        return one.phases[0]

    return run


def theirs(n: int, longest: float) -> tuple[list[np.ndarray], float, float]:
    """[phases at T_END]; seconds of compilation and of the run."""
    from jitcdde import jitcdde, t, y
    from symengine import sin

    receivers, senders, delays, frequencies, phases = network(n, longest)
    heard: list[list[int]] = [[] for _ in range(n)]
    for e, i in enumerate(receivers):
        heard[i].append(e)

    def rows():
        for i in range(n):
            pull = sum(sin(y(i) - y(int(senders[e]), t - float(delays[e]))) for e in heard[i])
            yield float(frequencies[i]) - STRENGTH * pull

    dde = jitcdde(rows, n=n, max_delay=longest, verbose=False)
    compilation = seconds(lambda: dde.compile_C(simplify=False, do_cse=False, chunk_size=100, verbose=False))
    dde.set_integration_parameters(
        rtol=0.0, atol=THEIRS, pws_rtol=0.0, pws_atol=0.1 * THEIRS, first_step=1e-3
    )
    dde.add_past_point(-longest, phases - longest * frequencies, frequencies)
    dde.add_past_point(0.0, phases, frequencies)
    dde.initial_discontinuities_handled = True  # by the control of the error, as ours
    found: list[np.ndarray] = []
    return found, compilation, seconds(lambda: found.append(dde.integrate(T_END)))


def in_a_deep_thread(work: Callable[[], object]) -> object:
    """work() with a large stack, in an empty folder (setuptools
    reads the project file of the folder it is called in).
    """
    answer: list[object] = []
    before, usual = os.getcwd(), threading.stack_size(STACK)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            thread = threading.Thread(target=lambda: answer.append(work()))
            thread.start()
            thread.join()
        finally:
            os.chdir(before)
            threading.stack_size(usual)
    return answer[0]


@benchmark("delays", peers=("jitcdde", "symengine"))
def delays(scale: float) -> list[Line]:
    n, lines = max(20, int(1000 * scale)), []
    title = f"delayed network, n = {n}, {n * LINKS} links, T = {T_END:g}"
    for longest in (1.0, 5.0):
        run = ours(n, longest)
        run(1e-2)  # compilation
        exact = run(1e-9)
        times = [seconds(lambda: run(OURS)) for _ in range(3)]  # noqa: B023
        error = np.max(np.abs(run(OURS) - exact))
        tight = [seconds(lambda: run(1e-7))]  # noqa: B023
        remark = f"tolerance {OURS:g}, error {error:.1g} (against a run with 1e-9); with tolerance 1e-7, {duration(tight)}"
        lines.append(Line(f"{title}, delays in (0, {longest:g}]", times, "s", ("<=", 30.0), remark))
        if longest == 1.0:
            answer, compilation, taken = in_a_deep_thread(lambda: theirs(n, 1.0))  # type: ignore[misc]
            far = np.max(np.abs(answer[0] - exact))
            assert error <= far < 0.1, f"errors: ours {error:.2g}, jitcdde's {far:.2g}"
            remark = f"jitcdde: {compilation:.3g} s compilation, {taken:.3g} s run, error {far:.1g}; inphase: error {error:.1g}"
            ratios = [(compilation + taken) / one for one in times]
            lines.append(
                Line(f"{title}: jitcdde's compilation and run, over ours", ratios, "", (">=", 10.0), remark)
            )
            lines.append(Line(f"{title}: jitcdde's run alone, over ours", [taken / one for one in times], ""))
    return lines
