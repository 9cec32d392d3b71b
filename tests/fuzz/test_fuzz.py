"""Some hundreds of the inputs of `make fuzz`, the same ones each time, and those that once failed."""

import os
import random as randomness
import time
import warnings
from pathlib import Path

import kinds
import numpy as np
import pytest
from commands import VERBS, drawn_command
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from kinds import KINDS, OUTCOMES, WARM, Fault, Kind, outcome, warm_command
from mutate import mutated, mutated_archive, mutated_json

FOUND = sorted(path for path in Path(__file__).with_name("found").glob("*/*") if path.is_file())
INPUTS = {"graph": 80, "model.toml": 40, "certificate": 15, "command": 60}  # others 30
SLOW = ("study", "diagram", "train")  # of verbs, left to `make fuzz`


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_inputs_end_in_a_result_or_in_one_line(kind, tmp_path):
    @settings(
        max_examples=INPUTS.get(kind, 30),
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(random=st.randoms(use_true_random=True))
    def attack(random):
        name, content = KINDS[kind].draw(random)
        if any(f'"{verb}"'.encode() in content[:30] for verb in SLOW):
            return
        (tmp_path / name).write_bytes(content)
        assert outcome(kind, tmp_path / name) in OUTCOMES

    if kind == "command":
        for line in WARM:
            if line.split()[0] not in SLOW:
                warm_command(tmp_path, line)
    attack()


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_once_failed(path, tmp_path):
    """Inputs by which `make fuzz` found a fault; the folder is the kind."""
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    assert outcome(path.parent.name, copy) in OUTCOMES


# ------------------------------------------------------------------------------------- the harness itself


def raises(error):
    def attempt(path):
        raise error

    return attempt


def warns(category):
    def attempt(path):
        warnings.warn("words", category, stacklevel=1)
        return "result"

    return attempt


def waits(path):
    time.sleep(5)


def works(path):
    while True:
        pass


def takes(path):
    np.ones(20 << 30, dtype=np.int8)


BAD = {
    "a KeyError": raises(KeyError("a.csv")),
    "an index": raises(IndexError("a.csv")),
    "an encoding": raises(UnicodeDecodeError("a.csv", b"", 0, 1, "a.csv")),
    "no name": raises(ValueError("the file is damaged")),
    "two lines": raises(ValueError("a.csv\nis damaged")),
    "no words": raises(ValueError("")),
    "long": raises(ValueError(5000 * "a.csv")),
    "an exit": raises(SystemExit(2)),
    "a warning": warns(RuntimeWarning),
    "waiting": waits,
    "working": works,
    "memory": takes,
}
GOOD = {
    "refused": raises(ValueError("a.csv is damaged")),
    "missing": raises(FileNotFoundError("a.csv is not there")),
    "told": warns(UserWarning),
}


@pytest.mark.parametrize("name", [*BAD, *GOOD])
def test_outcomes_are_told_apart(name, tmp_path, monkeypatch):
    attempt = BAD.get(name) or GOOD[name]
    monkeypatch.setitem(KINDS, "one", Kind(dict, attempt))
    monkeypatch.setattr(kinds, "SECONDS", 0.3)
    monkeypatch.setattr(kinds, "PATIENCE", 1)
    if name in BAD:
        with pytest.raises(Fault):
            outcome("one", tmp_path / "a.csv")
    else:
        assert outcome("one", tmp_path / "a.csv") in OUTCOMES


def test_limits_leave_the_process_as_it_was(tmp_path):
    import resource
    import signal

    def state():
        timers = [signal.getitimer(which)[0] for which in (signal.ITIMER_PROF, signal.ITIMER_REAL)]
        return resource.getrlimit(resource.RLIMIT_AS), signal.getsignal(signal.SIGPROF), timers, os.getcwd()

    before = state()
    (tmp_path / "command.json").write_text('{"words": ["check", "proof.json"], "files": {}}')
    assert outcome("command", tmp_path / "command.json") == "result"
    assert state() == before


def test_inputs_follow_from_the_seed_and_are_of_all_sorts():
    def drawn(seed):
        random = randomness.Random(seed)
        return [[kind.draw(random) for _ in range(20)] for kind in KINDS.values()]

    once = drawn(3)
    assert once == drawn(3) and once != drawn(4)
    assert all(len(set(row)) > 10 for row in once)
    random = randomness.Random(0)
    assert {drawn_command(random)[0] for _ in range(1000)} == set(VERBS)


@pytest.mark.parametrize("damage", [mutated, mutated_json, mutated_archive])
def test_damage_changes_nearly_every_input(damage):
    kind = {mutated: "graph", mutated_json: "certificate", mutated_archive: "graph.npz"}[damage]
    content = sorted(KINDS[kind].examples().values())[0]
    random = randomness.Random(0)
    assert sum(damage(content, random) != content for _ in range(200)) > 180
    assert sum(damage(b"" if damage is mutated else content, random) is not None for _ in range(50)) == 50
