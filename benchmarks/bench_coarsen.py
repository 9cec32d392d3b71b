"""Metastability to the end: seconds, and memory."""

from __future__ import annotations

import resource
import sys

from benchmarks import Line, benchmark, interleaved, power, seconds


def peak_gigabytes() -> float:
    """The largest memory that this process has had (Linux counts kilobytes, macOS bytes)."""
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9
    )


@benchmark("coarsen-few")
def few(scale: float) -> list[Line]:
    import inphase as ip

    n, beta, t_end = 64, 36.0, 1e14
    model = ip.PhaseModel(ip.attention(beta))
    phases = ip.initial.phases("uniform", n, seed=0)
    tree = ip.coarsen(model, phases, t_end=t_end)
    assert tree.attrs["status"] in ("synchronized", "finished"), tree.attrs["status"]
    (times,) = interleaved(10, lambda: ip.coarsen(model, phases, t_end=t_end))
    remark = f"{tree.attrs['steps']} steps, {tree.attrs['clusters_left']} clusters left"
    return [Line(f"coarsen, n = {n}, β = {beta:g}, to t = {power(t_end)}", times, "s", ("<=", 0.5), remark)]


@benchmark("coarsen-many")
def many(scale: float) -> list[Line]:
    import inphase as ip

    n, beta, t_end = int(1e6 * scale), 16.0, 1e12
    model = ip.PhaseModel(ip.attention(beta))
    ip.coarsen(model, ip.initial.phases("uniform", 20_000, seed=1), t_end=1e3)  # compiles
    phases = ip.initial.phases("uniform", n, seed=0)
    trees = []
    times = [seconds(lambda: trees.append(ip.coarsen(model, phases, t_end=t_end))) for _ in range(2)]
    attrs = trees[0].attrs
    assert attrs["status"] in ("synchronized", "finished"), attrs["status"]
    work = f"coarsen, n = {power(n)}, β = {beta:g}, to t = {power(t_end)}"
    remark = f"{attrs['steps']} steps, {attrs['clusters_left']} clusters left"
    return [
        Line(work, times, "s", ("<=", 60), remark),
        Line(f"{work}: peak memory of the process", [peak_gigabytes()], "GB", ("<=", 1)),
    ]
