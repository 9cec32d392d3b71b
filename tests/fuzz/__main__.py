"""`python tests/fuzz --minutes 60`: fresh inputs of all kinds until the time is over, on two processes.

Printed, and written to OUT/fuzz.json, are the inputs by kind and outcome. Each input that fails is kept in OUT/failures with
what it did; `python tests/fuzz --again FOLDER` does it again. A process that dies, or does not come back, is a failure of its
input too; another takes its place.
"""

import argparse
import collections
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

SHARES = {"command": 8, "graph": 4, "model.toml": 3}  # of inputs; others 1
KEPT = 3  # inputs of failures that look the same


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
                if process.exitcode != 0:
                    how = "did not come back" if stuck else f"ended the process ({process.exitcode})"
                    begin[k] = lost(options.out, k, how)


def work_through(out, seed, k, begin, until, kinds):
    """Inputs `begin`, `begin` + 1, ... of process k, each drawn from (seed, k, number) alone."""
    counts = collections.Counter()
    shares = [SHARES.get(kind, 1) for kind in kinds]
    number, saved = begin, 0.0
    while time.time() < until:
        random = randomness.Random(f"{seed}/{k}/{number}")
        kind = random.choices(kinds, shares)[0]
        name, content = KINDS[kind].draw(random)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(content)
            note = {"kind": kind, "file": name, "number": number, "content": content.decode("latin-1")}
            (out / f"now-{k}.json").write_text(json.dumps(note))
            try:
                found = outcome(kind, path)
            except Fault as fault:
                found = "failed"
                keep(out, note, str(fault))
        counts[kind, found] += 1
        number += 1
        if time.time() - saved > 2:
            saved = time.time()
            write_counts(out, k, begin, counts)
    write_counts(out, k, begin, counts)


def write_counts(out, k, begin, counts):
    rows = [[kind, found, count] for (kind, found), count in counts.items()]
    (out / f"counts-{k}-{begin}.json").write_text(json.dumps(rows))


def lost(out, k, how):
    """Keep the input at which a process ended; the number of the next one."""
    note = json.loads((out / f"now-{k}.json").read_text())
    keep(out, note, f"{how}\n")
    (out / f"counts-{k}-lost-{note['number']}.json").write_text(json.dumps([[note["kind"], "failed", 1]]))
    return note["number"] + 1


def keep(out, note, told):
    """A folder with the input and what it did, unless there are some that look the same."""
    lines = told.rstrip().splitlines()
    places = [line.strip() for line in lines if line.startswith('  File "') and "tests/fuzz" not in line]
    same = f"{note['kind']}: {places[-1] if places else ''} {lines[-1] if lines else ''}"[:300]
    known = [json.loads(file.read_text())["same"] for file in (out / "failures").glob("*/about.json")]
    if known.count(same) >= KEPT:
        return
    folder = Path(tempfile.mkdtemp(prefix=f"{note['kind']}-", dir=out / "failures"))
    (folder / note["file"]).write_bytes(note["content"].encode("latin-1"))
    about = {
        "kind": note["kind"],
        "file": note["file"],
        "same": same,
        "again": f"python tests/fuzz --again {folder}",
    }
    (folder / "told.txt").write_text(told)
    (folder / "about.json").write_text(json.dumps(about, indent=1))


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
