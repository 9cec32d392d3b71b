"""The processes of `python tests/fuzz`: each draws its inputs from the seed and their number alone, and notes them first."""

import collections
import json
import random as randomness
import tempfile
import time
from pathlib import Path

from kinds import KINDS, Fault, outcome, warm

from inphase.signals import follow

SHARES = {"command": 8, "graph": 4, "model.toml": 3}  # of inputs; others 1
KEPT = 3  # inputs of failures that look the same


def work_through(out, seed, k, begin, until, kinds):
    """Inputs `begin`, `begin` + 1, ... of process k, each drawn from (seed, k, number) alone.

    It ends at one that takes too long, since what was stopped, a compilation say, may have left things half done.
    """
    follow()
    (out / f"now-{k}.json").write_text(json.dumps({"number": begin - 1}))
    with tempfile.TemporaryDirectory() as folder:
        warm(Path(folder))
    counts = collections.Counter()
    shares = [SHARES.get(kind, 1) for kind in kinds]
    number, saved = begin, 0.0
    again = True
    while time.time() < until and again:
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
                again = "TooLong" not in str(fault)
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
    """Keep the input at which a process ended, if it is lost; the number of the next one."""
    note = json.loads((out / f"now-{k}.json").read_text())
    if how is None:
        return note["number"] + 1
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
