"""`python tests/fuzz --minutes 60`: fresh inputs of all kinds until the time is over, on two processes.

Printed, and written to OUT/fuzz.json, are the inputs by kind and outcome. Each input that fails is kept in OUT/failures with
what it did; `python tests/fuzz --again FOLDER` does it again. A process that dies, or does not come back, is a failure of its
input too; another takes its place.
"""

import argparse
import json
import multiprocessing
import os
import random as randomness
import shutil
import tempfile
import time
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")

from kinds import KINDS, OUTCOMES, PATIENCE, Fault, outcome
from worker import lost, work_through


def main():
    parser = argparse.ArgumentParser(prog="python tests/fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=None, help="default: a fresh one, which is printed")
    parser.add_argument("--out", type=Path, default=Path("fuzz-results"))
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--again", type=Path, help="a folder of OUT/failures")
    options = parser.parse_args()
    if options.again is not None:
        return again(options.again)
    seed = options.seed if options.seed is not None else randomness.SystemRandom().randrange(2**32)
    print(f"seed {seed}", flush=True)
    shutil.rmtree(options.out, ignore_errors=True)
    (options.out / "failures").mkdir(parents=True)
    watch(options, seed)
    counts = total(options)
    report = {"seed": seed, "minutes": options.minutes, "processes": options.processes, "inputs": counts}
    (options.out / "fuzz.json").write_text(json.dumps(report, indent=1))
    return show(counts)


def again(folder):
    """Do a kept input again, in a copy of its folder."""
    about = json.loads((folder / "about.json").read_text())
    with tempfile.TemporaryDirectory() as copy:
        path = shutil.copy(folder / about["file"], copy)
        try:
            print(outcome(about["kind"], Path(path)))
        except Fault as fault:
            print(fault)
            return 1
    return 0


# --------------------------------------------------------------------------------------------- processes


def watch(options, seed):
    """Keep the processes running until the time is over."""
    context = multiprocessing.get_context("spawn")
    until = time.time() + 60 * options.minutes
    begin = [0] * options.processes
    running = {}
    while time.time() < until or running:
        for k in range(options.processes):
            if k not in running and time.time() < until:
                work = (options.out, seed, k, begin[k], until, options.kinds)
                running[k] = context.Process(target=work_through, args=work, daemon=True)
                running[k].start()
        time.sleep(0.5)
        for k, process in list(running.items()):
            note = options.out / f"now-{k}.json"
            stuck = note.exists() and time.time() - note.stat().st_mtime > 2 * PATIENCE
            if stuck:
                process.kill()
                process.join()
            if not process.is_alive():
                del running[k]
                died = f"ended the process ({process.exitcode})" if process.exitcode else None
                begin[k] = lost(options.out, k, "did not come back" if stuck else died)


# ----------------------------------------------------------------------------------------------- figures


def total(options):
    """{kind: {outcome: count}} over all processes."""
    counts = {kind: dict.fromkeys((*OUTCOMES, "failed"), 0) for kind in options.kinds}
    for file in options.out.glob("counts-*.json"):
        for kind, found, count in json.loads(file.read_text()):
            counts[kind][found] += count
    return counts


def show(counts):
    """The table; 1 if something failed."""
    columns = (*OUTCOMES, "failed")
    rows = [*counts.items(), ("all", {c: sum(row[c] for row in counts.values()) for c in columns})]
    print(f"{'kind':>14}" + "".join(f"{column:>12}" for column in ("inputs", *columns)))
    for kind, row in rows:
        print(
            f"{kind:>14}"
            + "".join(f"{value:>12}" for value in (sum(row.values()), *(row[c] for c in columns)))
        )
    return int(any(row["failed"] for row in counts.values()))


if __name__ == "__main__":
    raise SystemExit(main())
