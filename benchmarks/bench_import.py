"""How long `import inphase` takes, in fresh processes."""

from __future__ import annotations

import subprocess
import sys

from benchmarks import Line, benchmark

TIMED = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


@benchmark("import")
def imports(scale: float) -> list[Line]:
    works = {"import inphase": 0.5, "import inphase; inphase.PhaseModel": None, "import numpy": None}
    times: dict[str, list[float]] = {work: [] for work in works}
    for attempt in range(11):
        for work, taken in times.items():
            command = [sys.executable, "-c", TIMED.format(work)]
            value = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            if attempt:  # the first reads the files from the disk
                taken.append(value)
    return [
        Line(
            f"`{work}`",
            times[work],
            "s",
            None if bound is None else ("<=", bound),
            "fresh process; files cached",
        )
        for work, bound in works.items()
    ]
