"""Run the benchmarks and print the table; see `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from benchmarks import BENCHMARKS, Benchmark, Line

PACKAGES = (
    "inphase",
    "numpy",
    "numba",
    "scipy",
    "finufft",
    "jax",
    "diffrax",
    "jitcode",
    "jitcdde",
    "xgi",
    "torch",
    "torchdiffeq",
)
FILES = (
    "field",
    "replicas",
    "families",
    "simulate",
    "multirate",
    "coarsen",
    "graph",
    "networks",
    "noise",
    "import",
    "hypergraph",
    "delays",
    "learn",
    "kuranet",
)
INSTALL = "not installed: pip install 'inphase[benchmark]'"
QUIET = 0.3  # busy cores


def main() -> int:
    for name in FILES:
        importlib.import_module(f"benchmarks.bench_{name}")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures inphase against its peers.",
        epilog=f"NAMES: {', '.join(BENCHMARKS)}",
    )
    parser.add_argument(
        "--only", metavar="NAME", action="append", help="only benchmarks whose name contains NAME"
    )
    parser.add_argument("--json", metavar="FILE", help="also write everything that was measured to FILE")
    parser.add_argument(
        "--small", action="store_true", help="a quick try with small sizes: the figures mean nothing"
    )
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=float,
        default=60,
        help="how long to wait, before each, for a quiet machine (60)",
    )
    parser.add_argument("--worker", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return work(BENCHMARKS[options.worker], 0.02 if options.small else 1.0)
    chosen = [
        b for b in BENCHMARKS.values() if not options.only or any(part in b.name for part in options.only)
    ]
    if not chosen:
        parser.error(f"--only {' '.join(options.only)}: no such benchmark; there are {', '.join(BENCHMARKS)}")
    report: dict[str, Any] = {"machine": machine(), "small": options.small, "benchmarks": []}
    try:
        for one in chosen:
            print(f"{one.name} ...", file=sys.stderr, flush=True)
            report["benchmarks"].append(measure(one, small=options.small, wait=options.wait))
            if options.json:
                save(report, options.json)
    except KeyboardInterrupt:
        print("interrupted: this is what there is", file=sys.stderr)
    print(table(report))
    return 1 if any(result.get("error") for result in report["benchmarks"]) else 0


def save(report: dict[str, Any], path: str) -> None:
    """Write beside and rename, after each benchmark: a killed run leaves what it had."""
    with open(f"{path}.partial", "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
    os.replace(f"{path}.partial", path)


def work(one: Benchmark, scale: float) -> int:
    """In the child process: one benchmark, its lines as JSON on the last line of standard output."""
    lines = one.run(scale)
    print(json.dumps([dataclasses.asdict(line) for line in lines]))
    return 0


def measure(one: Benchmark, *, small: bool, wait: float) -> dict[str, Any]:
    """Run one benchmark in a process of its own, when the
    machine is quiet; what others did meanwhile is recorded.
    """
    result: dict[str, Any] = {"name": one.name, "lines": []}
    if one.missing:
        return result | {"missing": one.missing}
    result["busy_before"] = wait_for_quiet(wait)
    command = [sys.executable, "-m", "benchmarks", "--worker", one.name] + ["--small"] * small
    start, ours, all_ = time.perf_counter(), _child_seconds(), _busy_seconds()
    child = subprocess.run(command, capture_output=True, text=True)
    elapsed, ours = time.perf_counter() - start, _child_seconds() - ours
    if all_ is not None:
        result["others_busy_cores"] = round(max(0.0, _busy_seconds() - all_ - ours) / elapsed, 2)
    result["seconds"] = round(elapsed, 1)
    if child.returncode:
        return result | {"error": (child.stderr.strip().splitlines() or ["no message"])[-1]}
    return result | {"lines": json.loads(child.stdout.strip().splitlines()[-1])}


# ----------------------------------------------------------------------------------------- the machine's load


def _child_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _busy_seconds() -> float | None:
    """Processor time that anyone has used since the machine
    started (steal too); None where the system does not say.
    """
    try:
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + softirq + steal) / float(os.sysconf("SC_CLK_TCK"))


def wait_for_quiet(longest: float) -> float | None:
    """Wait until fewer than QUIET cores are busy over two seconds; return how many are.

    (Not the load average: a minute after a benchmark, that is still the benchmark's own.)
    """
    deadline = time.monotonic() + longest
    while True:
        before, start = _busy_seconds(), time.perf_counter()
        if before is None:
            return None
        time.sleep(2.0 if longest else 0.2)
        busy = ((_busy_seconds() or 0.0) - before) / (time.perf_counter() - start)
        if busy < QUIET or time.monotonic() > deadline:
            return round(busy, 2)


def machine() -> dict[str, Any]:
    """CPU model, cores, system and versions."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.system(), "versions": versions}


# -------------------------------------------------------------------------------------------------- the table


def number(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def row(line: Line) -> str:
    goal, measured = "–", number(line.median, line.unit)
    if line.target is not None:
        sense, bound = line.target
        goal = f"{'≥' if sense == '>=' else '≤'} {number(bound, line.unit)}"
        measured += "" if line.met else " (missed)"
    least, largest = min(line.values), max(line.values)
    spread = "–" if len(line.values) == 1 else f"{number(least, '')} – {number(largest, line.unit)}"
    return f"| {line.work} | {goal} | {measured} | {spread} |"


def table(report: dict[str, Any]) -> str:
    """The table in Markdown, a remark for each line, and the machine."""
    rows, remarks = ["| work | to reach | measured | spread |", "| --- | --- | --- | --- |"], []
    for result in report["benchmarks"]:
        if result.get("missing"):
            rows.append(f"| {result['name']} | | {', '.join(result['missing'])} {INSTALL} | |")
        elif result.get("error"):
            rows.append(f"| {result['name']} | | failed: {result['error']} | |")
        for fields in result["lines"]:
            line = Line(**fields)
            rows.append(row(line))
            if line.remark:
                remarks.append(f"- {line.work}: {line.remark}")
        if "others_busy_cores" in result:
            remarks.append(
                f"- [{result['name']}: {result['busy_before']} cores busy before, "
                f"{result['others_busy_cores']} with other work meanwhile]"
            )
    where = report["machine"]
    versions = ", ".join(f"{name} {number_}" for name, number_ in where["versions"].items())
    heading = ["Small sizes: these figures mean nothing.", ""] if report["small"] else []
    return "\n".join(
        [*heading, *rows, "", *remarks, "", f"{where['cpu']}, {where['cores']} cores; {versions}"]
    )


if __name__ == "__main__":
    sys.exit(main())
