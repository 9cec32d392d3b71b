"""How fast is inphase, against its peers? `python -m benchmarks [--only NAME] [--json FILE]` prints the
table.

A benchmark is a function in a file `bench_*.py` (one of `__main__.FILES`), marked with `@benchmark(name)`. It
is called with a number up to 1 that scales its sizes (1 for the table), checks that both sides give the same
answer, and returns the `Line`s of the table that it fills. Each runs in a process of its own.

The rules: ratios come from one run, interleaved (A, B, A, B, ...), one ratio per round; the table gives the
median over the rounds and, as the spread, the least and the largest. Compilation is counted for nobody.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec

BATCH = 0.02  # seconds: what is shorter is repeated, and the mean taken


@dataclass
class Line:
    """One line of the table: what was measured, once per round, and what it has to reach.

    `target` is (">=" or "<=", number), or None for a figure that is there for information.
    """

    work: str
    values: list[float]
    unit: str
    target: tuple[str, float] | None = None
    remark: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        sense, bound = self.target
        return self.median >= bound if sense == ">=" else self.median <= bound


@dataclass(frozen=True)
class Benchmark:
    name: str
    run: Callable[[float], list[Line]]
    peers: tuple[str, ...]

    @property
    def missing(self) -> list[str]:
        return [peer for peer in self.peers if find_spec(peer) is None]


BENCHMARKS: dict[str, Benchmark] = {}


def benchmark(name: str, peers: Iterable[str] = ()) -> Callable[[Callable[[float], list[Line]]], Benchmark]:
    """Enter a function into the table under `name`; `peers` are the optional packages that it needs."""

    def enter(run: Callable[[float], list[Line]]) -> Benchmark:
        BENCHMARKS[name] = Benchmark(name, run, tuple(peers))
        return BENCHMARKS[name]

    return enter


def seconds(work: Callable[[], object]) -> float:
    """The time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(rounds: int, *works: Callable[[], object]) -> list[list[float]]:
    """Seconds per call of each work, one per round, taken
    in turns, after one call of all (compilation, caches).
    """
    repeats = []
    for work in works:
        work()
        repeats.append(max(1, round(BATCH / seconds(work))))
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, count, taken in zip(works, repeats, times):
            start = time.perf_counter()
            for _ in range(count):
                work()
            taken.append((time.perf_counter() - start) / count)
    return times


def ratios(above: list[float], below: list[float]) -> list[float]:
    return [a / b for a, b in zip(above, below)]


def fastest(works: dict[str, Callable[[], object]], rounds: int = 5) -> str:
    """The name of the work with the least median time."""
    times = interleaved(rounds, *works.values())
    return min(zip(works, times), key=lambda pair: statistics.median(pair[1]))[0]


def duration(values: list[float] | float) -> str:
    """A time, or the median of several, with three digits and a unit."""
    value = values if isinstance(values, float) else statistics.median(values)
    unit, size = next((pair for pair in (("s", 1.0), ("ms", 1e-3)) if value >= pair[1]), ("µs", 1e-6))
    return f"{value / size:.3g} {unit}"


def power(value: float) -> str:
    """A number as a power of ten where it is one."""
    exponent = round(math.log10(value))
    return f"10^{exponent}" if exponent > 3 and value == 10**exponent else f"{value:g}"


def assert_close(name: str, ours: object, theirs: object, error: float) -> str:
    """Raise unless max |ours − theirs| <= error; else say how close they are."""
    import numpy as np

    distance = float(np.max(np.abs(np.asarray(ours) - np.asarray(theirs))))
    if not distance <= error:
        raise AssertionError(f"{name}: the two sides differ by {distance:.2g}, more than {error:.2g}")
    return f"agrees to {distance:.1g}"
