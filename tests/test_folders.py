"""Whose a folder is: what a new run removes, what it refuses, and who else may write there."""

import hashlib
import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import inphase as ip
from inphase import studies
from inphase.cli import main
from inphase.files import LOCK, MANIFEST, OutputFolder, locked, manifest, replace_file, write_text
from inphase.reproduce import EXPERIMENTS, reproduce
from inphase.status import Status

PROVED = ip.PhaseModel(ip.attention(beta=2.0))
OTHER = ip.PhaseModel(ip.sakaguchi(0.3))  # no gradient: neither tree nor proof
SIMULATE = ["simulate", "kuramoto", "--n", "2", "--t-end", "1"]


def content(folder):
    """What is in a folder, byte by byte."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refused(capsys, *arguments):
    """The one line of a command that ends with status 2."""
    capsys.readouterr()
    assert main(list(arguments)) == 2
    told = capsys.readouterr()
    assert not told.out and told.err.count("\n") == 1 and told.err.startswith("inphase: ")
    return told.err


def run_of(folder, verb="study", names=("a.txt", "b.txt"), text="new", **how):
    """A run that writes the first of its files."""
    with OutputFolder(folder, verb, names, **how) as owned:
        write_text(owned.file(names[0]), text)
        owned.status = Status.FINISHED


# ----------------------------------------------------------------------------------------- what a new run removes


def test_nothing_of_an_earlier_study_stays(tmp_path):
    first = ip.study(PROVED, n=3, t_end=1.0, out=tmp_path)
    assert {"proof", "tree"} <= set(first.files) and ip.certify.check(tmp_path / "proof.json")
    told = manifest(tmp_path)
    listed = {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in told["files"]}
    assert told["verb"] == "study" and told["status"] == "finished" and told["files"] == listed
    assert (
        set(listed) | {MANIFEST}
        == set(content(tmp_path))
        == {Path(f).name for f in first.files.values()} | {MANIFEST}
    )
    assert told["about"]["model"] == PROVED.to_dict() and told["about"]["n"] == 3
    (tmp_path / "notes.txt").write_text("mine")
    second = ip.study(OTHER, n=3, t_end=1.0, out=tmp_path)
    left = {Path(f).name for f in second.files.values()}
    assert left == {"trajectory.nc", "study.json", "report.html"} == set(manifest(tmp_path)["files"])
    assert set(content(tmp_path)) == left | {MANIFEST, "notes.txt"}
    assert manifest(tmp_path)["about"]["model"] == OTHER.to_dict()


def test_the_old_files_stay_until_the_first_new_one_is_there(tmp_path, monkeypatch):
    """A study that fails before it has anything leaves the one before as it was; one that fails later, nothing of it."""
    ip.study(PROVED, n=3, t_end=1.0, out=tmp_path)
    before = content(tmp_path)
    with pytest.raises(ValueError, match="method"):
        ip.study(OTHER, n=3, t_end=1.0, out=tmp_path, method="rk9")
    assert content(tmp_path) == before

    def fails(*_):
        raise OSError("no space")

    monkeypatch.setattr(studies, "summary", fails)
    with pytest.raises(OSError, match="no space"):
        ip.study(OTHER, n=3, t_end=1.0, out=tmp_path)
    assert set(content(tmp_path)) == {"trajectory.nc", MANIFEST}
    assert manifest(tmp_path)["status"] == "unfinished"


def test_experiments_share_a_folder(tmp_path):
    for name in ("fig1", "fig2"):
        run_of(tmp_path, "reproduce", (f"{name}.txt", f"{name}-figures/*"), shared=True)
    run_of(tmp_path, "reproduce", ("fig1-figures/a", "fig1.txt", "fig1-figures/*"), text="again", shared=True)
    assert set(content(tmp_path)) == {"fig1-figures/a", "fig2.txt", MANIFEST}
    assert set(manifest(tmp_path)["files"]) == {"fig1-figures/a", "fig2.txt"}
    with pytest.raises(FileExistsError, match="what inphase reproduce wrote"):
        run_of(tmp_path)
    run_of(tmp_path, overwrite=True)
    assert set(content(tmp_path)) == {"a.txt", MANIFEST}


@pytest.mark.parametrize(
    "name", ["../kept.txt", "{outside}/kept.txt", "link/kept.txt", ".", "", "sub/../../kept.txt"]
)
def test_a_forged_manifest_removes_nothing_outside(name, tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "inner"
    for place in (outside, folder / "sub", tmp_path):
        place.mkdir(parents=True, exist_ok=True)
        (place / "kept.txt").write_text("mine")
    (folder / "link").symlink_to(outside, target_is_directory=True)
    digest = hashlib.sha256(b"mine").hexdigest()
    told = {"verb": "study", "status": "finished", "files": {name.format(outside=outside): digest}}
    (folder / MANIFEST).write_text(json.dumps(told))
    run_of(folder)
    for place in (outside, folder / "sub", tmp_path):
        assert (place / "kept.txt").read_text() == "mine"
    assert set(manifest(folder)["files"]) == {"a.txt"}


# ------------------------------------------------------------------------------------------------ what is refused


def strange(folder):
    (folder / "notes.txt").write_text("mine")
    return "holds notes.txt and no manifest.json of inphase"


def before_manifests(folder):
    (folder / "trajectory.nc").write_text("old")
    (folder / "proof.json").write_text("old")
    return "holds proof.json and no manifest.json of inphase"


def broken(folder):
    run_of(folder, "simulate", ["trajectory.nc"])
    (folder / MANIFEST).write_text('{"verb": "simulate", "files": 3}')
    return "and no manifest.json of inphase"


def another_verb(folder):
    run_of(folder, "coarsen", ["tree.nc"])
    return "holds what inphase coarsen wrote"


def changed(folder):
    run_of(folder, "simulate", ["trajectory.nc"])
    (folder / "trajectory.nc").write_text("edited")
    return "trajectory.nc is not as inphase simulate left it"


def added(folder):
    run_of(folder, "simulate", ["other.nc"])
    (folder / "trajectory.nc").write_text("mine")
    return "trajectory.nc is not as inphase simulate left it"


def deep(folder):
    run_of(folder, "simulate", ["trajectory.nc"])
    (folder / MANIFEST).write_text("[" * 100_000)
    return "and no manifest.json of inphase"


@pytest.mark.parametrize("prepare", [strange, before_manifests, broken, deep, another_verb, changed, added])
def test_a_folder_that_is_not_its_own_is_refused(prepare, tmp_path, capsys):
    says = prepare(tmp_path)
    before = content(tmp_path)
    line = refused(capsys, *SIMULATE, "--out", str(tmp_path))
    assert says in line and "--overwrite" in line and content(tmp_path) == before
    assert main([*SIMULATE, "--out", str(tmp_path), "--overwrite"]) == 0
    after, mine = content(tmp_path), {"notes.txt", "proof.json"}  # names that simulate does not write
    assert set(after) == {"trajectory.nc", MANIFEST} | (mine & set(before))
    assert all(after[name] == before[name] for name in mine & set(before))
    assert manifest(tmp_path)["verb"] == "simulate" and list(manifest(tmp_path)["files"]) == ["trajectory.nc"]
    assert main([*SIMULATE, "--out", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("study", ["kuramoto", "--n", "2", "--t-end", "1"]),
        ("coarsen", ["kuramoto", "--n", "2"]),
        ("equilibria", ["kuramoto", "--n", "2"]),
        ("diagram", ["--formula", "sin(x) + a*sin(2*x) + b*sin(3*x)", "--a", "0", "1", "--b", "0", "1"]),
        ("reproduce", ["fig1"]),
    ],
)
def test_every_verb_asks_whose_the_folder_is(verb, given, tmp_path, capsys):
    run_of(tmp_path, "simulate", ["trajectory.nc"])
    before = content(tmp_path)
    assert "what inphase simulate wrote" in refused(capsys, verb, *given, "--out", str(tmp_path))
    assert content(tmp_path) == before


def test_folders_and_hidden_files_are_nobodys_results(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / ".gitignore").write_text("*\n")
    run_of(tmp_path)
    assert manifest(tmp_path)["status"] == "finished"


# ------------------------------------------------------------------------------------------------- two at a time


def child(work):
    """A process that does this and then waits to be killed; its number, once it waits."""
    reader, writer = os.pipe()
    number = os.fork()
    if number == 0:
        try:
            work(lambda: (os.write(writer, b"."), time.sleep(60)))
        finally:
            os._exit(1)
    assert os.read(reader, 1) == b"."
    for end in (reader, writer):
        os.close(end)
    return number


def killed(number):
    os.kill(number, signal.SIGKILL)
    os.waitpid(number, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_second_process_is_refused_until_the_first_is_no_more(tmp_path, capsys):
    def first(wait):
        with OutputFolder(tmp_path, "simulate", ["trajectory.nc"]) as owned:
            write_text(owned.file("trajectory.nc"), "half a run")
            wait()

    number = child(first)
    try:
        line = refused(capsys, *SIMULATE, "--out", str(tmp_path))
        assert f"is being written to by another process ({number})" in line
        assert "another process" in refused(capsys, *SIMULATE, "--out", str(tmp_path), "--overwrite")
        assert (tmp_path / "trajectory.nc").read_text() == "half a run"
    finally:
        killed(number)
    assert manifest(tmp_path)["status"] == "unfinished" and (tmp_path / LOCK).exists()
    assert "inphase simulate" in refused(capsys, "coarsen", "kuramoto", "--n", "2", "--out", str(tmp_path))
    assert main([*SIMULATE, "--out", str(tmp_path)]) == 0
    assert manifest(tmp_path)["status"] == "finished" and set(content(tmp_path)) == {
        "trajectory.nc",
        MANIFEST,
    }


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_halves_that_a_killed_run_left_go_with_the_next(tmp_path):
    names = ("a.txt", "drawn/*")

    def first(wait):
        def halfway(beside):
            beside.write_text("half")
            replace_file(owned.file("drawn/b.png"), lambda beside: (beside.write_text("half"), wait()))

        with OutputFolder(tmp_path, "study", names) as owned:
            replace_file(owned.file("a.txt"), halfway)

    killed(child(first))
    (tmp_path / ".a-mine.txt").write_text("mine")
    assert len(content(tmp_path)) == 5  # two halves, the manifest, the lock, and mine
    run_of(tmp_path, names=names)
    assert set(content(tmp_path)) == {"a.txt", MANIFEST, ".a-mine.txt"}


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_an_experiment_killed_while_it_writes_is_not_finished(tmp_path, monkeypatch):
    def first(wait):
        run = lambda name, description, folder, options: (options.begin(Status.FINISHED), wait())  # noqa: E731
        monkeypatch.setitem(EXPERIMENTS, "fig1", replace(EXPERIMENTS["fig1"], run=run))
        reproduce("fig1", tmp_path)

    killed(child(first))
    assert manifest(tmp_path)["status"] == "unfinished"


def test_the_lock_is_on_the_file_that_is_there(tmp_path, monkeypatch):
    """Who has opened the file that the holder before removes in that moment takes the next one."""
    opened, usual = [], os.open

    def late(path, *how):
        descriptor = usual(path, *how)
        opened.append(path)
        if len(opened) == 1:
            os.unlink(path)
        return descriptor

    monkeypatch.setattr(os, "open", late)
    with locked(tmp_path):
        assert len(opened) == 2 and (tmp_path / LOCK).read_text() == str(os.getpid())
        with pytest.raises(BlockingIOError, match=f"another process \\({os.getpid()}\\)"):
            locked(tmp_path).__enter__()
    assert not (tmp_path / LOCK).exists()


# ---------------------------------------------------------------------------------------- exit status of the verbs


def test_an_experiment_whose_training_ended_early_has_status_3(tmp_path, capsys, monkeypatch):
    def run(name, description, folder, options):
        options.begin(Status.NOT_FINITE)
        return {"html": write_text(folder / f"{name}.html", "page")}

    monkeypatch.setitem(EXPERIMENTS, "fig1", replace(EXPERIMENTS["fig1"], run=run))
    assert main(["reproduce", "fig1", "--out", str(tmp_path)]) == 3
    line = (
        f"inphase: the run ended early ({Status.NOT_FINITE.text}); what there is was written to {tmp_path}\n"
    )
    assert capsys.readouterr().err == line
    told = manifest(tmp_path)
    assert told["status"] == "not finite" and list(told["files"]) == ["fig1.html"]
